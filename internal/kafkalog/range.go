package kafkalog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"parkwire/internal/event"
	"parkwire/internal/sleep"
)

// Bounds of reading a range.
const (
	fetchBytes     = 4 << 20         // of one answer of one broker, compressed as it may be
	partitionBytes = 1 << 20         // of each partition in it, at least
	rangePatience  = 5 * time.Second // without any progress
)

// ErrShort is returned by [Log.Range] when the log has ended for some seconds before the offset that was asked for.
var ErrShort = errors.New("the log ends before the offset that was asked for")

// span is what is left to read of one partition: from next up to and including last.
type span struct{ next, last int64 }

// Range calls fn for every record behind from, up to and including to, in order per partition. Offsets that
// hold no record, because they were compacted, or aborted, or expired while Range came to them, are passed
// over. It returns the error of fn as it is. It asks the partitions' leaders itself, without a consumer: nothing is
// set up for a range, nothing is left of it, and it knows when a partition has nothing more to come.
func (l *Log) Range(ctx context.Context, from, to event.Offsets, fn func(Record) error) error {
	return l.read(ctx, true, from, to, fn)
}

// RangeUncommitted is Range for up to what [Log.Ends] returns. It passes records of transactions that were aborted, or have not
// ended, and those of others behind them.
func (l *Log) RangeUncommitted(ctx context.Context, from, to event.Offsets, fn func(Record) error) error {
	return l.read(ctx, false, from, to, fn)
}

// reading is what is left to do of one call of Range.
type reading struct {
	source
	client    *kgo.Client
	committed bool
	left      map[int32]*span
	fn        func(Record) error
}

// source is the topic that is read.
type source interface {
	name() string
	id() event.TopicID
	leaderOf(partition int32) (broker int32, ok bool)
	// refresh asks which brokers lead.
	refresh(ctx context.Context) error
	// tails is what [Log.Tails] is for the events.
	tails(ctx context.Context) (event.Offsets, error)
}

// events is the log itself as a source.
type events struct{ *Log }

func (e events) name() string                                     { return e.options.Topic }
func (e events) id() event.TopicID                                { return e.TopicID() }
func (e events) tails(ctx context.Context) (event.Offsets, error) { return e.Tails(ctx) }

func (l *Log) read(ctx context.Context, committed bool, from, to event.Offsets, fn func(Record) error) error {
	return l.readFrom(ctx, events{l}, committed, from, to, fn)
}

func (l *Log) readFrom(ctx context.Context, topic source, committed bool, from, to event.Offsets, fn func(Record) error) error {
	r := reading{topic, l.client, committed, map[int32]*span{}, fn}
	for p, last := range to {
		if next := from.At(int32(p)) + 1; next <= last {
			r.left[int32(p)] = &span{next, last}
		}
	}
	tries, since := 0, time.Now()
	for len(r.left) > 0 {
		progress, err := r.fetchAll(ctx)
		var failure fnError
		switch {
		case errors.As(err, &failure):
			return failure.error
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			if progress { // of other partitions
				tries, since = 0, time.Now()
			}
			if tries > 0 && time.Since(since) > rangePatience {
				return fmt.Errorf("reading a range of %s: %w", r.name(), err)
			}
			if sleep.For(ctx, backoff(tries)) != nil {
				return ctx.Err()
			}
			tries++
			if err := r.refresh(ctx); errors.Is(err, ErrReplaced) { // of another error the next try tells whether it helped
				return fmt.Errorf("reading a range of %s: %w", r.name(), err)
			}
		case progress:
			tries, since = 0, time.Now()
		case time.Since(since) > rangePatience:
			return fmt.Errorf("reading a range of %s: %w", r.name(), ErrShort)
		default: // what was asked for is not committed yet, or not on all replicas
			if sleep.For(ctx, 20*time.Millisecond) != nil {
				return ctx.Err()
			}
		}
	}
	return nil
}

// fnError tells an error of the caller's function from one of Kafka.
type fnError struct{ error }

// fetchAll asks each leader once for what is left.
func (r *reading) fetchAll(ctx context.Context) (progress bool, err error) {
	byLeader := map[int32][]int32{}
	for p := range r.left {
		leader, ok := r.leaderOf(p)
		if !ok {
			err = fmt.Errorf("partition %d: %w", p, kerr.LeaderNotAvailable)
			continue
		}
		byLeader[leader] = append(byLeader[leader], p)
	}
	for leader, partitions := range byLeader {
		did, failure := r.fetch(ctx, leader, partitions)
		progress = progress || did
		if failure != nil {
			err = failure
		}
		if _, ours := failure.(fnError); ours {
			return progress, failure
		}
	}
	return progress, err
}

// fetch asks one leader once and takes from left what it answered.
func (r *reading) fetch(ctx context.Context, leader int32, partitions []int32) (progress bool, err error) {
	request := kmsg.NewPtrFetchRequest()
	request.MaxBytes, request.SessionEpoch = fetchBytes, -1
	if r.committed {
		request.IsolationLevel = 1
	}
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic, topic.TopicID = r.name(), r.id()
	for _, p := range partitions {
		rp := kmsg.NewFetchRequestTopicPartition()
		rp.Partition, rp.FetchOffset, rp.PartitionMaxBytes = p, r.left[p].next, max(partitionBytes, fetchBytes/int32(len(partitions)))
		topic.Partitions = append(topic.Partitions, rp)
	}
	request.Topics = append(request.Topics, topic)
	// Not tried again inside: where this broker died another one leads soon, and only Range asks which.
	answer, err := r.client.Broker(int(leader)).Request(ctx, request)
	if err != nil {
		return false, err
	}
	response := answer.(*kmsg.FetchResponse)
	if err := kerr.ErrorForCode(response.ErrorCode); err != nil {
		return false, err
	}
	empty := true // an answer that is full leaves out partitions that have more
	for _, rt := range response.Topics {
		for _, rp := range rt.Partitions {
			empty = empty && len(rp.RecordBatches) == 0
		}
	}
	for _, rt := range response.Topics {
		for i := range rt.Partitions {
			rp := &rt.Partitions[i]
			s := r.left[rp.Partition]
			if s == nil {
				continue
			}
			before := *s
			if failure := r.take(ctx, rp, s, empty); failure != nil {
				err = failure
			}
			if s.next > s.last {
				delete(r.left, rp.Partition)
			}
			progress = progress || *s != before
			if _, ours := err.(fnError); ours {
				return progress, err
			}
		}
	}
	return progress, err
}

// take handles what was answered for one partition.
func (r *reading) take(ctx context.Context, rp *kmsg.FetchResponseTopicPartition, s *span, empty bool) error {
	err := kerr.ErrorForCode(rp.ErrorCode)
	if errors.Is(err, kerr.OffsetOutOfRange) {
		return r.skipExpired(ctx, rp.Partition, s)
	}
	if err != nil {
		return fmt.Errorf("partition %d: %w", rp.Partition, err)
	}
	end, isolation := rp.HighWatermark, kgo.ReadUncommitted()
	if r.committed {
		end, isolation = rp.LastStableOffset, kgo.ReadCommitted()
	}
	fetched, next := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
		Offset: s.next, IsolationLevel: isolation, Topic: r.name(), Partition: rp.Partition,
	}, rp, kgo.DefaultDecompressor(), nil)
	for _, record := range fetched.Records {
		if record.Offset > s.last {
			break
		}
		if err := r.fn(recordOf(record)); err != nil {
			return fnError{err}
		}
		s.next = record.Offset + 1
	}
	if fetched.Err != nil {
		return fmt.Errorf("partition %d, offset %d: %w", rp.Partition, s.next, fetched.Err)
	}
	s.next = max(s.next, next)
	if empty && end > s.last {
		s.next = s.last + 1 // nothing is left of what stood there
	}
	return nil
}

// skipExpired goes on where the partition begins now.
func (r *reading) skipExpired(ctx context.Context, partition int32, s *span) error {
	tails, err := r.tails(ctx)
	if err != nil {
		return err
	}
	if tails.At(partition) < s.next {
		return nil // it is not the beginning that has moved: the end is yet to come
	}
	s.next = tails.At(partition) + 1
	return nil
}
