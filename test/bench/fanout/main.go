// Fanout measures how fast Parkwire brings events to very many clients, beside what people use for that today: the same clients,
// events and generator ("parkwire load"), rounds that alternate between all, on one machine and one run.
//
//	go run ./test/bench/fanout                     lone events, bursts and idle connections, of all contenders
//	go run ./test/bench/fanout -quick              the same with 2,000 clients, in a few minutes
//	go run ./test/bench/fanout -list               the contenders and the measurements
//	go run ./test/bench/fanout lots growth million some of the measurements
//	go run ./test/bench/fanout report              only write the report of what has been measured
//
// It needs what "make test-servers" needs, a C compiler and Node, and starts and ends everything itself. Each result is kept in the
// work folder as soon as it is there: run again, it goes on where it was. The report is docs/benchmarks.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"parkwire/test/e2e/stack"
)

type options struct {
	sizes
	only, work, peers, to string
	fresh, list           bool
	wanted                []string
}

func main() {
	o, err := parse(os.Args[1:])
	if err == nil {
		err = o.run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "fanout:", err)
		os.Exit(1)
	}
}

func parse(args []string) (*options, error) {
	o := &options{}
	f := flag.NewFlagSet("fanout", flag.ExitOnError)
	f.IntVar(&o.rounds, "rounds", 5, "rounds, in each of which every contender has its turn")
	f.IntVar(&o.clients, "clients", 50_000, "clients")
	f.IntVar(&o.million, "million", 1_000_000, "clients of the measurement of that name")
	f.BoolVar(&o.quick, "quick", false, "2,000 clients, 2 rounds, 50,000 for a million: does everything work?")
	f.StringVar(&o.only, "only", "", "contenders, with commas between; parkwire* are all that begin so")
	f.StringVar(&o.work, "work", "", "folder of results and programs (default: parkwire-bench in the folder for temporary files)")
	f.StringVar(&o.peers, "peers", filepath.Join(stack.Root(), "..", "shared", "peers"), "folder of the stacks from npm")
	f.StringVar(&o.to, "to", "", "folder of the report (default: docs; with -quick the work folder)")
	f.BoolVar(&o.fresh, "fresh", false, "forget the results of before")
	f.BoolVar(&o.list, "list", false, "print the contenders and the measurements")
	f.Parse(args)
	set := map[string]bool{}
	f.Visit(func(one *flag.Flag) { set[one.Name] = true })
	name := "parkwire-bench"
	if o.quick {
		name += "-quick"
		for flag, value := range map[string]struct {
			to *int
			is int
		}{"rounds": {&o.rounds, 2}, "clients": {&o.clients, 2_000}, "million": {&o.million, 50_000}} {
			if !set[flag] {
				*value.to = value.is
			}
		}
	}
	if o.work == "" {
		o.work = filepath.Join(os.TempDir(), name)
	}
	if o.to == "" {
		o.to = filepath.Join(stack.Root(), "docs")
		if o.quick {
			o.to = o.work
		}
	}
	o.wanted = f.Args()
	if len(o.wanted) == 0 {
		o.wanted = []string{"lone", "burst", "idle"}
	}
	if slices.Contains(o.wanted, "all") {
		o.wanted = measures
	}
	for _, w := range o.wanted {
		if w != "report" && !slices.Contains(measures, w) {
			return nil, fmt.Errorf("there is no measurement %q; there are all, report, %s", w, strings.Join(measures, ", "))
		}
	}
	return o, checkOnly(o.only)
}

func (o *options) run() error {
	if o.list {
		fmt.Printf("measurements  %s\n", strings.Join(measures, ", "))
		for _, name := range beside() {
			fmt.Printf("contender     %-20s %s\n", name, contenderNamed(name).title)
		}
		return nil
	}
	if err := os.MkdirAll(o.work, 0o755); err != nil {
		return err
	}
	s, err := openStore(o.work, o.fresh)
	if err != nil {
		return err
	}
	b := &builder{work: o.work, peers: o.peers}
	if !slices.Equal(o.wanted, []string{"report"}) {
		fmt.Fprintln(os.Stderr, "building the contenders")
		if err := b.build(); err != nil {
			return err
		}
		for name, why := range b.absent {
			fmt.Fprintf(os.Stderr, "%s is left out: %s\n", name, why)
		}
		if err := o.measure(b, s); err != nil {
			return err
		}
	}
	return o.report(b, s)
}

// measure runs what has no result yet.
func (o *options) measure(b *builder, s *store) error {
	jobs := plan(o.sizes, o.wanted, o.only, b.absent)
	left := s.todo(jobs)
	var total time.Duration
	for _, j := range left {
		total += j.estimate()
	}
	fmt.Fprintf(os.Stderr, "%d runs, %d of them already there; the others take about %v\n", len(jobs), len(jobs)-len(left), total.Round(time.Minute))
	if len(left) == 0 {
		return nil
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := os.WriteFile(machineFile(o.work), []byte(strings.Join(hardware(b), "\n")+"\n"), 0o644); err != nil {
		return err
	}
	began, passed := time.Now(), time.Duration(0)
	failed := 0
	err := stack.Script(func(t stack.T) {
		place := &site{work: o.work, kit: filepath.Join(o.work, "kit")}
		place.open(t)
		for i, j := range left {
			rest := total - passed
			if passed > 0 { // as long as it has really been
				rest = time.Duration(float64(rest) * time.Since(began).Seconds() / passed.Seconds())
			}
			fmt.Fprintf(os.Stderr, "\n%d/%d, about %v left: %v\n", i+1, len(left), rest.Round(time.Second), j)
			r := measure(ctx, place, j, os.Stderr)
			if ctx.Err() != nil {
				t.Fatalf("interrupted; the same command goes on from here")
			}
			if err := s.add(r); err != nil {
				t.Fatalf("%v", err)
			}
			if r.Failure != "" {
				failed++
			}
			fmt.Fprintf(os.Stderr, "  %s\n", r.line())
			passed += j.estimate()
		}
	})
	if err == nil && failed > 0 {
		err = fmt.Errorf("%d runs gave no figures; the same command tries them again", failed)
		return errors.Join(err, o.report(b, s))
	}
	return err
}

// line says in short what a job showed.
func (r result) line() string {
	if r.Failure != "" {
		return "FAILED: " + r.Failure
	}
	text := fmt.Sprintf("%v, %s connected/s", r.Took.Round(time.Second), count(r.Report.Clients.PerSecond))
	for i, p := range r.Report.Phases {
		switch p.Pattern {
		case "idle":
			text += fmt.Sprintf("; idle %s B user, %s B kernel", count(float64(r.Memory.User)/float64(r.Clients)), count(float64(r.Memory.Kernel)/float64(r.Clients)))
		case "steady":
			text += fmt.Sprintf("; p50 %.1f p99 %.1f ms", p.Latency.P50, p.Latency.P99)
		default:
			text += fmt.Sprintf("; %s %s/s", p.Pattern, count(p.DeliveriesPerSecond.Median))
		}
		if i < len(r.Server) && r.Server[i].Took > 0 {
			text += fmt.Sprintf(" (server %.0f %% CPU)", 100*r.Server[i].Seconds/r.Server[i].Took)
		}
		if p.CPU.Bottleneck {
			text += " (the generator was the bottleneck)"
		}
	}
	if e := r.Report.Events; e.Lost+e.Repeated+e.OutOfOrder > 0 {
		text += fmt.Sprintf("; LOST %d, repeated %d, out of order %d", e.Lost, e.Repeated, e.OutOfOrder)
	}
	return text
}
