package bus

import (
	"context"
	"sync"
)

// InboxBytes is how much waits for a subscriber that is slower than the bus.
const InboxBytes = 16 << 20

// messageOverhead is what a waiting message costs beside its bytes; it bounds many small ones.
const messageOverhead = 64

// An Inbox is the queue between a bus and one subscriber. It never makes the bus wait: when
// it is full, what comes next is left out, and the subscriber sees a hole like any other
// that a bus may leave.
type Inbox struct {
	wake chan struct{} // holds one signal: queue is not empty

	mu    sync.Mutex
	queue [][]byte
	bytes int
}

// NewInbox makes an empty inbox.
func NewInbox() *Inbox { return &Inbox{wake: make(chan struct{}, 1)} }

// Put adds a message, which from then on belongs to the subscriber. It reports
// false when there was no room for it.
func (b *Inbox) Put(message []byte) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	size := len(message) + messageOverhead
	if b.bytes+size > InboxBytes && len(b.queue) > 0 { // a single message always has room
		return false
	}
	b.queue = append(b.queue, message)
	b.bytes += size
	select {
	case b.wake <- struct{}{}:
	default:
	}
	return true
}

// Bytes is how much waits.
func (b *Inbox) Bytes() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes
}

// Serve calls handle for each message, in order, until ctx ends, and returns why it did.
func (b *Inbox) Serve(ctx context.Context, handle func([]byte)) error {
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-b.wake:
		}
		for ctx.Err() == nil {
			message, ok := b.take()
			if !ok {
				break
			}
			handle(message)
		}
	}
}

func (b *Inbox) take() ([]byte, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.queue) == 0 {
		b.queue = nil // what a burst needed is not kept
		return nil, false
	}
	message := b.queue[0]
	b.queue[0] = nil
	b.queue = b.queue[1:]
	b.bytes -= len(message) + messageOverhead
	return message, true
}
