package live

import (
	"context"
	"time"

	"parkwire/internal/event"
)

// appendWelcome appends the first thing that a client of parkwire.v1 hears. The caller holds mu.
func (s *Service) appendWelcome(dst []byte, cursor string) []byte {
	dst = appendMessage(dst, message{Type: "Welcome", Protocol: protocolV1, HeartbeatMs: s.options.HeartbeatInterval.Milliseconds(), Cursor: cursor})
	if now := s.stale(); !now.since.IsZero() {
		dst = now.append(dst)
	}
	return dst
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
			s.tellV1(appendMessage(nil, message{Type: "Heartbeat", Cursor: s.cursor(s.heads)}))
		}
		s.mu.Unlock()
		for _, c := range between {
			c.mu.Lock()
			// A write under way may be further than the place says, and then the cursor would be that of an earlier moment.
			if cursor := c.at.cursor(); cursor != "" && !c.ending && !c.busy && len(c.control) < maxControl {
				c.control = appendMessage(c.control, message{Type: "Heartbeat", Cursor: cursor})
			}
			c.mu.Unlock()
			c.flush()
		}
	}
}

// tellV1 sends a frame to all clients of parkwire.v1 that follow a subscription. The caller holds mu.
func (s *Service) tellV1(frame []byte) {
	grown := make([]*subscription, 0, len(s.subs.v1))
	for sub := range s.subs.v1 {
		sub.log.append(frame)
		grown = append(grown, sub)
	}
	s.wake(grown)
}

// tellSwitching sends a message of another program to clients that are between two subscriptions, unless they are too slow. The
// caller holds mu.
func (s *Service) tellSwitching(e *event.Event, message []byte) {
	var frame []byte
	for c, filters := range s.switching {
		if !wants(filters, e) {
			continue
		}
		if frame == nil {
			frame = encodingV1.appendForeign(nil, message)
		}
		c.mu.Lock()
		if !c.gone && !c.ending && c.at.behind() < s.options.ClientBytes {
			c.at.log.append(frame)
		}
		c.mu.Unlock()
		c.sender.attend(c)
	}
}

// stale is whether the log is away, as somebody knows it.
type stale struct {
	since   time.Time // zero: it is there
	unknown bool      // what they were told may not have reached them
}

// stale is what holds now. The caller holds mu.
func (s *Service) stale() stale { return stale{since: s.staleSince} }

func (s stale) append(dst []byte) []byte {
	if s.since.IsZero() {
		return appendMessage(dst, message{Type: "Fresh"})
	}
	return appendMessage(dst, message{Type: "Stale", StaleSince: timestamp(s.since)})
}

// appendChange tells a client what has changed since it heard of it. The caller holds mu.
func (s *Service) appendChange(log *frameLog, heard stale) {
	if now := s.stale(); heard.unknown || now != heard {
		log.append(now.append(nil))
	}
}
