package live

import (
	"context"
	"slices"
	"sync"
	"time"

	"parkwire/internal/websocket"
)

// A sender serves a share of the connections: it is the only goroutine that walks
// them, one write each, whenever their log has grown.
type sender struct {
	wake chan struct{} // holds one signal: there is something in inbox or grown

	mu    sync.Mutex
	inbox []*client       // came, went or have something to say
	grown []*subscription // have new frames
	marks map[*subscription]bool
}

func newSender() *sender {
	return &sender{wake: make(chan struct{}, 1), marks: map[*subscription]bool{}}
}

func (s *sender) signal() {
	select {
	case s.wake <- struct{}{}:
	default: // it will see what was added when it comes round
	}
}

// grew tells the sender that a log has new frames.
func (s *sender) grew(sub *subscription) {
	s.mu.Lock()
	if !s.marks[sub] {
		s.marks[sub] = true
		s.grown = append(s.grown, sub)
	}
	s.mu.Unlock()
	s.signal()
}

// attend makes the sender look at one client: to take it in, or out when it is gone.
func (s *sender) attend(c *client) {
	s.mu.Lock()
	s.inbox = append(s.inbox, c)
	s.mu.Unlock()
	s.signal()
}

// take empties both lists. It is one step with clearing the marks, so that what grows
// while the sender works is marked anew.
func (s *sender) take() ([]*client, []*subscription) {
	s.mu.Lock()
	defer s.mu.Unlock()
	inbox, grown := s.inbox, s.grown
	s.inbox, s.grown = nil, nil
	clear(s.marks)
	return inbox, grown
}

// run serves until ctx ends. number is the sender's place in subscription.members.
func (s *sender) run(ctx context.Context, number int, pingInterval time.Duration) {
	beat := newHeartbeat(pingInterval)
	defer beat.stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-beat.C():
			beat.ping()
			continue
		case <-s.wake:
		}
		inbox, grown := s.take()
		for _, c := range inbox {
			s.place(c, number, beat)
		}
		for _, sub := range grown {
			for _, c := range sub.members[number] {
				c.flush()
			}
		}
	}
}

// place takes a client in, or out when it is gone, and sends what it is due.
func (s *sender) place(c *client, number int, beat *heartbeat) {
	c.mu.Lock()
	gone := c.gone
	c.mu.Unlock()
	members := &c.sub.members[number]
	switch {
	case !gone && c.index < 0:
		c.index = len(*members)
		*members = append(*members, c)
		beat.add(c)
	case gone && c.index >= 0:
		last := len(*members) - 1
		(*members)[c.index] = (*members)[last]
		(*members)[c.index].index = c.index
		(*members)[last] = nil
		*members = (*members)[:last]
		c.index = -1
		beat.remove(c)
	}
	c.flush()
}

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

func (h *heartbeat) C() <-chan time.Time { return h.ticker.C }
func (h *heartbeat) stop()               { h.ticker.Stop() }

// add puts the client where the last tick was, so that its first ping is one interval away.
func (h *heartbeat) add(c *client) {
	c.slot = h.now
	h.slots[h.now] = append(h.slots[h.now], c)
}

func (h *heartbeat) remove(c *client) {
	slot := h.slots[c.slot]
	if i := slices.Index(slot, c); i >= 0 {
		h.slots[c.slot] = slices.Delete(slot, i, i+1)
	}
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
