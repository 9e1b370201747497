package kafkalog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"parkwire/internal/event"
)

// Bounds of following, of one answer of one broker.
const (
	followBytes          = 4 << 20
	followPartitionBytes = 1 << 20
)

// Follow calls fn for every record behind from, in order per partition and the moment that it is there, until ctx ends. It belongs to
// no group: whoever follows gets everything. While Kafka is away it waits. Where the log begins later than from says by now, it goes on
// there. Partitions that are added later are not followed. The error is why it ended before ctx did.
func (l *Log) Follow(ctx context.Context, from event.Offsets, fn func(Record)) error {
	return l.follow(ctx, l.options.Topic, max(len(from), l.Partitions()), from, fn)
}

func (l *Log) follow(ctx context.Context, topic string, partitions int, from event.Offsets, fn func(Record)) error {
	begin := map[int32]kgo.Offset{}
	for p := range partitions {
		begin[int32(p)] = kgo.NewOffset().At(from.At(int32(p)) + 1)
	}
	client, err := l.newClient(
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: begin}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchMaxWait(time.Second),
		kgo.FetchMaxBytes(followBytes),
		kgo.FetchMaxPartitionBytes(followPartitionBytes),
	)
	if err != nil {
		return fmt.Errorf("following %s: %w", topic, err)
	}
	defer client.Close()
	for {
		fetches := client.PollFetches(ctx)
		fetches.EachRecord(func(r *kgo.Record) {
			if ctx.Err() == nil {
				fn(recordOf(r))
			}
		})
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		for _, e := range fetches.Errors() { // what can be tried again is tried again inside
			if !errors.As(e.Err, new(*kgo.ErrDataLoss)) { // behind what is lost it goes on by itself
				return fmt.Errorf("following %s, partition %d: %w", e.Topic, e.Partition, e.Err)
			}
		}
	}
}
