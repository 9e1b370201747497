package consumer

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"parkwire/internal/kafkalog"
	"parkwire/internal/sqldb"
)

// A Ticker is an [Effect] that also does something when no record comes, such as what was due by now.
type Ticker interface {
	// Ticks is asked for a Tick by a token. It is the effect's to say how often.
	Ticks() <-chan struct{}
	// Tick is called between two batches, in the process that reads, in a transaction that is fenced as theirs are. One that
	// fails is tried again a few times, and then left until the next.
	Tick(ctx context.Context, tx *sqldb.Tx) error
}

// ticks returns the tokens of the effect; nil where it has none.
func (c *Consumer) ticks() <-chan struct{} {
	if t, ok := c.options.Effect.(Ticker); ok {
		return t.Ticks()
	}
	return nil
}

// poll waits for records, or for a token, or for a while: the error is then [context.Canceled], or [context.DeadlineExceeded].
func poll(ctx context.Context, reader *kafkalog.Reader, ticks <-chan struct{}) (records []kafkalog.Record, ticked bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, pollWait)
	defer cancel()
	select {
	case <-ticks: // also where there are always records
		cancel()
		records, err = reader.Poll(ctx, most) // what there is at once
		return records, true, err
	default:
	}
	var waiting sync.WaitGroup
	polled := make(chan struct{})
	if ticks != nil {
		waiting.Go(func() {
			select {
			case <-ticks:
				ticked = true
				cancel()
			case <-polled:
			}
		})
	}
	records, err = reader.Poll(ctx, most)
	close(polled)
	waiting.Wait()
	return records, ticked, err
}

// tick does what is due. Its error is that ctx has ended, or that another process has gone on.
func (c *Consumer) tick(ctx context.Context, s *session) error {
	ticker := c.options.Effect.(Ticker)
	pause := c.patience.retry
	for failures := 0; ; {
		next := s.at.behind(nil)
		err := c.options.DB.Update(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			if err := c.move(ctx, tx, s.at, next); err != nil {
				return err
			}
			if err := c.load(ctx, tx, s); err != nil {
				return err
			}
			s.loaded = false // until it is committed
			return guard(func() error { return ticker.Tick(ctx, tx) })
		})
		switch {
		case err == nil:
			s.loaded = true
			c.committed(s, next)
			c.set(nil)
			return nil
		case errors.Is(err, errFenced):
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case !errors.Is(err, sqldb.ErrUnavailable) && !errors.As(err, new(loadError)) && !errors.As(err, new(frameError)):
			c.metrics.failures.Inc()
			if failures++; failures >= tries {
				c.logger.Error("what is due could not be done; it is left until the next time", "error", err)
				c.set(fmt.Errorf("what is due could not be done: %w", err))
				return nil
			}
		}
		c.set(err)
		if !c.pause(ctx, &pause) {
			return ctx.Err()
		}
	}
}
