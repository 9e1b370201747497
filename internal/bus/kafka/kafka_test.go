package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"parkwire/internal/bus"
	"parkwire/internal/bus/bustest"
	"parkwire/internal/bus/kafka"
	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
	"parkwire/internal/kafkalog/logtest"
	"parkwire/internal/trace/tracetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, l *kafkalog.Log, registry prometheus.Registerer) *kafka.Bus {
	t.Helper()
	b := kafka.New(kafka.Options{Log: l, Logger: logtest.Logger(), Registerer: registry})
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func at(l *kafkalog.Log, partition int32, value string) *kgo.Record {
	return &kgo.Record{Topic: l.Topic(), Partition: partition, Value: []byte(value)}
}

func value(partition, i int) string { return fmt.Sprintf(`{"spotId":"%d-%d"}`, partition, i) }

func TestEverySubscriberHearsWhatIsWrittenFromNowOnWithItsPlace(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		l, registry := logtest.Log(t, brokers), prometheus.NewRegistry()
		logtest.Write(t, brokers, at(l, 0, value(0, 0)), at(l, 1, value(1, 0)))
		b := open(t, l, registry)
		listeners := []*bustest.Listener{bustest.Listen(t, b), bustest.Listen(t, b)}
		logtest.Write(t, brokers, at(l, 0, "no event"), at(l, 0, value(0, 1)), at(l, 2, value(2, 0)))
		for i := range 30 {
			logtest.Write(t, brokers, at(l, 1, value(1, i+1)))
		}
		for i, listener := range listeners {
			var ones []string
			var others []event.Position
			for _, m := range listener.Messages(32) {
				v, p, ok := event.CutLogPosition([]byte(m))
				if !ok || p.Topic != l.TopicID().Short() {
					t.Fatalf("a message without its place: %s", m)
				}
				if p.Partition == 1 {
					ones = append(ones, string(v))
					if p.After != p.Offset-1 {
						t.Errorf("%+v comes behind %d", p, p.After)
					}
					continue
				}
				p.Topic = 0
				others = append(others, p)
			}
			slices.SortFunc(others, func(a, b event.Position) int { return int(a.Partition - b.Partition) })
			if want := []event.Position{{Partition: 0, Offset: 2, After: 0}, {Partition: 2, Offset: 0, After: event.None}}; !slices.Equal(others, want) {
				t.Errorf("subscriber %d heard %+v, want %+v", i, others, want)
			}
			for n, v := range ones {
				if v != value(1, n+1) {
					t.Fatalf("subscriber %d heard %s as number %d", i, v, n)
				}
			}
		}
		if n, err := testutil.GatherAndCount(registry, "parkwire_bus_skipped_records_total"); err != nil || n != 1 {
			t.Errorf("what is no event is not counted: %v", err)
		}
	})
}

// Any program may write to the log, with headers of its own.
func TestWhatIsNoTraceparentIsNotPutIntoAMessage(t *testing.T) {
	const followed = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	logtest.Each(t, func(t *testing.T, brokers []string) {
		l := logtest.Log(t, brokers)
		listener := bustest.Listen(t, open(t, l, nil))
		headers := append(tracetest.Foreign(), followed)
		for i, header := range headers {
			r := at(l, 0, value(0, i))
			r.Headers = []kgo.RecordHeader{{Key: "traceparent", Value: []byte(header)}}
			logtest.Write(t, brokers, r)
		}
		for i, m := range listener.Messages(len(headers)) {
			want := ""
			if headers[i] == followed {
				want = followed
			}
			v, p, ok := event.CutLogPosition([]byte(m))
			if !ok || string(v) != value(0, i) || p.Traceparent != want {
				t.Errorf("with the header %q the event is delivered as %q, of the trace %q", headers[i], v, p.Traceparent)
			}
		}
	})
}

func TestAFollowerWaitsForTheLogAndFindsItAgain(t *testing.T) {
	broker := logtest.Broker(t, "")
	dir, address := t.TempDir(), broker.Addr()
	if err := broker.Close(); err != nil { // only its address was wanted
		t.Fatal(err)
	}
	l := logtest.Open(t, logtest.Options(t, []string{address}))
	b := open(t, l, nil)
	listener := bustest.Start(t, b)
	for round := range 2 {
		broker = logtest.BrokerIn(t, dir, address)
		listener.Connected(true)
		logtest.Write(t, []string{address}, at(l, 0, value(0, round)))
		if got := listener.Messages(round + 1); !strings.HasPrefix(got[round], strings.TrimSuffix(value(0, round), "}")) {
			t.Errorf("heard %s in round %d", got[round], round)
		}
		if round == 0 {
			if err := broker.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestNothingCanBePublished(t *testing.T) {
	b := open(t, logtest.Open(t, logtest.Options(t, []string{"127.0.0.1:1"})), nil)
	if err := b.Publish(t.Context(), []byte("x")); !errors.Is(err, kafka.ErrReadOnly) {
		t.Errorf("publishing: %v", err)
	}
}

func TestASubscriptionEndsWithItsContextOrTheBus(t *testing.T) {
	l := logtest.Log(t, []string{logtest.Broker(t, "").Addr()})
	b := open(t, l, nil)
	stopped, stays := bustest.Listen(t, b), bustest.Listen(t, b)
	stopped.Stop()
	if !errors.Is(stopped.Err, context.Canceled) {
		t.Errorf("it ended with %v", stopped.Err)
	}
	if got := stopped.Statuses(); !slices.Equal(got, []bool{true, false}) {
		t.Errorf("the statuses were %v", got)
	}
	if err := b.Ready(); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
	stays.Ended()
	for what, err := range map[string]error{
		"the subscription": stays.Err,
		"publishing":       b.Publish(t.Context(), []byte("x")),
		"subscribing":      b.Subscribe(t.Context(), func([]byte) {}, nil),
		"readiness":        b.Ready(),
	} {
		if !errors.Is(err, bus.ErrClosed) {
			t.Errorf("%s says %v", what, err)
		}
	}
}

// A log that has never answered ends nothing but the wait for it.
func TestASubscriptionThatWaitsForTheLogEnds(t *testing.T) {
	b := open(t, logtest.Open(t, logtest.Options(t, []string{"127.0.0.1:1"})), nil)
	listener := bustest.Start(t, b)
	listener.Stop()
	if got := listener.Statuses(); len(got) != 0 {
		t.Errorf("the statuses were %v", got)
	}
}
