//go:build linux

package main

import (
	"fmt"
	"runtime"
	"slices"
	"time"

	"parkwire/test/bench/machine"
)

// result is what one round on one side showed.
type result struct {
	clients, expected int
	latencies         []time.Duration // sorted; of every frame of every client
	took              time.Duration
	busy              machine.CPU
	reader            time.Duration // CPU time of the thread that reads the clients' sockets
}

// quantile is the latency that q of the frames kept.
func (r result) quantile(q float64) time.Duration {
	if len(r.latencies) == 0 {
		return 0
	}
	return r.latencies[min(int(q*float64(len(r.latencies))), len(r.latencies)-1)]
}

func (r result) String() string {
	of := func(d time.Duration) string { return fmt.Sprintf("%3.0f %%", 100*d.Seconds()/r.took.Seconds()) }
	text := fmt.Sprintf("p50 %6.2f ms  p99 %7.2f ms  max %7.2f ms  frames %d of %d  CPU: server %s, generator %s (its reader %s), machine %s of %d cores",
		ms(r.quantile(0.5)), ms(r.quantile(0.99)), ms(r.quantile(1)), len(r.latencies), r.expected,
		of(r.busy.Servers), of(r.busy.Own), of(r.reader), of(r.busy.Machine), runtime.NumCPU())
	if r.reader > r.took*7/10 {
		text += "\n         the generator's reader was busy most of the time: these figures are about it"
	} else if r.busy.Machine > r.took*time.Duration(runtime.NumCPU())*9/10 {
		text += "\n         the machine was full: server and generator took time from each other"
	}
	if len(r.latencies) != r.expected {
		text += "\n         frames are missing or came twice"
	}
	return text
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// summary prints the median of the rounds, and between the sides min, median and max of the rounds' ratios.
func (s settings) summary(sides []*side) {
	fmt.Printf("\n%d changes/s, %d clients, %d rounds of %v on each side; medians of the rounds\n", s.rate, s.clients, s.rounds, s.length)
	quantiles := []struct {
		name string
		q    float64
	}{{"p50", 0.5}, {"p99", 0.99}, {"max", 1}}
	for _, side := range sides {
		fmt.Printf("%-9s", side.name)
		for _, q := range quantiles {
			all := each(side.results, func(r result) float64 { return ms(r.quantile(q.q)) })
			fmt.Printf("  %s %7.2f ms", q.name, all[len(all)/2])
		}
		cpu := each(side.results, func(r result) float64 { return 100 * r.busy.Servers.Seconds() / r.took.Seconds() })
		fmt.Printf("  server CPU %3.0f %%\n", cpu[len(cpu)/2])
	}
	if len(sides) < 2 {
		return
	}
	fmt.Printf("%s / %s", sides[1].name, sides[0].name)
	for _, q := range quantiles {
		var ratios []float64
		for i := range sides[0].results {
			ratios = append(ratios, float64(sides[1].results[i].quantile(q.q))/float64(sides[0].results[i].quantile(q.q)))
		}
		slices.Sort(ratios)
		fmt.Printf("  %s %.2f (%.2f to %.2f)", q.name, ratios[len(ratios)/2], ratios[0], ratios[len(ratios)-1])
	}
	fmt.Println("  median (min to max) of the rounds' ratios")
}

func each(results []result, of func(result) float64) []float64 {
	var all []float64
	for _, r := range results {
		all = append(all, of(r))
	}
	slices.Sort(all)
	return all
}
