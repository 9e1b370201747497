// Package memory is the bus within one process.
package memory

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"

	"parkwire/internal/bus"
)

// Bus is a [bus.Bus] whose ends are all in this process. A subscriber that does not keep
// up misses messages, see [bus.Inbox]; the publisher never waits for it.
type Bus struct {
	dropped atomic.Int64

	mu          sync.Mutex
	closed      bool
	subscribers map[*subscriber]struct{}
}

type subscriber struct {
	inbox *bus.Inbox
	end   context.CancelCauseFunc
}

// New makes a bus without subscribers.
func New() *Bus { return &Bus{subscribers: map[*subscriber]struct{}{}} }

// Publish gives each subscriber the messages, in order.
func (b *Bus) Publish(ctx context.Context, messages ...[]byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	b.mu.Lock() // held to the end, so that every subscriber sees the same order
	defer b.mu.Unlock()
	if b.closed {
		return bus.ErrClosed
	}
	for _, m := range messages {
		m = bytes.Clone(m) // once for all, since nobody changes it
		for s := range b.subscribers {
			if !s.inbox.Put(m) {
				b.dropped.Add(1)
			}
		}
	}
	return nil
}

// Subscribe implements [bus.Bus].
func (b *Bus) Subscribe(ctx context.Context, handle func([]byte), status func(bool)) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	s := &subscriber{inbox: bus.NewInbox(), end: end}
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return bus.ErrClosed
	}
	b.subscribers[s] = struct{}{}
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.subscribers, s)
	}()
	if status != nil {
		status(true)
		defer status(false)
	}
	return s.inbox.Serve(ctx, handle)
}

// Dropped is how many messages did not reach a subscriber because it was too slow.
func (b *Bus) Dropped() int64 { return b.dropped.Load() }

// Ready returns nil as long as the bus is open.
func (b *Bus) Ready() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return bus.ErrClosed
	}
	return nil
}

// Close ends every subscription.
func (b *Bus) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for s := range b.subscribers {
		s.end(bus.ErrClosed)
	}
	return nil
}
