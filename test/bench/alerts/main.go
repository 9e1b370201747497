//go:build linux

// Alerts measures how long after an event is in the log its decisions are known: 10,000 rules of 100 subjects over 10,000 spots, 750 changes a second
// sent as sensors send them, and every subject listening to its stream, all on the real binary.
//
//	go run ./test/bench/alerts          five rounds, and write the figures into docs/alerts.md
//	go run ./test/bench/alerts -quick   does it work here? (writes nothing)
//
// With PARKWIRE_TEST_DATABASE_URL it measures PostgreSQL too, in schemas of its own there.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"parkwire/test/e2e/stack"
)

type settings struct {
	rounds   int
	length   time.Duration
	rate     int // changes a second
	subjects int
	each     int // rules of each subject
	lots     int
	quick    bool
	to       string
}

// perLot is how many spots a lot has.
const perLot = 500

func main() {
	s := settings{}
	flag.IntVar(&s.rounds, "rounds", 5, "rounds")
	flag.DurationVar(&s.length, "length", 20*time.Second, "length of a round")
	flag.IntVar(&s.rate, "rate", 750, "changes a second")
	flag.IntVar(&s.subjects, "subjects", 100, "subjects, each with a stream")
	flag.IntVar(&s.each, "rules", 100, "rules of each subject")
	flag.IntVar(&s.lots, "lots", 20, "lots, of 500 spots each")
	flag.BoolVar(&s.quick, "quick", false, "one short round with few rules, and no report")
	flag.StringVar(&s.to, "to", filepath.Join(stack.Root(), "docs", "alerts.md"), "the page")
	flag.Parse()
	if s.quick {
		s.rounds, s.length, s.subjects = 1, 3*time.Second, 10
	}
	if err := s.run(); err != nil {
		fmt.Fprintln(os.Stderr, "alerts:", err)
		os.Exit(1)
	}
}

func (s settings) run() error {
	build, err := os.MkdirTemp("", "parkwire-alerts-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(build)
	binary := cmp.Or(os.Getenv(stack.EnvBinary), filepath.Join(build, "parkwire"))
	if os.Getenv(stack.EnvBinary) == "" {
		command := exec.Command("go", "build", "-o", binary, "./cmd/parkwire")
		command.Dir = stack.Root()
		if out, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("building parkwire: %w\n%s", err, out)
		}
		os.Setenv(stack.EnvBinary, binary)
	}
	began := time.Now()
	found := map[string][]figure{}
	for _, kind := range []string{"SQLite", "PostgreSQL"} {
		address := os.Getenv("PARKWIRE_TEST_DATABASE_URL")
		if kind == "PostgreSQL" && address == "" {
			continue
		}
		err := stack.Script(func(t stack.T) {
			var args []string
			if kind == "PostgreSQL" {
				args = ownSchemas(t, address)
			}
			w := s.prepare(t, args...)
			for round := range s.rounds {
				f := w.measure(t)
				fmt.Printf("%s, round %d: %s\n", kind, round+1, f)
				found[kind] = append(found[kind], f)
			}
		})
		if err != nil {
			return err
		}
	}
	if s.quick {
		return nil
	}
	return s.report(found, began)
}

// A figure is what one round showed.
type figure struct {
	changes, decisions int
	took               []time.Duration // from the log to the stream, sorted
	busy               float64         // cores that the server kept busy
	retries            int             // transactions that were done again
}

func (f figure) String() string {
	return fmt.Sprintf("%d changes, %d decisions, median %v, p99 %v, longest %v, %.2f cores, %d transactions done again", f.changes, f.decisions, f.at(0.5), f.at(0.99), f.at(1), f.busy, f.retries)
}

// at is the time that a share of the decisions took at most.
func (f figure) at(share float64) time.Duration {
	if len(f.took) == 0 {
		return 0
	}
	return f.took[min(len(f.took)-1, int(share*float64(len(f.took))))]
}

// spread returns the least, the median and the most of a figure over the rounds.
func spread[T cmp.Ordered](all []figure, of func(figure) T) (least, median, most T) {
	var values []T
	for _, f := range all {
		values = append(values, of(f))
	}
	slices.Sort(values)
	return values[0], values[len(values)/2], values[len(values)-1]
}
