package verify

import (
	"fmt"
	"time"
)

// progress tells how far a run is: each second on a terminal, else every five.
type progress struct {
	*verifier
	shown    time.Time
	standing bool // a line that changes stands on the terminal
}

func newProgress(v *verifier) *progress { return &progress{verifier: v, shown: time.Now()} }

func (p *progress) show() {
	interval := 5 * time.Second
	if p.Terminal {
		interval = time.Second
	}
	if time.Since(p.shown) < interval {
		return
	}
	p.shown = time.Now()
	total := &phase{}
	for _, one := range *p.timeline.phases.Load() {
		total.include(one)
	}
	c := total.counts()
	line := fmt.Sprintf("%.0f s (%s): %d acknowledged, %d refused, %d unanswered; %d delivered, %d repeated, %d out of order; %d of %d clients connected, %d reconnects",
		p.now().Seconds(), p.timeline.current().kind, c.Acknowledged, c.Refused, c.Unanswered, c.Delivered, c.Repeated, c.OutOfOrder,
		p.connected.Load(), p.Clients, c.Reconnects)
	if !p.Terminal {
		fmt.Fprintln(p.Err, line)
		return
	}
	fmt.Fprintf(p.Err, "\r\x1b[?7l%s\x1b[K\x1b[?7h", line) // cut at the edge, and nothing left of a longer one
	p.standing = true
}

// clear takes away the line that changes.
func (p *progress) clear() {
	if p.standing {
		fmt.Fprint(p.Err, "\r\x1b[K")
		p.standing = false
	}
}
