package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"parkwire/test/e2e/stack"
)

// memory is what connections cost, in bytes, from before the first client to the end of the idle phase.
type memory struct {
	User   int64 `json:"user"`            // of the server's processes: growth of what is their own
	Kernel int64 `json:"kernel"`          // of both ends: growth of slab, stacks, page tables and socket buffers
	Used   int64 `json:"used"`            // the same seen otherwise: growth of what is neither free, cache, nor a process's own
	Base   int64 `json:"base"`            // of the server's processes before the first client
	Front  int64 `json:"front,omitempty"` // like User, of what stands before the server
}

// usage is the CPU time of the server in a phase.
type usage struct {
	Pattern string  `json:"pattern"`
	Seconds float64 `json:"seconds"` // of CPU
	Front   float64 `json:"front,omitempty"`
	Took    float64 `json:"took"` // how long the phase was
}

// drained is when few enough connections wait in TIME_WAIT: their memory, given back meanwhile, would be taken from that of new ones.
const drained = 5_000

// measure runs one job on a contender that it starts and ends.
func measure(ctx context.Context, s *site, j job, log *os.File) result {
	began := time.Now()
	r := result{job: j, When: began.UTC()}
	err := stack.Script(func(t stack.T) {
		awaitDrained(ctx)
		own := s.forJob(t, fmt.Sprintf("%s-%s-%d-%d", j.Measure, j.Contender, j.Round, began.UnixMilli()))
		c := contenderNamed(j.Contender)
		g := c.start(own, j)
		started := time.Since(began)
		probe(own, c, g)
		fmt.Fprintf(log, "  started in %.1f s, delivers after %.1f s\n", started.Seconds(), time.Since(began).Seconds())
		time.Sleep(time.Second) // what the start left behind has settled
		w := watch(g.pids(), g.front)
		report, err := generate(ctx, own, c, g, j, log)
		seen := w.end()
		if err != nil {
			t.Fatalf("%v", err)
		}
		r.Report = report
		r.Server, r.Memory = cut(report, seen)
	})
	if err != nil {
		r.Failure = err.Error()
	}
	r.Took = time.Since(began).Round(time.Millisecond)
	return r
}

// cut takes out of what was seen of the server what belongs to each phase.
func cut(r report, seen history) (server []usage, m memory) {
	for _, p := range r.Phases {
		from, to := seen.at(time.Unix(0, p.Began)), seen.at(time.Unix(0, p.Ended))
		server = append(server, usage{
			Pattern: p.Pattern, Took: float64(p.Ended-p.Began) / 1e9, Seconds: (to.cpu - from.cpu).Seconds(), Front: (to.front - from.front).Seconds(),
		})
		if p.Pattern == "idle" {
			before := seen[0]
			m = memory{User: to.rss - before.rss, Kernel: to.kernel - before.kernel, Used: to.used - before.used, Base: before.rss, Front: to.ahead - before.ahead}
		}
	}
	return server, m
}

// awaitDrained waits until connections of before have given back their ports, for two minutes at most.
func awaitDrained(ctx context.Context) {
	for deadline := time.Now().Add(2 * time.Minute); ; {
		if waiting, _ := sockets(); waiting < drained || time.Now().After(deadline) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
	}
}
