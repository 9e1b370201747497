package main

import (
	"cmp"
	"math"
	"slices"
	"time"

	"parkwire/internal/load"
)

// data are the results that a report is about.
type data struct {
	results []result
	sizes
	absent map[string]string
}

// of are the results of a measurement, of one contender or (empty) of all.
func (d data) of(measure, contender string) (found []result) {
	for _, r := range d.results {
		if r.Measure == measure && (contender == "" || r.Contender == contender) {
			found = append(found, r)
		}
	}
	return found
}

// figures takes one figure out of each round.
func (d data) figures(measure, contender string, of func(result) float64) figures {
	all := figures{}
	for _, r := range d.of(measure, contender) {
		if v := of(r); !math.IsNaN(v) {
			all[r.Round] = v
		}
	}
	return all
}

// names are the contenders that have results of a measurement, best median first.
func (d data) names(measure string, of func(result) float64, bestIsMost bool) (names []string) {
	medians := map[string]float64{}
	for _, r := range d.of(measure, "") {
		if _, known := medians[r.Contender]; !known {
			if m := d.figures(measure, r.Contender, of).spread().median; !math.IsNaN(m) {
				medians[r.Contender] = m
				names = append(names, r.Contender)
			}
		}
	}
	slices.SortStableFunc(names, func(a, b string) int {
		if bestIsMost {
			a, b = b, a
		}
		return cmp.Compare(medians[a], medians[b])
	})
	return names
}

// deliveries is the median of a round's events or bursts, in deliveries a second.
func deliveries(pattern string) func(result) float64 {
	return func(r result) float64 {
		if p, ok := r.Report.phase(pattern); ok && p.DeliveriesPerSecond.Median > 0 {
			return p.DeliveriesPerSecond.Median
		}
		return math.NaN()
	}
}

// cpuPerDelivery is the server's CPU time for one delivery in a phase, in microseconds.
func cpuPerDelivery(pattern string) func(result) float64 {
	return func(r result) float64 {
		p, ok := r.Report.phase(pattern)
		u, known := r.usage(pattern)
		if !ok || !known || p.Delivered == 0 {
			return math.NaN()
		}
		return u.Seconds * 1e6 / float64(p.Delivered)
	}
}

// beyondIdle is the same without what the server does while nothing is published: with very many clients, their pings.
func beyondIdle(pattern string) func(result) float64 {
	return func(r result) float64 {
		p, _ := r.Report.phase(pattern)
		u, _ := r.usage(pattern)
		return cpuPerDelivery(pattern)(r) - r.idle()*u.Took*1e6/float64(p.Delivered)
	}
}

// idle is how many cores the server's processes take while nothing is published; not a number where that was not measured.
func (r result) idle() float64 {
	u, _ := r.usage("idle")
	return u.Seconds / u.Took
}

func (r result) usage(pattern string) (usage, bool) {
	i := slices.IndexFunc(r.Server, func(u usage) bool { return u.Pattern == pattern })
	if i < 0 {
		return usage{}, false
	}
	return r.Server[i], true
}

// userMemory is what a connection costs in a server's own memory, in bytes.
func userMemory(r result) float64 { return perClient(r, r.Memory.User) }

func perClient(r result, bytes int64) float64 {
	if _, idle := r.Report.phase("idle"); !idle || r.Report.Clients.Connected == 0 {
		return math.NaN()
	}
	return float64(bytes) / float64(r.Report.Clients.Connected)
}

// kernelMemory is the server's part of what a connection costs the kernel: of both ends less the client's, which is the same for all
// contenders and is taken to be half of what the C loop and its clients take together (or half, where it was not measured).
func (d data) kernelMemory(r result) float64 {
	both := perClient(r, r.Memory.Kernel)
	plain := d.figures(r.Measure, limit, func(r result) float64 { return perClient(r, r.Memory.Kernel) }).spread().median
	if math.IsNaN(plain) {
		return both / 2
	}
	return both - plain/2
}

func latency(of func(load.Phase) float64) func(result) float64 {
	return func(r result) float64 {
		if p, ok := r.Report.phase("steady"); ok {
			return of(p)
		}
		return math.NaN()
	}
}

// bottleneck counts the phases of a pattern in which the generator says that it was what limited them, and why.
func (d data) bottleneck(measure, contender, pattern string) (of, all int, why string) {
	for _, r := range d.of(measure, contender) {
		if p, ok := r.Report.phase(pattern); ok {
			all++
			if p.CPU.Bottleneck {
				of++
				why = p.CPU.Why
			}
		}
	}
	return of, all, why
}

// span is from the first to the last result.
func (d data) span() (from, to time.Time) {
	for _, r := range d.results {
		if from.IsZero() || r.When.Before(from) {
			from = r.When
		}
		if r.When.After(to) {
			to = r.When
		}
	}
	return from, to
}

// wrong sums up what was not delivered as it should.
func (d data) wrong(measure, contender string) (lost, repeated, unordered uint64) {
	for _, r := range d.of(measure, contender) {
		e := r.Report.Events
		lost, repeated, unordered = lost+e.Lost, repeated+e.Repeated, unordered+e.OutOfOrder
	}
	return lost, repeated, unordered
}
