//go:build linux

package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"parkwire/test/bench/document"
	"parkwire/test/bench/machine"
)

const (
	begins = "<!-- written by: go run ./test/bench/rebuild -->\n"
	ends   = "<!-- end of what it writes -->\n"
)

// report says what was measured, in the words of the document.
func (s settings) report(all []results, began time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Measured on %s (UTC), commit %s, on %s: %s events of %s spots in 6 partitions; %d rounds, in each of which every row has its turn; broker, databases and service on the same machine. "+
		"PostgreSQL and SQLite write every commit to the disk. Events a second:\n\n", began.UTC().Format("2006-01-02 15:04"), commit(), machine.Processor(), thousands(float64(s.events)), thousands(float64(s.spots)), s.rounds)
	for _, r := range all {
		fmt.Fprintf(&b, "| %s | minimum | median | maximum | of reading alone |\n|---|--:|--:|--:|--:|\n", r.title)
		reading := median(s.rates(r.figures["reading"]))
		for _, c := range contenders() {
			rates := s.rates(r.figures[c.name])
			if len(rates) == 0 {
				continue
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %.2f |\n", c.title, thousands(slices.Min(rates)), thousands(median(rates)), thousands(slices.Max(rates)), median(rates)/reading)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func (s settings) rates(all []figure) (rates []float64) {
	for _, f := range all {
		rates = append(rates, float64(s.events)/time.Duration(f).Seconds())
	}
	return rates
}

func median(all []float64) float64 {
	all = slices.Sorted(slices.Values(all))
	if len(all) == 0 {
		return 0
	}
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
}

// thousands writes a number of three digits that matter.
func thousands(n float64) string {
	unit := 1.0
	for n/unit >= 1000 {
		unit *= 10
	}
	return document.Thousands(fmt.Sprintf("%.0f", float64(int(n/unit+0.5))*unit))
}

func commit() string {
	text := machine.Says("git", "rev-parse", "--short", "HEAD")
	if machine.Says("git", "status", "--porcelain", "--untracked-files=no", "--", "*.go") != "" {
		text += " with changes"
	}
	return text
}

// put writes the text between its marks in the document, or behind it where there are none.
func put(file, text string) error {
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(old), begins)
	after := ""
	if found {
		_, after, _ = strings.Cut(rest, ends)
	} else {
		before = strings.TrimRight(before, "\n") + "\n\n## How fast a rebuild is\n\n"
	}
	return os.WriteFile(file, []byte(before+begins+text+ends+after), 0o644)
}
