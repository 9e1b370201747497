//go:build linux

// Leak connects to one notification process and leaves again, a million times and in every way in which clients leave, and compares its memory,
// goroutines and files before and after.
//
//	go run ./test/bench/leak
//	go run ./test/bench/leak -engine epoll -connects 200000
//
// The process is one of its own, behind a whole platform on embedded servers that writes changes all the while, so that connections end with
// frames in flight. After a round of warming up, in which pools and tables grow to their size, and after each further
// round everything is closed, and the figures are taken when the process has noticed. It fails where they do not come back.
package main

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"parkwire/test/e2e/stack"
)

type settings struct {
	engine   string
	connects int
	rounds   int
	workers  int
	sources  int
	spots    int
	rate     int
	limit    time.Duration
}

func main() {
	var s settings
	flag.StringVar(&s.engine, "engine", "", "setting live-engine of the process; empty: its default")
	flag.IntVar(&s.connects, "connects", 1_000_000, "connections in all rounds, besides those of the warming up")
	flag.IntVar(&s.rounds, "rounds", 10, "after how many parts of them it is looked whether everything is back")
	flag.IntVar(&s.workers, "workers", 128, "connections at a time")
	flag.IntVar(&s.sources, "sources", 16, "addresses from which they come, 127.0.1.1 and following")
	flag.IntVar(&s.spots, "spots", 300, "spots, all of which a snapshot holds")
	flag.IntVar(&s.rate, "rate", 50, "changes a second")
	flag.DurationVar(&s.limit, "limit", 20*time.Minute, "when to give up")
	flag.Parse()
	if err := stack.Script(s.run); err != nil {
		fmt.Fprintln(os.Stderr, "leak:", err)
		os.Exit(1)
	}
}

func (s settings) run(t stack.T) {
	stopped := make(chan struct{})
	defer close(stopped)
	go func() {
		select {
		case <-stopped:
		case <-time.After(s.limit):
			fmt.Fprintf(os.Stderr, "leak: not ready after %v\n", s.limit)
			os.Exit(1)
		}
	}()
	platform := s.start(t)
	live := platform.Live[0]
	ids := make([]string, s.spots)
	for i := range ids {
		ids[i] = fmt.Sprintf("leak-%03d", i)
	}
	through := stack.ListenWebSocket(t, platform.URL, nil) // the gateway, so that it is a client of the process all the time
	platform.AddLot(t, "leak", ids...)
	through.Count(t, len(ids))
	stop := changes(t, platform, ids, s.rate)
	defer stop()

	c := newCrowd(strings.TrimPrefix(live.URL, "http://"), func() string {
		frames := through.Frames()
		return frames[len(frames)-20].Cursor
	}, s.workers, s.sources)
	w := &watch{node: live}
	fmt.Printf("%s: %d connections, %d at a time, %d changes a second\n", w.engine(t), s.connects, s.workers, s.rate)
	fmt.Printf("%-8s %11s %9s %9s %9s %11s %6s\n", "", "connections", "a second", "RSS MB", "heap MB", "goroutines", "files")
	row := func(name string, rate float64, f figures) {
		fmt.Printf("%-8s %11d %9.0f %9.1f %9.2f %11d %6d\n", name, c.total(), rate, f.rss, f.heap, f.goroutines, f.files)
	}
	row("start", 0, w.figures(t))
	rate := c.run(t, max(s.connects/s.rounds, 10_000))
	before := w.settled(t, figures{})
	row("warm", rate, before)
	c.forget()
	var after figures
	for round := range s.rounds {
		rate := c.run(t, s.connects/s.rounds)
		after = w.settled(t, before)
		row(strconv.Itoa(round+1), rate, after)
	}
	c.report()
	if reason := after.leaked(before); reason != "" {
		t.Fatalf("after %d connections %s", c.total(), reason)
	}
}

func (s settings) start(t stack.T) *stack.Stack {
	all := stack.Embedded(t)
	platform := stack.Assemble(t, stack.Servers{Kafka: all.Kafka}, stack.Layout{Gateways: 1, Parking: 1, Live: 1, Env: func(name string) []string {
		env := []string{"PARKWIRE_LIVE_FANOUT=kafka", "PARKWIRE_REDIS_URL="}
		if name != "notifications 1" {
			return env
		}
		// A small memory of recent events is full before the first figures are taken.
		env = append(env, "PARKWIRE_LIVE_HANDSHAKE_RATE=1000000", "PARKWIRE_LIVE_MEMORY=1MiB", "PARKWIRE_LOG_LEVEL=warn")
		if s.engine != "" {
			env = append(env, "PARKWIRE_LIVE_ENGINE="+s.engine)
		}
		return env
	}}, "--rate-limit", "0")
	platform.StartAll(t)
	platform.WaitAllReady(t)
	return platform
}

// changes lets spots become occupied and free until it is stopped.
func changes(t stack.T, platform *stack.Stack, ids []string, rate int) (stop func()) {
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(time.Second / time.Duration(max(rate, 1)))
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-quit:
				return
			case <-tick.C:
			}
			action := []string{"occupy", "release"}[i/len(ids)%2]
			if _, err := platform.Try("POST", "/api/v1/spots/"+ids[i%len(ids)]+"/"+action, nil); err != nil {
				t.Logf("a change failed: %v", err)
			}
		}
	}()
	return func() { close(quit); <-ended }
}
