package consumer

import (
	"context"
	"errors"
	"fmt"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
	"parkwire/internal/sqldb"
)

// twinBatch bounds the records of the twin that are applied together. All are one transaction.
const twinBatch = 10_000

// readTwin returns the newest record of each spot that is there, as records of no offset, and how far the twin follows the log.
func (c *Consumer) readTwin(ctx context.Context) ([]kafkalog.Record, event.Offsets, error) {
	newest := map[string]int{}
	var all []kafkalog.Record
	covered, err := c.options.Log.Spots(ctx, func(r kafkalog.Record) error {
		r.Offset = -1
		if i, known := newest[string(r.Key)]; known {
			all[i] = r
			return nil
		}
		newest[string(r.Key)] = len(all)
		all = append(all, r)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	there := all[:0]
	for _, r := range all {
		if len(r.Value) > 0 {
			there = append(there, r)
		}
	}
	return there, covered, nil
}

// applyTwin applies records of the twin. Of an error the record is refused that it is for, where there is one.
func (c *Consumer) applyTwin(ctx context.Context, tx *sqldb.Tx, records []kafkalog.Record) error {
	checker, _ := c.options.Effect.(Checker)
	var refused []error
	for i, r := range records {
		if checker != nil {
			if err := checker.Check(r); err != nil {
				refused = append(refused, Refuse(i, err))
			}
		}
	}
	if len(refused) > 0 {
		return errors.Join(refused...)
	}
	for begin := 0; begin < len(records); begin += twinBatch {
		part := records[begin:min(begin+twinBatch, len(records))]
		err := guard(func() error { return c.options.Effect.Apply(ctx, tx, part) })
		if found := refusals(err, len(part)); len(found) > 0 {
			for i, reason := range found {
				refused = append(refused, Refuse(begin+i, reason))
			}
			return errors.Join(refused...)
		}
		if err != nil {
			return twinError{fmt.Errorf("taking the state from %s: %w", c.options.Log.SpotsTopic(), err)}
		}
	}
	return nil
}

// twinError is what the effect failed with at some record of the twin.
type twinError struct{ error }

func (e twinError) Unwrap() error { return e.error }

var errNotCommitted = errors.New("this was to be found out only")

// culprits finds the records at which the effect fails, in transactions that are not committed.
func (c *Consumer) culprits(ctx context.Context, s *session, records []kafkalog.Record) (map[int]error, error) {
	found := map[int]error{}
	var search func(begin, end int) error
	search = func(begin, end int) error {
		err := c.options.DB.Update(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			s.loaded = false
			if err := c.load(ctx, tx, s); err != nil {
				return err
			}
			if err := guard(func() error { return c.options.Effect.Apply(ctx, tx, records[begin:end]) }); err != nil {
				return twinError{err}
			}
			return errNotCommitted
		})
		switch {
		case errors.Is(err, errNotCommitted):
			return nil
		case !errors.As(err, new(twinError)), errors.Is(err, sqldb.ErrUnavailable), ctx.Err() != nil:
			return err
		case end-begin == 1:
			found[begin] = failure{err}
			return nil
		}
		mid := (begin + end) / 2
		if err := search(begin, mid); err != nil {
			return err
		}
		return search(mid, end)
	}
	for begin := 0; begin < len(records); begin += twinBatch {
		if err := search(begin, min(begin+twinBatch, len(records))); err != nil {
			return nil, err
		}
	}
	return found, nil
}
