package parking

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// ailing is a store whose sweeps fail for a while, and that counts what is done to its history and its answers.
type ailing struct {
	Store
	err    error
	sweeps int
	old    int // entries to prune
	before time.Time

	oldAnswers    int
	answersBefore time.Time
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

func (a *ailing) PruneAnswers(_ context.Context, t time.Time, limit int) (int, error) {
	n := min(limit, a.oldAnswers)
	a.oldAnswers -= n
	a.answersBefore = t
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
		store := &ailing{err: ErrUnavailable, old: 2*pruneBatch + 7, oldAnswers: pruneBatch}
		s := NewService(Options{Store: store, HistoryRetention: time.Hour, Logger: slog.New(slog.DiscardHandler)})
		if !errors.Is(s.Ready(), ErrUnavailable) {
			t.Errorf("without its store the service says %v", s.Ready())
		}
		ctx, cancel := context.WithTimeout(t.Context(), pruneInterval+time.Millisecond)
		defer cancel()
		if err := s.Run(ctx); err != nil {
			t.Error(err)
		}
		if store.sweeps != int(pruneInterval/time.Second)+1 { // one forgets keys and revocations
			t.Errorf("in %v there were %d sweeps", pruneInterval, store.sweeps)
		}
		if want := time.Now().Add(-24*time.Hour - time.Millisecond); store.oldAnswers != 0 || !store.answersBefore.Equal(want) {
			t.Errorf("%d old answers are left; those before %v were pruned, not %v", store.oldAnswers, store.answersBefore, want)
		}
		if want := time.Now().Add(-time.Hour - time.Millisecond); store.old != 0 || !store.before.Equal(want) {
			t.Errorf("%d old entries are left; those before %v were pruned, not %v", store.old, store.before, want)
		}
	})
}

// overdueTx has spots that something is due for, and notes in which order lots are locked.
type overdueTx struct {
	Tx
	due    []Spot
	locked []string
}

func (o *overdueTx) Overdue(context.Context, time.Time, int) ([]Spot, error) { return o.due, nil }

func (o *overdueTx) Lot(_ context.Context, id string) (Lot, error) {
	o.locked = append(o.locked, id)
	return Lot{ID: id, Heartbeat: time.Minute}, nil
}

// Two processes sweep different spots of the same lots at once. Were the lots locked in the order of the spots, each could
// hold one that the other waits for.
func TestASweepLocksLotsInOneOrder(t *testing.T) {
	tx := &overdueTx{due: []Spot{{ID: "a", LotID: "west"}, {ID: "b", LotID: "east"}, {ID: "c", LotID: "west"}, {ID: "d", LotID: "north"}}}
	sweep := &transaction{Tx: tx, now: time.Now()}
	if _, changed, err := sweep.elapse(t.Context()); err != nil || changed != len(tx.due) {
		t.Errorf("%d spots changed: %v", changed, err)
	}
	if want := []string{"east", "north", "west"}; !slices.Equal(tx.locked, want) {
		t.Errorf("locked were %v, want %v", tx.locked, want)
	}
}
