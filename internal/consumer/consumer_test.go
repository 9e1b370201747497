package consumer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"parkwire/internal/kafkalog"
	"parkwire/internal/kafkalog/logtest"
	"parkwire/internal/sqldb"
	"parkwire/internal/sqldb/sqldbtest"
)

func TestEveryRecordIsAppliedOnceHoweverOftenTheServiceIsStarted(t *testing.T) {
	everywhere(t, func(w *world) {
		w.write(50)
		for round := range 3 {
			c := w.consumer(&chain{name: testName})
			stop := w.running(c)
			w.reaches(fmt.Sprintf("round %d", round), nil)
			w.write(20)
			w.reaches(fmt.Sprintf("round %d, live", round), nil)
			w.eventually("readiness", func() bool { return c.Ready() == nil })
			w.eventually("no lag", func() bool { return w.metric(c, "lag_records") == 0 && w.metric(c, "lag_seconds") == 0 })
			if round > 0 && w.metric(c, "records_total") > 70*3 {
				t.Errorf("%v records were applied in a round", w.metric(c, "records_total"))
			}
			stop()
			w.write(30)
		}
	})
}

func TestOneOfSeveralReadsAndAnotherTakesOver(t *testing.T) {
	everywhere(t, func(w *world) {
		var told atomic.Int64
		first, second := w.consumer(&chain{name: testName}), w.consumer(&chain{name: testName}, func(o *Options) {
			o.DB = w.open() // as another process has
			o.Committed = func() { told.Add(1) }
		})
		w.write(10)
		stop := w.running(first)
		w.reaches("alone", nil)
		w.running(second)
		w.eventually("the readiness of who stands by", func() bool { return second.Ready() == nil })
		w.write(10)
		w.reaches("together", nil)
		w.eventually("who stands by to hear of it", func() bool { return told.Load() > 0 })
		if r1, r2 := w.metric(first, "reading"), w.metric(second, "reading"); r1 != 1 || r2 != 0 {
			t.Errorf("reading: %v and %v", r1, r2)
		}
		w.eventually("who stands by to know how far the service is", func() bool {
			_, current := second.Through()
			return current && w.metric(second, "lag_records") == 0
		})
		stop()
		w.write(10)
		w.reaches("after the end of the first", nil)
		if w.metric(second, "reading") != 1 {
			t.Error("the second one does not read")
		}
		w.eventually("the group to know the place", func() bool {
			client := logtest.Client(t, w.brokers)
			defer client.Close()
			offsets, err := kadm.NewClient(client).FetchOffsets(t.Context(), w.log.Group(testName))
			o, ok := offsets.Lookup(w.log.Topic(), 1)
			return err == nil && ok && o.At == 30
		})
	})
}

func TestWhoWasReplacedCommitsNothing(t *testing.T) {
	everywhere(t, func(w *world) {
		ctx := t.Context()
		w.write(5)
		old, next := w.consumer(&chain{name: testName}), w.consumer(&chain{name: testName})
		s, err := old.begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		until := func(c *Consumer, s *session, records int64) error {
			return c.readOn(ctx, s, func() (bool, error) {
				var n int64
				for _, offset := range s.at.next {
					n += offset
				}
				return n >= records, nil
			})
		}
		if err := until(old, s, 15); err != nil {
			t.Fatal(err)
		}
		s2, err := next.begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		w.write(5)
		if err := until(old, s, 30); !errors.Is(err, errFenced) {
			t.Errorf("the one before has gone on: %v", err)
		}
		if err := until(next, s2, 30); err != nil {
			t.Fatal(err)
		}
		w.reaches("in the end", nil)
	})
}

// bad makes some records fail in some ways.
func bad(r kafkalog.Record) error {
	switch v := string(r.Value); {
	case v == "record 3 of 0", v == "record 4 of 0", v == "record 39 of 2":
		return errRefused
	case v == "record 10 of 1":
		return errors.New("it fails each time")
	case v == "record 20 of 1":
		panic("a bug")
	}
	return nil
}

func isBad(r kafkalog.Record) (is bool) {
	defer func() { is = is || recover() != nil }()
	return bad(r) != nil
}

func TestRecordsThatCannotBeHandledAreFoundAndSetAside(t *testing.T) {
	everywhere(t, func(w *world) {
		w.write(40)
		c := w.consumer(&chain{name: testName, faults: bad})
		w.running(c)
		w.reaches("without the bad ones", isBad)
		want := []string{"0@3: refused", "0@4: refused", "1@10: it fails each time", "1@20: panic: a bug", "2@39: refused"}
		w.eventually("the bad ones to be set aside", func() bool { return len(w.rejected()) == len(want) })
		w.same("set aside", w.rejected(), want)
		w.eventually("readiness", func() bool { return c.Ready() == nil })
		if r, f := w.metric(c, "rejected_records_total", "reason", "refused"), w.metric(c, "rejected_records_total", "reason", "failed"); r != 3 || f != 2 {
			t.Errorf("%v refused and %v failed records are counted", r, f)
		}
		w.write(5)
		w.reaches("behind the bad ones", isBad)
	})
}

// checked refuses without a transaction.
type checked struct{ *chain }

func (c checked) Check(r kafkalog.Record) error {
	if isBad(r) {
		return errRefused
	}
	return nil
}

func TestWhatIsCheckedBeforeIsSetAsideWithoutLoadingAgain(t *testing.T) {
	eachDatabase(t, func(w *world) {
		w.write(40)
		effect := &chain{name: testName}
		w.running(w.consumer(checked{effect}))
		w.reaches("without the bad ones", isBad)
		w.eventually("the bad ones to be set aside", func() bool { return len(w.rejected()) == 5 })
		effect.mu.Lock()
		defer effect.mu.Unlock()
		if effect.loads != 1 {
			t.Errorf("it was loaded %d times", effect.loads)
		}
	})
}

func TestWhileTheDatabaseIsAwayNothingIsSetAside(t *testing.T) {
	eachDatabase(t, func(w *world) {
		var away atomic.Bool
		var tried atomic.Int64
		effect := &chain{name: testName, faults: func(kafkalog.Record) error {
			if away.Load() {
				tried.Add(1)
				return fmt.Errorf("a statement: %w", sqldb.ErrUnavailable)
			}
			return nil
		}}
		c := w.consumer(effect)
		w.running(c)
		w.write(3)
		w.reaches("before", nil)
		away.Store(true)
		w.write(3)
		w.eventually("several tries", func() bool { return tried.Load() > tries+2 })
		if err := c.Ready(); err == nil {
			t.Error("it is ready")
		}
		away.Store(false)
		w.reaches("afterwards", nil)
		w.eventually("readiness", func() bool { return c.Ready() == nil })
		w.same("set aside", w.rejected(), nil)
	})
}

// unloadable cannot load.
type unloadable struct {
	*chain
	broken atomic.Bool
}

func (u *unloadable) Load(ctx context.Context, tx *sqldb.Tx) error {
	if u.broken.Load() {
		return errors.New("it cannot be loaded")
	}
	return u.chain.Load(ctx, tx)
}

func TestNoRecordIsBlamedForWhatCannotBeLoaded(t *testing.T) {
	eachDatabase(t, func(w *world) {
		effect := &unloadable{chain: &chain{name: testName}}
		effect.broken.Store(true)
		w.write(3)
		c := w.consumer(effect)
		w.running(c)
		w.eventually("the reason to be told", func() bool {
			err := c.Ready()
			return err != nil && strings.Contains(err.Error(), "it cannot be loaded")
		})
		effect.broken.Store(false)
		w.reaches("afterwards", nil)
		w.same("set aside", w.rejected(), nil)
	})
}

func TestAConsumerWaitsForKafka(t *testing.T) {
	sqldbtest.Each(t, testSets, func(t *testing.T, open func() *sqldb.DB) {
		dir := t.TempDir()
		broker := logtest.BrokerIn(t, dir, "")
		w := newWorld(t, []string{broker.Addr()}, open)
		c := w.consumer(&chain{name: testName})
		w.running(c)
		w.write(5)
		w.reaches("before", nil)
		if err := broker.Close(); err != nil {
			t.Fatal(err)
		}
		w.eventually("it to say that Kafka is away", func() bool { return c.Ready() != nil })
		logtest.BrokerIn(t, dir, broker.Addr())
		w.write(5)
		w.reaches("afterwards", nil)
		w.eventually("readiness", func() bool { return c.Ready() == nil })
	})
}

func TestWhatTheLogHasLostIsTold(t *testing.T) {
	everywhere(t, func(w *world) {
		w.write(10)
		stop := w.running(w.consumer(&chain{name: testName}))
		w.reaches("before", nil)
		stop()
		w.write(10)
		client := logtest.Client(t, w.brokers)
		defer client.Close()
		until := kadm.Offsets{}
		until.Add(kadm.Offset{Topic: w.log.Topic(), Partition: 0, At: 14})
		until.Add(kadm.Offset{Topic: w.log.Topic(), Partition: 1, At: 9})
		if _, err := kadm.NewClient(client).DeleteRecords(t.Context(), until); err != nil {
			t.Fatal(err)
		}
		c := w.consumer(&chain{name: testName})
		w.running(c)
		w.eventually("what is left", func() bool {
			l := w.links()
			return l[0].records == 10+6 && l[1].records == 20 && l[2].records == 20
		})
		w.same("gaps", w.gaps(), []string{"0: 10 to 13, replaced false"})
		if n := w.metric(c, "lost_records_total"); n != 4 {
			t.Errorf("%v lost records are counted", n)
		}
	})
}

func TestATopicThatWasMadeAgainIsReadFromItsBeginning(t *testing.T) {
	everywhere(t, func(w *world) {
		w.write(10)
		c := w.consumer(&chain{name: testName})
		w.running(c)
		w.reaches("before", nil)
		client := logtest.Client(t, w.brokers)
		defer client.Close()
		admin := kadm.NewClient(client)
		if _, err := admin.DeleteTopics(t.Context(), w.log.Topic()); err != nil {
			t.Fatal(err)
		}
		w.eventually("another topic", func() bool {
			_, err := admin.CreateTopic(t.Context(), 2, -1, nil, w.log.Topic())
			return err == nil
		})
		w.written = make([]int64, 2)
		w.eventually("records of it", func() bool {
			return client.ProduceSync(t.Context(), &kgo.Record{Topic: w.log.Topic(), Key: []byte("k"), Value: []byte("of the new topic")}).FirstErr() == nil
		})
		w.eventually("what is new", func() bool { l := w.links(); return l[0].records+l[1].records == 21 })
		w.same("gaps", w.gaps(), []string{"0: 10 to -1, replaced true", "1: 10 to -1, replaced true", "2: 10 to -1, replaced true"})
		w.eventually("no lag", func() bool { return w.metric(c, "lag_records") == 0 && c.Ready() == nil })
	})
}

func TestOffsetsThatHoldNoRecordArePassed(t *testing.T) {
	everywhere(t, func(w *world) {
		client := logtest.Client(t, w.brokers, kgo.TransactionalID(w.log.Topic()))
		defer client.Close()
		transaction := func(value string, end kgo.TransactionEndTry) {
			t.Helper()
			if err := client.BeginTransaction(); err != nil {
				t.Fatal(err)
			}
			if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: w.log.Topic(), Key: []byte("k"), Value: []byte(value)}).FirstErr(); err != nil {
				t.Fatal(err)
			}
			if err := client.EndTransaction(t.Context(), end); err != nil {
				t.Fatal(err)
			}
		}
		transaction("committed", kgo.TryCommit)
		c := w.consumer(&chain{name: testName})
		w.running(c)
		w.reaches("before", nil)
		for range 3 {
			transaction("aborted", kgo.TryAbort)
		}
		w.eventually("no lag", func() bool { _, current := c.Through(); return w.metric(c, "lag_records") == 0 && current })
		transaction("committed too", kgo.TryCommit)
		w.reaches("afterwards", nil)
	})
}

func TestAnIdleEffectIsAskedWhatIsDue(t *testing.T) {
	eachDatabase(t, func(w *world) {
		effect := &ticking{chain: &chain{name: testName}, ticks: make(chan struct{}, 1)}
		c := w.consumer(effect)
		w.running(c)
		for n := int64(1); n <= 3; n++ {
			effect.ticks <- struct{}{}
			w.eventually("a tick", func() bool { return w.links()[99].records == n })
			w.write(1)
		}
		effect.failing.Store(true)
		effect.ticks <- struct{}{}
		w.eventually("it to be left until the next time", func() bool { return saysOf(c, "what is due could not be done") })
		effect.failing.Store(false)
		w.write(1)
		w.eventually("the records", func() bool { return w.links()[0].records == 4 })
		effect.ticks <- struct{}{}
		w.eventually("a tick after one that failed", func() bool { return w.links()[99].records == 4 })
	})
}

// ticking counts its ticks as records of a partition that does not exist.
type ticking struct {
	*chain
	ticks   chan struct{}
	failing atomic.Bool
}

func (e *ticking) Ticks() <-chan struct{} { return e.ticks }

func (e *ticking) Tick(ctx context.Context, tx *sqldb.Tx) error {
	if err := e.Apply(ctx, tx, []kafkalog.Record{{Partition: 99, Value: []byte("tick")}}); err != nil {
		return err
	}
	if e.failing.Load() {
		return errors.New("not due yet")
	}
	return nil
}

func TestTheShortWayIsAnEffectToo(t *testing.T) {
	eachDatabase(t, func(w *world) {
		effect := Each(func(ctx context.Context, tx *sqldb.Tx, r kafkalog.Record) error {
			if isBad(r) {
				return Refuse(0, errRefused)
			}
			_, err := tx.Exec(ctx, `insert into chains (name, partition, records, sum) values (?, ?, 1, '')
				on conflict (name, partition) do update set records = chains.records + 1`, testName, r.Partition)
			return err
		}, (&chain{name: testName}).Reset)
		w.write(40)
		w.running(w.consumer(effect))
		w.eventually("all but the bad ones", func() bool {
			l := w.links()
			return l[0].records == 38 && l[1].records == 38 && l[2].records == 39 && len(w.rejected()) == 5
		})
	})
}

func TestOnlyEventsAreTakenForEvents(t *testing.T) {
	eachDatabase(t, func(w *world) {
		logtest.Write(t, w.brokers,
			&kgo.Record{Topic: w.log.Topic(), Partition: 0, Value: []byte(`{"type":"ParkingSpotUpdated","spotId":"A","status":"free","timestamp":"2026-11-24T03:35:00.123Z"}`)},
			&kgo.Record{Topic: w.log.Topic(), Partition: 0, Value: []byte(`nothing`)},
			&kgo.Record{Topic: w.log.Topic(), Partition: 0, Value: []byte(`{"spotId":"B","status":"occupied"}`)})
		var spots []string
		taken := make(chan []string, 10)
		effect := &applied{chain: &chain{name: testName}, apply: Events(func(ctx context.Context, tx *sqldb.Tx, events []Event) error {
			spots = nil
			for _, e := range events {
				spots = append(spots, fmt.Sprintf("%s %s at %d", e.SpotID, e.Status, e.Offset))
			}
			taken <- spots
			return nil
		})}
		w.running(w.consumer(effect))
		select {
		case got := <-taken:
			w.same("events", got, []string{"A free at 0", "B occupied at 2"})
		case <-time.After(logtest.Patience):
			t.Fatal("no events came")
		}
		w.eventually("what is none", func() bool { return len(w.rejected()) == 1 })
		w.same("set aside", w.rejected(), []string{"0@1: the value is not a JSON object"})
	})
}

type applied struct {
	*chain
	apply func(context.Context, *sqldb.Tx, []kafkalog.Record) error
}

func (a *applied) Apply(ctx context.Context, tx *sqldb.Tx, records []kafkalog.Record) error {
	return a.apply(ctx, tx, records)
}
