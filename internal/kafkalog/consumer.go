package kafkalog

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Consumer reads the event log as a member of a consumer group, which shares the partitions among its members.
//
// It uses the classic protocol with cooperative balancing, which all brokers know: those of before Kafka 4.3 can
// fence a member of the new protocol (KIP-848) in the middle of a commit, for good.
type Consumer struct {
	client     *kgo.Client
	generation atomic.Int64
	assigned   atomic.Int64
	handled    int64 // the generation of what was polled last
	polled     []*kgo.Record
}

// Bounds of a group. A member that was killed is replaced after the session's timeout, which brokers do not allow
// to be below 6 s by default.
const (
	sessionTimeout    = 6 * time.Second
	heartbeatInterval = 1500 * time.Millisecond
	commitInterval    = time.Second
)

// NewConsumer makes a member of a group. It connects when it is used.
//
// Where a group has committed nothing it begins behind what was there when this log was first reached: those who
// listen to the bus had everything older, or read it from the log. A position that has expired goes on with the oldest record.
func (l *Log) NewConsumer(group string) (*Consumer, error) {
	c := &Consumer{}
	change := func(by int64) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(ctx context.Context, client *kgo.Client, partitions map[string][]int32) {
			c.generation.Add(1)
			for _, list := range partitions {
				c.assigned.Add(by * int64(len(list)))
			}
		}
	}
	var err error
	c.client, err = l.newClient(
		kgo.ConsumerGroup(group),
		kgo.ConsumeTopics(l.options.Topic),
		kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
		kgo.AdjustFetchOffsetsFn(func(_ context.Context, offsets map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
			for p, o := range offsets[l.options.Topic] {
				if o.EpochOffset().Offset < 0 { // nothing is committed
					offsets[l.options.Topic][p] = kgo.NewOffset().At(l.atFirst().At(p) + 1)
				}
			}
			return offsets, nil
		}),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.SessionTimeout(sessionTimeout),
		kgo.HeartbeatInterval(heartbeatInterval),
		kgo.FetchMaxWait(time.Second),
		kgo.FetchMaxBytes(16<<20),
		kgo.FetchMaxPartitionBytes(4<<20),
		// Only what was marked as handled is committed: every second, when partitions go, and at the end.
		kgo.AutoCommitMarks(),
		kgo.AutoCommitInterval(commitInterval),
		kgo.OnPartitionsAssigned(change(1)),
		kgo.OnPartitionsRevoked(func(ctx context.Context, client *kgo.Client, partitions map[string][]int32) {
			change(-1)(ctx, client, partitions)
			ctx, cancel := context.WithTimeout(ctx, sessionTimeout)
			defer cancel()
			_ = client.CommitMarkedOffsets(ctx) // else they are handled a second time
		}),
		kgo.OnPartitionsLost(change(-1)),
	)
	if err != nil {
		return nil, fmt.Errorf("making a member of consumer group %s: %w", group, err)
	}
	return c, nil
}

// Poll waits for records and returns up to limit of them, in order per partition. rebalanced says that partitions may
// have come or gone since the previous call, or during this one. It may return records and an error: those count.
func (c *Consumer) Poll(ctx context.Context, limit int) (records []Record, rebalanced bool, err error) {
	before := c.generation.Load()
	fetches := c.client.PollRecords(ctx, limit)
	after := c.generation.Load()
	rebalanced = before != after || before != c.handled
	c.handled = after
	c.polled = fetches.Records()
	if len(c.polled) == 0 && ctx.Err() != nil {
		return nil, rebalanced, ctx.Err()
	}
	// What can be tried again is tried again inside; what is left is lost data, behind which it goes on, and
	// trouble with the group.
	for _, e := range fetches.Errors() {
		if !errors.Is(e.Err, context.Canceled) && !errors.Is(e.Err, context.DeadlineExceeded) {
			err = fmt.Errorf("partition %d: %w", e.Partition, e.Err)
		}
	}
	records = make([]Record, len(c.polled))
	for i, r := range c.polled {
		records[i] = recordOf(r)
	}
	return records, rebalanced, err
}

// Done says that everything of the last Poll was handled and may be committed.
func (c *Consumer) Done() { c.client.MarkCommitRecords(c.polled...) }

// Assigned returns how many partitions this member has at present.
func (c *Consumer) Assigned() int { return int(c.assigned.Load()) }

// Close commits what was handled, leaves the group and ends the consumer. It gives Kafka some seconds to answer.
func (c *Consumer) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	_ = c.client.CommitMarkedOffsets(ctx)
	_ = c.client.LeaveGroupContext(ctx)
	c.client.Close()
}
