package main

import (
	"fmt"
	"strings"
	"time"
)

// A scenario injects one kind of fault while events flow.
type scenario struct {
	name        string
	shows       string              // what of the promise
	short, long time.Duration       // how long it takes, about
	demand      demand              // while it runs; the zero value: some
	demandOf    func(*trial) demand // instead, where it depends on the form
	prepare     func(*trial)        // before the load begins
	run         func(*trial)
	check       func(*trial) // when everything is whole and verify has reported
}

// calm is how long is measured before the fault and after it.
func (t *trial) calm() time.Duration { return choose(t, 1500*time.Millisecond, 10*time.Second) }

// fault notes what is done to the platform.
func (t *trial) fault(format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	t.mu.Lock()
	t.row.Faults = append(t.row.Faults, what)
	t.mu.Unlock()
	t.say("%s", what)
}

// say shows how far it is.
func (t *trial) say(format string, args ...any) {
	fmt.Fprintf(t.progress, "%s  %-18s %s\n", time.Since(t.began).Truncate(time.Second), t.name, fmt.Sprintf(format, args...))
}

// perform runs the scenario from a whole platform to a whole platform.
func (t *trial) perform(s scenario) {
	began := time.Now()
	t.row.Scenario = s.name
	t.say("begins: %s", s.shows)
	t.run(func() {
		if s.prepare != nil {
			s.prepare(t)
		}
		d := s.demand
		switch {
		case s.demandOf != nil:
			d = s.demandOf(t)
		case d.clients == 0:
			d = some
		}
		l := startLoad(t, d)
		t.wait(time.Second) // for the connections' first moments
		l.mark(t)
		t.wait(t.calm())
		l.mark(t)
		t.run(func() { s.run(t) }) // however that ends, what the clients saw is told
		l.mark(t)
		t.wait(t.calm())
		t.p.heal(t)
		l.finish(t)
		if s.check != nil && !t.Failed() {
			s.check(t)
		}
	})
	if t.Failed() || t.keepAll {
		t.row.Logs = t.keep()
	}
	t.clean()
	if t.Failed() && t.ctx.Err() == nil {
		t.run(func() { t.p.heal(t) })
	}
	t.row.Notes, t.row.Failures, t.row.OK = t.notes, t.failures, !t.Failed()
	t.row.Seconds = time.Since(began).Seconds()
	t.say("%s: %d lost, %d repeated, %d out of order of %d deliveries %s", t.row.verdict(), t.row.Lost, t.row.Repeated, t.row.OutOfOrder, t.row.Delivered,
		strings.Join(append(t.row.Notes, heads(t.row.Failures)...), "; "))
}
