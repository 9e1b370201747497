package doctor

import (
	"time"

	"parkwire/internal/identity"
)

// quiet is by how much the clocks of two machines may differ without a word: more than that can hardly be the network's doing.
const quiet = time.Second

// Clock judges the clock of a server that was asked between the times before and after, by ours.
func (f *Findings) Clock(whose string, there, before, after time.Time) {
	if there.IsZero() {
		return
	}
	off := time.Duration(0)
	switch {
	case there.Before(before):
		off = there.Sub(before)
	case there.After(after):
		off = there.Sub(after)
	}
	const mend = "let both machines follow the same time servers (chrony, systemd-timesyncd), and look at `chronyc tracking` or `timedatectl`"
	way, by := "ahead of", off
	if off < 0 {
		way, by = "behind", -off
	}
	by = by.Round(100 * time.Millisecond)
	switch {
	case by > identity.Leeway:
		f.addOf("clock", Broken, mend, "the clock of %s is %v %s that of this machine: tokens count as expired or not yet valid, and times of changes are wrong", whose, by, way)
	case by > quiet:
		f.addOf("clock", Warning, mend, "the clock of %s is %v %s that of this machine", whose, by, way)
	}
}
