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
	fmt.Fprintf(out, "%.0f s on %s: %s, %s by %s, events of %d bytes; %s, %d processes, --sched %s\n", r.Seconds, strings.Join(r.URLs, ", "),
		r.Protocol, r.Pattern, r.Publish, r.Bytes, r.Hardware, r.Processes, r.Sched)
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
	if r.DeliveriesPerSecond.Max > 0 {
		of := fmt.Sprintf("%d rounds", len(r.Rounds))
		if len(r.Rounds) == 0 {
			of = "seconds"
		}
		fmt.Fprintf(out, "deliveries/s %.0f (%.0f to %.0f): median of %s\n", r.DeliveriesPerSecond.Median, r.DeliveriesPerSecond.Min, r.DeliveriesPerSecond.Max, of)
	}
	if r.Latency.Max > 0 {
		fmt.Fprintf(out, "latency      p50 %.2f ms, p90 %.2f, p99 %.2f, p99.9 %.2f, max %.2f\n", r.Latency.P50, r.Latency.P90, r.Latency.P99, r.Latency.P999, r.Latency.Max)
	}
	for _, c := range r.Cuts {
		fmt.Fprintf(out, "cut          at %.1f s %d clients: back after %.2f s, caught up after %.2f s\n", c.At, c.Clients, c.BackSeconds, c.CaughtUpSeconds)
	}
	bottleneck := "it was not the bottleneck"
	if r.CPU.Bottleneck {
		bottleneck = "IT WAS THE BOTTLENECK, so these figures are about it"
	}
	fmt.Fprintf(out, "load itself  %.0f %% of %d cores, the machine %.0f %%; %s: %s\n", 100*r.CPU.Share, r.CPU.Cores, 100*r.CPU.Machine, bottleneck, r.CPU.Why)
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
