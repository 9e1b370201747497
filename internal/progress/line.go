// Package progress shows people how far long work is.
package progress

import (
	"fmt"
	"io"
	"time"
)

// A Line tells how far work is: on a terminal one line that changes, elsewhere a line now and then. It is for one
// goroutine.
type Line struct {
	out      io.Writer
	terminal bool
	interval time.Duration
	shown    time.Time
	standing bool // a line that changes stands on the terminal
}

// logInterval is how often a line is written where it stays.
const logInterval = 5 * time.Second

// NewLine returns a line on out that changes every interval where out is a terminal. Elsewhere one is written every 5 s.
// The first is due one interval from now.
func NewLine(out io.Writer, terminal bool, interval time.Duration) Line {
	if !terminal {
		interval = logInterval
	}
	return Line{out: out, terminal: terminal, interval: interval, shown: time.Now()}
}

// Due reports whether it is time to show how far the work is.
func (l *Line) Due() bool { return time.Since(l.shown) >= l.interval }

// Show shows a text.
func (l *Line) Show(text string) {
	l.shown = time.Now()
	if !l.terminal {
		fmt.Fprintln(l.out, text)
		return
	}
	fmt.Fprintf(l.out, "\r\x1b[?7l%s\x1b[K\x1b[?7h", text) // cut at the edge, and nothing left of a longer one
	l.standing = true
}

// Clear takes away the line that changes, for one that stays.
func (l *Line) Clear() {
	if l.standing {
		fmt.Fprint(l.out, "\r\x1b[K")
		l.standing = false
	}
}
