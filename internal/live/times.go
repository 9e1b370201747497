package live

import "parkwire/internal/websocket"

// What happens to a client because time has passed: its loop's wheel brings it here when the first of it is due.

// expect makes sure that the wheel brings a client when something is due for it, if it should be earlier than it
// will. The caller holds mu.
func (l *loop) expect(c *client) {
	if c.gone {
		return
	}
	if due := l.dueOf(c); c.due == 0 || int32(due-c.due) < 0 {
		l.wheel.set(c, due)
	}
}

// dueOf is the tick at which something is due for a client. The caller holds mu.
func (l *loop) dueOf(c *client) uint32 {
	if c.stage > staying {
		return c.until
	}
	due := c.pinged + l.ping
	earlier := func(tick uint32) {
		if int32(tick-due) < 0 {
			due = tick
		}
	}
	if c.stalls() {
		earlier(c.until)
	}
	if c.mayFallSilent() {
		earlier(c.heard + l.silence)
	}
	if c.expiry != 0 {
		earlier(c.expiry)
	}
	return due
}

// stalls reports whether its socket is full, and how long is for the loop to see. The caller holds mu.
func (c *client) stalls() bool { return c.busy && c.raw >= 0 }

// mayFallSilent reports whether it is a sign of death that a client says nothing. A stream never says anything; and it is no wonder
// that one answers no ping that has still to take what waits before it. The caller holds mu.
func (c *client) mayFallSilent() bool { return c.encoding != encodingSSE && !c.busy }

// The stages of the end of a client.
const (
	staying uint8 = iota
	leaving       // its close frame is to be sent
	waiting       // it was sent, and the answer is waited for
)

// expectEnd notices that a client is being closed, and that its close frame was sent: from then on it has so long. The caller holds mu.
func (l *loop) expectEnd(c *client) {
	switch {
	case c.lingers && c.stage < waiting:
		c.stage, c.until = waiting, l.wheel.now+l.wheel.ticks(closeWait)
	case c.ending && c.stage < leaving:
		c.stage, c.until = leaving, l.wheel.now+l.wheel.ticks(writeWait+closeWait)
	default:
		return
	}
	if c.due != 0 {
		l.expect(c)
	}
}

// visit does what is due for a client.
func (l *loop) visit(c *client) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := l.wheel.now
	past := func(tick uint32) bool { return int32(now-tick) >= 0 }
	switch {
	case c.stage > staying && past(c.until), c.stage == staying && c.stalls() && past(c.until),
		c.stage == staying && c.mayFallSilent() && past(c.heard+l.silence):
		c.cut()
		l.wheel.set(c, now+l.ping) // by then it is gone
		return
	case c.stage > staying:
	default:
		if c.expiry != 0 && past(c.expiry) {
			c.tokenTurns()
		}
		if past(c.pinged + l.ping) {
			c.pinged = now
			l.sendPing(c)
		}
		l.send(c)
	}
	if !c.gone {
		l.wheel.set(c, l.dueOf(c))
	}
}

// sendPing sends a ping, at once where nothing else is to be sent: so it takes no memory. The caller holds mu.
func (l *loop) sendPing(c *client) {
	l.pings = c.encoding.appendPing(l.pings[:0])
	n, idle := 0, c.extras == nil && !c.busy && !c.broken && len(c.at.next()) == 0
	if idle {
		var err error
		n, err = c.tryWrite(l.pings)
		l.tally.bytes += n
		if err == nil {
			return
		}
	}
	if len(c.control()) < maxControl && !c.ending {
		x := c.more()
		x.control = append(x.control, l.pings[n:]...)
	}
}

func (e encoding) appendPing(dst []byte) []byte {
	if e == encodingSSE {
		return append(dst, ":\n\n"...) // a comment: keeps proxies from closing an idle stream
	}
	return websocket.AppendFrame(dst, websocket.Ping, nil)
}
