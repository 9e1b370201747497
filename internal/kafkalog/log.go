// Package kafkalog is the event log: Apache Kafka, or the embedded broker that speaks its
// protocol. It makes the topics, reads ranges of the log, produces for the relay and consumes for
// the bridge. Only addresses tell the two kinds of broker apart.
package kafkalog

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parkwire/internal/event"
)

// Options configure a [Log]. Brokers is required.
type Options struct {
	Brokers []string // HOST:PORT of some of the servers; the others are learned from them

	Topic         string // the event log; default "parking-events"
	SpotsTopic    string // its compacted twin; default "parking-spots"
	RejectedTopic string // records that are no events; default "parking-events-rejected"

	// These hold for topics that do not exist yet; those that do are taken as they are.
	Partitions  int           // default 6
	Replication int           // 0: as the servers have it by default
	Retention   time.Duration // how long events are kept; default 7 days

	Logger     *slog.Logger
	Registerer prometheus.Registerer
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
type Header struct {
	Key   string
	Value []byte
}

// Log is the event log. Its methods may be called by several goroutines.
type Log struct{ options Options }

var errNotBuilt = errors.New("the event log is being built")

// Open prepares a log without connecting to it.
func Open(o Options) (*Log, error) { return &Log{options: o}, nil }

// EnsureTopics waits until Kafka answers and makes the topics that do not exist.
func (l *Log) EnsureTopics(ctx context.Context) error { return errNotBuilt }

// TopicID returns the identity of the events' topic; zero until EnsureTopics returned nil once.
func (l *Log) TopicID() event.TopicID { return event.TopicID{} }

// Partitions returns how many the events' topic has; 0 until EnsureTopics returned nil once.
func (l *Log) Partitions() int { return 0 }

// Heads returns the newest offset of each partition.
func (l *Log) Heads(ctx context.Context) (event.Offsets, error) { return nil, errNotBuilt }

// Tails returns the newest offset of each partition that can no longer be read.
func (l *Log) Tails(ctx context.Context) (event.Offsets, error) { return nil, errNotBuilt }

// Range calls fn for every record behind from, up to and including to, in order per partition.
func (l *Log) Range(ctx context.Context, from, to event.Offsets, fn func(Record) error) error {
	return errNotBuilt
}

// Ready returns nil, or why the log cannot be used at present.
func (l *Log) Ready() error { return errNotBuilt }

// Close releases what the log holds.
func (l *Log) Close() {}
