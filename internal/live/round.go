package live

import (
	"time"

	"parkwire/internal/trace"
)

// load is what is known of an event that subscriptions have got.
type load struct {
	accepted time.Time   // zero: it is no change, or another program's
	span     *trace.Span // of its delivery; nil: its trace is not followed
}

// round is what a loop sends in one turn: everything that came since the turn before. It is measured as a whole, so that to send to a client costs no
// look at the clock.
type round struct {
	oldest time.Time // when the oldest change was accepted; zero: there is none
	traced []traced
}

// traced is an event of a trace that is followed, and who gets it.
type traced struct {
	subs []*subscription
	span *trace.Span
}

// add takes an event in. The caller holds loop.mu.
func (r *round) add(subs []*subscription, with load) {
	if !with.accepted.IsZero() && (r.oldest.IsZero() || with.accepted.Before(r.oldest)) {
		r.oldest = with.accepted
	}
	if with.span != nil {
		r.traced = append(r.traced, traced{subs, with.span})
	}
}

// begin begins the spans of the turn, for what has clients on this loop.
func (r *round) begin(l *loop) {
	for i := range r.traced {
		t, clients := &r.traced[i], 0
		for _, sub := range t.subs {
			clients += len(sub.members[l.number])
		}
		if clients == 0 {
			t.span = nil
			continue
		}
		t.span = t.span.Child("write to clients", trace.Internal, time.Time{})
		t.span.Set("parkwire.clients", clients, "parkwire.loop", l.number)
	}
}

// end measures the turn: each client had been written to what was due to it, or takes no more at present.
func (r *round) end(l *loop, clients int) {
	for _, t := range r.traced {
		t.span.End()
	}
	if clients > 0 && !r.oldest.IsZero() {
		l.service.metrics.delay.Observe(max(0, time.Since(r.oldest).Seconds()))
	}
}
