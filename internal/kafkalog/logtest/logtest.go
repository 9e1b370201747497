// Package logtest gives tests an event log of their own: on the embedded broker always, and on the servers that
// PARKWIRE_TEST_KAFKA_BROKERS names too, so that one suite holds for both.
package logtest

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
	"parkwire/test/e2e/stack"
)

// Patience is how long tests wait for what must happen.
const Patience = 30 * time.Second

// Each runs test on every kind of broker.
func Each(t *testing.T, test func(t *testing.T, brokers []string)) {
	t.Run("embedded", func(t *testing.T) {
		stack.WantEmbedded(t)
		test(t, []string{Broker(t, "").Addr()})
	})
	t.Run("kafka", func(t *testing.T) {
		brokers := os.Getenv("PARKWIRE_TEST_KAFKA_BROKERS")
		if brokers == "" {
			if os.Getenv("PARKWIRE_TEST_DISTRIBUTED") == "1" {
				t.Fatal("PARKWIRE_TEST_KAFKA_BROKERS is not set")
			}
			t.Skip("PARKWIRE_TEST_KAFKA_BROKERS names no Kafka: test/kit/kafka.sh starts one")
		}
		test(t, strings.Split(brokers, ","))
	})
}

// Broker starts an embedded broker in a folder of its own. listen is an address, or empty for a free one.
func Broker(t testing.TB, listen string) *kafkalog.Broker {
	t.Helper()
	return BrokerIn(t, t.TempDir(), listen)
}

// BrokerIn starts an embedded broker in a folder, which may have been used before.
func BrokerIn(t testing.TB, dir, listen string) *kafkalog.Broker {
	t.Helper()
	if listen == "" {
		listen = stack.Address(stack.Port(t)) // one that it gets again after its death
	}
	b, err := kafkalog.StartBroker(t.Context(), kafkalog.BrokerOptions{Dir: dir, Listen: listen, Logger: Logger()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// Prefix begins the names of all topics and groups.
const Prefix = "test-"

// Options are those of a log with topics that nobody else uses, which are deleted after the test.
func Options(t testing.TB, brokers []string) kafkalog.Options {
	t.Helper()
	o := names(brokers)
	if os.Getenv("PARKWIRE_TEST_KAFKA_SECURED") == "1" && strings.Join(brokers, ",") == os.Getenv("PARKWIRE_TEST_KAFKA_BROKERS") {
		s := Servers(t, kafkalog.Scram512)
		o.Brokers, o.Security = s.Brokers, s.Security
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		client := Client(t, brokers)
		defer client.Close()
		_, _ = kadm.NewClient(client).DeleteTopics(ctx, o.Topic, o.SpotsTopic, o.RejectedTopic, o.AuditTopic, o.AccessTopic) // the broker may be gone already
	})
	return o
}

// names are options with names that nobody else uses.
func names(brokers []string) kafkalog.Options {
	run := Prefix + strings.ToLower(rand.Text()[:10])
	return kafkalog.Options{
		Brokers: brokers, GroupPrefix: run + "-", Topic: run + "-events", SpotsTopic: run + "-spots", RejectedTopic: run + "-rejected",
		AuditTopic: run + "-audit", AccessTopic: run + "-access",
		Partitions: 3, Logger: Logger(),
	}
}

// Open opens a log and closes it after the test.
func Open(t testing.TB, o kafkalog.Options) *kafkalog.Log {
	t.Helper()
	l, err := kafkalog.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// Log is an open log with topics of its own, which exist.
func Log(t testing.TB, brokers []string) *kafkalog.Log {
	t.Helper()
	l := Open(t, Options(t, brokers))
	Ensure(t, l)
	return l
}

// Ensure waits for the topics of a log.
func Ensure(t testing.TB, l *kafkalog.Log) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	if err := l.EnsureTopics(ctx); err != nil {
		t.Fatalf("the topics were not made: %v (%v)", err, l.Ready())
	}
}

// Client is a client of another program. The caller closes it.
func Client(t testing.TB, brokers []string, more ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(brokers...), kgo.ProducerLinger(0)}, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Write writes records as another program would, and returns them with their places.
func Write(t testing.TB, brokers []string, records ...*kgo.Record) []*kgo.Record {
	t.Helper()
	c := Client(t, brokers, kgo.RecordPartitioner(byHand{}))
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	if err := c.ProduceSync(ctx, records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	return records
}

// byHand takes records without a key to the partition that they name, and others where Kafka's hash does.
type byHand struct{}

func (byHand) ForTopic(topic string) kgo.TopicPartitioner {
	return byHandTopic{kgo.StickyKeyPartitioner(nil).ForTopic(topic)}
}

type byHandTopic struct{ byKey kgo.TopicPartitioner }

func (p byHandTopic) RequiresConsistency(*kgo.Record) bool { return true }

func (p byHandTopic) Partition(r *kgo.Record, n int) int {
	if r.Key == nil {
		return int(r.Partition)
	}
	return p.byKey.Partition(r, n)
}

// All returns the records of a topic in order per partition, up to its present end.
func All(t testing.TB, l *kafkalog.Log) []kafkalog.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	heads, err := l.Heads(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var all []kafkalog.Record
	err = l.Range(ctx, event.NewOffsets(len(heads)), heads, func(r kafkalog.Record) error {
		all = append(all, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Eventually waits until done, and fails with what was to come.
func Eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(Patience); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// Logger is silent, unless PARKWIRE_TEST_LOG is set.
func Logger() *slog.Logger {
	if os.Getenv("PARKWIRE_TEST_LOG") == "" {
		return slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelError}))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
