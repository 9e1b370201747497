//go:build linux

// Sizing measures what each process of a distributed Parkwire needs, by the number of clients and of changes a second, and derives from that
// a model by which other sizes are told: every service in a process of its own on real servers, changes sent by sensors through the
// gateway, and clients that each follow one lot.
//
//	go run ./test/bench/sizing           1,000, 10,000 and 50,000 clients, 6, 60 and 750 changes a second, and write docs/sizing.md
//	go run ./test/bench/sizing -quick    does it work here? (writes nothing)
//
// It needs the servers of "make servers" by their variables, and takes about ten minutes.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"parkwire/test/e2e/stack"
)

// settings are what is measured.
type settings struct {
	clients []int // at once, each on one lot
	rates   []int // changes a second
	lots    int
	spots   int // of each lot
	settle  time.Duration
	length  time.Duration // of one measurement
	to      string        // the page; empty: none is written
}

func main() {
	s := settings{clients: []int{1_000, 10_000, 50_000}, rates: []int{6, 60, 750}}
	flag.Var((*numbers)(&s.clients), "clients", "clients at once, with commas between")
	flag.Var((*numbers)(&s.rates), "rates", "changes a second, with commas between")
	flag.IntVar(&s.lots, "lots", 200, "lots; each client follows one of them")
	flag.IntVar(&s.spots, "spots", 50, "spots of each lot")
	flag.DurationVar(&s.settle, "settle", 8*time.Second, "how long changes come before it is measured")
	flag.DurationVar(&s.length, "length", 30*time.Second, "length of one measurement")
	flag.StringVar(&s.to, "to", filepath.Join(stack.Root(), "docs", "sizing.md"), "the page")
	quick := flag.Bool("quick", false, "few clients and a short time, and no page")
	flag.Parse()
	if *quick {
		s.clients, s.lots, s.settle, s.length, s.to = []int{200, 1_000}, 20, 2*time.Second, 4*time.Second, ""
	}
	if err := s.check(); err != nil {
		fmt.Fprintln(os.Stderr, "sizing:", err)
		os.Exit(2)
	}
	var points []point
	err := stack.Script(func(t stack.T) { points = s.measure(t) })
	if err == nil {
		err = s.report(points)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "sizing:", err)
		os.Exit(1)
	}
}

func (s settings) check() error {
	switch {
	case len(s.clients) == 0 || len(s.rates) == 0:
		return fmt.Errorf("-clients and -rates: at least one number each")
	case s.lots < 1 || s.spots < 1:
		return fmt.Errorf("-lots and -spots: at least 1")
	case s.length < time.Second:
		return fmt.Errorf("-length: at least 1s, since the kernel tells CPU time in steps of 10 ms")
	}
	return nil
}

// numbers is a flag that holds a list.
type numbers []int

func (n *numbers) String() string {
	var all []string
	for _, one := range *n {
		all = append(all, strconv.Itoa(one))
	}
	return strings.Join(all, ",")
}

func (n *numbers) Set(text string) error {
	*n = nil
	for one := range strings.SplitSeq(text, ",") {
		value, err := strconv.Atoi(strings.TrimSpace(one))
		if err != nil || value < 1 {
			return fmt.Errorf("%q is not a number from 1 on", one)
		}
		*n = append(*n, value)
	}
	return nil
}
