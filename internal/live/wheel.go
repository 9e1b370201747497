package live

import "time"

// A wheel holds clients by when something is due for them. It has one hand, that of its loop, and no timer of the runtime
// but the one that moves the hand. Who is due later than it goes round stays until its round comes.
type wheel struct {
	began time.Time
	tick  time.Duration
	now   uint32 // ticks since it began, up to which everything was done
	slots [wheelSlots]*client
}

const (
	wheelSlots = 512
	// maxTick is how late things may happen that are due.
	maxTick = 250 * time.Millisecond
)

// newWheel makes a wheel that is exact to a part of the interval that is the most frequent.
func newWheel(interval time.Duration) wheel {
	return wheel{began: time.Now(), tick: max(time.Millisecond, min(interval/64, maxTick))}
}

// ticks is how many ticks last at least so long; at least one, and no more than can be told from the past.
func (w *wheel) ticks(d time.Duration) uint32 {
	return uint32(max(1, min(d/w.tick+min(1, d%w.tick), 1<<30)))
}

// at is the tick at which t is past. It may be called by anybody.
func (w *wheel) at(t time.Time) uint32 { return w.ticks(t.Sub(w.began)) }

// set puts a client where it is due at a tick, from wherever it is; at the next one at the earliest.
func (w *wheel) set(c *client, due uint32) {
	w.remove(c)
	if int32(due-w.now) <= 0 {
		due = w.now + 1
	}
	c.due = max(due, 1)
	slot := &w.slots[c.due%wheelSlots]
	if c.later = *slot; c.later != nil {
		c.later.earlier = c
	}
	*slot = c
}

// remove takes a client out, where it is in.
func (w *wheel) remove(c *client) {
	if c.due == 0 {
		return
	}
	if c.earlier != nil {
		c.earlier.later = c.later
	} else {
		w.slots[c.due%wheelSlots] = c.later
	}
	if c.later != nil {
		c.later.earlier = c.earlier
	}
	c.later, c.earlier, c.due = nil, nil, 0
}

// turn moves the hand to t, and calls visit for each client that is due by then. Visit sets it anew, or removes it.
func (w *wheel) turn(t time.Time, visit func(*client)) {
	for to := uint32(t.Sub(w.began) / w.tick); int32(to-w.now) > 0; {
		w.now++
		for c := w.slots[w.now%wheelSlots]; c != nil; {
			next := c.later
			if int32(c.due-w.now) <= 0 {
				visit(c)
			}
			c = next
		}
	}
}
