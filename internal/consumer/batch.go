package consumer

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"parkwire/internal/kafkalog"
	"parkwire/internal/sleep"
	"parkwire/internal/sqldb"
)

// session is the time for which a process reads without losing its turn, or its place.
type session struct {
	at     state
	loaded bool // what the effect remembers is what is committed
	aside  int  // records that failed, one after the other, without any that did not
}

// batch is some records, and why those are set aside that are.
type batch struct {
	records []kafkalog.Record
	reasons []error // nil: none is set aside
	failed  bool    // it failed as part of a larger one
}

// Bounds of trying.
const (
	tries     = 3  // of a batch, and at last of one record
	asideFast = 10 // records in a row that are set aside with no more than that
	// Where every record fails it is not for the records: the service has a fault, or its tables have. Each one waits longer then, so that there is
	// time to stop the service before the log is set aside.
	asideSlow = 30 * time.Second
)

func (b *batch) refuse(i int, reason error) {
	if b.reasons == nil {
		b.reasons = make([]error, len(b.records))
	}
	b.reasons[i] = reason
}

// applied returns the records that are applied, and where in the batch each of them stands.
func (b *batch) applied() (records []kafkalog.Record, place func(int) int) {
	if b.reasons == nil {
		return b.records, func(i int) int { return i }
	}
	var places []int
	for i := range b.records {
		if b.reasons[i] == nil {
			records, places = append(records, b.records[i]), append(places, i)
		}
	}
	return records, func(i int) int { return places[i] }
}

// halves divides it. Both keep the order of the records.
func (b *batch) halves() (batch, batch) {
	mid := len(b.records) / 2
	one, other := batch{records: b.records[:mid], failed: true}, batch{records: b.records[mid:], failed: true}
	if b.reasons != nil {
		one.reasons, other.reasons = b.reasons[:mid], b.reasons[mid:]
	}
	return one, other
}

// handle commits records, whatever they are: those that the effect does not take are found and set aside. It waits as long as the
// database is away. Its error is that ctx has ended, or that another process has gone on.
func (c *Consumer) handle(ctx context.Context, s *session, records []kafkalog.Record) error {
	b := batch{records: records}
	if checker, ok := c.options.Effect.(Checker); ok {
		for i, r := range records {
			if err := checker.Check(r); err != nil {
				b.refuse(i, err)
			}
		}
	}
	return c.commitOrDivide(ctx, s, b)
}

func (c *Consumer) commitOrDivide(ctx context.Context, s *session, b batch) error {
	pause := c.patience.retry
	for failures := 0; ; {
		records, place := b.applied()
		err := c.commit(ctx, s, b, records)
		switch {
		case err == nil:
			c.set(nil)
			if len(records) > 0 {
				s.aside = 0
			}
			return nil
		case errors.Is(err, errFenced):
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, sqldb.ErrUnavailable), errors.As(err, new(loadError)), errors.As(err, new(frameError)):
			c.set(err)
			if !c.pause(ctx, &pause) {
				return ctx.Err()
			}
			continue
		}
		if refused := refusals(err, len(records)); len(refused) > 0 {
			for i, reason := range refused {
				b.refuse(place(i), reason)
			}
			continue
		}
		c.metrics.failures.Inc()
		c.logger.Warn("records cannot be handled", "records", len(b.records), "error", err)
		failures++
		aside := errors.As(err, new(asideError))
		switch alone := len(b.records) == 1; {
		case aside && alone: // nobody else waits for what cannot be set aside
			c.set(fmt.Errorf("a record cannot be set aside: %w", err))
		case failures < tries && (!b.failed || alone):
			c.set(fmt.Errorf("records cannot be handled: %w", err))
		case alone && len(records) == 1:
			if err := c.giveUp(ctx, s, err); err != nil {
				return err
			}
			b.refuse(place(0), failure{err})
			continue
		case alone: // it is refused, and its place cannot be committed
			c.set(fmt.Errorf("a record cannot be passed: %w", err))
		default:
			one, other := b.halves()
			if err := c.commitOrDivide(ctx, s, one); err != nil {
				return err
			}
			return c.commitOrDivide(ctx, s, other)
		}
		if !c.pause(ctx, &pause) {
			return ctx.Err()
		}
	}
}

// failure is the reason for which a record is set aside that the effect did not refuse.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

// giveUp is called before a record is set aside that fails alone, too.
func (c *Consumer) giveUp(ctx context.Context, s *session, err error) error {
	s.aside++
	if s.aside <= asideFast {
		return nil
	}
	wait := min(time.Duration(s.aside-asideFast)*time.Second, asideSlow)
	c.set(fmt.Errorf("%d records in a row failed, the last one with: %w", s.aside, err))
	return sleep.For(ctx, wait)
}

// commit does a batch in one transaction.
func (c *Consumer) commit(ctx context.Context, s *session, b batch, records []kafkalog.Record) error {
	begun := time.Now()
	next := s.at.behind(b.records)
	records, spans := c.trace(records, begun)
	var dropped int64
	err := c.options.DB.Update(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		if err := c.move(ctx, tx, s.at, next); err != nil {
			return err
		}
		if err := c.load(ctx, tx, s); err != nil {
			return err
		}
		if len(records) > 0 {
			s.loaded = false // until it is committed
			if err := guard(func() error { return c.options.Effect.Apply(ctx, tx, records) }); err != nil {
				return err
			}
		}
		dropped, err = c.setAside(ctx, tx, s.at, b)
		return err
	})
	spans.end(err)
	if err != nil {
		return err
	}
	s.loaded = true
	c.committed(s, next)
	c.metrics.committed(begun, b, len(records))
	c.wasSetAside(b, dropped)
	return nil
}

// load makes the effect remember what the transaction sees.
func (c *Consumer) load(ctx context.Context, tx *sqldb.Tx, s *session) error {
	if s.loaded {
		return nil
	}
	if err := guard(func() error { return c.options.Effect.Load(ctx, tx) }); err != nil {
		return loadError{fmt.Errorf("loading what is known: %w", err)}
	}
	return nil
}

// loadError is no fault of the records.
type loadError struct{ error }

func (e loadError) Unwrap() error { return e.error }

// committed takes over a state that was committed.
func (c *Consumer) committed(s *session, next state) {
	next.found = true
	s.at = next
	c.watch.reached(next)
	c.options.Committed()
}

// guard makes an error of a panic: what one record does to a service must not end it.
func guard(do func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	return do()
}

// pause waits, twice as long each time, and reports whether ctx is still alive.
func (c *Consumer) pause(ctx context.Context, d *time.Duration) bool {
	err := sleep.For(ctx, *d)
	*d = min(2**d, c.patience.longest)
	return err == nil
}
