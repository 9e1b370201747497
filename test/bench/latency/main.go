//go:build linux

// Latency measures the time from a REST request to the client's frame, at a steady rate of changes and with many
// WebSocket clients, on Parkwire and beside it on a stack of kafkajs, ioredis and ws that reads the same topic
// in the same run. Rounds alternate between the two, so that both meet the same machine in the same mood.
//
//	go run ./test/bench/latency
//
// A change is written to Parkwire in either case; what differs is where the clients are connected. Only the side
// that is measured has clients. By default Parkwire is one process and the other stack reads its embedded Kafka;
// with -distributed and PARKWIRE_TEST_KAFKA_BROKERS and so on both use the real servers.
//
// The clients are one thread of this process with raw sockets. It says how busy it was: a figure taken while it was
// the bottleneck is a figure about it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"parkwire/test/bench/machine"
	"parkwire/test/e2e/stack"
)

type settings struct {
	peer        string
	clients     int
	rate        int
	length      time.Duration
	rounds      int
	distributed bool
}

func main() {
	var s settings
	flag.StringVar(&s.peer, "peer", filepath.Join(stack.Root(), "..", "shared", "peers", "seedstack"), "folder of the stack to compare with; empty: none")
	flag.IntVar(&s.clients, "clients", 1000, "WebSocket clients")
	flag.IntVar(&s.rate, "rate", 60, "changes a second")
	flag.DurationVar(&s.length, "length", 6*time.Second, "length of one round, of which the first second is not counted")
	flag.IntVar(&s.rounds, "rounds", 3, "rounds on each side")
	flag.BoolVar(&s.distributed, "distributed", false, "one process for each part, on real servers, instead of one process for all")
	flag.Parse()
	if err := stack.Script(s.run); err != nil {
		fmt.Fprintln(os.Stderr, "latency:", err)
		os.Exit(1)
	}
}

// A side is a server to which the clients connect.
type side struct {
	name    string
	address string // host:port of /notifications
	pids    []int  // of its own processes, for their CPU time
	results []result
}

func (s settings) run(t stack.T) {
	platform := s.start(t)
	sides := []*side{{name: "parkwire", address: platform.Instances()[0][len("http://"):]}}
	for _, n := range processes(platform) {
		sides[0].pids = append(sides[0].pids, n.PID())
	}
	if s.peer != "" {
		sides = append(sides, startPeer(t, s.peer, platform))
	}
	w := newWriter(t, platform.API, s.rate)
	for round := range s.rounds {
		for _, side := range sides {
			r := s.round(t, side, w)
			side.results = append(side.results, r)
			fmt.Printf("round %d  %-9s %s\n", round+1, side.name, r)
		}
	}
	s.summary(sides)
}

// start starts Parkwire. Its rate limits are lifted: the writer is one client on purpose.
func (s settings) start(t stack.T) *stack.Stack {
	if !s.distributed {
		return stack.Embedded(t, "--rate-limit", "0")
	}
	platform := stack.Assemble(t, stack.RealServers(t), stack.Layout{Gateways: 1, Parking: 1, Live: 1}, "--rate-limit", "0")
	platform.StartAll(t)
	platform.WaitAllReady(t)
	return platform
}

func processes(s *stack.Stack) []*stack.Node {
	if s.One != nil {
		return []*stack.Node{s.One}
	}
	return s.Nodes()
}

// round connects the clients to one side and measures for a while.
func (s settings) round(t stack.T, side *side, w *writer) result {
	clients, err := connect(side.address, s.clients)
	if err != nil {
		t.Fatalf("connecting %d clients to %s: %v", s.clients, side.name, err)
	}
	defer clients.close()
	before := machine.Usage(side.pids)
	stop := make(chan struct{})
	done := make(chan error, 1)
	go func() { done <- clients.read(stop) }()
	began := time.Now()
	sent := w.write(s.length)
	took := time.Since(began)
	time.Sleep(500 * time.Millisecond) // for the last frames
	close(stop)
	if err := errors.Join(<-done, w.err()); err != nil {
		t.Fatalf("measuring %s: %v", side.name, err)
	}
	r := result{clients: s.clients, took: took, busy: machine.Usage(side.pids).Since(before), reader: clients.cpu}
	counted := began.Add(time.Second)
	for _, change := range sent {
		if change.at.After(counted) {
			r.expected += s.clients
		}
	}
	for _, frame := range clients.frames {
		if change, ours := w.find(frame.spot, frame.version); ours && change.at.After(counted) {
			r.latencies = append(r.latencies, frame.at.Sub(change.at))
		}
	}
	slices.Sort(r.latencies)
	return r
}
