package live

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parkwire/internal/event"
)

// errEnded says that the service has ended.
var errEnded = errors.New("the service has ended")

// shared is what clients that come back want to know of the log, which is found out for all of them together.
type shared struct {
	errands            *errands
	ranges             *ranges
	tails, ends, heads *question
}

// endsPause is how often it is found out at most where the log ends, for cursors from beyond what this instance has delivered.
const endsPause = 250 * time.Millisecond

// newShared makes it for as long as ctx lives. reads counts requests to the log, by what they ask for.
func newShared(ctx context.Context, log Log, rangeBytes int64, reads *prometheus.CounterVec) *shared {
	errands := &errands{ctx: ctx}
	question := func(what string, every time.Duration, of func(Log, context.Context) (event.Offsets, error)) *question {
		ask := func(ctx context.Context) (event.Offsets, error) { return of(log, ctx) }
		return &question{ask: ask, every: every, asked: reads.WithLabelValues(what).Inc, errands: errands, turn: make(chan struct{}, 1)}
	}
	s := &shared{errands: errands, tails: question("tails", 0, Log.Tails), ends: question("ends", endsPause, Log.Ends), heads: question("heads", 0, Log.Heads)}
	s.ranges = &ranges{log: log, tails: s.tails, errands: errands, max: rangeBytes, size: blockSize{blockOffsets, blockBytes}, turns: make(chan struct{}, maxLogReads),
		reads: reads.WithLabelValues("records").Inc, blocks: map[blockKey]*list.Element{}, reading: map[blockKey]*flight{}}
	return s
}

// errands are what goes on when whoever asked for it has left, since others wait for it too. They end with the service.
type errands struct {
	ctx context.Context

	mu    sync.Mutex
	ended bool
	wg    sync.WaitGroup
}

// run begins an errand. It reports false when the service has ended.
func (e *errands) run(do func(context.Context)) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.ended {
		e.wg.Go(func() { do(e.ctx) })
	}
	return !e.ended
}

// wait lets no more begin, and waits for those that have. ctx must have ended.
func (e *errands) wait() {
	e.mu.Lock()
	e.ended = true
	e.mu.Unlock()
	e.wg.Wait()
}

// A question to the log is asked once for all who want to know the answer at about the same time. Each answer was asked for
// after whoever gets it wanted it, so that it can tell of what happened before.
type question struct {
	ask     func(context.Context) (event.Offsets, error)
	every   time.Duration // at least between two questions: those who come meanwhile wait
	asked   func()        // counts
	errands *errands
	turn    chan struct{} // holds one token while it is asked

	mu   sync.Mutex
	next *answer   // the one that is not asked for yet
	last *answer   // the newest without an error
	at   time.Time // when last was asked for
}

type answer struct {
	done    chan struct{}
	offsets event.Offsets
	err     error
}

// fresh returns an answer to a question that is asked from now on.
func (q *question) fresh(ctx context.Context) (event.Offsets, error) {
	q.mu.Lock()
	a := q.next
	if a == nil {
		a = &answer{done: make(chan struct{})}
		if !q.errands.run(func(ctx context.Context) { q.find(ctx, a) }) {
			q.mu.Unlock()
			return nil, errEnded
		}
		q.next = a
	}
	q.mu.Unlock()
	select {
	case <-a.done:
		return a.offsets, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// find asks, in turn, for all who have come until then.
func (q *question) find(ctx context.Context, a *answer) {
	defer close(a.done)
	q.turn <- struct{}{}
	defer func() { <-q.turn }()
	q.mu.Lock()
	pause := q.every - time.Since(q.at)
	q.mu.Unlock()
	if pause > 0 {
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	q.mu.Lock()
	q.next = nil
	at := time.Now()
	q.mu.Unlock()
	q.asked()
	a.offsets, a.err = ask(ctx, q.ask)
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.at = at; a.err == nil {
		q.last = a
	}
}

// recent returns an answer that is at most so old.
func (q *question) recent(ctx context.Context, age time.Duration) (event.Offsets, error) {
	q.mu.Lock()
	last, at := q.last, q.at
	q.mu.Unlock()
	if last != nil && time.Since(at) <= age {
		return last.offsets, nil
	}
	return q.fresh(ctx)
}

// known returns the newest answer there is, or nil.
func (q *question) known() event.Offsets {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.last == nil {
		return nil
	}
	return q.last.offsets
}
