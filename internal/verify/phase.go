package verify

import (
	"sync"
	"sync/atomic"
	"time"
)

// A phase is a part of the run with counts of its own. What concerns a change is counted in the phase in which its
// request began, whenever the frame came; so a fault is charged with everything that it delayed.
type phase struct {
	kind string        // before, fault, after or mark
	from time.Duration // since the run began

	written, acknowledged, refused, unanswered   atomic.Int64
	found                                        atomic.Int64 // of the refused and unanswered, those that were done
	delivered, lost, repeated, outOfOrder, wrong atomic.Int64
	late, reconnects                             atomic.Int64
	gap                                          atomic.Int64 // the longest, in nanoseconds
	silence                                      atomic.Int64 // the longest from the last frame before a disconnection to the first after it
	fromAck                                      atomic.Int64 // the longest from an acknowledgment to a frame
	latency                                      histogram
}

// counters are all of a phase that add up.
func (p *phase) counters() []*atomic.Int64 {
	return []*atomic.Int64{&p.written, &p.acknowledged, &p.refused, &p.unanswered, &p.found,
		&p.delivered, &p.lost, &p.repeated, &p.outOfOrder, &p.wrong, &p.late, &p.reconnects}
}

const (
	// A fault is noticed by its effects, so its phase begins a moment before it was noticed …
	lookBack = time.Second
	// … and it lasts until no client is without a connection and no write has failed for this long.
	calmAfter = 2 * time.Second
	// maxPhases bounds the memory of a run with very many faults; those beyond it are counted in the last phase.
	maxPhases = 256
)

// A timeline is the phases of a run in order. Phases begin by themselves when clients lose their connection or writes are not
// answered, until the operator marks one: from then on the operator alone says when the next one begins.
type timeline struct {
	phases atomic.Pointer[[]*phase] // replaced by a longer one under mu

	mu     sync.Mutex
	manual bool
	down   int           // clients without a connection
	last   time.Duration // when something was amiss
}

func newTimeline() *timeline {
	t := &timeline{}
	t.phases.Store(&[]*phase{{kind: "before"}})
	return t
}

// at is the phase to which a moment belongs.
func (t *timeline) at(when time.Duration) *phase {
	all := *t.phases.Load()
	for i := len(all) - 1; i > 0; i-- {
		if when >= all[i].from {
			return all[i]
		}
	}
	return all[0]
}

func (t *timeline) current() *phase {
	all := *t.phases.Load()
	return all[len(all)-1]
}

// trouble notes that a write was not answered.
func (t *timeline) trouble(now time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.note(now)
}

// lost and found note that a client lost its connection, and that it has one again.
func (t *timeline) lost(now time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.down++
	t.note(now)
}

func (t *timeline) found(now time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.down--
	t.note(now)
}

// note is called with mu held.
func (t *timeline) note(now time.Duration) {
	t.last = now
	if c := t.current(); !t.manual && c.kind != "fault" {
		t.begin("fault", max(now-lookBack, c.from))
	}
}

// calm ends a fault that is over.
func (t *timeline) calm(now time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.manual && t.current().kind == "fault" && t.down == 0 && now-t.last >= calmAfter {
		t.begin("after", now)
	}
}

// mark begins a phase because the operator says so.
func (t *timeline) mark(now time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.manual = true
	t.begin("mark", now)
}

// begin is called with mu held.
func (t *timeline) begin(kind string, from time.Duration) {
	all := *t.phases.Load()
	if len(all) == maxPhases {
		return
	}
	longer := append(all[:len(all):len(all)], &phase{kind: kind, from: from})
	t.phases.Store(&longer)
}
