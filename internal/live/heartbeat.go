package live

import (
	"slices"
	"time"

	"parkwire/internal/websocket"
)

// A heartbeat pings each client once an interval, spread over it: a wheel of slots, one of
// which is due at each tick.
type heartbeat struct {
	ticker *time.Ticker
	slots  [heartbeatSlots][]*client
	now    int
}

const heartbeatSlots = 64

func newHeartbeat(interval time.Duration) *heartbeat {
	return &heartbeat{ticker: time.NewTicker(interval / heartbeatSlots)}
}

// add puts the client where the last tick was, so that its first ping is one interval away.
func (h *heartbeat) add(c *client) {
	c.slot = h.now
	h.slots[h.now] = append(h.slots[h.now], c)
}

func (h *heartbeat) remove(c *client) {
	if c.slot < 0 {
		return
	}
	slot := h.slots[c.slot]
	if i := slices.Index(slot, c); i >= 0 {
		slot[i] = slot[len(slot)-1]
		slot[len(slot)-1] = nil
		h.slots[c.slot] = slot[:len(slot)-1]
	}
	c.slot = -1
}

func (h *heartbeat) ping() {
	h.now = (h.now + 1) % heartbeatSlots
	for _, c := range h.slots[h.now] {
		c.enqueue(c.encoding.appendPing)
	}
}

func (e encoding) appendPing(dst []byte) []byte {
	if e == encodingSSE {
		return append(dst, ":\n\n"...) // a comment: keeps proxies from closing an idle stream
	}
	return websocket.AppendFrame(dst, websocket.Ping, nil)
}
