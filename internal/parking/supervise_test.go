package parking

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// ailing is a store whose sweeps fail for a while, and that counts what is done to its history.
type ailing struct {
	Store
	err    error
	sweeps int
	old    int // entries to prune
	before time.Time
}

func (a *ailing) Ready() error { return a.err }

func (a *ailing) Update(context.Context, func(context.Context, Tx) error) error {
	a.sweeps++
	return a.err
}

func (a *ailing) PruneHistory(_ context.Context, t time.Time, limit int) (int, error) {
	n := min(limit, a.old)
	a.old -= n
	a.before = t
	return n, nil
}

// A database that is away for an hour is one line in the log, not one each second.
func TestTroubleIsSaidOnce(t *testing.T) {
	var text bytes.Buffer
	c := complaint{logger: slog.New(slog.NewTextHandler(&text, nil)), task: "old history"}
	for _, err := range []error{nil, ErrUnavailable, ErrUnavailable, nil, nil, ErrUnavailable} {
		c.report(t.Context(), err)
	}
	if n := strings.Count(text.String(), "\n"); n != 3 {
		t.Errorf("there are %d lines:\n%s", n, &text)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	c.report(ended, nil)
	if n := strings.Count(text.String(), "\n"); n != 3 {
		t.Errorf("the end was reported:\n%s", &text)
	}
}

func TestHistoryIsPrunedAndSweepsGoOnThroughTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &ailing{err: ErrUnavailable, old: 2*pruneBatch + 7}
		s := NewService(Options{Store: store, HistoryRetention: time.Hour, Logger: slog.New(slog.DiscardHandler)})
		if !errors.Is(s.Ready(), ErrUnavailable) {
			t.Errorf("without its store the service says %v", s.Ready())
		}
		ctx, cancel := context.WithTimeout(t.Context(), pruneInterval+time.Millisecond)
		defer cancel()
		if err := s.Run(ctx); err != nil {
			t.Error(err)
		}
		if store.sweeps != int(pruneInterval/time.Second) {
			t.Errorf("in %v there were %d sweeps", pruneInterval, store.sweeps)
		}
		if want := time.Now().Add(-time.Hour - time.Millisecond); store.old != 0 || !store.before.Equal(want) {
			t.Errorf("%d old entries are left; those before %v were pruned, not %v", store.old, store.before, want)
		}
	})
}
