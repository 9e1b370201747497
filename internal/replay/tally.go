package replay

import (
	"fmt"
	"io"
	"time"

	"parkwire/internal/progress"
)

const (
	maxTold          = 20 // rows that are told one by one
	terminalInterval = 100 * time.Millisecond
)

// tally counts what becomes of the readings, and tells it.
type tally struct {
	line  progress.Line
	out   io.Writer
	began time.Time

	reached                                             time.Time // the time of the recording
	added, accepted, unchanged, late, skipped, rejected int
}

func newTally(out io.Writer, terminal bool) tally {
	return tally{line: progress.NewLine(out, terminal, terminalInterval), out: out, began: time.Now()}
}

// used are the readings that the platform took, or knew.
func (t *tally) used() int { return t.added + t.accepted + t.unchanged + t.late + t.skipped }

// reject counts a row that cannot be used, and tells the first ones.
func (t *tally) reject(line int, reason string) {
	t.rejected++
	switch {
	case t.rejected <= maxTold:
		t.note("line %d: %s", line, reason)
	case t.rejected == maxTold+1:
		t.note("further rows that cannot be used are only counted")
	}
}

// note prints a line that stays.
func (t *tally) note(format string, args ...any) {
	t.line.Clear()
	fmt.Fprintf(t.out, format+"\n", args...)
}

// show prints how far it is, unless it did so a moment ago.
func (t *tally) show() {
	if t.reached.IsZero() || !t.line.Due() {
		return
	}
	t.line.Show(fmt.Sprintf("%d readings (%.0f/s), at %s: %d added, %d accepted, %d unchanged, %d late, %d known, %d rejected",
		t.used()+t.rejected, t.rate(), t.reached.Format("2006-01-02 15:04"),
		t.added, t.accepted, t.unchanged, t.late, t.skipped, t.rejected))
}

func (t *tally) rate() float64 {
	return float64(t.used()+t.rejected) / max(time.Since(t.began).Seconds(), 1e-3)
}

// finish prints the result.
func (t *tally) finish(out io.Writer) {
	t.line.Clear()
	until := ""
	if !t.reached.IsZero() {
		until = ", until " + t.reached.Format("2006-01-02 15:04:05 MST") + " of the recording"
	}
	fmt.Fprintf(out, "%d readings in %v (%.0f/s)%s\n", t.used()+t.rejected, time.Since(t.began).Round(time.Millisecond), t.rate(), until)
	for _, line := range []struct {
		n    int
		what string
	}{
		{t.added, "added: the first reading of a new spot"},
		{t.accepted, "accepted: the spot changed"},
		{t.unchanged, "unchanged: the spot was so already"},
		{t.late, "late: the platform had newer ones; kept in the history"},
		{t.skipped, "known: older than what the platform had at the start; not sent"},
		{t.rejected, "rejected: could not be used"},
	} {
		fmt.Fprintf(out, "%9d %s\n", line.n, line.what)
	}
}
