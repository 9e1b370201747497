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
)

// Bounds of reading a range.
const (
	fetchBytes     = 4 << 20 // of one answer of one broker, compressed as it may be
	partitionBytes = 1 << 20 // of each partition in it
	rangeTries     = 5       // after failures without any progress between them
	rangePatience  = 5 * time.Second
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
	left := map[int32]*span{}
	for p, last := range to {
		if next := from.At(int32(p)) + 1; next <= last {
			left[int32(p)] = &span{next, last}
		}
	}
	tries, since := 0, time.Now()
	for len(left) > 0 {
		progress, err := l.fetchAll(ctx, left, fn)
		var failure fnError
		switch {
		case errors.As(err, &failure):
			return failure.error
		case ctx.Err() != nil:
			return ctx.Err()
		case progress:
			tries, since = 0, time.Now()
			continue
		case err != nil:
			if tries++; tries > rangeTries {
				return fmt.Errorf("reading a range of %s: %w", l.options.Topic, err)
			}
			if !pause(ctx, backoff(tries-1)) {
				return ctx.Err()
			}
			_ = l.refresh(ctx) // the next try tells whether it helped
		case time.Since(since) > rangePatience:
			return fmt.Errorf("reading a range of %s: %w", l.options.Topic, ErrShort)
		default: // what was asked for is not committed yet, or not on all replicas
			if !pause(ctx, 20*time.Millisecond) {
				return ctx.Err()
			}
		}
	}
	return nil
}

// fnError tells an error of the caller's function from one of Kafka.
type fnError struct{ error }

// fetchAll asks each leader once for what is left.
func (l *Log) fetchAll(ctx context.Context, left map[int32]*span, fn func(Record) error) (progress bool, err error) {
	byLeader := map[int32][]int32{}
	for p := range left {
		leader, ok := l.leaderOf(p)
		if !ok {
			err = fmt.Errorf("partition %d: %w", p, kerr.LeaderNotAvailable)
			continue
		}
		byLeader[leader] = append(byLeader[leader], p)
	}
	for leader, partitions := range byLeader {
		did, failure := l.fetch(ctx, leader, partitions, left, fn)
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
func (l *Log) fetch(ctx context.Context, leader int32, partitions []int32, left map[int32]*span, fn func(Record) error) (progress bool, err error) {
	request := kmsg.NewPtrFetchRequest()
	request.MaxBytes, request.IsolationLevel, request.SessionEpoch = fetchBytes, 1, -1
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic, topic.TopicID = l.options.Topic, l.TopicID()
	for _, p := range partitions {
		rp := kmsg.NewFetchRequestTopicPartition()
		rp.Partition, rp.FetchOffset, rp.PartitionMaxBytes = p, left[p].next, partitionBytes
		topic.Partitions = append(topic.Partitions, rp)
	}
	request.Topics = append(request.Topics, topic)
	answer, err := l.client.Broker(int(leader)).RetriableRequest(ctx, request)
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
			s := left[rp.Partition]
			if s == nil {
				continue
			}
			before := *s
			if failure := l.take(ctx, rp, s, empty, fn); failure != nil {
				err = failure
			}
			if s.next > s.last {
				delete(left, rp.Partition)
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
func (l *Log) take(ctx context.Context, rp *kmsg.FetchResponseTopicPartition, s *span, empty bool, fn func(Record) error) error {
	err := kerr.ErrorForCode(rp.ErrorCode)
	if errors.Is(err, kerr.OffsetOutOfRange) {
		return l.skipExpired(ctx, rp.Partition, s)
	}
	if err != nil {
		return fmt.Errorf("partition %d: %w", rp.Partition, err)
	}
	fetched, next := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
		Offset: s.next, IsolationLevel: kgo.ReadCommitted(), Topic: l.options.Topic, Partition: rp.Partition,
	}, rp, kgo.DefaultDecompressor(), nil)
	for _, r := range fetched.Records {
		if r.Offset > s.last {
			break
		}
		if err := fn(recordOf(r)); err != nil {
			return fnError{err}
		}
		s.next = r.Offset + 1
	}
	if fetched.Err != nil {
		return fmt.Errorf("partition %d, offset %d: %w", rp.Partition, s.next, fetched.Err)
	}
	s.next = max(s.next, next)
	if empty && rp.LastStableOffset > s.last {
		s.next = s.last + 1 // nothing is left of what stood there
	}
	return nil
}

// skipExpired goes on where the partition begins now.
func (l *Log) skipExpired(ctx context.Context, partition int32, s *span) error {
	tails, err := l.Tails(ctx)
	if err != nil {
		return err
	}
	if tails.At(partition) < s.next {
		return nil // it is not the beginning that has moved: the end is yet to come
	}
	s.next = tails.At(partition) + 1
	return nil
}
