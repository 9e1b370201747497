package consumer

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parkwire/internal/sqldb"
)

func TestWhereEveryRecordFailsThereIsTimeToStopTheService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Consumer{logger: slog.New(slog.DiscardHandler)}
		s := &session{}
		var waits []time.Duration
		for range asideFast + 40 {
			began := time.Now()
			if err := c.giveUp(t.Context(), s, errors.New("a column is missing")); err != nil {
				t.Fatal(err)
			}
			waits = append(waits, time.Since(began))
		}
		for i, want := range map[int]time.Duration{0: 0, asideFast - 1: 0, asideFast: time.Second, asideFast + 1: 2 * time.Second, asideFast + 35: asideSlow} {
			if waits[i] != want {
				t.Errorf("record %d waited for %v, want %v", i+1, waits[i], want)
			}
		}
		if err := c.work.trouble; err == nil || !strings.Contains(err.Error(), "a column is missing") {
			t.Errorf("it says %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := c.giveUp(ctx, s, errors.New("")); !errors.Is(err, context.Canceled) {
			t.Errorf("a wait that is ended: %v", err)
		}
	})
}

func TestALogThatHasLostItsEndIsTakenUpFromThere(t *testing.T) {
	eachDatabase(t, func(w *world) {
		w.write(10)
		stop := w.running(w.consumer(&chain{name: testName}))
		w.reaches("before", nil)
		stop()
		err := w.db.Update(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error { // as if the log had been longer
			_, err := tx.Exec(ctx, "update consumer_positions set next_offset = 15 where consumer = ? and partition = 1", testName)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		c := w.consumer(&chain{name: testName})
		c.patience.truncate = 2 * time.Second
		w.running(c)
		w.eventually("the reason to be told", func() bool { return saysOf(c, "the log ends before what was read of it") })
		w.eventually("readiness", func() bool { return c.watch.isReading() && c.Ready() == nil })
		w.write(10)
		w.reaches("afterwards", nil)
		w.same("gaps", w.gaps(), nil)
	})
}
