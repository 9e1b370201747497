package main

import (
	"fmt"
	"math"
	"strings"

	"parkwire/internal/load"
)

// goals is the section that compares what was to be shown with what was measured. Parkwire's loop is the one it takes by itself where
// the kernel has io_uring.
func (p *page) goals() {
	const ours = "parkwire-io_uring"
	var rows [][]string
	add := func(what, least string, parts []string, met bool) {
		verdict := "no"
		if met {
			verdict = "yes"
		}
		rows = append(rows, []string{what, least, strings.Join(parts, "; "), verdict})
	}
	lone, burst := deliveries("lone"), deliveries("burst")
	by := func(of func(result) float64, other string) float64 {
		return ratio(p.figures(fanout, ours, of), p.figures(fanout, other, of)).median
	}
	if f := p.figures(fanout, ours, lone); len(f) > 0 {
		others, more := []string{"nbio", "gws", "gorilla"}, true
		parts := []string{times(by(lone, limit)) + " of the C loop", times(by(lone, nodeWS)) + " × Node `ws`", times(by(lone, centrifuge)) + " × centrifuge"}
		for _, o := range others {
			v := by(lone, o)
			more = more && v > 1
			parts = append(parts, times(v)+" × "+o)
		}
		add("one event to all", "0.80 of the C loop, 1.5 × Node `ws`, 2 × centrifuge; more than nbio, gws, gorilla", parts,
			by(lone, limit) >= 0.8 && by(lone, nodeWS) >= 1.5 && by(lone, centrifuge) >= 2 && more)
	}
	if f := p.figures(fanout, ours, burst); len(f) > 0 {
		m := f.spread().median
		add("ten events to all", "1,000,000 deliveries/s; 10 × Node `ws`; 12 × centrifuge by default, 4 × tuned", []string{count(m) + " deliveries/s", times(by(burst, nodeWS)) + " × Node `ws`",
			times(by(burst, centrifuge)) + " × centrifuge", times(by(burst, "centrifuge-tuned")) + " × tuned"},
			m >= 1e6 && by(burst, nodeWS) >= 10 && by(burst, centrifuge) >= 12 && by(burst, "centrifuge-tuned") >= 4)
	}
	total := func(r result) float64 { return userMemory(r) + p.kernelMemory(r) }
	if f := p.figures(fanout, ours, userMemory); len(f) > 0 {
		user, share := f.spread().median, by(total, centrifuge)
		add("an idle connection", "user memory 512 bytes at most; user and kernel a fifth of centrifuge's", []string{count(user) + " bytes", times(share) + " of centrifuge's"}, user <= 512 && share <= 0.2)
	}
	if f := p.figures("lots", ours, latency(func(p load.Phase) float64 { return p.Latency.P99 })); len(f) > 0 {
		s := f.spread()
		add("10,000 clients on 200 lots, 750 changes/s", "p99 from Kafka to client 25 ms at most", []string{decimals(s.median, 1) + " ms"}, s.median <= 25)
	}
	for _, r := range p.of("million", "") {
		e := r.Report.Events
		add("clients at once", "1,000,000, one event to all, none missing", []string{count(float64(r.Report.Clients.Connected)) + " clients", fmt.Sprintf("%d frames lost", e.Lost)},
			r.Report.Clients.Connected >= 1_000_000 && e.Lost == 0 && e.Delivered > 0)
	}
	if len(rows) == 0 {
		return
	}
	p.line("## What was to be shown\n")
	p.line("| figure | at least | measured | met |\n|---|---|---|---|")
	for _, row := range rows {
		p.line("| %s |", strings.Join(row, " | "))
	}
	p.line("")
}

// sched compares lone events with the generator under the kernel's default scheduler.
func (p *page) sched() {
	speed := deliveries("lone")
	names := p.names("default-sched", speed, true)
	if len(names) == 0 {
		return
	}
	p.line("## The generator under the default scheduler\n")
	p.line("Everywhere else the generator runs under SCHED_BATCH, so that the server is measured and not the wake-ups of its clients: by default the kernel lets each client that got something interrupt " +
		"the sender, which on a machine that has both is dear at every single `send`. With clients on other machines that does not happen.\n")
	var rows [][]string
	for _, name := range names {
		f := p.figures("default-sched", name, speed)
		s := f.spread()
		rows = append(rows, []string{contenderNamed(name).title, count(s.min), count(s.median), count(s.max), times(ratio(f, p.figures("default-sched", limit, speed)).median),
			times(s.median / orNaN(p.figures(fanout, name, speed).spread().median))})
	}
	p.table([]string{"server", "least", "deliveries/s", "most", "of the C loop", "of its own under SCHED_BATCH"}, rows)
}

func orNaN(v float64) float64 {
	if v == 0 {
		return math.NaN()
	}
	return v
}

// manyLots is the section of subscriptions.
func (p *page) manyLots() {
	p99 := latency(func(p load.Phase) float64 { return p.Latency.P99 })
	names := p.names("lots", p99, false)
	if len(names) == 0 {
		return
	}
	j := p.of("lots", "")[0].job
	p.line("## Each client on one of %d lots\n", j.Lots)
	p.line("%s clients, %d events a second for %v; from just before the event is published to Kafka (to Redis where centrifuge hears it there by itself) to each client's frame. Node `ws` as it stands is not here: it broadcasts everything to all clients.\n",
		count(float64(j.Clients)), j.Rate, j.Hold)
	var rows [][]string
	for _, name := range names {
		row := []string{contenderNamed(name).title}
		for _, of := range []func(load.Phase) float64{
			func(p load.Phase) float64 { return p.Latency.P50 }, func(p load.Phase) float64 { return p.Latency.P99 },
			func(p load.Phase) float64 { return p.Latency.P999 }, func(p load.Phase) float64 { return p.Latency.Max },
		} {
			s := p.figures("lots", name, latency(of)).spread()
			row = append(row, fmt.Sprintf("%s (%s to %s)", decimals(s.median, 1), decimals(s.min, 1), decimals(s.max, 1)))
		}
		lost, repeated, unordered := p.wrong("lots", name)
		cores := p.figures("lots", name, func(r result) float64 {
			u, ok := r.usage("steady")
			if !ok || u.Took == 0 {
				return math.NaN()
			}
			return u.Seconds / u.Took
		}).spread().median
		rows = append(rows, append(row, decimals(cores, 2), fmt.Sprintf("%d, %d, %d", lost, repeated, unordered)))
	}
	p.table([]string{"server", "p50, ms", "p99, ms", "p99.9, ms", "most, ms", "server's CPU, cores", "lost, repeated, out of order"}, rows)
}
