package replay

import (
	"fmt"
	"io"
	"time"
)

const (
	maxTold          = 20 // rows that are told one by one
	terminalInterval = 100 * time.Millisecond
	logInterval      = 5 * time.Second
)

// progress counts what becomes of the readings, and tells it.
type progress struct {
	out      io.Writer
	terminal bool
	began    time.Time
	shown    time.Time
	standing bool // a line that changes stands on the terminal

	reached                                             time.Time // the time of the recording
	added, accepted, unchanged, late, skipped, rejected int
}

// used are the readings that the platform took, or knew.
func (p *progress) used() int { return p.added + p.accepted + p.unchanged + p.late + p.skipped }

// reject counts a row that cannot be used, and tells the first ones.
func (p *progress) reject(line int, reason string) {
	p.rejected++
	switch {
	case p.rejected <= maxTold:
		p.note("line %d: %s", line, reason)
	case p.rejected == maxTold+1:
		p.note("further rows that cannot be used are only counted")
	}
}

// note prints a line that stays.
func (p *progress) note(format string, args ...any) {
	p.clear()
	fmt.Fprintf(p.out, format+"\n", args...)
}

// show prints how far it is, unless it did so a moment ago.
func (p *progress) show() {
	interval := logInterval
	if p.terminal {
		interval = terminalInterval
	}
	if p.reached.IsZero() || time.Since(p.last()) < interval {
		return
	}
	p.shown = time.Now()
	line := fmt.Sprintf("%d readings (%.0f/s), at %s: %d added, %d accepted, %d unchanged, %d late, %d known, %d rejected",
		p.used()+p.rejected, p.rate(), p.reached.Format("2006-01-02 15:04"),
		p.added, p.accepted, p.unchanged, p.late, p.skipped, p.rejected)
	if !p.terminal {
		fmt.Fprintln(p.out, line)
		return
	}
	fmt.Fprintf(p.out, "\r\x1b[?7l%s\x1b[K\x1b[?7h", line) // cut at the edge, and nothing left of a longer one
	p.standing = true
}

// clear takes away the line that changes.
func (p *progress) clear() {
	if p.standing {
		fmt.Fprint(p.out, "\r\x1b[K")
		p.standing = false
	}
}

func (p *progress) rate() float64 {
	return float64(p.used()+p.rejected) / max(time.Since(p.began).Seconds(), 1e-3)
}

// finish prints the result.
func (p *progress) finish(out io.Writer) {
	p.clear()
	until := ""
	if !p.reached.IsZero() {
		until = ", until " + p.reached.Format("2006-01-02 15:04:05 MST") + " of the recording"
	}
	fmt.Fprintf(out, "%d readings in %v (%.0f/s)%s\n", p.used()+p.rejected, time.Since(p.began).Round(time.Millisecond), p.rate(), until)
	for _, line := range []struct {
		n    int
		what string
	}{
		{p.added, "added: the first reading of a new spot"},
		{p.accepted, "accepted: the spot changed"},
		{p.unchanged, "unchanged: the spot was so already"},
		{p.late, "late: the platform had newer ones; kept in the history"},
		{p.skipped, "known: older than what the platform had at the start; not sent"},
		{p.rejected, "rejected: could not be used"},
	} {
		fmt.Fprintf(out, "%9d %s\n", line.n, line.what)
	}
}

// last is when something was shown.
func (p *progress) last() time.Time {
	if p.shown.IsZero() {
		return p.began
	}
	return p.shown
}
