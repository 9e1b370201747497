//go:build linux

// Rebuild measures how fast the services that read the log make their databases of it: the whole log of a million events, by the history, audit and alerts
// services, on SQLite and on PostgreSQL, beside reading the log alone. Rounds alternate between all.
//
//	go run ./test/bench/rebuild            with the embedded broker, and write docs/consumers.md
//	go run ./test/bench/rebuild -kafka     with real Kafka too
//	go run ./test/bench/rebuild -quick     does it work here? (writes nothing)
//
// It starts and ends PostgreSQL and Kafka itself, with test/kit.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"parkwire/test/e2e/stack"
)

type settings struct {
	events, spots, rounds int
	kafka, quick          bool
	only, to              string
}

func main() {
	var s settings
	flag.IntVar(&s.events, "events", 1_000_000, "events in the log")
	flag.IntVar(&s.spots, "spots", 5_000, "spots that they are of")
	flag.IntVar(&s.rounds, "rounds", 3, "rounds, in each of which every contender has its turn")
	flag.BoolVar(&s.kafka, "kafka", false, "measure with real Kafka too")
	flag.BoolVar(&s.quick, "quick", false, "one round of 20,000 events, and no report")
	flag.StringVar(&s.only, "only", "", "contenders whose name begins so; reading alone is always there")
	flag.StringVar(&s.to, "to", filepath.Join(stack.Root(), "docs", "consumers.md"), "the document that holds the figures")
	flag.Parse()
	if s.quick {
		s.events, s.spots, s.rounds = 20_000, 500, 1
	}
	if err := s.run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "rebuild:", err)
		os.Exit(1)
	}
}

// A figure is how long one rebuild took.
type figure time.Duration

// results are the figures of one kind of log by contender, a round each.
type results struct {
	title   string
	figures map[string][]figure
}

func (s settings) run(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "parkwire-rebuild-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // PostgreSQL runs as another user
		return err
	}
	kit := kit{dir: filepath.Join(dir, "kit")}
	defer kit.end()
	postgres, err := kit.start("postgres.sh", "start")
	if err != nil {
		return err
	}
	began := time.Now()
	var all []results
	embedded, err := startEmbedded(ctx, filepath.Join(dir, "broker"))
	if err != nil {
		return err
	}
	all, err = s.with(ctx, all, "embedded broker", embedded.Addr(), dir, postgres)
	if err := closeWith(err, embedded.Close); err != nil {
		return err
	}
	if s.kafka {
		brokers, err := kit.start("kafka.sh", "start", "1")
		if err != nil {
			return err
		}
		if all, err = s.with(ctx, all, "Kafka, one node", brokers, dir, postgres); err != nil {
			return err
		}
	}
	text := s.report(all, began)
	fmt.Print(text)
	if s.quick || s.only != "" {
		return nil
	}
	return put(s.to, text)
}

// with measures all contenders with one kind of log.
func (s settings) with(ctx context.Context, all []results, title, brokers, dir, postgres string) ([]results, error) {
	log, err := openLog(ctx, strings.Split(brokers, ","))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	fmt.Fprintf(os.Stderr, "%s: writing %d events\n", title, s.events)
	facts, err := s.fill(ctx, log)
	if err != nil {
		return nil, fmt.Errorf("writing the log: %w", err)
	}
	r := results{title, map[string][]figure{}}
	contenders := contenders()
	for round := range s.rounds {
		for i := range contenders {
			c := contenders[(i+round)%len(contenders)] // who comes behind whom is not always the same
			if s.only != "" && !strings.HasPrefix(c.name, s.only) && c.service != nil {
				continue
			}
			took, err := c.measure(ctx, turn{log: log, brokers: brokers, facts: facts, dir: dir, postgres: postgres, round: round})
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			fmt.Fprintf(os.Stderr, "%s, round %d: %-16s %9.0f events/s\n", title, round+1, c.name, float64(facts.events)/took.Seconds())
			r.figures[c.name] = append(r.figures[c.name], figure(took))
		}
	}
	return append(all, r), nil
}

func closeWith(err error, end func() error) error {
	if ended := end(); err == nil {
		return ended
	}
	return err
}

// kit starts servers in a folder of its own.
type kit struct {
	dir     string
	started []string
}

// start returns the last line that a script prints: the address.
func (k *kit) start(script string, args ...string) (string, error) {
	k.started = append(k.started, script)
	out, err := k.command(script, args...).Output()
	if err != nil {
		return "", fmt.Errorf("test/kit/%s: %w", script, err)
	}
	lines := strings.Fields(string(out))
	if len(lines) == 0 {
		return "", fmt.Errorf("test/kit/%s printed no address", script)
	}
	return lines[len(lines)-1], nil
}

func (k *kit) command(script string, args ...string) *exec.Cmd {
	command := exec.Command(filepath.Join(stack.Root(), "test", "kit", script), args...)
	// As safe as in production: every commit reaches the disk, as with SQLite.
	command.Env = append(os.Environ(), "KIT_DIR="+k.dir, "KIT_POSTGRES_FSYNC=on")
	command.Stderr = os.Stderr
	return command
}

func (k *kit) end() {
	for _, script := range slices.Backward(k.started) {
		_ = k.command(script, "wipe").Run() // the folder goes too
	}
}
