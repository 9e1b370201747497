package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"
)

// row is what a scenario showed, as a line of the table and as JSON.
type row struct {
	Scenario   string   `json:"scenario"`
	Faults     []string `json:"faults"`
	Written    int64    `json:"written"` // changes that were acknowledged
	Clients    int64    `json:"clients"`
	Delivered  int64    `json:"delivered"`
	Lost       int64    `json:"lost"`
	Repeated   int64    `json:"repeated"`
	OutOfOrder int64    `json:"outOfOrder"`
	Wrong      int64    `json:"wrong"`
	Reconnects int64    `json:"reconnects"`
	WorstGap   float64  `json:"worstGapSeconds"`        // from a client's last frame before a disconnection to its next one
	WorstLate  float64  `json:"worstAckToFrameSeconds"` // from an acknowledged change to a client's frame
	Before     float64  `json:"p99BeforeMilliseconds"`
	During     float64  `json:"p99DuringMilliseconds"`
	After      float64  `json:"p99AfterMilliseconds"`
	Seconds    float64  `json:"seconds"`
	Notes      []string `json:"notes"`
	Failures   []string `json:"failures"`
	Logs       string   `json:"logs,omitempty"`
	OK         bool     `json:"ok"`
	Repeat     bool     `json:"repeat,omitempty"` // it failed, and the next row is the same scenario once more
}

// intact reports whether whatever went wrong, no client saw anything that it should not.
func (r *row) intact() bool { return r.Lost+r.Repeated+r.OutOfOrder+r.Wrong == 0 }

// add takes the counts of verify, whose last three phases are those that were marked.
func (r *row) add(v report) {
	r.Written += v.Acknowledged
	r.Clients += v.Clients
	r.Delivered += v.Delivered
	r.Lost += v.Lost
	r.Repeated += v.Repeated
	r.OutOfOrder += v.OutOfOrder
	r.Wrong += v.Wrong + v.Forgotten
	r.Reconnects += v.Reconnects
	r.WorstGap = max(r.WorstGap, v.LongestGap, v.WorstGap)
	r.WorstLate = max(r.WorstLate, v.WorstFromAck)
	if n := len(v.Phases); n > 3 {
		for i, at := range []*float64{&r.Before, &r.During, &r.After} {
			*at = v.Phases[n-3+i].Latency.P99
		}
	}
}

func (r *row) verdict() string {
	switch {
	case r.OK:
		return "ok"
	case r.Repeat:
		return "FAILED, run once more"
	}
	return "FAILED"
}

// table prints what all scenarios showed.
func table(out io.Writer, rows []row) {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\nscenario\twritten\tclients\tdelivered\tlost\trepeated\tunordered\tgap s\tlate s\tp99 before\tduring\tafter ms\ttook s\tverdict\tfaults")
	for _, r := range rows {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%.1f\t%.1f\t%.0f\t%.0f\t%.0f\t%.0f\t%s\t%s\n", r.Scenario, r.Written, r.Clients, r.Delivered, r.Lost,
			r.Repeated, r.OutOfOrder, r.WorstGap, r.WorstLate, r.Before, r.During, r.After, r.Seconds, r.verdict(), tally(r.Faults))
	}
	t.Flush()
	fmt.Fprintln(out)
	for _, r := range rows {
		if len(r.Notes) > 0 {
			fmt.Fprintf(out, "%s: %s\n", r.Scenario, strings.Join(r.Notes, "; "))
		}
	}
	for _, r := range rows {
		for _, why := range heads(r.Failures) {
			fmt.Fprintf(out, "%s FAILED: %s\n", r.Scenario, why)
		}
		if r.Logs != "" {
			fmt.Fprintf(out, "%s: the logs are in %s\n", r.Scenario, r.Logs)
		}
	}
}

// tally lists what was done, once each with how often.
func tally(faults []string) string {
	count := map[string]int{}
	var list []string
	for _, f := range faults {
		if count[f]++; count[f] == 1 {
			list = append(list, f)
		}
	}
	for i, f := range list {
		if count[f] > 1 {
			list[i] = fmt.Sprintf("%d × %s", count[f], f)
		}
	}
	return strings.Join(list, ", ")
}

func writeJSON(file string, began time.Time, o *options, rows []row) error {
	text, err := json.MarshalIndent(map[string]any{"began": began.UTC().Format(time.RFC3339), "long": o.long, "seed": o.seed, "scenarios": rows}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

// heads are the first lines of texts; the whole is in the logs.
func heads(texts []string) (short []string) {
	for _, text := range texts {
		line, _, _ := strings.Cut(text, "\n")
		short = append(short, line)
	}
	return short
}
