// Package bridge carries the event log to the bus: as a consumer group that shares the partitions
// among the processes, it publishes each event with its place in the log.
package bridge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parkwire/internal/bus"
	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
	"parkwire/internal/trace"
)

// Options configure a [Bridge]. Log and Bus are required.
type Options struct {
	Log   *kafkalog.Log
	Bus   bus.Bus
	Group string // consumer group; default "notification-group"

	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Tracer     *trace.Tracer // nil: no traces

	// RejectPatience bounds how long records that are no events may take to be put aside. What cannot be put aside by
	// then is logged, counted and left behind. Default 5 s, for all of a batch together.
	RejectPatience time.Duration
}

// Bridge publishes the events of the partitions that its group gives to this process.
type Bridge struct {
	options Options
	metrics *metrics

	mu     sync.Mutex
	busErr error     // why the bus does not take events
	logErr error     // why there are none
	oldest time.Time // of the events in hand; zero: there are none
}

// Bounds that nobody needs to change.
const (
	batch         = 1000        // records that are published together
	pollWait      = time.Second // after which the absence of records is as good as an answer
	maxRetryPause = time.Second
)

// New makes a bridge; [Bridge.Run] starts it.
func New(o Options) *Bridge {
	o.Group = cmp.Or(o.Group, "notification-group")
	o.Logger = cmp.Or(o.Logger, slog.Default())
	o.RejectPatience = cmp.Or(o.RejectPatience, 5*time.Second)
	b := &Bridge{options: o}
	b.metrics = newMetrics(o.Registerer, b.lag)
	return b
}

// Run publishes until ctx ends. A record is committed after the bus took it, so whoever takes over a partition
// publishes some a second time; receivers drop what they have.
func (b *Bridge) Run(ctx context.Context) error {
	if err := b.options.Log.EnsureTopics(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	consumer, err := b.options.Log.NewConsumer(b.options.Group)
	if err != nil {
		return err
	}
	defer consumer.Close()
	rejects := &rejects{log: b.options.Log, logger: b.options.Logger, metrics: b.metrics, patience: b.options.RejectPatience}
	defer rejects.close()
	published := map[int32]int64{} // the newest offset of each partition since it was assigned
	for {
		records, rebalanced := b.poll(ctx, consumer)
		if ctx.Err() != nil && len(records) == 0 {
			return nil
		}
		b.metrics.partitions.Set(float64(consumer.Assigned()))
		if rebalanced { // somebody else may have published meanwhile
			clear(published)
		}
		messages, refused, hops, oldest := b.divide(records, published)
		b.inHand(oldest)
		if !b.publish(ctx, messages) {
			return nil
		}
		hops.published(len(messages))
		if len(messages) > 0 {
			b.metrics.published.Add(float64(len(messages)))
			b.metrics.delay.Observe(b.lag().Seconds())
			b.inHand(time.Time{})
		}
		// Only now, so that events need not wait for what is none.
		rejects.putAside(ctx, refused)
		if ctx.Err() != nil && len(refused) > 0 {
			return nil // perhaps not put aside: the next one does it
		}
		consumer.Done()
		hops.done()
	}
}

// inHand says of when the oldest event is that was read and that the bus does not have yet; zero: there is none.
func (b *Bridge) inHand(oldest time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.oldest = oldest
}

func (b *Bridge) lag() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.oldest.IsZero() {
		return 0
	}
	return max(0, time.Since(b.oldest))
}

func (b *Bridge) poll(ctx context.Context, consumer *kafkalog.Consumer) (records []kafkalog.Record, rebalanced bool) {
	wait, cancel := context.WithTimeout(ctx, pollWait)
	defer cancel()
	records, rebalanced, err := consumer.Poll(wait, batch)
	if wait.Err() != nil && errors.Is(err, wait.Err()) {
		err = nil
	}
	b.mu.Lock()
	if err != nil && (b.logErr == nil || b.logErr.Error() != err.Error()) {
		b.options.Logger.Warn("reading the event log (Kafka)", "error", err)
	}
	b.logErr = err
	b.mu.Unlock()
	if err != nil && len(records) == 0 {
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
	return records, rebalanced
}

// refusal is a record that is no event.
type refusal struct {
	record kafkalog.Record
	reason error
}

// divide makes messages of records, of which the oldest was written then, and tells those that are no events. published moves on with each.
func (b *Bridge) divide(records []kafkalog.Record, published map[int32]int64) (messages [][]byte, refused []refusal, hops hops, oldest time.Time) {
	topic := b.options.Log.TopicID().Short()
	for _, r := range records {
		if _, err := event.Decode(r.Value); err != nil {
			refused = append(refused, refusal{r, err})
			continue
		}
		// The first event since the assignment: what stands before it was published by somebody else, or never.
		after := r.Offset - 1
		if newest, ok := published[r.Partition]; ok {
			after = min(after, newest)
		}
		published[r.Partition] = r.Offset
		if oldest.IsZero() || r.Timestamp.Before(oldest) {
			oldest = r.Timestamp
		}
		position := event.Position{Partition: r.Partition, Offset: r.Offset, After: after, Topic: topic}
		if b.options.Tracer != nil {
			position.Traceparent = hops.begin(b, r)
		}
		messages = append(messages, event.AppendLogPosition(make([]byte, 0, len(r.Value)+96), r.Value, position))
	}
	return messages, refused, hops, oldest
}

// publish tries until the bus takes the messages, and reports false when ctx ends before. Its partitions may go to
// other processes meanwhile: the group does not wait for it.
func (b *Bridge) publish(ctx context.Context, messages [][]byte) bool {
	if len(messages) == 0 {
		return true
	}
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, maxRetryPause) {
		err := b.options.Bus.Publish(ctx, messages...)
		if ctx.Err() != nil && err != nil {
			return false
		}
		b.bus(err)
		if err == nil {
			return true
		}
		b.metrics.retries.Inc()
		select {
		case <-ctx.Done():
			return false
		case <-time.After(pause):
		}
	}
}

func (b *Bridge) bus(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case err != nil && b.busErr == nil:
		b.options.Logger.Warn("the bus takes no events; they wait in the log", "error", err)
	case err == nil && b.busErr != nil:
		b.options.Logger.Info("the bus takes events again")
	}
	b.busErr = err
}

// Ready returns nil, or why events cannot be published at present.
func (b *Bridge) Ready() error {
	if err := b.options.Log.Ready(); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.busErr != nil {
		return fmt.Errorf("the bus takes no events: %w", b.busErr)
	}
	if b.logErr != nil {
		return fmt.Errorf("reading the event log (Kafka): %w", b.logErr)
	}
	return nil
}
