package load

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Print writes the report for people.
func (r Report) Print(out io.Writer) error {
	fmt.Fprintf(out, "%.0f s on %s: %s, %s by %s, %s, events of %d bytes; %s, %d processes, --sched %s\n", r.Seconds, strings.Join(r.URLs, ", "),
		r.Protocol, r.Pattern, r.Publish, r.subscriptions(), r.Bytes, r.Hardware, r.Processes, r.Sched)
	fmt.Fprintf(out, "clients      %d of %d, in %.2f s: %.0f a second", r.Clients.Connected, r.Clients.Wanted, r.Clients.ConnectSeconds, r.Clients.PerSecond)
	if r.Clients.Lost > 0 {
		fmt.Fprintf(out, "; %d connections were lost", r.Clients.Lost)
	}
	e := r.Events
	fmt.Fprintf(out, "\nevents       %d published, %d deliveries of %d; %d lost, %d repeated, %d out of order", e.Published, e.Delivered, e.Expected, e.Lost, e.Repeated, e.OutOfOrder)
	if e.Strange > 0 {
		fmt.Fprintf(out, ", %d not asked for", e.Strange)
	}
	if e.Missed > 0 {
		fmt.Fprintf(out, "; %d passed while clients without a cursor were away", e.Missed)
	}
	fmt.Fprintln(out)
	for _, p := range r.Phases {
		p.print(out)
	}
	for _, c := range r.Cuts {
		fmt.Fprintf(out, "cut          at %.1f s %d clients: ", c.At, c.Clients)
		if c.CaughtUpSeconds == 0 {
			fmt.Fprintln(out, "not all were back, with what they had missed, before the next")
			continue
		}
		fmt.Fprintf(out, "back after %.2f s, caught up after %.2f s\n", c.BackSeconds, c.CaughtUpSeconds)
	}
	if text := endingsText(r.Endings); text != "" {
		fmt.Fprintf(out, "connections  %s\n", text)
	}
	verdict := "OK: every client got everything once and in order"
	switch {
	case !r.OK:
		verdict = "FAILED: " + strings.Join(r.Problems, "; ")
	case r.Events.Expected == 0:
		verdict = "OK: every client is connected; nothing was published"
	}
	_, err := fmt.Fprintln(out, verdict)
	return err
}

// endingsText tells why connections ended or were refused.
func endingsText(endings map[string]int) string {
	var all []string
	for _, why := range slices.Sorted(maps.Keys(endings)) {
		all = append(all, fmt.Sprintf("%s (%d)", why, endings[why]))
	}
	return strings.Join(all, ", ")
}

func (p Phase) print(out io.Writer) {
	fmt.Fprintf(out, "%-12s", p.Pattern)
	if p.Delivered == 0 {
		fmt.Fprintf(out, " %.1f s in which nothing came; load itself took %.1f %% of %d cores\n", float64(p.Ended-p.Began)/1e9, 100*p.CPU.Share, p.CPU.Cores)
		return
	}
	if p.DeliveriesPerSecond.Max > 0 {
		of := fmt.Sprintf("%d rounds", len(p.Rounds))
		if len(p.Rounds) == 0 {
			of = "the seconds"
		}
		fmt.Fprintf(out, " %.0f deliveries/s (%.0f to %.0f; median of %s)", p.DeliveriesPerSecond.Median, p.DeliveriesPerSecond.Min, p.DeliveriesPerSecond.Max, of)
	}
	if l := p.Latency; l.Max > 0 {
		fmt.Fprintf(out, "; latency p50 %.2f ms, p90 %.2f, p99 %.2f, p99.9 %.2f, max %.2f", l.P50, l.P90, l.P99, l.P999, l.Max)
	}
	bottleneck := "it was not the bottleneck"
	if p.CPU.Bottleneck {
		bottleneck = "IT WAS THE BOTTLENECK, so these figures are about it"
	}
	fmt.Fprintf(out, "\n             load itself took %.0f %% of %d cores, the machine was used to %.0f %%; %s\n             %s\n",
		100*p.CPU.Share, p.CPU.Cores, 100*p.CPU.Machine, bottleneck, p.CPU.Why)
}
