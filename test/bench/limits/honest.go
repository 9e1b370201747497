//go:build linux

package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"parkwire/test/e2e/stack"
)

var spots = []string{"A-1", "A-2", "A-3", "A-4"}

// An honest client reads and writes at a steady rate, whatever becomes of what it asked before: a request that has to wait for its turn counts
// from when it should have been sent.
type honest struct {
	api  stack.API
	rate int // a second

	mu          sync.Mutex
	read, wrote []time.Duration
	lost        int
}

const warmUp = 3 * time.Second // that is not counted: the flood takes its burst

func (h *honest) run(ctx context.Context) {
	var asked sync.WaitGroup
	defer asked.Wait()
	began := time.Now()
	for i := 0; ; i++ {
		due := began.Add(time.Duration(i) * time.Second / time.Duration(h.rate))
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(due)):
		}
		asked.Go(func() { h.ask(i, due, due.Sub(began) > warmUp) })
	}
}

// ask makes one request: every fourth changes a spot, which one at a time does.
func (h *honest) ask(i int, due time.Time, counts bool) {
	spot := spots[i/8%len(spots)]
	writes := i%4 == 3
	method, path := "GET", "/api/v1/spots/"+spot
	if writes {
		method, path = "POST", fmt.Sprintf("/api/v1/spots/%s/%s", spot, []string{"occupy", "release"}[i/4%2])
	}
	answer, err := h.api.Try(method, path, nil)
	took := time.Since(due)
	if !counts {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case err != nil || answer.Status >= 300:
		h.lost++
	case writes:
		h.wrote = append(h.wrote, took)
	default:
		h.read = append(h.read, took)
	}
}

// quantiles of some times, in milliseconds.
type quantiles struct {
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
	Most float64 `json:"most"`
}

func quantilesOf(all []time.Duration) quantiles {
	if len(all) == 0 {
		return quantiles{}
	}
	slices.Sort(all)
	at := func(share float64) float64 {
		return float64(all[min(int(share*float64(len(all))), len(all)-1)].Microseconds()) / 1000
	}
	return quantiles{at(0.5), at(0.99), at(1)}
}

// String is three cells of a table.
func (q quantiles) String() string { return fmt.Sprintf("%.1f | %.1f | %.1f", q.P50, q.P99, q.Most) }
