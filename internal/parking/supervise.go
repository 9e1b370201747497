package parking

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

const (
	sweepBatch    = 500 // spots a transaction: short enough to let writers in between
	pruneInterval = 5 * time.Minute
	pruneBatch    = 5000 // entries a transaction
)

// sweep ends reservations and marks the spots of silent sensors, as far as there are any.
func (s *Service) sweep(ctx context.Context) error {
	for {
		found, changed := 0, 0
		err := s.update(ctx, func(ctx context.Context, t *transaction) (err error) {
			found, changed, err = t.elapse(ctx)
			return err
		})
		if err != nil || found < sweepBatch || changed == 0 {
			return err
		}
	}
}

func (t *transaction) elapse(ctx context.Context) (found, changed int, err error) {
	due, err := t.Overdue(ctx, t.now, sweepBatch)
	if err != nil {
		return 0, 0, err
	}
	heartbeats := map[string]time.Duration{}
	for _, spot := range due {
		heartbeats[spot.LotID] = 0
	}
	for _, id := range sortedKeys(heartbeats) { // in one order, since it locks them
		lot, err := t.Lot(ctx, id)
		if err != nil {
			return 0, 0, err
		}
		heartbeats[id] = lot.Heartbeat
	}
	for _, spot := range due {
		before := spot
		for _, e := range spot.elapse(heartbeats[spot.LotID], t.now) {
			if err := t.publish(e, origin{}); err != nil {
				return 0, 0, err
			}
		}
		if spot != before {
			t.save(spot)
			changed++
		}
	}
	return len(due), changed, nil
}

// prune removes what need not be held any longer of the history, of the answers to requests under a key, and of keys and revocations.
func (s *Service) prune(ctx context.Context) error {
	now := s.now()
	return errors.Join(
		inBatches(func() (int, error) {
			return s.store.PruneHistory(ctx, now.Add(-s.options.HistoryRetention), pruneBatch)
		}),
		inBatches(func() (int, error) { return s.store.PruneAnswers(ctx, now.Add(-answersKept), pruneBatch) }),
		inBatches(func() (int, error) { return s.pruneGrants(ctx) }))
}

func inBatches(prune func() (int, error)) error {
	for {
		n, err := prune()
		if err != nil || n < pruneBatch {
			return err
		}
	}
}

// complaint says once in the log that a task fails, and once that it goes well again.
type complaint struct {
	logger  *slog.Logger
	task    string
	failing bool
}

func (c *complaint) report(ctx context.Context, err error) {
	switch {
	case ctx.Err() != nil:
	case err != nil && !c.failing:
		c.failing = true
		c.logger.Warn("this is not looked after: "+c.task, "error", err)
	case err == nil && c.failing:
		c.failing = false
		c.logger.Info("this is looked after again: " + c.task)
	}
}
