// Package kafka lets each live instance follow the event log by itself, in the place of a bus: what
// is written to the log is heard, and nothing can be published.
package kafka

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parkwire/internal/bus"
	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
)

// Options configure a [Bus]. Log is required.
type Options struct {
	Log *kafkalog.Log

	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// Bus is a [bus.Bus] whose messages are the events of the log, each with its place.
type Bus struct {
	options           Options
	received, skipped prometheus.Counter

	ctx context.Context // ends with Close
	end context.CancelFunc

	mu     sync.Mutex
	closed bool
	wg     sync.WaitGroup // subscriptions
}

// ErrReadOnly is returned by [Bus.Publish]. What is to be heard is written to the log.
var ErrReadOnly = errors.New("nothing can be published where the live instances follow Kafka (live-fanout: kafka)")

// New makes a bus without subscribers.
func New(o Options) *Bus {
	o.Logger = cmp.Or(o.Logger, slog.Default())
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "parkwire", Subsystem: "bus", Name: name, Help: help})
	}
	b := &Bus{
		options:  o,
		received: counter("received_messages_total", "Events that were heard."),
		skipped:  counter("skipped_records_total", "Records of the log that are no events and were left out."),
	}
	b.ctx, b.end = context.WithCancel(context.Background())
	if o.Registerer != nil {
		o.Registerer.MustRegister(b.received, b.skipped)
	}
	return b
}

// Publish returns [ErrReadOnly].
func (b *Bus) Publish(ctx context.Context, _ ...[]byte) error {
	if b.ctx.Err() != nil {
		return bus.ErrClosed
	}
	return cmp.Or(ctx.Err(), ErrReadOnly)
}

// Subscribe implements [bus.Bus]. A subscriber that is slow is waited for: the log keeps what it has not heard.
func (b *Bus) Subscribe(ctx context.Context, handle func([]byte), status func(bool)) error {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return bus.ErrClosed
	}
	b.wg.Add(1)
	b.mu.Unlock()
	defer b.wg.Done()
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	defer context.AfterFunc(b.ctx, func() { end(bus.ErrClosed) })()
	if status == nil {
		status = func(bool) {}
	}
	const first, most = 50 * time.Millisecond, time.Second
	for pause := first; ctx.Err() == nil; pause = min(2*pause, most) {
		connected := false
		err := b.session(ctx, handle, func() { connected = true; status(true) })
		if connected {
			status(false)
			pause = first
		}
		if ctx.Err() != nil {
			break
		}
		b.options.Logger.Warn("the event log cannot be followed; trying again", "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	return context.Cause(ctx)
}

// session follows the log from where it ends now. What was written since an earlier session is found missing like anything that a
// bus loses.
func (b *Bus) session(ctx context.Context, handle func([]byte), connected func()) error {
	log := b.options.Log
	if err := log.EnsureTopics(ctx); err != nil {
		return err
	}
	newest, err := log.Heads(ctx)
	if err != nil {
		return err
	}
	topic, said := log.TopicID().Short(), false
	connected()
	return log.Follow(ctx, newest, func(r kafkalog.Record) {
		if _, err := event.Decode(r.Value); err != nil {
			b.skipped.Inc()
			if !said {
				said = true
				b.options.Logger.Warn("a record that is no event is left out; others are counted", "partition", r.Partition, "offset", r.Offset, "reason", err)
			}
			return
		}
		position := event.Position{Partition: r.Partition, Offset: r.Offset, After: newest.At(r.Partition), Topic: topic, Traceparent: r.FollowedTrace()}
		newest = newest.Advance(r.Partition, r.Offset)
		b.received.Inc()
		handle(event.AppendLogPosition(make([]byte, 0, len(r.Value)+96), r.Value, position))
	})
}

// Ready returns nil as long as the bus is open: of the log that it follows, the log itself tells.
func (b *Bus) Ready() error {
	if b.ctx.Err() != nil {
		return bus.ErrClosed
	}
	return nil
}

// Close ends every subscription, and returns when they have ended.
func (b *Bus) Close() error {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.end()
	b.wg.Wait()
	return nil
}
