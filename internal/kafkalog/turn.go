package kafkalog

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Turn is a member of a consumer group of which one member at a time reads all of a topic. It only settles whose turn it is: what is read, and from
// where, is the member's own affair ([Log.NewReader]). A member that was killed is replaced after the session's timeout, 6 s, and one that
// leaves at once.
//
// A member that was cut off may take it to be its turn for some seconds longer than the group does. Who must be alone needs another fence.
type Turn struct {
	client *kgo.Client
	topic  string

	mu      sync.Mutex
	has     int           // partitions
	lose    func()        // ends the turn under way
	changed chan struct{} // closed when has changes
	failure error         // why it was in no group
	failed  time.Time     // when
}

// turnHeartbeat is how soon a member hears that the group changes.
const turnHeartbeat = 500 * time.Millisecond

// turnMetadata is how soon partitions are found that are added.
const turnMetadata = 5 * time.Second

// turnRecent is how long what kept a member out counts.
const turnRecent = 15 * time.Second

// NewTurn joins a group. It connects in the background.
func (l *Log) NewTurn(group, topic string) (*Turn, error) {
	t := &Turn{topic: topic, changed: make(chan struct{}), lose: func() {}}
	change := func(by int) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
			t.change(by * len(partitions[topic]))
		}
	}
	var err error
	t.client, err = l.newClient(
		kgo.ConsumerGroup(group),
		kgo.ConsumeTopics(topic),
		kgo.Balancers(oneReader{}),
		kgo.SessionTimeout(sessionTimeout),
		kgo.HeartbeatInterval(turnHeartbeat),
		kgo.DisableAutoCommit(),
		kgo.MetadataMaxAge(turnMetadata),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtEnd()),
		kgo.WithHooks(turnHook{t}),
		kgo.OnPartitionsAssigned(change(1)),
		kgo.OnPartitionsRevoked(change(-1)),
		kgo.OnPartitionsLost(change(-1)),
	)
	if err != nil {
		return nil, fmt.Errorf("making a member of consumer group %s: %w", group, err)
	}
	t.client.PauseFetchTopics(topic) // the client is there for the group alone
	return t, nil
}

func (t *Turn) change(by int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failure = nil
	if by == 0 {
		return
	}
	t.has = max(0, t.has+by)
	t.lose() // also when there are more partitions: they are to be read too
	t.lose = func() {}
	close(t.changed)
	t.changed = make(chan struct{})
}

type turnHook struct{ *Turn }

// OnGroupManageError hears why the member is in no group at present. It joins again by itself.
func (h turnHook) OnGroupManageError(err error) {
	if errors.Is(err, context.Canceled) || errors.Is(err, kgo.ErrClientClosed) {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failure, h.failed = err, time.Now()
}

// Await waits until it is this member's turn. The context that it returns ends when the turn does, or its partitions change.
func (t *Turn) Await(ctx context.Context) (turn context.Context, end context.CancelFunc, err error) {
	for {
		t.mu.Lock()
		if t.has > 0 {
			turn, end = context.WithCancel(ctx)
			t.lose = end
			t.mu.Unlock()
			return turn, end, nil
		}
		changed := t.changed
		t.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
	}
}

// Trouble returns why the member is in no group; nil where it is, or joins.
func (t *Turn) Trouble() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failure == nil || time.Since(t.failed) > turnRecent { // it would have been said again
		return nil
	}
	return fmt.Errorf("the consumer group cannot be joined: %w", t.failure)
}

// Commit tells the group where the reader is: the offset of each partition that is read next. It is there for tools that show how far a
// group is behind; nothing else looks at it.
func (t *Turn) Commit(ctx context.Context, next []int64) error {
	offsets := map[int32]kgo.EpochOffset{}
	for p, offset := range next {
		offsets[int32(p)] = kgo.EpochOffset{Epoch: -1, Offset: offset}
	}
	var failure error
	t.client.CommitOffsetsSync(ctx, map[string]map[int32]kgo.EpochOffset{t.topic: offsets},
		func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, _ *kmsg.OffsetCommitResponse, err error) {
			failure = err
		})
	return failure
}

// Close leaves the group, so that another member reads at once. It gives Kafka some seconds to answer.
func (t *Turn) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	_ = t.client.LeaveGroupContext(ctx)
	t.client.Close()
}
