package kafkalog_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
	"parkwire/internal/kafkalog/logtest"
)

func producer(t *testing.T, l *kafkalog.Log) *kafkalog.Producer {
	t.Helper()
	p, err := l.NewProducer()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func TestAKeyGoesToThePartitionThatKafkasOwnClientsPick(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		l := logtest.Log(t, brokers)
		// From the tests of Kafka's Java client: murmur2 of the key.
		for key, hash := range map[string]int32{
			"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536, "a-little-bit-longer-string": -1486304829,
			"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971, "abc": 479470107,
		} {
			r := producer(t, l).Send(t.Context(), logtest.Patience, kafkalog.Message{Topic: l.Topic(), Key: []byte(key), Value: []byte("x")})[0]
			if want := (hash & 0x7fffffff) % 3; r.Err != nil || r.Partition != want {
				t.Errorf("%s goes to partition %d (%v), want %d", key, r.Partition, r.Err, want)
			}
		}
	})
}

func TestWhatIsAcknowledgedStandsWhereItIsSaidInOrder(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		l := logtest.Log(t, brokers)
		p := producer(t, l)
		var messages []kafkalog.Message
		for i := range 3000 {
			messages = append(messages, kafkalog.Message{
				Topic: l.Topic(), Key: fmt.Appendf(nil, "key-%d", i%7), Value: fmt.Appendf(nil, "%d", i),
				Headers: []kafkalog.Header{{Key: "h", Value: []byte("1")}, {Key: "h", Value: []byte("2")}},
			})
		}
		places := map[string]string{}
		newest := event.Offsets{}
		for i, r := range p.Send(t.Context(), logtest.Patience, messages...) {
			if r.Err != nil {
				t.Fatal(r.Err)
			}
			if newest.Covers(r.Partition, r.Offset) {
				t.Fatalf("message %d stands at %d, before one that was sent earlier", i, r.Offset)
			}
			newest = newest.Advance(r.Partition, r.Offset)
			places[fmt.Sprint(r.Partition, r.Offset)] = string(messages[i].Value)
		}
		found := map[string]string{}
		for _, r := range logtest.All(t, l) {
			found[fmt.Sprint(r.Partition, r.Offset)] = string(r.Value)
			if h, ok := r.Header("h"); !ok || string(h) != "2" {
				t.Fatalf("the headers are %v", r.Headers)
			}
			if _, ok := r.Header("none"); ok || time.Since(r.Timestamp) > time.Hour {
				t.Fatalf("got %+v", r)
			}
		}
		if !maps.Equal(places, found) {
			t.Errorf("%d records are found where %d were acknowledged", len(found), len(places))
		}
		if got := p.Send(t.Context(), 0); len(got) != 0 {
			t.Errorf("nothing became %v", got)
		}
	})
}

func TestARecordIsTriedAgainWhileKafkaIsAwayAndWrittenOnce(t *testing.T) {
	dir := t.TempDir()
	broker := logtest.BrokerIn(t, dir, "")
	l := logtest.Log(t, []string{broker.Addr()})
	p := producer(t, l)
	send := func(ctx context.Context, patience time.Duration, value string) error {
		return p.Send(ctx, patience, kafkalog.Message{Topic: l.Topic(), Key: []byte("k"), Value: []byte(value)})[0].Err
	}
	if err := send(t.Context(), logtest.Patience, "0"); err != nil {
		t.Fatal(err)
	}
	for i := 1; i <= 3; i++ {
		broker.Close()
		result := make(chan error, 1)
		go func() { result <- send(t.Context(), logtest.Patience, fmt.Sprint(i)) }()
		time.Sleep(300 * time.Millisecond)
		broker = logtest.BrokerIn(t, dir, broker.Addr())
		if err := <-result; err != nil {
			t.Fatal(err)
		}
	}
	all := logtest.All(t, l)
	for i, r := range all {
		if string(r.Value) != fmt.Sprint(i) || len(all) != 4 {
			t.Errorf("of 4 records %d are there, number %d is %s", len(all), i, r.Value)
		}
	}
	broker.Close()
	began := time.Now()
	if err := send(t.Context(), 200*time.Millisecond, "late"); !errors.Is(err, kafkalog.ErrUnacknowledged) {
		t.Errorf("without Kafka a record gave %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := send(ctx, time.Hour, "late"); !errors.Is(err, kafkalog.ErrUnacknowledged) {
		t.Errorf("after its ctx a record gave %v", err)
	}
	p.Close()
	if d := time.Since(began); d > 30*time.Second {
		t.Errorf("giving up took %v", d)
	}
}
