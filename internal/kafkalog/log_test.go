package kafkalog_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
	"parkwire/internal/kafkalog/logtest"
)

func TestTopicsAreMadeAsConfiguredByHoweverManyAtOnce(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		o := logtest.Options(t, brokers)
		o.Partitions, o.Replication, o.Retention, o.AuditRetention = 4, 1, 36*time.Hour, 48*time.Hour
		var wg sync.WaitGroup
		logs := []*kafkalog.Log{logtest.Open(t, o), logtest.Open(t, o), logtest.Open(t, o)}
		for _, l := range logs {
			if l.Ready() == nil || l.TopicID() != (event.TopicID{}) || l.Partitions() != 0 {
				t.Error("a log that has asked Kafka nothing is ready")
			}
			for range 2 {
				wg.Go(func() { logtest.Ensure(t, l) })
			}
		}
		wg.Wait()
		for _, l := range logs {
			if l.Ready() != nil || l.Partitions() != 4 || l.TopicID() != logs[0].TopicID() || l.TopicID() == (event.TopicID{}) {
				t.Errorf("got %d partitions, id %x, ready: %v", l.Partitions(), l.TopicID(), l.Ready())
			}
		}
		for topic, want := range map[string]map[string]string{
			o.Topic:         {"cleanup.policy": "delete", "retention.ms": "129600000"},
			o.SpotsTopic:    {"cleanup.policy": "compact", "retention.ms": "-1"},
			o.RejectedTopic: {"cleanup.policy": "delete", "retention.ms": "129600000"},
			o.AuditTopic:    {"cleanup.policy": "delete", "retention.ms": "172800000"},
			o.AccessTopic:   {"cleanup.policy": "compact", "retention.ms": "-1"},
		} {
			if got := config(t, brokers, topic); got["cleanup.policy"] != want["cleanup.policy"] || got["retention.ms"] != want["retention.ms"] {
				t.Errorf("%s is configured as %v, want %v", topic, got, want)
			}
		}
	})
}

func TestTopicsThatExistAreTakenAsTheyAre(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		o := logtest.Options(t, brokers)
		client := logtest.Client(t, brokers)
		defer client.Close()
		if _, err := kadm.NewClient(client).CreateTopic(t.Context(), 2, -1, map[string]*string{"retention.ms": new("777000")}, o.Topic); err != nil {
			t.Fatal(err)
		}
		l := logtest.Open(t, o)
		logtest.Ensure(t, l)
		if l.Partitions() != 2 || config(t, brokers, o.Topic)["retention.ms"] != "777000" {
			t.Errorf("got %d partitions and %v", l.Partitions(), config(t, brokers, o.Topic))
		}
	})
}

func config(t *testing.T, brokers []string, topic string) map[string]string {
	t.Helper()
	client := logtest.Client(t, brokers)
	defer client.Close()
	described, err := kadm.NewClient(client).DescribeTopicConfigs(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	config := map[string]string{}
	for _, c := range described[0].Configs {
		config[c.Key] = c.MaybeValue()
	}
	return config
}

func TestALogWaitsForKafkaAndSaysWhatItWaitsFor(t *testing.T) {
	broker := logtest.Broker(t, "")
	address := broker.Addr()
	broker.Close()
	l := logtest.Open(t, logtest.Options(t, []string{address}))
	done := make(chan error, 1)
	go func() { done <- l.EnsureTopics(t.Context()) }()
	logtest.Eventually(t, "the log to say that Kafka is away", func() bool {
		return strings.Contains(l.Ready().Error(), "the event log (Kafka) cannot be reached")
	})
	logtest.Broker(t, address)
	select {
	case err := <-done:
		if err != nil || l.Ready() != nil {
			t.Errorf("got %v, %v", err, l.Ready())
		}
	case <-time.After(logtest.Patience):
		t.Fatal("the log does not find Kafka that has come")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := logtest.Open(t, logtest.Options(t, []string{"127.0.0.1:1"})).EnsureTopics(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestALogThatLosesKafkaSaysSoUntilItIsBack(t *testing.T) {
	dir := t.TempDir()
	broker := logtest.BrokerIn(t, dir, "")
	l := logtest.Log(t, []string{broker.Addr()})
	id := l.TopicID()
	broker.Close()
	logtest.Eventually(t, "the log to miss Kafka", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := l.Heads(ctx)
		return err != nil && l.Ready() != nil
	})
	logtest.BrokerIn(t, dir, broker.Addr())
	logtest.Eventually(t, "the log to find Kafka again", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := l.Heads(ctx)
		return err == nil && l.Ready() == nil
	})
	again := logtest.Open(t, kafkalog.Options{Brokers: []string{broker.Addr()}, Topic: l.Topic(), SpotsTopic: l.SpotsTopic(), RejectedTopic: l.RejectedTopic(), AuditTopic: l.AuditTopic(), AccessTopic: l.AccessTopic()})
	logtest.Ensure(t, again)
	if again.TopicID() != id {
		t.Errorf("the topic's id was %x and is %x after the broker's restart", id, again.TopicID())
	}
}

// lines writes n records to each of the partitions and returns what Range must tell of them.
func lines(t *testing.T, brokers []string, l *kafkalog.Log, n int) (want []string) {
	var records []*kgo.Record
	for i := range n {
		for p := range l.Partitions() {
			records = append(records, &kgo.Record{Topic: l.Topic(), Partition: int32(p), Value: fmt.Appendf(nil, "%d/%d", p, i)})
		}
	}
	for _, r := range logtest.Write(t, brokers, records...) {
		want = append(want, fmt.Sprintf("%d@%d=%s", r.Partition, r.Offset, r.Value))
	}
	slices.Sort(want)
	return want
}

// read reads a range and checks that each partition comes in order.
func read(t *testing.T, l *kafkalog.Log, from, to event.Offsets) (got []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), logtest.Patience)
	defer cancel()
	var seen event.Offsets
	err := l.Range(ctx, from, to, func(r kafkalog.Record) error {
		if seen.Covers(r.Partition, r.Offset) {
			t.Errorf("offset %d of partition %d comes behind %d", r.Offset, r.Partition, seen.At(r.Partition))
		}
		seen = seen.Advance(r.Partition, r.Offset)
		got = append(got, fmt.Sprintf("%d@%d=%s", r.Partition, r.Offset, r.Value))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	return got
}

func ends(t *testing.T, l *kafkalog.Log) (heads, tails event.Offsets) {
	t.Helper()
	heads, err := l.Heads(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tails, err = l.Tails(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return heads, tails
}

func TestARangeIsEveryRecordBehindFromUpToTo(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		l := logtest.Log(t, brokers)
		none := event.NewOffsets(3)
		if heads, tails := ends(t, l); !slices.Equal(heads, none) || !slices.Equal(tails, none) {
			t.Errorf("an empty log ends at %v and begins behind %v", heads, tails)
		}
		if got := read(t, l, none, none); got != nil {
			t.Errorf("an empty range has %v", got)
		}
		want := lines(t, brokers, l, 500)
		heads, tails := ends(t, l)
		if !slices.Equal(heads, event.Offsets{499, 499, 499}) || !slices.Equal(tails, none) {
			t.Errorf("the log ends at %v and begins behind %v", heads, tails)
		}
		if got := read(t, l, nil, heads); !slices.Equal(got, want) {
			t.Errorf("got %d records, want %d", len(got), len(want))
		}
		got := read(t, l, event.Offsets{497, 499, 300}, event.Offsets{498, 499, 301})
		if !slices.Equal(got, []string{"0@498=0/498", "2@301=2/301"}) {
			t.Errorf("got %v", got)
		}
		if got := read(t, l, heads, event.Offsets{3}); got != nil {
			t.Errorf("a range that goes back has %v", got)
		}
		var wg sync.WaitGroup // many clients come back at once
		for range 20 {
			wg.Go(func() {
				if got := read(t, l, event.Offsets{400, 400, 400}, heads); len(got) != 297 {
					t.Errorf("one of many readers at once got %d records, want 297", len(got))
				}
			})
		}
		wg.Wait()
		stop := errors.New("enough")
		calls := 0
		err := l.Range(t.Context(), nil, heads, func(kafkalog.Record) error { calls++; return stop })
		if err != stop || calls != 1 {
			t.Errorf("got %v after %d calls", err, calls)
		}
	})
}

func TestARangePassesOverWhatIsNotThere(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		l := logtest.Log(t, brokers)
		client := logtest.Client(t, brokers, kgo.TransactionalID(l.Topic()), kgo.DefaultProduceTopic(l.Topic()))
		defer client.Close()
		write := func(value string, end kgo.TransactionEndTry) {
			t.Helper()
			if err := client.BeginTransaction(); err != nil {
				t.Fatal(err)
			}
			if err := client.ProduceSync(t.Context(), &kgo.Record{Key: []byte("one"), Value: []byte(value)}).FirstErr(); err != nil {
				t.Fatal(err)
			}
			if err := client.EndTransaction(t.Context(), end); err != nil {
				t.Fatal(err)
			}
		}
		write("committed", kgo.TryCommit)
		write("aborted", kgo.TryAbort)
		write("committed too", kgo.TryCommit)
		write("aborted too", kgo.TryAbort)
		var heads event.Offsets
		logtest.Eventually(t, "the ends of four transactions", func() bool { // Kafka writes them after it has answered
			heads, _ = ends(t, l)
			return slices.Max(heads) == 7
		})
		got := read(t, l, nil, heads)
		if len(got) != 2 || !strings.HasSuffix(got[0], "=committed") || !strings.HasSuffix(got[1], "=committed too") {
			t.Errorf("got %v", got)
		}
		p := int32(slices.Index(heads, 7))
		if got := read(t, l, event.Offsets(nil).Advance(p, 4), heads); got != nil {
			t.Errorf("behind the last committed record comes %v", got)
		}
		// What is not committed yet is not counted.
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		if err := client.ProduceSync(t.Context(), &kgo.Record{Key: []byte("one"), Value: []byte("open")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
		if now, _ := ends(t, l); !slices.Equal(now, heads) {
			t.Errorf("an open transaction moves the heads from %v to %v", heads, now)
		}
		if err := client.EndTransaction(t.Context(), kgo.TryAbort); err != nil {
			t.Fatal(err)
		}
	})
}

func TestARangeEndsWhenItsRecordsAreDeletedOrWereNever(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		l := logtest.Log(t, brokers)
		lines(t, brokers, l, 100)
		client := logtest.Client(t, brokers)
		defer client.Close()
		del := kadm.Offsets{}
		del.AddOffset(l.Topic(), 0, 40, -1)
		del.AddOffset(l.Topic(), 1, 100, -1)
		if _, err := kadm.NewClient(client).DeleteRecords(t.Context(), del); err != nil {
			t.Fatal(err)
		}
		heads, tails := ends(t, l)
		if !slices.Equal(tails, event.Offsets{39, 99, -1}) || !slices.Equal(heads, event.Offsets{99, 99, 99}) {
			t.Errorf("the log ends at %v and begins behind %v", heads, tails)
		}
		if got := read(t, l, nil, heads); len(got) != 60+100 {
			t.Errorf("got %d records, want 160", len(got))
		}
		began := time.Now()
		err := l.Range(t.Context(), event.Offsets{50, 99, 98}, event.Offsets{99, 99, 105}, func(kafkalog.Record) error { return nil })
		if !errors.Is(err, kafkalog.ErrShort) || time.Since(began) > logtest.Patience {
			t.Errorf("a range beyond the end gave %v after %v", err, time.Since(began))
		}
		if err := l.Range(t.Context(), nil, event.Offsets{3: 0}, func(kafkalog.Record) error { return nil }); err == nil {
			t.Error("a partition that does not exist was read")
		}
	})
}

func TestALogThatIsMadeAgainIsNotTakenForTheOldOne(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		l := logtest.Log(t, brokers)
		lines(t, brokers, l, 10)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		ended := make(chan error, 1)
		go func() { ended <- l.Run(ctx) }()
		client := logtest.Client(t, brokers)
		defer client.Close()
		admin := kadm.NewClient(client)
		if _, err := admin.DeleteTopic(ctx, l.Topic()); err != nil {
			t.Fatal(err)
		}
		logtest.Eventually(t, "the topic to be made again", func() bool {
			_, err := admin.CreateTopic(ctx, 3, 1, nil, l.Topic())
			return err == nil
		})
		if err := l.Range(ctx, nil, event.Offsets{9}, func(kafkalog.Record) error { return nil }); err == nil {
			t.Error("a range of the old log was read from the new one")
		}
		select {
		case err := <-ended:
			if !errors.Is(err, kafkalog.ErrReplaced) {
				t.Errorf("the log ended with %v", err)
			}
		case <-time.After(logtest.Patience):
			t.Error("nobody noticed")
		}
	})
}
