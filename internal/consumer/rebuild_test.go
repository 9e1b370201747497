package consumer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

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

// While the tables are half full nobody may take what they say for the present: neither while nothing happens that would make the service commit something.
func TestTheServiceWaitsWhileItIsRebuiltAndGoesOnBehindIt(t *testing.T) {
	everywhere(t, func(w *world) {
		w.write(20)
		service, standsBy := w.consumer(&chain{name: testName}), w.consumer(&chain{name: testName})
		current := func(c *Consumer) bool { _, is := c.Through(); return is && w.metric(c, "lag_records") == 0 }
		w.running(service)
		w.reaches("before", nil)
		w.eventually("the service to read", service.watch.isReading)
		w.running(standsBy)
		w.eventually("both to be current", func() bool { return current(service) && current(standsBy) })
		hold, held := make(chan struct{}), make(chan struct{})
		var once sync.Once
		rebuilds := w.consumer(&chain{name: testName, faults: func(kafkalog.Record) error {
			once.Do(func() { close(held); <-hold })
			return nil
		}}, func(o *Options) { o.DB = w.open() }) // as another process has
		ended := make(chan error, 1)
		go func() { ended <- rebuilds.Rebuild(t.Context(), nil) }()
		<-held // in the middle of its first batch: SQLite lets nobody else write now
		for _, c := range []*Consumer{service, standsBy} {
			w.eventually("it to know that the tables are behind", func() bool { return w.metric(c, "lag_records") == 60 })
			if through, is := c.Through(); is || !through.IsZero() {
				t.Errorf("of empty tables it says that they go to %v, current %v", through, is)
			}
		}
		w.eventually("the service to say who rebuilds", func() bool { return saysOf(service, "it is being rebuilt by process ") })
		w.write(20)
		close(hold)
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		w.reaches("afterwards", nil)
		w.eventually("the service's readiness", func() bool { return service.Ready() == nil })
		w.eventually("both to be current again", func() bool { return current(service) && current(standsBy) })
	})
}

// saysOf reports whether a consumer gives this reason for not being ready.
func saysOf(c *Consumer, text string) bool {
	err := c.Ready()
	return err != nil && strings.Contains(err.Error(), text)
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
		dead.patience.end = 0 // it does not come to its end
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
		c.patience.abandon = 2 * time.Second
		w.running(c)
		w.eventually("the reason for which it waits", func() bool { return saysOf(c, "it is being rebuilt by process ") })
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
		if _, err := one.clear(t.Context(), who, stand, RebuildOptions{}); err != nil {
			t.Fatal(err)
		}
		one.patience.abandon /= 10
		stop := one.beating(t.Context(), who)
		err = w.consumer(&chain{name: testName}).Rebuild(t.Context(), nil)
		stop()
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
		begins, goOn := make(chan struct{}), make(chan struct{})
		var once sync.Once
		ended := make(chan error, 1)
		go func() {
			ended <- w.consumer(&chain{name: testName}).Rebuild(t.Context(), func(done, total int64) {
				once.Do(func() { close(begins); <-goOn })
			})
		}()
		<-begins
		if err := broker.Close(); err != nil { // before anything is read
			t.Error(err)
		}
		close(goOn)
		w.eventually("it to find nobody", func() bool { return w.log.Ready() != nil })
		logtest.BrokerIn(t, dir, broker.Addr())
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		w.reaches("in the end", nil)
	})
}

func TestWhatWasMadeOfAnotherLogIsNotDeleted(t *testing.T) {
	eachDatabase(t, func(w *world) {
		w.write(20)
		stop := w.running(w.consumer(&chain{name: testName}))
		w.reaches("before", nil)
		stop()
		before := w.links()
		o := logtest.Options(t, w.brokers)
		o.GroupPrefix = w.log.Topic() + "-"
		other := logtest.Open(t, o)
		elsewhere := func(o *Options) { o.Log = other }
		// Neither does it make the topics of a log that is not there.
		if err := w.consumer(&chain{name: testName}, elsewhere).Rebuild(t.Context(), nil); !errors.Is(err, kafkalog.ErrNoTopic) {
			t.Errorf("without topics it ended with %v", err)
		}
		logtest.Ensure(t, other)
		err := w.consumer(&chain{name: testName}, elsewhere).Rebuild(t.Context(), nil)
		if ids := []string{fmt.Sprintf("%x", w.log.TopicID()), fmt.Sprintf("%x", other.TopicID())}; !errors.Is(err, ErrAnotherLog) ||
			!strings.Contains(err.Error(), ids[0]) || !strings.Contains(err.Error(), ids[1]) {
			t.Errorf("it ended with %v, and the topics are %v", err, ids)
		}
		if after := w.links(); fmt.Sprint(after) != fmt.Sprint(before) {
			t.Errorf("there is %v, and was %v", after, before)
		}
		if s, err := w.consumer(&chain{name: testName}).read(t.Context()); err != nil || s.rebuilder != "" {
			t.Errorf("it is said to be rebuilt by %q, %v", s.rebuilder, err)
		}
		if err := w.consumer(&chain{name: testName}, elsewhere).RebuildWith(t.Context(), RebuildOptions{AnotherLog: true}); err != nil {
			t.Errorf("where it is meant: %v", err)
		}
		if n := w.applied(); n != 0 {
			t.Errorf("%d records were made of an empty log", n)
		}
	})
}

func TestHowFarTheLogGoesBackIsSaidBeforeAnythingIsDeleted(t *testing.T) {
	eachDatabase(t, func(w *world) {
		oldest := time.UnixMilli(time.Now().Add(-72 * time.Hour).UnixMilli())
		logtest.Write(t, w.brokers, &kgo.Record{Topic: w.log.Topic(), Partition: 2, Timestamp: oldest, Value: []byte("record 0 of 2")})
		w.written[2]++
		w.write(9)
		stop := w.running(w.consumer(&chain{name: testName}))
		w.reaches("before", nil)
		stop()
		said := ""
		err := w.consumer(&chain{name: testName}).RebuildWith(t.Context(), RebuildOptions{Begins: func(records int64, since time.Time) {
			said = fmt.Sprintf("%d since %v, of %d that were made before", records, since.Equal(oldest), w.applied())
		}})
		if err != nil {
			t.Fatal(err)
		}
		if want := "28 since true, of 28 that were made before"; said != want {
			t.Errorf("it said %q, want %q", said, want)
		}
		w.reaches("afterwards", nil)
	})
}

func TestWhoRebuildsIsHeardOfWhateverItWaitsFor(t *testing.T) {
	eachDatabase(t, func(w *world) {
		w.write(20)
		c := w.consumer(&chain{name: testName})
		who, err := c.claim(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c.patience.abandon = 500 * time.Millisecond
		stop := c.beating(t.Context(), who)
		service := w.consumer(&chain{name: testName})
		service.patience.abandon = 1500 * time.Millisecond
		w.running(service)
		began := time.Now()
		w.eventually("the service to wait for longer than for one that died", func() bool { return time.Since(began) > 4*time.Second })
		if !saysOf(service, "it is being rebuilt by "+who) || w.applied() > 0 {
			t.Errorf("it says %v", service.Ready())
		}
		stop()
		w.reaches("after nothing was heard any more", nil)
		stand, err := w.log.Stand(t.Context(), w.log.Topic())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.clear(t.Context(), who, stand, RebuildOptions{}); !errors.Is(err, errNotBegun) {
			t.Errorf("who was taken for dead before it deleted anything ends with %v", err)
		}
		w.reaches("and nothing was deleted", nil)
	})
}
