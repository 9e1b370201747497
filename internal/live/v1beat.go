package live

import (
	"context"
	"time"

	"parkwire/internal/event"
)

// appendWelcome appends the first thing that a client of parkwire.v1 hears. The caller holds mu.
func (s *Service) appendWelcome(enc encoding, cursor string) []byte {
	told := enc.appendMessage(nil, message{Type: "Welcome", Protocol: protocolV1, HeartbeatMs: s.options.HeartbeatInterval.Milliseconds(), Cursor: cursor})
	if now := s.stale(); !now.since.IsZero() {
		told = enc.appendMessage(told, now.message())
	}
	return told
}

// beat tells clients of parkwire.v1 where they stand, until ctx ends: one frame for all. It goes through the logs of the subscriptions, so
// that everything before it was sent. Those who are between two subscriptions stand where they are.
func (s *Service) beat(ctx context.Context) {
	ticker := time.NewTicker(s.options.HeartbeatInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		s.mu.Lock()
		var between []*client
		for c := range s.switching {
			between = append(between, c)
		}
		if len(s.subs.v1) > 0 {
			s.tellV1(message{Type: "Heartbeat", Cursor: s.cursor(s.heads)})
		}
		s.mu.Unlock()
		for _, c := range between {
			c.mu.Lock()
			// A write under way may be further than the place says, and then the cursor would be that of an earlier moment.
			if cursor := c.at.cursor(); cursor != "" && !c.ending && !c.busy && len(c.control()) < maxControl {
				x := c.more()
				x.control = c.encoding.appendMessage(x.control, message{Type: "Heartbeat", Cursor: cursor})
			}
			c.mu.Unlock()
			c.loop.attend(c)
		}
	}
}

// tellV1 sends a message to all clients of parkwire.v1 that follow a subscription. The caller holds mu.
func (s *Service) tellV1(m message) {
	var frames encoded
	grown := make([]*subscription, 0, len(s.subs.v1))
	for sub := range s.subs.v1 {
		sub.log.append(frames.in(sub.key.encoding, func(enc encoding) []byte { return enc.appendMessage(nil, m) }))
		grown = append(grown, sub)
	}
	s.wake(grown, load{})
}

// tellSwitching sends a message of another program to clients that are between two subscriptions, unless they are too slow. The
// caller holds mu.
func (s *Service) tellSwitching(e *event.Event, message []byte) {
	var frames encoded
	for c, filters := range s.switching {
		if !wants(filters, e) {
			continue
		}
		frame := frames.in(c.encoding, func(enc encoding) []byte { return enc.appendForeign(nil, message) })
		c.mu.Lock()
		if !c.gone && !c.ending && c.at.behind() < s.options.ClientBytes {
			c.at.seg.log.append(frame)
		}
		c.mu.Unlock()
		c.loop.attend(c)
	}
}

// stale is whether the log is away, as somebody knows it.
type stale struct {
	since   time.Time // zero: it is there
	unknown bool      // what they were told may not have reached them
}

// stale is what holds now. The caller holds mu.
func (s *Service) stale() stale { return stale{since: s.staleSince} }

func (s stale) message() message {
	if s.since.IsZero() {
		return message{Type: "Fresh"}
	}
	return message{Type: "Stale", StaleSince: timestamp(s.since)}
}

// appendChange tells a client what has changed since it heard of it. The caller holds mu.
func (s *Service) appendChange(r *resumption) {
	if now := s.stale(); r.heard.unknown || now != r.heard {
		r.missed.append(r.encoding.appendMessage(nil, now.message()))
	}
}
