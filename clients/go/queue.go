package parkwire

import (
	"context"
	"sync"
)

// A queue holds what came for a subscription and was not taken yet, up to a bound in bytes; one message may always be in it, however
// large. Who puts waits for room.
type queue struct {
	bound int
	ended chan struct{} // closed with err set
	more  chan struct{} // something was put, for a taker that waits
	room  chan struct{} // something was taken, for a putter that waits

	mu      sync.Mutex
	items   []item
	bytes   int
	err     error
	handed  bool   // the taker works on what it took last
	pending string // the cursor behind that
	cursor  string // behind what the taker has done
}

type item struct {
	message Message
	cursor  string // behind it, where that is known
}

func newQueue(bound int, cursor string) *queue {
	return &queue{bound: bound, cursor: cursor, ended: make(chan struct{}), more: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

// put waits until there is room. It returns an error when ctx ended before there was: then m must come again. Only one goroutine puts.
func (q *queue) put(ctx context.Context, m Message, cursor string) error {
	size := m.size()
	for {
		q.mu.Lock()
		if q.err != nil {
			q.mu.Unlock()
			return nil
		}
		if len(q.items) == 0 || q.bytes+size <= q.bound {
			q.items, q.bytes = append(q.items, item{m, cursor}), q.bytes+size
			q.mu.Unlock()
			signal(q.more)
			return nil
		}
		q.mu.Unlock()
		select {
		case <-q.room:
		case <-q.ended:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// advance notes that nothing more comes up to cursor than what was put.
func (q *queue) advance(cursor string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case len(q.items) > 0:
		q.items[len(q.items)-1].cursor = cursor
	case q.handed:
		q.pending = cursor
	default:
		q.cursor = cursor
	}
}

// take returns the next message. After the end it returns what is left first, and then the error; but nothing more after ErrClosed.
func (q *queue) take(ctx context.Context) (Message, error) {
	for {
		q.mu.Lock()
		if len(q.items) > 0 && q.err != ErrClosed {
			one := q.items[0]
			q.items[0] = item{}
			q.items, q.bytes = q.items[1:], q.bytes-one.message.size()
			q.handed, q.pending = true, one.cursor
			q.mu.Unlock()
			signal(q.room)
			return one.message, nil
		}
		err := q.err
		q.mu.Unlock()
		if err != nil {
			return nil, err
		}
		select {
		case <-q.more:
		case <-q.ended:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// done notes that the taker has done what it took last.
func (q *queue) done() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.pending != "" {
		q.cursor = q.pending
	}
	q.handed, q.pending = false, ""
}

func (q *queue) position() string {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.cursor
}

// end lets putting and taking end. The first error stays.
func (q *queue) end(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil {
		q.err = err
		close(q.ended)
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
