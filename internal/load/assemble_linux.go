package load

import (
	"maps"
	"time"

	"parkwire/internal/event"
)

// report puts together what is known at the end.
func (r *runner) report(results []result, interrupted bool) Report {
	_, kind, _ := parsePublish(r.Publish)
	out := Report{
		Interrupted: interrupted, Run: r.Run, Began: event.At(r.began), Seconds: time.Since(r.began).Seconds(), URLs: r.URLs, Protocol: r.Protocol,
		Publish: kind, Pattern: r.Pattern, Lots: r.Lots, Sched: r.Sched, Processes: len(r.pool.children), Hardware: hardware(),
		Phases: r.phases, Rounds: []Round{}, Cuts: r.cuts, Samples: r.series.samples, Histogram: bucketsOf(r.latency),
		Bytes: len(appendEvent(nil, r.Run, 1, 1, r.began, r.Size, false)),
	}
	for _, pattern := range r.patterns() {
		switch pattern {
		case burst:
			out.Burst = r.Burst
		case steady, waves, storm:
			out.Rate = r.Rate
		}
	}
	out.Clients = Clients{
		Wanted: r.Clients, Connected: r.open(), Ever: r.ever(), Lost: sum(r.board, func(c *counts) int64 { return c.closed.Load() }),
		ConnectSeconds: r.connecting.Seconds(), PerSecond: float64(r.connected) / max(r.connecting, 1).Seconds(),
	}
	var total tally
	for _, one := range results {
		total.include(*one.Tally)
	}
	out.Events = Events{
		Published: r.published, Expected: total.Expected, Delivered: total.Delivered, Lost: total.Lost, Repeated: total.Repeated,
		OutOfOrder: total.OutOfOrder, Strange: total.Strange, Missed: total.Missed,
		Frames: sum(r.board, func(c *counts) uint64 { return c.frames.Load() }), Bytes: sum(r.board, func(c *counts) uint64 { return c.bytes.Load() }),
	}
	if r.listening() {
		out.Events.Published = out.Samples[len(out.Samples)-1].Published
	}
	for i := range out.Phases {
		p := &out.Phases[i]
		p.DeliveriesPerSecond = spreadOf(p.Rounds, during(out.Samples, p, r.began))
		out.Rounds, out.DeliveriesPerSecond, out.Latency, out.CPU = p.Rounds, p.DeliveriesPerSecond, p.Latency, p.CPU
	}
	r.pool.mu.Lock()
	out.Endings = maps.Clone(r.pool.endings)
	r.pool.mu.Unlock()
	failed := ""
	if r.failed != nil {
		failed = r.failed.Error()
	}
	out.judge(r.gaveUp, failed)
	return out
}

func (p *pool) endingsText() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return endingsText(p.endings)
}

// refusedText is for the progress: how many tries to connect were refused.
func (p *pool) refusedText() string {
	if text := p.endingsText(); text != "" {
		return "; " + text
	}
	return ""
}
