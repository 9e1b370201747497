//go:build linux

package main

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"
	"time"

	"parkwire/test/bench/machine"
	"parkwire/test/e2e/stack"
)

var section = regexp.MustCompile(`(?s)<!-- figures: go run ./test/bench/alerts -->.*?<!-- end -->`)

// report writes the figures into the page.
func (s settings) report(found map[string][]figure, began time.Time) error {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("<!-- figures: go run ./test/bench/alerts -->")
	line("## How long it takes\n")
	line("%d rules of %d subjects (four of ten about one spot, the others about lots of %d spots, of %d spots in all), %d changes a second as sensors send them, and a stream open for each subject; `parkwire all` on one machine, with the sender and all listeners. "+
		"From the time that Kafka has of an event to the time that a client has the alert on its stream, so what is measured is the decision, its commit, and its way to the client. Measured on %s (UTC); of %d rounds of %d s the median, with the least and the most. "+
		"In each round every alert was that of an event of the log, and each spot that became free while rules watched it was told of by each of these rules once.\n",
		s.subjects*s.each, s.subjects, perLot, perLot*s.lots, s.rate, began.UTC().Format("2006-01-02 15:04"), s.rounds, int(s.length.Seconds()))
	line("| | alerts/s | median | p99 | longest | cores busy, all of Parkwire |\n|---|---:|---:|---:|---:|---:|")
	for _, kind := range []string{"SQLite", "PostgreSQL"} {
		rounds := found[kind]
		if len(rounds) == 0 {
			continue
		}
		cell := func(share float64) string {
			least, median, most := spread(rounds, func(f figure) time.Duration { return f.at(share) })
			return fmt.Sprintf("%d ms (%d to %d)", median.Milliseconds(), least.Milliseconds(), most.Milliseconds())
		}
		_, alerts, _ := spread(rounds, func(f figure) float64 { return float64(f.decisions) / s.length.Seconds() })
		_, busy, _ := spread(rounds, func(f figure) float64 { return f.busy })
		line("| %s | %.0f | %s | %s | %s | %.2f |", kind, alerts, cell(0.5), cell(0.99), cell(1), busy)
	}
	line("\n%s, %d cores; Linux %s; Go %s; Parkwire %s.", machine.Processor(), runtime.NumCPU(), machine.Says("uname", "-r"), strings.TrimPrefix(runtime.Version(), "go"),
		machine.Says("git", "-C", stack.Root(), "describe", "--tags", "--always", "--dirty"))
	b.WriteString("<!-- end -->")
	page, err := os.ReadFile(s.to)
	if err != nil {
		return err
	}
	if !section.Match(page) {
		return fmt.Errorf("%s has no place for the figures", s.to)
	}
	return os.WriteFile(s.to, section.ReplaceAllLiteral(page, []byte(b.String())), 0o644)
}
