package live

import (
	"context"
	"errors"
	"slices"
	"time"

	"parkwire/internal/event"
)

// memoryBatch is how many entries are taken from memory at once while mu is held.
const memoryBatch = 256

var (
	// errCursorExpired says that the log no longer holds what comes after the cursor.
	errCursorExpired = errors.New("the log no longer holds what comes after this cursor")
	// errFull is what a receiver returns that took an event and has no room for another one.
	errFull = errors.New("no room for more at present")
)

// A receiver gets what comes behind a cursor.
type receiver interface {
	// event gets an event, and what the receiver has with it, which is the caller's and good until event
	// returns. After errFull, flush is called before it goes on; any other error ends it.
	event(e *entry, have event.Offsets) error
	// flush waits until there is room.
	flush(ctx context.Context) error
	// arrived is called with Service.mu held when nothing is left: what it sets up misses nothing and repeats nothing.
	arrived(have event.Offsets)
}

// catchUp gives to every event that have does not cover, in order per partition, first from
// the log, in blocks that all clients share, then from memory. What it has moves on with each, so that a cursor made of it claims exactly what was
// given.
//
// A client may be ahead of this instance, having been served by a faster one. What the
// instance receives meanwhile is then not given again: it waits until it has caught up itself.
// In the same way it waits until the instance has seen atLeast.
func (s *Service) catchUp(ctx context.Context, have, atLeast event.Offsets, to receiver) error {
	have = slices.Clone(have)
	source, partition := "memory", int32(-1)
	pass := func(e *entry) error {
		if have.Covers(e.partition, e.offset) {
			return nil
		}
		have = have.Advance(e.partition, e.offset)
		return to.event(e, have)
	}
	for {
		var err error
		s.mu.Lock()
		if p, behind := nextBehind(have, s.memory.floor, partition); behind {
			newest := s.heads.At(p)
			s.mu.Unlock()
			source, partition = "log", p
			var b *block
			if b, err = s.shared.ranges.get(ctx, p, have.At(p)+1, newest); err == nil {
				for entries := b.after(have.At(p)); len(entries) > 0 && err == nil; entries = entries[1:] {
					err = pass(entries[0])
				}
				if err == nil {
					have = have.Advance(p, b.last)
				}
			}
		} else if entries := s.memory.after(have, memoryBatch); len(entries) > 0 {
			s.mu.Unlock()
			for i := 0; i < len(entries) && err == nil; i++ {
				err = pass(entries[i])
			}
		} else if s.heads.Contains(have) && s.heads.Contains(atLeast) {
			to.arrived(have.Join(s.heads))
			s.mu.Unlock()
			s.metrics.resumes.WithLabelValues(source).Inc()
			return nil
		} else {
			changed := s.nextChange()
			s.mu.Unlock()
			if err = to.flush(ctx); err == nil {
				select {
				case <-ctx.Done():
					err = ctx.Err()
				case <-changed:
				}
			}
		}
		if errors.Is(err, errFull) {
			err = to.flush(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// nextBehind returns a partition of which have lacks something up to floor; the first behind p, in a circle, so that they take turns.
func nextBehind(have, floor event.Offsets, p int32) (partition int32, behind bool) {
	for n := range len(floor) {
		next := (p + 1 + int32(n)) % int32(len(floor))
		if floor[next] > have.At(next) {
			return next, true
		}
	}
	return 0, false
}

// tailsAge is how long it may take until a cursor that has expired is refused at the door. Whoever comes in with one is told all the same.
const tailsAge = time.Second

// parseAfter reads a client's cursor. It returns errCursorExpired where the log cannot serve it any more, and
// [event.ErrCursor] for one that the platform did not give out, such as one from beyond the log.
func (s *Service) parseAfter(ctx context.Context, text string) (event.Offsets, error) {
	cursor, err := event.ParseCursor(text, s.topic)
	switch {
	case errors.Is(err, event.ErrOtherTopic):
		return nil, errCursorExpired
	case err != nil:
		return nil, err
	}
	s.mu.Lock()
	inMemory, known := s.memory.reaches(cursor.Offsets), s.heads.Contains(cursor.Offsets)
	s.mu.Unlock()
	if !known && !s.shared.ends.known().Contains(cursor.Offsets) {
		// One that comes with the state of spots may stand behind a transaction of another program that is still open.
		ends, err := s.shared.ends.fresh(ctx)
		if err == nil && !ends.Contains(cursor.Offsets) {
			return nil, event.ErrCursor
		}
	}
	if !inMemory {
		tails, err := s.shared.tails.recent(ctx, tailsAge)
		if err == nil && !cursor.Offsets.Contains(tails) {
			err = errCursorExpired
		}
		return cursor.Offsets, err
	}
	return cursor.Offsets, nil
}
