package load

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A publisher takes events and sends them on, in order for each lot.
type publisher interface {
	// publish sends events. They are on their way then; what became of those of Kafka is told by flush, or by a later publish.
	publish(ctx context.Context, events []outgoing) error
	// flush waits until all are acknowledged.
	flush(ctx context.Context) error
	close()
}

type outgoing struct{ key, value []byte }

// parsePublish reads --publish.
func parsePublish(text string) (u *url.URL, what string, err error) {
	if text == "none" || text == "" {
		return nil, "none", nil
	}
	const like = "kafka://localhost:9092/parking-events and redis://localhost:6379/notifications are examples"
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok || (scheme != "kafka" && scheme != "redis") {
		return nil, "", fmt.Errorf("%q is none of kafka://…, redis://… and none; %s", text, like)
	}
	host, path, _ := strings.Cut(rest, "/")
	if host == "" || path == "" {
		return nil, "", fmt.Errorf("%q lacks a host, or the topic or channel; %s", text, like)
	}
	if scheme == "kafka" { // several hosts are no URL
		return &url.URL{Scheme: scheme, Host: host, Path: path}, scheme, nil
	}
	if u, err = url.Parse(text); err != nil {
		return nil, "", fmt.Errorf("%q: %w; %s", text, err, like)
	}
	u.Path = path
	return u, scheme, nil
}

func newPublisher(ctx context.Context, text string) (publisher, error) {
	u, kind, err := parsePublish(text)
	switch {
	case err != nil:
		return nil, err
	case kind == "kafka":
		return newKafka(ctx, strings.Split(u.Host, ","), u.Path)
	case kind == "redis":
		return newRedis(u)
	}
	return nil, nil
}

// toKafka produces as Parkwire's relay does: acknowledged by all replicas, the spot as key, not held back, and in one request
// what is given in one go.
type toKafka struct {
	client   *kgo.Client
	failed   atomic.Pointer[error]
	flushing sync.WaitGroup
}

func newKafka(ctx context.Context, brokers []string, topic string) (*toKafka, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.DefaultProduceTopic(topic), kgo.ClientID("parkwire-load"),
		kgo.RequiredAcks(kgo.AllISRAcks()), kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)), kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.ManualFlushing(), kgo.MaxBufferedRecords(1<<20), kgo.UnknownTopicRetries(5), kgo.RecordDeliveryTimeout(30*time.Second))
	if err != nil {
		return nil, fmt.Errorf("publishing to Kafka: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := client.Ping(ctx); err != nil {
		client.Close()
		return nil, fmt.Errorf("publishing to Kafka: %w", err)
	}
	return &toKafka{client: client}, nil
}

func (k *toKafka) publish(ctx context.Context, events []outgoing) error {
	for _, e := range events {
		k.client.Produce(ctx, &kgo.Record{Key: e.key, Value: e.value}, func(_ *kgo.Record, err error) {
			if err != nil {
				k.failed.CompareAndSwap(nil, &err)
			}
		})
	}
	k.flushing.Go(func() { _ = k.client.Flush(ctx) }) // what became of each record is told to its promise
	return k.failure()
}

func (k *toKafka) failure() error {
	if err := k.failed.Load(); err != nil {
		return fmt.Errorf("publishing to Kafka: %w", *err)
	}
	return nil
}

func (k *toKafka) flush(ctx context.Context) error {
	if err := k.client.Flush(ctx); err != nil {
		return fmt.Errorf("publishing to Kafka: %w", err)
	}
	return k.failure()
}

func (k *toKafka) close() {
	k.client.Close()
	k.flushing.Wait()
}

// toRedis publishes on a channel, in one go what is given in one go.
type toRedis struct {
	client  rueidis.Client
	channel string
}

func newRedis(u *url.URL) (*toRedis, error) {
	server := *u
	server.Path = ""
	options, err := rueidis.ParseURL(server.String())
	if err != nil {
		return nil, fmt.Errorf("publishing to Redis: %w", err)
	}
	options.DisableCache, options.ForceSingleClient, options.DisableRetry = true, true, true
	options.ClientSetInfo = rueidis.DisableClientSetInfo
	client, err := rueidis.NewClient(options)
	if err != nil {
		return nil, fmt.Errorf("publishing to Redis: %w", err)
	}
	return &toRedis{client, u.Path}, nil
}

func (r *toRedis) publish(ctx context.Context, events []outgoing) error {
	commands := make(rueidis.Commands, len(events))
	for i, e := range events {
		commands[i] = r.client.B().Publish().Channel(r.channel).Message(rueidis.BinaryString(e.value)).Build()
	}
	for _, answer := range r.client.DoMulti(ctx, commands...) {
		if err := answer.Error(); err != nil {
			return fmt.Errorf("publishing to Redis: %w", err)
		}
	}
	return nil
}

func (r *toRedis) flush(context.Context) error { return nil }

func (r *toRedis) close() { r.client.Close() }
