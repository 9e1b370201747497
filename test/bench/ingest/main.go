//go:build linux

// Ingest measures how many readings a second are taken and kept: by Parkwire as a whole (gateway, rules, database, relay, log), by the handler that
// people write (one upsert a reading), and by the database alone, as the limit; each on SQLite and on PostgreSQL. Rounds alternate between all.
//
//	go run ./test/bench/ingest                all, and write docs/ingestion.md
//	go run ./test/bench/ingest -quick         does it work here? (writes nothing)
//	go run ./test/bench/ingest -only parkwire some of the contenders
//
// It starts and ends PostgreSQL itself, with test/kit.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"parkwire/test/bench/machine"
	"parkwire/test/e2e/stack"
)

type settings struct {
	rounds int
	length time.Duration
	lots   int
	only   string
	quick  bool
	to     string
}

// perLot is how many spots a lot has, and how many readings a batch.
const perLot = 1000

// A mode is one way to send readings.
type mode struct {
	name, title string
	connections int
	size        int // readings a request
	change      bool
}

var modes = []mode{
	{"batches", "Batches that change nothing", 4, perLot, false},
	{"batches-changed", "Batches that change every spot", 4, perLot, true},
	{"single", "Single readings that change nothing", 64, 1, false},
	{"single-changed", "Single readings that change a spot each", 64, 1, true},
}

func main() {
	if len(os.Args) == 5 && os.Args[1] == "serve" {
		fail(serve(os.Args[2], os.Args[3], os.Args[4]))
		return
	}
	var s settings
	flag.IntVar(&s.rounds, "rounds", 5, "rounds, in each of which every contender has its turn")
	flag.DurationVar(&s.length, "length", 4*time.Second, "length of each measurement")
	flag.IntVar(&s.lots, "lots", 20, "lots, of 1,000 spots each")
	flag.StringVar(&s.only, "only", "", "contenders whose name begins so")
	flag.BoolVar(&s.quick, "quick", false, "one short round, and no report")
	flag.StringVar(&s.to, "to", filepath.Join(stack.Root(), "docs"), "folder of the report")
	flag.Parse()
	if s.quick {
		s.rounds, s.length = 1, time.Second
	}
	fail(s.run())
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "ingest:", err)
		os.Exit(1)
	}
}

// A figure is what one measurement showed.
type figure struct {
	readings int64
	took     time.Duration // until the last was acknowledged
	logged   time.Duration // until the log had the last change; where there is no log, the same
	busy     machine.CPU
}

func (f figure) rate() float64    { return float64(f.readings) / f.took.Seconds() }
func (f figure) logRate() float64 { return float64(f.readings) / f.logged.Seconds() }

// cost is the server's CPU time of a reading, in microseconds.
func (f figure) cost() float64 { return float64(f.busy.Servers.Microseconds()) / float64(f.readings) }

// results are the figures by contender and mode, a round each.
type results map[string]map[string][]figure

func (s settings) run() error {
	build, err := os.MkdirTemp("", "parkwire-ingest-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(build)
	if err := os.Chmod(build, 0o755); err != nil { // PostgreSQL runs as another user
		return err
	}
	binary := cmp.Or(os.Getenv(stack.EnvBinary), filepath.Join(build, "parkwire"))
	if os.Getenv(stack.EnvBinary) == "" {
		command := exec.Command("go", "build", "-o", binary, "./cmd/parkwire")
		command.Dir = stack.Root()
		if out, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("building parkwire: %w\n%s", err, out)
		}
		os.Setenv(stack.EnvBinary, binary)
	}
	postgres, err := startPostgres(build)
	if err != nil {
		return err
	}
	defer postgres.stop()
	all := slices.DeleteFunc(contenders(postgres), func(c contender) bool { return !strings.HasPrefix(c.name, s.only) })
	began, found := time.Now(), results{}
	for round := range s.rounds {
		for _, c := range all {
			err := stack.Script(func(t stack.T) {
				target := c.start(t, s)
				for _, m := range modes {
					if m.size == 1 && target.raw != nil {
						continue // it has no requests
					}
					f, err := target.measure(m, s)
					if err != nil {
						t.Fatalf("%s: %s: %v", c.name, m.name, err)
					}
					fmt.Printf("round %d  %-20s %-16s %s\n", round+1, c.name, m.name, f)
					if found[c.name] == nil {
						found[c.name] = map[string][]figure{}
					}
					found[c.name][m.name] = append(found[c.name][m.name], f)
				}
			})
			if err != nil {
				return err
			}
		}
	}
	if s.quick || s.only != "" {
		return nil
	}
	return s.report(all, found, began)
}

func (f figure) String() string {
	text := fmt.Sprintf("%8.0f/s", f.rate())
	if f.logged > f.took {
		text += fmt.Sprintf(", %.0f/s until they are in the log", f.logRate())
	}
	if f.busy.Servers > 0 {
		text += fmt.Sprintf("; CPU a reading: server %.1f µs, generator %.1f µs", f.cost(), float64(f.busy.Own.Microseconds())/float64(f.readings))
	}
	return text
}
