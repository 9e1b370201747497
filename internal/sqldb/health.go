package sqldb

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// health is what was last known of the database. It logs when that changes.
type health struct {
	logger *slog.Logger
	state  atomic.Pointer[error]
}

func newHealth(logger *slog.Logger) *health {
	h := &health{logger: logger}
	h.state.Store(new(errors.New("the database was not reached yet")))
	return h
}

func (h *health) ready() error { return *h.state.Load() }

// report says how the database answered just now: err is nil, or in its chain is [ErrUnavailable].
func (h *health) report(err error) {
	before := *h.state.Load()
	if before == nil && err == nil {
		return
	}
	before = *h.state.Swap(&err)
	switch {
	case before != nil && err == nil:
		h.logger.Info("the database answers")
	case before == nil && err != nil:
		h.logger.Warn("the database does not answer", "error", err)
	}
}

// await calls start until it succeeds, fails for another reason than [ErrUnavailable], or ctx ends. It says once that it waits; ready says
// why at any time.
func (h *health) await(ctx context.Context, start func(context.Context) error) error {
	const longest = 5 * time.Second
	said := false
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, longest) {
		err := start(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil || !errors.Is(err, ErrUnavailable) {
			if err == nil {
				h.report(nil)
			}
			return err
		}
		h.report(err)
		if !said {
			h.logger.Warn("waiting for the database", "error", err)
			said = true
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// sleep waits for about d, so that those who failed together do not come back together, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d/2 + rand.N(d/2+1))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
