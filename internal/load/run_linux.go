package load

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"
)

// A runner is one run.
type runner struct {
	Options
	pool      *pool
	board     *board
	publisher publisher
	began     time.Time

	next      int      // the lot of the next event
	numbers   []uint64 // of the newest event of each lot
	published uint64

	connecting time.Duration // until the last client was subscribed
	connected  int64
	phases     []Phase
	cuts       []Cut
	latency    *histogram // of the last phase
	gaveUp     string     // what did not come
	failed     error      // why could not be published

	series series
}

// pollEvery is how often it is looked whether all have what was published. When they had it is on the board.
const pollEvery = time.Millisecond

// Run opens the clients, publishes, checks, and reports. When ctx ends it stops publishing and reports on what was. It returns
// an error when nothing can be said, such as that no client could connect.
func Run(ctx context.Context, o Options) (Report, error) {
	if err := o.check(); err != nil {
		return Report{}, err
	}
	targets, err := resolve(o.URLs, o.Protocol)
	if err != nil {
		return Report{}, err
	}
	if len(o.Command) == 0 {
		self, err := os.Executable()
		if err != nil {
			return Report{}, fmt.Errorf("finding this program: %w", err)
		}
		o.Command = []string{self, "load", "child"}
	}
	if err := schedule(o.Sched); err != nil {
		return Report{}, err
	}
	r := &runner{Options: o, numbers: make([]uint64, max(1, o.Lots)+1), latency: newHistogram()}
	if r.publisher = o.publisher; r.publisher == nil && !o.listening() && o.Pattern != idle {
		if r.publisher, err = newPublisher(ctx, o.Publish); err != nil {
			return Report{}, err
		}
		defer r.publisher.close()
	}
	if r.pool, err = startPool(o, targets); err != nil {
		return Report{}, err
	}
	defer r.pool.stop()
	r.board = r.pool.board
	r.began = time.Now()
	stop := r.watch()
	err = r.run(ctx)
	stop()
	if err != nil {
		return Report{}, err
	}
	results, err := r.pool.ask(order{Do: "finish", Upto: r.upto()})
	if err != nil {
		return Report{}, err
	}
	return r.report(results, ctx.Err() != nil), nil
}

// run does everything up to the point where nothing more is expected to come.
func (r *runner) run(ctx context.Context) error {
	if err := r.connect(ctx); err != nil {
		return err
	}
	warm := false
	for _, pattern := range r.patterns() {
		if ctx.Err() != nil || r.gaveUp != "" || r.failed != nil {
			break
		}
		if pattern != idle && !warm {
			warm = true
			if r.failed = r.warmUp(ctx); r.failed != nil || r.gaveUp != "" {
				break
			}
		}
		if err := r.playPhase(ctx, pattern); err != nil {
			return err
		}
	}
	time.Sleep(linger)
	if r.published == 0 && r.failed != nil { // there is nothing to report on
		return r.failed
	}
	return r.pool.failure()
}

// linger is how long is waited for repetitions when everything has come.
const linger = 300 * time.Millisecond

// settling is a moment for servers that put a client on their list only after they have answered it.
const settling = 100 * time.Millisecond

// connect opens the clients, and waits as long as more of them come.
func (r *runner) connect(ctx context.Context) error {
	began := time.Now()
	r.pool.say(order{Do: "connect"})
	if r.await(ctx, func() bool { return r.open() == int64(r.Clients) }) {
		time.Sleep(settling)
	}
	if err := r.pool.failure(); err != nil {
		return err
	}
	r.connected = r.ever()
	if r.connected == 0 && ctx.Err() == nil {
		return fmt.Errorf("no client could connect within %v: %s", r.Patience, r.pool.endingsText())
	}
	for _, c := range r.board.counts {
		r.connecting = max(r.connecting, time.Duration(c.opened.Load()-began.UnixNano()))
	}
	return nil
}

func (r *runner) ever() int64 { return sum(r.board, func(c *counts) int64 { return c.ever.Load() }) }
func (r *runner) open() int64 { return sum(r.board, func(c *counts) int64 { return c.open.Load() }) }
func (r *runner) delivered() uint64 {
	return sum(r.board, func(c *counts) uint64 { return c.delivered.Load() })
}

// settled reports whether everybody is connected and has everything.
func (r *runner) settled() bool {
	if !r.cutsDone() {
		return false
	}
	if r.listening() {
		return true
	}
	return r.open() == r.ever() && r.board.behind() <= 0
}

// await waits for a state, as long as something happens at least every Patience. It reports whether it came.
func (r *runner) await(ctx context.Context, reached func() bool) bool {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	var ever, open int64 // at most so far
	var delivered uint64
	changed := time.Now()
	for {
		began := time.Now()
		if reached() {
			return true
		}
		if e, o, d := r.ever(), r.open(), r.delivered(); e > ever || o > open || d > delivered {
			ever, open, delivered, changed = e, max(o, open), d, began
		}
		if began.Sub(changed) > r.Patience || r.pool.failure() != nil {
			return false
		}
		// Looking must not cost what is looked at.
		if took := time.Since(began); took > pollEvery/20 {
			ticker.Reset(20 * took)
		}
		select {
		case <-ctx.Done():
			return false
		case <-ticker.C:
		}
	}
}

// publish sends events, each to the next lot, and notes before that they must come.
func (r *runner) publish(ctx context.Context, n int) error {
	events := make([]outgoing, 0, n)
	for range n {
		r.next = r.next%max(1, r.Lots) + 1
		r.numbers[r.next]++
		r.published++
		at := time.Now()
		value := appendEvent(nil, r.Run, r.next, r.numbers[r.next], at, r.Size, r.Protocol == socketIO && r.Lots > 0)
		events = append(events, outgoing{[]byte(lotID(r.Run, r.next)), value})
		r.board.published[r.next].Store(r.numbers[r.next])
	}
	return r.publisher.publish(context.WithoutCancel(ctx), events)
}

// upto is what must have come. Of events of others those of the last moments may be under way.
func (r *runner) upto() []uint64 {
	if !r.listening() {
		return r.numbers
	}
	upto := make([]uint64, len(r.board.published))
	for i := range upto {
		upto[i] = r.board.published[i].Load()
	}
	time.Sleep(linger)
	return upto
}

// watch takes a sample now and then, and shows how far the run is, until it is stopped.
func (r *runner) watch() (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { r.sampling(done) })
	return sync.OnceFunc(func() { close(done); wg.Wait() })
}
