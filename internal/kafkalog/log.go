// Package kafkalog is the event log: Apache Kafka, or the embedded broker that speaks its
// protocol. It makes the topics, reads ranges of the log, produces for the relay and consumes for
// the bridge. Only addresses tell the two kinds of broker apart.
//
// Everything is read as committed: records of transactions that other programs aborted, or have not ended,
// are as good as not there.
package kafkalog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"parkwire/internal/event"
	"parkwire/internal/trace"
)

// Options configure a [Log]. Brokers is required.
type Options struct {
	Brokers  []string // HOST:PORT of some of the servers; the others are learned from them
	Security Security // how they are spoken to; the zero value: without TLS, and as nobody

	Topic         string // the event log; default "parking-events"
	SpotsTopic    string // its compacted twin; default "parking-spots"
	RejectedTopic string // records that are no events; default "parking-events-rejected"
	AuditTopic    string // who changed what; default "parking-audit"
	AccessTopic   string // who may do what, compacted, one partition; default "parking-access"

	// GroupPrefix begins the names of the consumer groups of further services; default "parkwire-". Installations that share a Kafka need one each.
	GroupPrefix string

	// These hold for topics that do not exist yet; those that do are taken as they are.
	Partitions     int           // default 6
	Replication    int           // 0: as the servers have it by default
	MinInSync      int           // replicas that must have a record before it is acknowledged; 0: as the servers have it by default
	Retention      time.Duration // how long events are kept; default 7 days
	RetentionBytes int64         // how much of the events is kept, at most, in each partition; 0: no bound but the time
	AuditRetention time.Duration // how long it is kept who changed what; default 365 days

	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// topics are the names of all.
func (o Options) topics() []string {
	return []string{o.Topic, o.SpotsTopic, o.RejectedTopic, o.AuditTopic, o.AccessTopic}
}

// Record is one record of the log. Key, Value and Headers belong to its receiver.
type Record struct {
	Partition int32
	Offset    int64
	Key       []byte // nil where the writer gave none
	Value     []byte
	Headers   []Header
	Timestamp time.Time
}

// Header is one header of a record.
type Header = kgo.RecordHeader

// Header returns the value of the last header with this key.
func (r Record) Header(key string) ([]byte, bool) {
	for i := len(r.Headers) - 1; i >= 0; i-- {
		if r.Headers[i].Key == key {
			return r.Headers[i].Value, true
		}
	}
	return nil, false
}

// FollowedTrace returns the traceparent of a record whose trace is followed, and "" of nearly all. Any program may write to the log: what is no
// traceparent follows nothing, so that what is returned may stand in JSON, a row or a header as it is.
func (r Record) FollowedTrace() string {
	traceparent, _ := r.Header(trace.Header)
	if !trace.Followed(traceparent) || !trace.Valid(traceparent) {
		return ""
	}
	return string(traceparent)
}

func recordOf(r *kgo.Record) Record {
	return Record{r.Partition, r.Offset, r.Key, r.Value, r.Headers, r.Timestamp}
}

// Log is the event log. Its methods may be called by several goroutines.
type Log struct {
	options Options
	secured []kgo.Opt // of every client
	health  *health
	client  *kgo.Client
	admin   *kadm.Client

	ensuring chan struct{} // held by whoever makes the topics

	mu      sync.Mutex
	ensured bool
	topicID event.TopicID
	first   event.Offsets // the heads when the log was reached first
	leaders []int32       // the broker that leads each partition of Topic; -1 where there is none at present
}

// How long things may take. Together they make a broker that died unnoticed cost a few seconds.
const (
	dialTimeout    = 3 * time.Second
	requestTimeout = 5 * time.Second // beside what a request itself asks to wait
	maxPause       = time.Second     // between tries
	watchInterval  = 2 * time.Second
)

// Open prepares a log without connecting to it.
func Open(o Options) (*Log, error) {
	o.Topic = cmp.Or(o.Topic, "parking-events")
	o.SpotsTopic = cmp.Or(o.SpotsTopic, "parking-spots")
	o.RejectedTopic = cmp.Or(o.RejectedTopic, "parking-events-rejected")
	o.AuditTopic = cmp.Or(o.AuditTopic, "parking-audit")
	o.AccessTopic = cmp.Or(o.AccessTopic, "parking-access")
	o.GroupPrefix = cmp.Or(o.GroupPrefix, "parkwire-")
	o.Partitions = cmp.Or(o.Partitions, 6)
	o.Retention = cmp.Or(o.Retention, 7*24*time.Hour)
	o.AuditRetention = cmp.Or(o.AuditRetention, 365*24*time.Hour)
	o.Logger = cmp.Or(o.Logger, slog.Default())
	if len(o.Brokers) == 0 {
		return nil, errors.New("opening the event log: no brokers are given")
	}
	if names := o.topics(); len(slices.Compact(slices.Sorted(slices.Values(names)))) < len(names) {
		return nil, fmt.Errorf("opening the event log: the topics %q must differ", names)
	}
	secured, err := o.Security.Options()
	if err != nil {
		return nil, fmt.Errorf("opening the event log: %w", err)
	}
	l := &Log{options: o, secured: secured, ensuring: make(chan struct{}, 1), health: newHealth(o.Security, o.Logger, o.Registerer)}
	if l.client, err = l.newClient(); err != nil {
		return nil, fmt.Errorf("opening the event log: %w", err)
	}
	l.admin = kadm.NewClient(l.client)
	return l, nil
}

// newClient makes a client of the log's servers. It connects when it is used. Whoever speaks to Kafka does it by a client from here.
func (l *Log) newClient(more ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(slices.Concat([]kgo.Opt{
		kgo.SeedBrokers(l.options.Brokers...),
		kgo.ClientID("parkwire"),
		kgo.WithLogger(clientLogger{l.options.Logger}),
		kgo.WithHooks(l.health),
		kgo.RequestTimeoutOverhead(requestTimeout),
		kgo.RetryTimeout(2 * requestTimeout),
		kgo.RetryBackoffFn(backoff),
		// The defaults of 5 s and 5 min are for clusters with many clients; new leaders and
		// partitions should be found sooner.
		kgo.MetadataMinAge(250 * time.Millisecond),
		kgo.MetadataMaxAge(time.Minute),
		kgo.DisableClientMetrics(),
	}, l.secured, more)...)
}

// backoff is the pause after so many tries.
func backoff(tries int) time.Duration {
	return min(50*time.Millisecond<<min(tries, 10), maxPause)
}

// Topic is the name of the event log.
func (l *Log) Topic() string { return l.options.Topic }

// SpotsTopic is the name of its compacted twin.
func (l *Log) SpotsTopic() string { return l.options.SpotsTopic }

// RejectedTopic is the name of the topic for records that are no events.
func (l *Log) RejectedTopic() string { return l.options.RejectedTopic }

// AuditTopic is the name of the topic that tells who changed what.
func (l *Log) AuditTopic() string { return l.options.AuditTopic }

// AccessTopic is the name of the compacted topic that tells who may do what.
func (l *Log) AccessTopic() string { return l.options.AccessTopic }

// Group is the name of the consumer group of a further service.
func (l *Log) Group(service string) string { return l.options.GroupPrefix + service }

// TopicID returns the identity of the events' topic; zero until EnsureTopics returned nil once.
func (l *Log) TopicID() event.TopicID {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.topicID
}

// Partitions returns how many the events' topic has; 0 until EnsureTopics returned nil once.
func (l *Log) Partitions() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.leaders)
}

func (l *Log) atFirst() event.Offsets {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.first
}

// Heads returns the newest offset of each partition, [event.None] where nothing was ever written. Offsets
// behind transactions that have not ended are not counted. The newest may belong to a record that no reader
// gets to see, such as the end of a transaction.
func (l *Log) Heads(ctx context.Context) (event.Offsets, error) {
	return list(ctx, l.admin.ListCommittedOffsets, l.options.Topic)
}

// Ends is Heads with what no reader gets to see yet, because it stands behind a transaction that has not ended.
func (l *Log) Ends(ctx context.Context) (event.Offsets, error) {
	return list(ctx, l.admin.ListEndOffsets, l.options.Topic)
}

// Tails returns the newest offset of each partition that can no longer be read, [event.None] where
// everything can.
func (l *Log) Tails(ctx context.Context) (event.Offsets, error) {
	return list(ctx, l.admin.ListStartOffsets, l.options.Topic)
}

func list(ctx context.Context, list func(context.Context, ...string) (kadm.ListedOffsets, error), topic string) (event.Offsets, error) {
	listed, err := list(ctx, topic)
	if err == nil {
		err = listed.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("asking Kafka for the ends of %s: %w", topic, err)
	}
	var offsets event.Offsets
	listed.Each(func(o kadm.ListedOffset) { offsets = offsets.Advance(o.Partition, o.Offset-1) })
	return offsets, nil
}

// Ready returns nil, or why the log cannot be used at present.
func (l *Log) Ready() error {
	l.mu.Lock()
	ensured := l.ensured
	l.mu.Unlock()
	return l.health.ready(ensured)
}

// Close releases what the log holds. Producers and consumers made of it are closed on their own.
func (l *Log) Close() { l.client.Close() }
