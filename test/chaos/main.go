// Chaos runs Parkwire as it is run in production, with many processes on real servers, and kills, stops, cuts off and floods them
// while "parkwire verify" writes and listens. Whatever is done, no client may lose an event, get one twice, or out of order.
//
//	go run ./test/chaos               every scenario in its short form
//	go run ./test/chaos -long         as long as the figures take that docs/chaos.md shows
//	go run ./test/chaos -list         what there is
//	go run ./test/chaos storm random  some of them
//
// It needs what docs/chaos.md lists, starts everything itself, and ends everything that it started.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"parkwire/test/e2e/stack"
)

// options are the command line, and what all trials share.
type options struct {
	long    bool
	verbose bool
	keepAll bool
	slack   int
	seed    uint64
	kills   int
	clients int
	storm   int
	again   int
	json    string
	logs    string

	began       time.Time
	progress    io.Writer
	verifyFlags string
	platformT   stack.T
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	o := &options{began: time.Now(), progress: os.Stderr}
	flags := flag.NewFlagSet("chaos", flag.ExitOnError)
	list := flags.Bool("list", false, "print the scenarios, what they show, and how long they take")
	flags.BoolVar(&o.long, "long", false, "run the long form, and judge how long everything takes")
	flags.BoolVar(&o.verbose, "v", false, "print more of what happens")
	flags.BoolVar(&o.keepAll, "keep", false, "keep the logs of every scenario, not only of failed ones")
	flags.IntVar(&o.slack, "slack", 0, "how many times as long as promised things may take; 0: 1 in the long form, 4 in the short one")
	flags.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()%1_000_000), "of the random scenario: the same seed makes the same faults")
	flags.IntVar(&o.kills, "kills", 0, "of the random scenario; 0: 8, or 100 in the long form")
	flags.IntVar(&o.clients, "clients", 0, "of the random scenario; 0: 100, or 1000 in the long form")
	flags.IntVar(&o.storm, "storm", 0, "clients of the storm; 0: 1000, or 10000 in the long form")
	flags.IntVar(&o.again, "again", 0, "how many times more to run a scenario that failed though every client got everything once and in order: on a busy machine a fault or a recovery may have come too late")
	flags.StringVar(&o.json, "json", "", "file for the results as JSON")
	flags.StringVar(&o.logs, "logs", filepath.Join(os.TempDir(), "parkwire-chaos-logs"), "folder for what the processes of a failed scenario said")
	flags.Parse(args)
	if o.slack == 0 {
		o.slack = 4
		if o.long {
			o.slack = 1
		}
	}
	if *list {
		return printList(os.Stdout)
	}
	chosen, err := choice(flags.Args())
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	var rows []row
	err = stack.Script(func(t stack.T) { rows = o.runAll(ctx, t, chosen) })
	if len(rows) > 0 {
		table(os.Stdout, rows)
		if o.json != "" {
			err = errors.Join(err, writeJSON(o.json, o.began, o, rows))
		}
	}
	failed := 0
	for _, r := range rows {
		if !r.OK && !r.Repeat {
			failed++
		}
	}
	switch {
	case err != nil:
		return err
	case ctx.Err() != nil:
		return errors.New("interrupted")
	case failed > 0:
		return fmt.Errorf("%d of %d scenarios failed", failed, len(rows))
	}
	fmt.Printf("\nOK: %d scenarios in %v\n", len(rows), time.Since(o.began).Round(time.Second))
	return nil
}

func (o *options) runAll(ctx context.Context, t stack.T, chosen []scenario) (rows []row) {
	o.platformT = t
	dir := os.Getenv("KIT_DIR")
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "parkwire-chaos-"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
	}
	fmt.Fprintf(o.progress, "building Parkwire and starting the servers (in %s)\n", dir)
	stack.Binary(t)
	o.verifyFlags = verifyFlags(t)
	p := startPlatform(t, startServers(t, dir))
	for _, s := range chosen {
		if ctx.Err() != nil {
			break
		}
		try := func() row {
			trial := &trial{options: o, p: p, name: s.name, ctx: ctx, dir: t.TempDir()}
			trial.perform(s)
			return trial.row
		}
		for again := o.again; ; again-- {
			r := try()
			r.Repeat = !r.OK && again > 0 && r.intact() && ctx.Err() == nil
			rows = append(rows, r)
			if !r.Repeat {
				break
			}
		}
	}
	return rows
}

// choice finds scenarios by their names; without any it is all of them.
func choice(names []string) ([]scenario, error) {
	if len(names) == 0 {
		return scenarios, nil
	}
	var chosen []scenario
	for _, name := range names {
		i := slices.IndexFunc(scenarios, func(s scenario) bool { return s.name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no scenario %q: see -list", name)
		}
		chosen = append(chosen, scenarios[i])
	}
	return chosen, nil
}

func printList(out io.Writer) error {
	var short, long time.Duration
	for _, s := range scenarios {
		short, long = short+s.short, long+s.long
		fmt.Fprintf(out, "%-18s %6s %8s  %s\n", s.name, text(s.short), text(s.long), s.shows)
	}
	_, err := fmt.Fprintf(out, "%-18s %6s %8s  and %s for starting; the second figure is that of -long\n", "all", text(short), text(long), text(starting))
	return err
}

// starting is how long it takes to build and start everything, about.
const starting = 20 * time.Second

func text(d time.Duration) string {
	if d%time.Minute == 0 {
		return fmt.Sprintf("%dm", int(d.Minutes()))
	}
	return d.String()
}
