package consumer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"parkwire/internal/kafkalog"
	"parkwire/internal/kafkalog/logtest"
	"parkwire/internal/sqldb"
	"parkwire/internal/sqldb/sqldbtest"
)

func TestWhatIsRebuiltIsTheSameAsBefore(t *testing.T) {
	everywhere(t, func(w *world) {
		w.write(40)
		c := w.consumer(&chain{name: testName, faults: bad})
		stop := w.running(c)
		w.reaches("before", isBad)
		w.eventually("the bad ones to be set aside", func() bool { return len(w.rejected()) == 5 })
		aside := w.rejected()
		stop()
		var steps []string
		err := w.consumer(&chain{name: testName, faults: bad}).Rebuild(t.Context(), func(done, total int64) {
			steps = append(steps, fmt.Sprintf("%d of %d", done, total))
		})
		if err != nil {
			t.Fatal(err)
		}
		if first, last := steps[0], steps[len(steps)-1]; first != "0 of 120" || last != "120 of 120" {
			t.Errorf("its progress was %v", steps)
		}
		w.reaches("rebuilt", isBad)
		w.same("set aside", w.rejected(), aside)
		w.write(10)
		w.running(w.consumer(&chain{name: testName, faults: bad}))
		w.reaches("afterwards", isBad)
	})
}

func TestTheServiceWaitsWhileItIsRebuiltAndGoesOnBehindIt(t *testing.T) {
	everywhere(t, func(w *world) {
		w.write(20)
		service := w.consumer(&chain{name: testName})
		w.running(service)
		w.reaches("before", nil)
		hold, held := make(chan struct{}), make(chan struct{})
		var once sync.Once
		rebuilds := w.consumer(&chain{name: testName, faults: func(kafkalog.Record) error {
			once.Do(func() { close(held); <-hold })
			return nil
		}}, func(o *Options) { o.DB = w.open() }) // as another process has
		ended := make(chan error, 1)
		go func() { ended <- rebuilds.Rebuild(t.Context(), nil) }()
		<-held // in the middle of its first batch: SQLite lets nobody else write now
		w.write(20)
		close(hold)
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		w.reaches("afterwards", nil)
		w.eventually("the service's readiness", func() bool { return service.Ready() == nil })
	})
}

// busy is the writing of records all the time.
func (w *world) busy() (stop func()) {
	ctx, cancel := context.WithCancel(w.t.Context())
	var writing sync.WaitGroup
	writing.Go(func() {
		for ctx.Err() == nil {
			w.write(1)
		}
	})
	return func() { cancel(); writing.Wait() }
}

func TestARebuildBeginsThoughTheServiceCommitsAllTheTime(t *testing.T) {
	eachDatabase(t, func(w *world) {
		w.running(w.consumer(&chain{name: testName}))
		stop := w.busy()
		for round := range 3 {
			w.eventually("the service to commit", func() bool { return w.applied() > 100 })
			if err := w.consumer(&chain{name: testName}, func(o *Options) { o.DB = w.open() }).Rebuild(t.Context(), nil); err != nil {
				t.Errorf("round %d: %v", round, err)
			}
		}
		stop()
		w.reaches("in the end", nil)
	})
}

func TestTheServiceGoesOnWhereARebuildWasInterrupted(t *testing.T) {
	eachDatabase(t, func(w *world) {
		w.write(20)
		stop := w.running(w.consumer(&chain{name: testName}))
		w.reaches("before", nil)
		stop()
		ctx, cancel := context.WithCancel(t.Context())
		err := w.consumer(&chain{name: testName, faults: func(kafkalog.Record) error { cancel(); return nil }}).Rebuild(ctx, nil)
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("it ended with %v", err)
		}
		w.write(5)
		w.running(w.consumer(&chain{name: testName}))
		w.reaches("afterwards", nil)
	})
}

func TestTheServiceGoesOnWhereARebuildDied(t *testing.T) {
	eachDatabase(t, func(w *world) {
		w.write(20)
		dead := w.consumer(&chain{name: testName})
		dead.patience.longest = 0 // it does not come to its end
		ctx, cancel := context.WithCancel(t.Context())
		dead.options.Effect.(*chain).faults = func(kafkalog.Record) error { cancel(); return nil }
		if err := dead.Rebuild(ctx, nil); err == nil {
			t.Fatal("it was not interrupted")
		}
		s, err := dead.read(t.Context())
		if err != nil || s.rebuilder == "" {
			t.Fatalf("nobody rebuilds: %+v, %v", s, err)
		}
		c := w.consumer(&chain{name: testName})
		c.patience.abandon = 300 * time.Millisecond
		w.running(c)
		w.eventually("the reason for which it waits", func() bool {
			err := c.Ready()
			return err == nil || strings.Contains(err.Error(), "it is being rebuilt by process")
		})
		w.reaches("afterwards", nil)
	})
}

func TestTwoDoNotRebuildAtOnce(t *testing.T) {
	eachDatabase(t, func(w *world) {
		w.write(20)
		one := w.consumer(&chain{name: testName})
		stand, err := w.log.Stand(t.Context(), w.log.Topic())
		if err != nil {
			t.Fatal(err)
		}
		who, err := one.claim(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		s, err := one.clear(t.Context(), who, stand)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var beating sync.WaitGroup
		beating.Go(func() {
			for ctx.Err() == nil {
				if err := one.beat(t.Context(), s); err != nil {
					t.Error(err)
					return
				}
				_ = sleep(ctx, 10*time.Millisecond)
			}
		})
		err = w.consumer(&chain{name: testName}).Rebuild(t.Context(), nil)
		cancel()
		beating.Wait()
		if !errors.Is(err, ErrRebuilding) || !strings.Contains(err.Error(), "process ") {
			t.Errorf("the second one ended with %v", err)
		}
	})
}

// kept is not to be made anew.
type kept struct{ *chain }

var errKept = errors.New("this proves something only as it is")

func (kept) Reset(context.Context, *sqldb.Tx) error { return errKept }

func TestAServiceMayRefuseToBeRebuilt(t *testing.T) {
	eachDatabase(t, func(w *world) {
		w.write(20)
		stop := w.running(w.consumer(kept{&chain{name: testName}}))
		w.reaches("before", nil)
		stop()
		before, err := w.consumer(&chain{name: testName}).read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := w.consumer(kept{&chain{name: testName}}).Rebuild(t.Context(), nil); !errors.Is(err, errKept) {
			t.Errorf("it ended with %v", err)
		}
		after, err := w.consumer(&chain{name: testName}).read(t.Context())
		if err != nil || fmt.Sprint(after) != fmt.Sprint(before) {
			t.Errorf("the place was %v and is %v, %v", before, after, err)
		}
		w.reaches("afterwards", nil)
	})
}

func TestARebuildWaitsForKafka(t *testing.T) {
	sqldbtest.Each(t, testSets, func(t *testing.T, open func() *sqldb.DB) {
		dir := t.TempDir()
		broker := logtest.BrokerIn(t, dir, "")
		w := newWorld(t, []string{broker.Addr()}, open)
		w.write(50)
		began := false
		var coming sync.WaitGroup
		err := w.consumer(&chain{name: testName}).Rebuild(t.Context(), func(done, total int64) {
			if began {
				return
			}
			began = true
			if err := broker.Close(); err != nil { // before anything is read
				t.Error(err)
			}
			coming.Go(func() {
				time.Sleep(200 * time.Millisecond) // so that it finds nobody
				logtest.BrokerIn(t, dir, broker.Addr())
			})
		})
		coming.Wait()
		if err != nil {
			t.Fatal(err)
		}
		w.reaches("in the end", nil)
	})
}
