package live

import (
	"context"
	"slices"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
	"parkwire/internal/problem"
)

// memoryBatch is how many entries are taken from memory at once while the lock is held.
const memoryBatch = 256

// errCursorExpired says that the log no longer holds what comes after the cursor.
var errCursorExpired = problem.New(410, "cursor-expired",
	"The log no longer holds what comes after this cursor. Load the present state from /api/v1/spots and connect without a cursor.")

// catchUp calls emit for every event that have does not cover, in order per partition,
// first from the log, then from memory. have moves on with each and is what emit gets, so
// that a cursor made of it claims exactly what was sent. When nothing is left it
// calls arrived with mu held: what arrived sets up misses nothing and repeats nothing.
//
// A client may be ahead of this instance, having been served by a faster one. What the
// instance receives meanwhile is then not sent again: it waits until it has caught up itself.
func (s *Service) catchUp(ctx context.Context, have event.Offsets, emit func(entry, event.Offsets) error, arrived func(event.Offsets)) error {
	have = slices.Clone(have)
	source := "memory"
	pass := func(e entry) error {
		if have.Covers(e.partition, e.offset) {
			return nil
		}
		have = have.Advance(e.partition, e.offset)
		return emit(e, have)
	}
	for {
		s.mu.Lock()
		if !s.memory.reaches(have) {
			floor := slices.Clone(s.memory.floor)
			s.mu.Unlock()
			source = "log"
			if err := s.readLog(ctx, have, floor, pass); err != nil {
				return err
			}
			have = have.Join(floor)
			continue
		}
		entries := s.memory.after(have, memoryBatch)
		if len(entries) == 0 {
			if s.heads.Contains(have) {
				s.metrics.resumes.WithLabelValues(source).Inc()
				arrived(have.Join(s.heads))
				s.mu.Unlock()
				return nil
			}
			changed := s.nextChange()
			s.mu.Unlock()
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-changed:
			case <-time.After(time.Second):
				if err := emit(entry{partition: -1}, have); err != nil { // is the client still there?
					return err
				}
			}
			continue
		}
		s.mu.Unlock()
		for _, e := range entries {
			if err := pass(e); err != nil {
				return err
			}
		}
	}
}

// nextChange returns a channel that is closed at the next delivery. The caller holds mu.
func (s *Service) nextChange() <-chan struct{} {
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.changed
}

func (s *Service) readLog(ctx context.Context, from, to event.Offsets, pass func(entry) error) error {
	tails, err := s.options.Log.Tails(ctx)
	if err != nil {
		return err
	}
	if !from.Contains(tails) {
		return errCursorExpired
	}
	return s.options.Log.Range(ctx, from, to, func(r kafkalog.Record) error {
		e, err := event.Decode(r.Value)
		if err != nil {
			return nil // the bridge put it aside
		}
		return pass(entry{r.Partition, r.Offset, e, r.Value})
	})
}

// parseAfter reads a client's cursor. A cursor from beyond the log is nobody's.
func (s *Service) parseAfter(ctx context.Context, text string) (event.Offsets, error) {
	s.mu.Lock()
	topic, heads := s.topic, slices.Clone(s.heads)
	s.mu.Unlock()
	cursor, err := event.ParseCursor(text, topic)
	if err == event.ErrOtherTopic {
		return nil, errCursorExpired
	}
	if err == nil && !heads.Contains(cursor.Offsets) {
		newest, headsErr := s.options.Log.Heads(ctx)
		if headsErr == nil && !newest.Contains(cursor.Offsets) {
			err = event.ErrCursor
		}
	}
	if err != nil {
		p := problem.New(400, "invalid-cursor", "The parameter \"after\" must be a cursor as events carry it: "+err.Error()+".")
		p.Field = "after"
		return nil, p
	}
	return cursor.Offsets, nil
}
