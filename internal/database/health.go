// Package database is what all databases of the platform have in common: whether they answer, how PostgreSQL is reached, and what its errors mean.
package database

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"parkwire/internal/sleep"
)

// Mark puts mark before err, unless it is in its chain already.
func Mark(mark, err error) error {
	if errors.Is(err, mark) {
		return err
	}
	return fmt.Errorf("%w: %w", mark, err)
}

// Health is what was last known of the database. It logs when that changes.
type Health struct {
	logger *slog.Logger
	away   error
	state  atomic.Pointer[error]
}

// NewHealth returns the health of a database that was not reached yet. away is in the chain of errors of one that does not answer.
func NewHealth(logger *slog.Logger, away error) *Health {
	h := &Health{logger: logger, away: away}
	h.state.Store(new(errors.New("the database was not reached yet")))
	return h
}

// Ready returns nil, or what is wrong.
func (h *Health) Ready() error { return *h.state.Load() }

// Report says how the database answered just now: err is nil, or that it is away is in its chain.
func (h *Health) Report(err error) {
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

// Await calls start until it succeeds, fails for another reason than that the database is away, or ctx ends. It says
// once that it waits; Ready says why at any time.
func (h *Health) Await(ctx context.Context, start func(context.Context) error) error {
	const longest = 5 * time.Second
	said := false
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, longest) {
		err := start(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil || !errors.Is(err, h.away) {
			if err == nil {
				h.Report(nil)
			}
			return err
		}
		h.Report(err)
		if !said {
			h.logger.Warn("waiting for the database", "error", err)
			said = true
		}
		if err := sleep.About(ctx, pause); err != nil {
			return err
		}
	}
}
