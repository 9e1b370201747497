package kafkalog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"parkwire/internal/event"
)

// Stand is what a topic holds at present: its identity, and for each partition the offset that it begins with and the one that comes next. What stands behind
// a transaction that has not ended is not counted.
type Stand struct {
	ID         event.TopicID
	Begin, End []int64
}

// Stand asks where a topic stands.
func (l *Log) Stand(ctx context.Context, topic string) (Stand, error) {
	t := &compacted{Log: l, topic: topic}
	if err := t.refresh(ctx); err != nil {
		return Stand{}, fmt.Errorf("asking Kafka for topic %s: %w", topic, err)
	}
	tails, err := t.tails(ctx)
	if err != nil {
		return Stand{}, err
	}
	heads, err := list(ctx, l.admin.ListCommittedOffsets, topic)
	if err != nil {
		return Stand{}, err
	}
	s := Stand{ID: t.topicID, Begin: make([]int64, len(t.leaders)), End: make([]int64, len(t.leaders))}
	for p := range s.Begin {
		s.Begin[p] = tails.At(int32(p)) + 1
		s.End[p] = max(heads.At(int32(p))+1, s.Begin[p])
	}
	return s, nil
}

// RangeOf is [Log.Range] of any topic, as it is at present.
func (l *Log) RangeOf(ctx context.Context, topic string, from, to event.Offsets, fn func(Record) error) error {
	t := &compacted{Log: l, topic: topic}
	if err := t.refresh(ctx); err != nil {
		return fmt.Errorf("reading a range of %s: %w", topic, err)
	}
	return l.readFrom(ctx, t, true, from, to, fn)
}

// ErrExpired says that what was to be read is not in the log: it begins later, or ends before.
var ErrExpired = errors.New("the log does not hold the offset that is to be read")

// Reader reads a topic from given places on. It belongs to no group, and reads ahead while what it returned is handled.
type Reader struct {
	client *kgo.Client
	topic  string
}

// Bounds of what a reader reads ahead, of one answer of one broker.
const (
	readerBytes          = 16 << 20
	readerPartitionBytes = 4 << 20
)

// NewReader makes a reader that begins with the offsets next, one for each partition. It connects when it is used.
func (l *Log) NewReader(topic string, next []int64) (*Reader, error) {
	begin := map[int32]kgo.Offset{}
	for p, offset := range next {
		begin[int32(p)] = kgo.NewOffset().At(offset)
	}
	client, err := l.newClient(
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: begin}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		// It is not for the client to choose another place.
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.FetchMaxWait(time.Second),
		kgo.FetchMaxBytes(readerBytes),
		kgo.FetchMaxPartitionBytes(readerPartitionBytes),
	)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", topic, err)
	}
	return &Reader{client, topic}, nil
}

// Poll waits for records and returns up to limit of them, in order per partition. It may return records and an error: those count, and
// after an error the reader is of no use any more. [ErrExpired] is in the chain where the log does not hold what comes next.
func (r *Reader) Poll(ctx context.Context, limit int) (records []Record, err error) {
	fetches := r.client.PollRecords(ctx, limit)
	if n := fetches.NumRecords(); n > 0 {
		records = make([]Record, 0, n)
		fetches.EachRecord(func(one *kgo.Record) { records = append(records, recordOf(one)) })
	}
	for _, e := range fetches.Errors() {
		switch {
		case errors.Is(e.Err, context.Canceled), errors.Is(e.Err, context.DeadlineExceeded):
		case errors.Is(e.Err, kerr.OffsetOutOfRange), errors.As(e.Err, new(*kgo.ErrDataLoss)):
			err = fmt.Errorf("reading %s, partition %d: %w: %w", r.topic, e.Partition, ErrExpired, e.Err)
		default:
			err = fmt.Errorf("reading %s, partition %d: %w", r.topic, e.Partition, e.Err)
		}
	}
	if len(records) == 0 && err == nil {
		err = ctx.Err()
	}
	return records, err
}

// Close ends the reader.
func (r *Reader) Close() { r.client.Close() }
