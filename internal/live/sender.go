package live

import (
	"context"
	"sync"
	"time"
)

// A sender serves a share of the connections: it is the only goroutine that walks
// them, one write each, whenever their log has grown.
type sender struct {
	number int           // its place in subscription.members and subscription.marked
	wake   chan struct{} // holds one signal: there is something in inbox or grown

	mu    sync.Mutex
	inbox []*client       // came, began to follow or went
	grown []*subscription // have new frames
}

func newSender(number int) *sender {
	return &sender{number: number, wake: make(chan struct{}, 1)}
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
	if !sub.marked[s.number] {
		sub.marked[s.number] = true
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
	for _, sub := range grown {
		sub.marked[s.number] = false
	}
	return inbox, grown
}

// run serves until ctx ends.
func (s *sender) run(ctx context.Context, pingInterval time.Duration) {
	beat := newHeartbeat(pingInterval)
	defer beat.ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-beat.ticker.C:
			beat.ping()
			continue
		case <-s.wake:
		}
		inbox, grown := s.take()
		for _, c := range inbox {
			s.place(c, beat)
		}
		for _, sub := range grown {
			for _, c := range sub.members[s.number] {
				c.flush()
			}
		}
	}
}

// place takes a client in, to another subscription, or out when it is gone, and sends what it is due.
func (s *sender) place(c *client, beat *heartbeat) {
	c.mu.Lock()
	gone, sub := c.gone, c.sub
	c.mu.Unlock()
	if c.member != nil && (gone || c.member != sub) {
		c.member.leave(s.number, c)
		c.member = nil
	}
	switch {
	case gone:
		beat.remove(c)
		return
	case c.slot < 0:
		beat.add(c)
	}
	if sub != nil && c.member == nil {
		c.member = sub
		sub.join(s.number, c)
	}
	c.flush() // what the log got before the client was a member
}
