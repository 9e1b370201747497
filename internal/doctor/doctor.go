// Package doctor examines a deployment by its configuration: what each part of it depends on, and what about that would fail, now or one day. It changes
// nothing, and may be used while the platform runs. It judges; how things are reached is the business of the packages that the parts themselves use.
package doctor

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

// State is how bad a finding is.
type State string

// The states, from good to bad.
const (
	OK      State = "ok"
	Note    State = "note"    // good to know, and nothing to mend
	Warning State = "warning" // it works, and will not under load, after a failure, or one day
	Broken  State = "broken"  // the platform does not do its work so
)

// Finding is one thing that was looked at.
type Finding struct {
	Check string `json:"check"` // what was looked at: kafka, redis, clock …
	State State  `json:"state"`
	Says  string `json:"says"`
	// Mend is what to do; empty where nothing need be done.
	Mend string `json:"mend,omitempty"`
}

// Report is what an examination found, in the order of the checks.
type Report struct {
	Target   string    `json:"target"`
	Version  string    `json:"version"`
	Broken   int       `json:"broken"`
	Warnings int       `json:"warnings"`
	Findings []Finding `json:"findings"`
}

// Add takes in findings.
func (r *Report) Add(findings ...Finding) {
	for _, f := range findings {
		switch f.State {
		case Broken:
			r.Broken++
		case Warning:
			r.Warnings++
		}
		r.Findings = append(r.Findings, f)
	}
}

// BrokenError is returned for a deployment of which something is broken.
type BrokenError int

func (e BrokenError) Error() string {
	if e == 1 {
		return "one thing is broken"
	}
	return fmt.Sprintf("%d things are broken", int(e))
}

// Failure returns nil, or a [BrokenError].
func (r *Report) Failure() error {
	if r.Broken == 0 {
		return nil
	}
	return BrokenError(r.Broken)
}

// Print writes the report as a table, each finding with what mends it below.
func (r *Report) Print(w io.Writer) error {
	width := 0
	for _, f := range r.Findings {
		width = max(width, len(f.Check))
	}
	var b strings.Builder
	fine := 0
	for _, f := range r.Findings {
		state := string(f.State)
		switch f.State {
		case OK, Note:
			fine++
		case Broken:
			state = "BROKEN"
		}
		fmt.Fprintf(&b, "%-8s %-*s  %s\n", state, width, f.Check, f.Says)
		if f.Mend != "" {
			fmt.Fprintf(&b, "%*s to mend: %s\n", 8+1+width+1, "", f.Mend)
		}
	}
	fmt.Fprintf(&b, "\n%s, version %s: %d broken, %d warnings, %d fine\n", r.Target, r.Version, r.Broken, r.Warnings, fine)
	_, err := io.WriteString(w, b.String())
	return err
}

// A Check looks at one thing.
type Check struct {
	Name string
	// Within bounds it; 0: as the others.
	Within time.Duration
	Look   func(ctx context.Context, f *Findings)
}

// Findings are what one check found.
type Findings struct {
	check string
	mu    sync.Mutex
	all   []Finding
}

// OK says that something is as it should be.
func (f *Findings) OK(format string, args ...any) { f.add(OK, "", format, args...) }

// Note says something that is good to know.
func (f *Findings) Note(format string, args ...any) { f.add(Note, "", format, args...) }

// Warn says what will fail one day; mend is what to do about it.
func (f *Findings) Warn(mend, format string, args ...any) { f.add(Warning, mend, format, args...) }

// Break says what does not work; mend is what to do about it.
func (f *Findings) Break(mend, format string, args ...any) { f.add(Broken, mend, format, args...) }

// Fine reports whether nothing was found so far that must be mended.
func (f *Findings) Fine() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !slices.ContainsFunc(f.all, func(one Finding) bool { return one.Mend != "" })
}

func (f *Findings) add(state State, mend, format string, args ...any) {
	f.addOf(f.check, state, mend, format, args...)
}

func (f *Findings) addOf(check string, state State, mend, format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = append(f.all, Finding{check, state, strings.TrimSpace(strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", " ")), mend})
}

// Examine makes all checks at once, each within the time, and adds what they find in their order. A check that does not end in time is broken.
func (r *Report) Examine(ctx context.Context, within time.Duration, checks ...Check) {
	found := make([][]Finding, len(checks))
	var looking sync.WaitGroup
	for i, c := range checks {
		looking.Go(func() { found[i] = c.look(ctx, cmp.Or(c.Within, within)) })
	}
	looking.Wait()
	for _, all := range found {
		r.Add(all...)
	}
}

// leave is how long a check has to say why, after its time.
const leave = 5 * time.Second

// look returns what a check has found. One that hangs, such as on a disk that does not answer, is left behind: nothing can end it but the end of the process.
func (c Check) look(ctx context.Context, within time.Duration) []Finding {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	f, ended := &Findings{check: c.Name}, make(chan struct{})
	go func() { defer close(ended); c.Look(ctx, f) }()
	select {
	case <-ended:
		return f.all
	case <-ctx.Done():
	}
	select {
	case <-ended:
		return f.all
	case <-time.After(leave):
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return append(slices.Clone(f.all), Finding{c.Name, Broken, fmt.Sprintf("this was not examined within %v", within), "see whether what it looks at hangs, such as a disk of the network, or give it longer (--within)"})
}
