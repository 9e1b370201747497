package bridge_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"parkwire/internal/bridge"
	"parkwire/internal/bus"
	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
	"parkwire/internal/kafkalog/logtest"
)

func TestMain(m *testing.M) {
	if brokers := os.Getenv(memberBrokers); brokers != "" {
		if err := runMember(brokers); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// recorder is a bus that keeps what it was given, and may be away.
type recorder struct {
	bus.Bus // whatever else there is is not used

	mu       sync.Mutex
	away     bool
	messages []string
}

func (r *recorder) Publish(ctx context.Context, messages ...[]byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.away {
		return errors.New("connection refused")
	}
	for _, m := range messages {
		r.messages = append(r.messages, string(m))
	}
	return ctx.Err()
}

func (r *recorder) leave(away bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.away = away
}

func (r *recorder) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.messages)
}

func (r *recorder) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.messages)
}

// receive is what a live instance does with what it hears: the values that it delivers, in order per partition, and how many
// holes it found, each of which it would fill from the log.
func receive(t *testing.T, messages []string) (values []string, holes int, heads event.Offsets) {
	t.Helper()
	for _, m := range messages {
		value, p, ok := event.CutLogPosition([]byte(m))
		if !ok {
			t.Fatalf("a message without position: %s", m)
		}
		if heads.Covers(p.Partition, p.Offset) {
			continue
		}
		if p.After > heads.At(p.Partition) {
			holes++
		}
		heads = heads.Advance(p.Partition, p.Offset)
		values = append(values, string(value))
	}
	return values, holes, heads
}

// run starts a bridge and returns what ends it.
func run(t *testing.T, l *kafkalog.Log, to bus.Bus, registry prometheus.Registerer) (b *bridge.Bridge, end func()) {
	t.Helper()
	return runWith(t, bridge.Options{Log: l, Bus: to, Registerer: registry, RejectPatience: time.Second})
}

func runWith(t *testing.T, o bridge.Options) (b *bridge.Bridge, end func()) {
	t.Helper()
	o.Group, o.Logger = o.Log.Topic()+"-group", logtest.Logger()
	b = bridge.New(o)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	end = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("the bridge ended with %v", err)
			}
		case <-time.After(logtest.Patience):
			t.Error("the bridge does not end")
		}
	})
	t.Cleanup(end)
	return b, end
}

func setUp(t *testing.T, brokers []string) *kafkalog.Log {
	t.Helper()
	l := logtest.Log(t, brokers)
	t.Cleanup(func() {
		client := logtest.Client(t, brokers)
		defer client.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		_, _ = kadm.NewClient(client).DeleteGroups(ctx, l.Topic()+"-group")
	})
	return l
}

func at(l *kafkalog.Log, partition int32, value string) *kgo.Record {
	return &kgo.Record{Topic: l.Topic(), Partition: partition, Value: []byte(value)}
}

func value(partition, i int) string { return fmt.Sprintf(`{"spotId":"%d-%d"}`, partition, i) }

func TestEveryEventIsPublishedAsItIsWithItsPlaceAndTheOneBefore(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		l, r := setUp(t, brokers), &recorder{}
		b, _ := run(t, l, r, nil)
		var want []string
		for i := range 30 {
			var records []*kgo.Record
			for p := range 3 {
				records = append(records, at(l, int32(p), value(p, i)))
				want = append(want, value(p, i))
			}
			logtest.Write(t, brokers, records...)
		}
		logtest.Eventually(t, "all events", func() bool { return len(r.all()) >= len(want) })
		got, holes, heads := receive(t, r.all())
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) || holes != 0 {
			t.Errorf("got %d events with %d holes, want %d", len(got), holes, len(want))
		}
		if end, _ := l.Heads(t.Context()); !slices.Equal(end, heads) {
			t.Errorf("the newest are at %v, the log ends at %v", heads, end)
		}
		if err := b.Ready(); err != nil {
			t.Error(err)
		}
	})
}

func TestWhatIsNoEventIsPutAsideAndHoldsNothing(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		l, r := setUp(t, brokers), &recorder{}
		registry := prometheus.NewRegistry()
		run(t, l, r, registry)
		bad := []*kgo.Record{at(l, 1, "hello"), at(l, 1, `{"spot":1}`), at(l, 1, "{\"spotId\":\"\xff\"}"), {Topic: l.Topic(), Partition: 1}, at(l, 1, "[]")}
		bad[0].Headers = []kgo.RecordHeader{{Key: "theirs", Value: []byte("1")}}
		all := append([]*kgo.Record{at(l, 1, value(1, 0))}, bad...)
		logtest.Write(t, brokers, append(all, at(l, 1, value(1, 1)))...)
		logtest.Eventually(t, "the events around", func() bool { return len(r.all()) >= 2 })
		got, holes, _ := receive(t, r.all())
		if !slices.Equal(got, []string{value(1, 0), value(1, 1)}) || holes != 0 {
			t.Errorf("got %v with %d holes", got, holes)
		}
		aside := logtest.Open(t, kafkalog.Options{Brokers: brokers, Topic: l.RejectedTopic(), SpotsTopic: l.SpotsTopic(), RejectedTopic: l.Topic(), AuditTopic: l.AuditTopic(), AccessTopic: l.AccessTopic(), Logger: logtest.Logger()})
		logtest.Ensure(t, aside)
		logtest.Eventually(t, "the others to be put aside", func() bool { return len(logtest.All(t, aside)) == len(bad) })
		rejected := map[string]kafkalog.Record{}
		for _, r := range logtest.All(t, aside) {
			offset, _ := r.Header("source-offset")
			rejected[string(offset)] = r
		}
		for i, reason := range []error{event.ErrNotObject, event.ErrNoSpotID, event.ErrNotUTF8, event.ErrNotObject, event.ErrNotObject} {
			r := rejected[fmt.Sprint(bad[i].Offset)]
			why, _ := r.Header("reason")
			topic, _ := r.Header("source-topic")
			partition, _ := r.Header("source-partition")
			if string(why) != reason.Error() || string(topic) != l.Topic() || string(partition) != "1" || string(r.Value) != string(bad[i].Value) {
				t.Errorf("%q was put aside as %+v", bad[i].Value, r)
			}
		}
		if theirs, _ := rejected[fmt.Sprint(bad[0].Offset)].Header("theirs"); string(theirs) != "1" {
			t.Error("a header was lost")
		}
		// Counters move after they can be seen. Of what a busy server acknowledges too late nobody knows that it was written.
		counted := func() float64 {
			return metric(t, registry, "parkwire_bridge_rejected_records_total") + metric(t, registry, "parkwire_bridge_unrejected_records_total")
		}
		logtest.Eventually(t, "all to be counted", func() bool { return counted() >= 5 })
		if n := counted(); n != 5 {
			t.Errorf("%v were counted, want 5", n)
		}
	})
}

// metric reads a metric.
func metric(t *testing.T, registry *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			m := f.GetMetric()[0]
			return m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetHistogram().GetSampleSum()
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}

// A record as large as Kafka takes leaves no room for the reason, and must not take those beside it with it.
func TestTheBeginningOfAHugeRecordIsPutAside(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		l, r := setUp(t, brokers), &recorder{}
		registry := prometheus.NewRegistry()
		run(t, l, r, registry)
		logtest.Write(t, brokers, at(l, 0, strings.Repeat("x", 999_900)), at(l, 0, "small"), at(l, 0, value(0, 1)))
		logtest.Eventually(t, "both to be put aside", func() bool { return metric(t, registry, "parkwire_bridge_rejected_records_total") == 2 })
		logtest.Eventually(t, "the event behind", func() bool { return len(r.all()) == 1 })
	})
}

// deleteRejected takes away the topic in which what is no event is put aside.
func deleteRejected(t *testing.T, brokers []string, l *kafkalog.Log) {
	t.Helper()
	client := logtest.Client(t, brokers)
	defer client.Close()
	if _, err := kadm.NewClient(client).DeleteTopics(t.Context(), l.RejectedTopic()); err != nil {
		t.Fatal(err)
	}
}

func TestWhatCannotEvenBePutAsideIsCountedAndHoldsNothing(t *testing.T) {
	brokers := []string{logtest.Broker(t, "").Addr()}
	l, r := setUp(t, brokers), &recorder{}
	registry := prometheus.NewRegistry()
	run(t, l, r, registry)
	deleteRejected(t, brokers, l)
	for i := range 3 {
		logtest.Write(t, brokers, at(l, 0, "hello"), at(l, 0, value(0, i)))
		logtest.Eventually(t, "the event behind", func() bool { return len(r.all()) > i })
		logtest.Eventually(t, "the loss to be counted", func() bool {
			return metric(t, registry, "parkwire_bridge_unrejected_records_total") == float64(i+1)
		})
	}
}

// How long events take to the bus is measured, and not how long it takes to put aside what is none.
func TestWhatIsPutAsideIsNoDelayOfEvents(t *testing.T) {
	brokers := []string{logtest.Broker(t, "").Addr()}
	l, r := setUp(t, brokers), &recorder{}
	deleteRejected(t, brokers, l)
	const patience = 5 * time.Second
	registry := prometheus.NewRegistry()
	runWith(t, bridge.Options{Log: l, Bus: r, Registerer: registry, RejectPatience: patience})
	logtest.Write(t, brokers, at(l, 0, value(0, 0)), at(l, 0, "hello"))
	logtest.Eventually(t, "the event to be measured", func() bool { return metric(t, registry, "parkwire_bridge_delay_seconds") > 0 })
	lost := func() bool { return metric(t, registry, "parkwire_bridge_unrejected_records_total") == 1 }
	if lag := metric(t, registry, "parkwire_bridge_lag_seconds"); lag > 0 || lost() {
		t.Errorf("the bus has every event, and lags by %v s; it is lost what is none: %v", lag, lost())
	}
	logtest.Eventually(t, "the loss to be counted", lost)
	if delay := metric(t, registry, "parkwire_bridge_delay_seconds"); delay >= patience.Seconds() {
		t.Errorf("the event is said to have taken %v s", delay)
	}
}

// However much of it there is: events come within 30 s though every thousandth record is none and cannot be put aside.
func TestMuchThatCannotBePutAsideHoldsNothingForLong(t *testing.T) {
	brokers := []string{logtest.Broker(t, "").Addr()}
	l, r := setUp(t, brokers), &recorder{}
	deleteRejected(t, brokers, l)
	const bad, every = 12, 1000
	var records []*kgo.Record
	for i := range bad * every {
		v := value(0, i)
		if i%every == 0 {
			v = "hello"
		}
		records = append(records, at(l, 0, v))
	}
	logtest.Write(t, brokers, records...)
	registry := prometheus.NewRegistry()
	runWith(t, bridge.Options{Log: l, Bus: r, Registerer: registry})
	logtest.Eventually(t, "all events", func() bool { return r.count() == bad*(every-1) })
	logtest.Eventually(t, "the losses to be counted", func() bool { return metric(t, registry, "parkwire_bridge_unrejected_records_total") == bad })
}

func TestEventsWaitForTheBusAndThenComeInOrder(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		l, r := setUp(t, brokers), &recorder{away: true}
		b, _ := run(t, l, r, nil)
		for i := range 50 {
			logtest.Write(t, brokers, at(l, 0, value(0, i)))
		}
		logtest.Eventually(t, "readiness to tell that the bus is away", func() bool {
			err := b.Ready()
			return err != nil && strings.Contains(err.Error(), "the bus takes no events: connection refused")
		})
		r.leave(false)
		logtest.Eventually(t, "the events that waited", func() bool { return len(r.all()) >= 50 })
		got, holes, _ := receive(t, r.all())
		for i, v := range got {
			if v != value(0, i) || holes != 0 {
				t.Fatalf("event %d is %s, with %d holes", i, v, holes)
			}
		}
		if err := b.Ready(); err != nil {
			t.Error(err)
		}
	})
}

// Whatever processes come and go, a receiver that hears every message misses no event, or sees the hole.
func TestNothingIsMissedWhileMembersComeAndGo(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		l, r := setUp(t, brokers), &recorder{}
		_, endFirst := run(t, l, r, nil)
		written := 0
		write := func(n int) {
			for range n {
				logtest.Write(t, brokers, at(l, 0, value(0, written)), at(l, 1, value(1, written)), at(l, 2, value(2, written)))
				written++
			}
		}
		write(20)
		registry := prometheus.NewRegistry()
		_, endSecond := run(t, l, r, registry)
		for metric(t, registry, "parkwire_bridge_assigned_partitions") == 0 {
			write(1)
		}
		write(20)
		endFirst()
		write(20)
		third, _ := run(t, l, r, nil)
		write(20)
		r.leave(true) // and one dies while it holds what the bus did not take
		write(5)
		endSecond()
		r.leave(false)
		write(5)
		logtest.Eventually(t, "all events", func() bool {
			_, _, heads := receive(t, r.all())
			return heads.Contains(event.Offsets{int64(written - 1), int64(written - 1), int64(written - 1)})
		})
		got, holes, _ := receive(t, r.all())
		if len(got) != 3*written || holes != 0 {
			t.Errorf("got %d events with %d holes, want %d", len(got), holes, 3*written)
		}
		logtest.Eventually(t, "the last to be ready", func() bool { return third.Ready() == nil })
	})
}

// What somebody else published meanwhile must not be said to be nothing.
func TestABridgeThatGetsAPartitionBackKnowsThatItHasMissedSome(t *testing.T) {
	brokers := []string{logtest.Broker(t, "").Addr()}
	l, r := setUp(t, brokers), &recorder{}
	registries := []*prometheus.Registry{prometheus.NewRegistry(), prometheus.NewRegistry()}
	assigned := func(bridge int) float64 { return metric(t, registries[bridge], "parkwire_bridge_assigned_partitions") }
	written := 0
	write := func() {
		logtest.Write(t, brokers, at(l, 0, value(0, written)), at(l, 1, value(1, written)), at(l, 2, value(2, written)))
		written++
		logtest.Eventually(t, "what was written", func() bool { return r.count() >= 3*written })
	}
	run(t, l, r, registries[0])
	write()
	_, end := run(t, l, r, registries[1])
	logtest.Eventually(t, "both to have partitions", func() bool { return assigned(1) > 0 && assigned(0)+assigned(1) == 3 })
	write()
	write()
	end()
	logtest.Eventually(t, "the first to have them all again", func() bool { return assigned(0) == 3 })
	write()
	for _, m := range r.all() {
		if _, p, _ := event.CutLogPosition([]byte(m)); p.After != p.Offset-1 {
			t.Errorf("%+v says that nothing lies behind %d, where the other bridge published", p, p.After)
		}
	}
}

func TestABridgeThatComesBackSaysWhatItsPredecessorSkipped(t *testing.T) {
	brokers := []string{logtest.Broker(t, "").Addr()}
	l, r := setUp(t, brokers), &recorder{}
	_, end := run(t, l, r, nil)
	logtest.Write(t, brokers, at(l, 0, value(0, 0)))
	logtest.Eventually(t, "the first event", func() bool { return len(r.all()) == 1 })
	end()
	logtest.Write(t, brokers, at(l, 0, value(0, 1)), at(l, 0, value(0, 2)))
	r.mu.Lock()
	r.messages = nil // a receiver that was away
	r.mu.Unlock()
	run(t, l, r, nil)
	logtest.Eventually(t, "the others", func() bool { return len(r.all()) == 2 })
	_, p, _ := event.CutLogPosition([]byte(r.all()[0]))
	if p != (event.Position{Partition: 0, Offset: 1, After: 0, Topic: l.TopicID().Short()}) {
		t.Errorf("got %+v", p)
	}
}

func TestABridgeEndsWhateverIsAway(t *testing.T) {
	broker := logtest.Broker(t, "")
	l, r := setUp(t, []string{broker.Addr()}), &recorder{away: true}
	b, end := run(t, l, r, nil)
	logtest.Write(t, []string{broker.Addr()}, at(l, 0, value(0, 0)))
	logtest.Eventually(t, "the bridge to meet the bus", func() bool { return b.Ready() != nil })
	broker.Close()
	began := time.Now()
	end()
	if d := time.Since(began); d > 30*time.Second {
		t.Errorf("it took %v", d)
	}
	absent := logtest.Open(t, logtest.Options(t, []string{broker.Addr()}))
	_, end = run(t, absent, r, nil)
	end()
}
