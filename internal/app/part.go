package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// A part is the running side of a module. Every field may be nil.
type part struct {
	// start returns when the modules that need this one may start. It may wait for a server that is
	// away, until ctx ends.
	start func(ctx context.Context) error
	// run serves until ctx ends; an error before that ends the whole process.
	run func(ctx context.Context) error
	// ready returns nil, or why the part cannot do its work at present.
	ready func() error
	// vital says that the process is not ready without the part. One that is not vital is waited for at the
	// start, and its later troubles are told without sending anybody away: they are the same
	// for every other process, or the platform bridges them.
	vital bool
	// bridged says that the platform serves without the part from the start on, so that it is not waited for either.
	bridged bool
	// drain sends clients away before run is ended.
	drain func(ctx context.Context)
	// close releases what start and run used.
	close func() error
}

// A runner runs the parts of the modules in their order.
type runner struct {
	graph  graph
	names  []string
	parts  map[string]part
	logger *slog.Logger

	failed chan error // what parts failed with before they were to end
}

// running is one started part.
type running struct {
	name    string
	started chan struct{} // closed when start has returned nil
	cancel  context.CancelFunc
	ended   chan struct{} // closed when start and run have returned
}

// run starts each part as soon as what it needs has started, waits until ctx ends or a part
// fails, calls leaving, and then ends the parts one after the other, those first that others need least.
// timeout bounds the ending.
func (r *runner) run(ctx context.Context, leaving func(), timeout time.Duration) error {
	r.failed = make(chan error, len(r.names))
	all := make(map[string]*running, len(r.names))
	for _, name := range r.names {
		all[name] = r.launch(context.WithoutCancel(ctx), name, all)
	}
	var failures []error
	select {
	case <-ctx.Done():
	case failure := <-r.failed:
		failures = append(failures, failure)
	}
	leaving()
	failures = append(failures, r.end(all, timeout))
	for len(r.failed) > 0 { // those that failed at about the same time
		failures = append(failures, <-r.failed)
	}
	return errors.Join(failures...)
}

// launch starts a part in a goroutine of its own when those of others that it needs have started.
func (r *runner) launch(ctx context.Context, name string, others map[string]*running) *running {
	ctx, cancel := context.WithCancel(ctx)
	me := &running{name: name, started: make(chan struct{}), cancel: cancel, ended: make(chan struct{})}
	var wait []<-chan struct{}
	for _, needed := range r.graph[name].needs {
		wait = append(wait, others[needed].started)
	}
	go func() {
		defer close(me.ended)
		err := r.serve(ctx, r.parts[name], wait, me.started)
		switch {
		case err == nil:
		case ctx.Err() == nil:
			r.failed <- fmt.Errorf("%s: %w", name, err)
		case !errors.Is(err, context.Canceled):
			r.logger.Warn("a part did not end well", "part", name, "error", err)
		}
	}()
	return me
}

func (r *runner) serve(ctx context.Context, p part, wait []<-chan struct{}, started chan<- struct{}) error {
	for _, other := range wait {
		select {
		case <-other:
		case <-ctx.Done():
			return nil
		}
	}
	if p.start != nil {
		if err := p.start(ctx); err != nil {
			return err
		}
	}
	close(started)
	if p.run == nil {
		return nil
	}
	if err := p.run(ctx); err != nil {
		return err
	}
	if ctx.Err() == nil {
		return errors.New("it ended though nobody asked it to")
	}
	return nil
}

// end ends the parts in reverse order. Where one does not end in time it goes on with the next, and says so; also then
// the others have lastChance each to close what they hold.
func (r *runner) end(all map[string]*running, timeout time.Duration) error {
	late, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	var errs []error
	for i := len(r.names) - 1; i >= 0; i-- {
		me, p := all[r.names[i]], r.parts[r.names[i]]
		if p.drain != nil {
			select {
			case <-me.started:
				p.drain(late)
			default:
			}
		}
		me.cancel()
		if !me.endsBy(late) {
			errs = append(errs, fmt.Errorf("%s did not end within %v (setting stop-timeout)", me.name, timeout))
			continue
		}
		if p.close == nil {
			continue
		}
		if err := p.close(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", me.name, err))
		}
	}
	return errors.Join(errs...)
}

// lastChance is how long a part may take to end after everything should have ended.
const lastChance = time.Second

// endsBy waits for the end of a part and reports whether it came.
func (r *running) endsBy(late context.Context) bool {
	select {
	case <-r.ended:
		return true
	case <-late.Done():
	}
	select {
	case <-r.ended:
		return true
	case <-time.After(lastChance):
		return false
	}
}

// health collects what the parts say of themselves.
type health struct {
	mu      sync.Mutex
	leaving bool
	checks  []*check
}

type check struct {
	name  string
	ready func() error
	vital bool
	seen  bool // it was ready once
}

// trouble is what one part says.
type trouble struct {
	part   string
	reason error
	unfit  bool // the process is not ready because of it
}

func (h *health) add(name string, p part) {
	if p.ready != nil {
		h.checks = append(h.checks, &check{name: name, ready: p.ready, vital: p.vital, seen: p.bridged})
	}
}

// leave makes the process not ready for good.
func (h *health) leave() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.leaving = true
}

// report returns whether the process is ready, and what troubles its parts.
func (h *health) report() (ready bool, troubles []trouble) {
	h.mu.Lock()
	defer h.mu.Unlock()
	ready = !h.leaving
	if h.leaving {
		troubles = append(troubles, trouble{"process", errors.New("it is shutting down"), true})
	}
	for _, c := range h.checks {
		err := c.ready()
		if err == nil {
			c.seen = true
			continue
		}
		unfit := c.vital || !c.seen
		ready = ready && !unfit
		troubles = append(troubles, trouble{c.name, err, unfit})
	}
	return ready, troubles
}

// parts are the names of those that say something of themselves.
func (h *health) parts() (names []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.checks {
		names = append(names, c.name)
	}
	return names
}

// err is report as one error; nil when ready.
func (h *health) err() error { return h.errBut("") }

// errBut is err of all parts but one.
func (h *health) errBut(part string) error {
	_, troubles := h.report()
	var errs []error
	for _, t := range troubles {
		if t.unfit && t.part != part {
			errs = append(errs, fmt.Errorf("%s: %w", t.part, t.reason))
		}
	}
	return errors.Join(errs...)
}
