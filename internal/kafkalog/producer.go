package kafkalog

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Message is a record that is to be written.
type Message struct {
	Topic   string
	Key     []byte // records with the same key go to the same partition, in order
	Value   []byte // nil: a tombstone
	Headers []Header
}

// Result is what became of a message: where it stands, or why it may not be there. A message that failed
// for want of an answer may still have been written.
type Result struct {
	Partition int32
	Offset    int64
	Err       error
}

// ErrUnacknowledged is the error of messages that Kafka did not acknowledge in time.
var ErrUnacknowledged = errors.New("Kafka did not acknowledge the record in time")

// TooLarge reports whether Kafka refuses a message for its size, or for that of the batch that it was sent in. No other time will be better.
func TooLarge(err error) bool {
	return errors.Is(err, kerr.MessageTooLarge) || errors.Is(err, kerr.RecordListTooLarge)
}

// Producer writes records.
type Producer struct{ client *kgo.Client }

// NewProducer makes a producer. It connects when it is used.
//
// It is idempotent (a retry inside of it repeats nothing), waits for all replicas that are in sync, and picks the
// partition of a key as Kafka's own clients do. It does not compress: some of the commonest clients of other
// languages cannot read what is compressed in any other way than gzip. It does not linger: records that come while a
// request is under way go together in the next one.
func (l *Log) NewProducer() (*Producer, error) {
	client, err := l.newClient(
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)),
		kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.ProducerLinger(0),
		kgo.ProduceRequestTimeout(requestTimeout),
		// A topic that has just been made is not known to every broker at once.
		kgo.UnknownTopicRetries(20),
		kgo.MaxBufferedRecords(100_000),
	)
	if err != nil {
		return nil, fmt.Errorf("making a producer: %w", err)
	}
	return &Producer{client}, nil
}

// Send writes messages and returns what became of each, in their order, when all are acknowledged, or have
// failed, or patience is over. While Kafka is away they are tried again and again, which repeats nothing. If one of a
// key failed, so did those of that key behind it. After an error of patience or ctx the producer must be closed: what it
// still has under way may be written as long as it is open, or until its last request has arrived.
func (p *Producer) Send(ctx context.Context, patience time.Duration, messages ...Message) []Result {
	var (
		mu       sync.Mutex
		open     = len(messages)
		results  = make([]Result, len(messages))
		finished = make(chan struct{})
	)
	for i := range results {
		results[i].Err = ErrUnacknowledged
	}
	if open == 0 {
		return results
	}
	for i, m := range messages {
		record := &kgo.Record{Topic: m.Topic, Key: m.Key, Value: m.Value, Headers: m.Headers}
		// The record is not given ctx: cancelling one whose request is under way would only hide what becomes of it.
		p.client.TryProduce(context.WithoutCancel(ctx), record, func(r *kgo.Record, err error) {
			mu.Lock()
			defer mu.Unlock()
			if results == nil {
				return
			}
			results[i] = Result{r.Partition, r.Offset, err}
			if open--; open == 0 {
				close(finished)
			}
		})
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-finished:
	case <-timer.C:
	case <-ctx.Done():
	}
	mu.Lock()
	defer mu.Unlock()
	all := results
	results = nil // what comes later is not told to anybody
	return all
}

// Close gives up what is not acknowledged and ends the producer.
func (p *Producer) Close() { p.client.Close() }
