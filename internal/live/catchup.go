package live

import (
	"context"
	"errors"
	"slices"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
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
// the log, then from memory. What it has moves on with each, so that a cursor made of it claims exactly what was
// given.
//
// A client may be ahead of this instance, having been served by a faster one. What the
// instance receives meanwhile is then not given again: it waits until it has caught up itself.
// In the same way it waits until the instance has seen atLeast.
func (s *Service) catchUp(ctx context.Context, have, atLeast event.Offsets, to receiver) error {
	have = slices.Clone(have)
	source := "memory"
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
		if floor := s.memory.floor; !have.Contains(floor) {
			floor = slices.Clone(floor)
			s.mu.Unlock()
			source = "log"
			if err = s.readLog(ctx, slices.Clone(have), floor, pass); err == nil { // pass moves have on
				have = have.Join(floor)
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

// readLog passes the records of the log behind from up to to. It waits for its turn, and gives it up as soon
// as pass fails: a receiver without room would keep the others waiting.
func (s *Service) readLog(ctx context.Context, from, to event.Offsets, pass func(*entry) error) error {
	select {
	case s.logReads <- struct{}{}:
		defer func() { <-s.logReads }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := s.checkTails(ctx, from); err != nil {
		return err
	}
	err := s.options.Log.Range(ctx, from, to, func(r kafkalog.Record) error {
		if e := decode(r.Partition, r.Offset, r.Value); e != nil {
			return pass(e)
		}
		return nil
	})
	if late := s.checkTails(ctx, from); errors.Is(late, errCursorExpired) {
		return late // Range passes over what expires before it comes there
	}
	return err
}

// checkTails returns errCursorExpired where the log no longer holds all that comes behind from.
func (s *Service) checkTails(ctx context.Context, from event.Offsets) error {
	tails, err := s.options.Log.Tails(ctx)
	if err == nil && !from.Contains(tails) {
		err = errCursorExpired
	}
	return err
}

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
	if !known {
		// One that comes with the state of spots may stand behind a transaction of another program that is still open.
		ends, err := ask(ctx, s.options.Log.Ends)
		if err == nil && !ends.Contains(cursor.Offsets) {
			return nil, event.ErrCursor
		}
	}
	if !inMemory {
		return cursor.Offsets, s.checkTails(ctx, cursor.Offsets)
	}
	return cursor.Offsets, nil
}
