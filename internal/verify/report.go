package verify

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"parkwire/internal/event"
)

// A Report is what a run found. Its JSON is described in docs/verify.md.
type Report struct {
	OK       bool       `json:"ok"`
	Lot      string     `json:"lot"`
	URL      string     `json:"url"`
	Began    event.Time `json:"began"`
	Seconds  float64    `json:"seconds"`
	Spots    int        `json:"spots"`
	Writers  int        `json:"writers"`
	Clients  int        `json:"clients"`
	SSE      int        `json:"sse"`
	V1       int        `json:"v1"`       // clients of parkwire.v1
	Snapshot int        `json:"snapshot"` // clients of parkwire.v1 that begin with a snapshot now and then
	Rate     float64    `json:"rate"`

	Counts                   // of the whole run
	Forgotten int64          `json:"forgotten"`
	Expired   int64          `json:"expired"`
	Foreign   int64          `json:"foreign"`
	Snapshots int64          `json:"snapshots"` // that clients began with
	Resets    int64          `json:"resets"`    // cursors that had expired, of clients that got a snapshot instead
	Conflated int64          `json:"conflated"` // events that were left out for clients that read too slowly, as the platform said
	Hinted    int64          `json:"hinted"`    // reconnections that waited as the platform asked
	Endings   map[string]int `json:"endings"`   // of connections and tries to connect, by close code or reason
	Refusal   string         `json:"refusal,omitempty"`
	Examples  []string       `json:"examples"`
	Phases    []Phase        `json:"phases"`
}

// Counts are of changes, and of frames summed over all clients.
type Counts struct {
	Written      int64   `json:"written"`
	Acknowledged int64   `json:"acknowledged"`
	Refused      int64   `json:"refused"`
	Unanswered   int64   `json:"unanswered"`
	Found        int64   `json:"found"` // of the refused and unanswered, those that were done, as was read later
	Delivered    int64   `json:"delivered"`
	Lost         int64   `json:"lost"`
	Repeated     int64   `json:"repeated"`
	OutOfOrder   int64   `json:"outOfOrder"`
	Wrong        int64   `json:"wrong"`
	Late         int64   `json:"late"`
	Reconnects   int64   `json:"reconnects"`
	LongestGap   float64 `json:"longestGapSeconds"`      // in which a client had no connection
	WorstGap     float64 `json:"worstGapSeconds"`        // from the last frame before a disconnection to the first one after it
	WorstFromAck float64 `json:"worstAckToFrameSeconds"` // from an acknowledgment to the frame of a client
	Latency      Latency `json:"latencyMilliseconds"`
}

// Latency is from the beginning of a request to the frame of each client.
type Latency struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// Phase is a part of the run.
type Phase struct {
	Kind string  `json:"kind"` // before, fault, after, mark
	From float64 `json:"from"` // seconds from the beginning
	To   float64 `json:"to"`
	Counts
}

func (p *phase) counts() Counts {
	ms := func(q float64) float64 { return float64(p.latency.quantile(q).Microseconds()) / 1000 }
	return Counts{
		Written: p.written.Load(), Acknowledged: p.acknowledged.Load(), Refused: p.refused.Load(), Unanswered: p.unanswered.Load(),
		Found: p.found.Load(), Delivered: p.delivered.Load(), Lost: p.lost.Load(), Repeated: p.repeated.Load(),
		OutOfOrder: p.outOfOrder.Load(), Wrong: p.wrong.Load(), Late: p.late.Load(), Reconnects: p.reconnects.Load(),
		LongestGap: seconds(time.Duration(p.gap.Load())), WorstGap: seconds(time.Duration(p.silence.Load())),
		WorstFromAck: seconds(time.Duration(p.fromAck.Load())), Latency: Latency{ms(0.5), ms(0.95), ms(0.99), ms(1)},
	}
}

// include adds what other counted.
func (p *phase) include(other *phase) {
	mine := p.counters()
	for i, theirs := range other.counters() {
		mine[i].Add(theirs.Load())
	}
	atLeast(&p.gap, other.gap.Load())
	atLeast(&p.silence, other.silence.Load())
	atLeast(&p.fromAck, other.fromAck.Load())
	p.latency.include(&other.latency)
}

func seconds(d time.Duration) float64 { return float64(d.Milliseconds()) / 1000 }

func (v *verifier) report() Report {
	r := Report{
		Lot: v.lot, URL: v.URL, Began: event.At(v.began), Seconds: seconds(v.now()), Spots: v.Spots, Writers: v.Writers,
		Clients: v.Clients, SSE: v.SSE, V1: v.V1, Snapshot: v.Snapshot, Rate: v.Rate,
		Forgotten: v.findings.forgottenOnes.Load(), Expired: v.findings.expired.Load(), Foreign: v.findings.foreign.Load(),
		Snapshots: v.findings.snapshots.Load(), Resets: v.findings.resets.Load(), Conflated: v.findings.conflated.Load(), Hinted: v.findings.hinted.Load(),
	}
	r.Endings, r.Examples, r.Refusal = v.findings.copyOf()
	total, phases := &phase{}, *v.timeline.phases.Load()
	for i, p := range phases {
		to := r.Seconds
		if i+1 < len(phases) {
			to = seconds(phases[i+1].from)
		}
		r.Phases = append(r.Phases, Phase{Kind: p.kind, From: seconds(p.from), To: to, Counts: p.counts()})
		total.include(p)
	}
	r.Counts = total.counts()
	r.OK = r.Failure() == nil
	return r
}

// Failure is nil where the platform kept its promise, and says how it did not otherwise.
func (r Report) Failure() error {
	if r.Lost+r.Repeated+r.OutOfOrder+r.Wrong+r.Forgotten > 0 {
		text := fmt.Sprintf("%d lost, %d repeated, %d out of order", r.Lost, r.Repeated, r.OutOfOrder)
		if r.Wrong > 0 {
			text += fmt.Sprintf(", %d not as written", r.Wrong)
		}
		if r.Forgotten > 0 {
			text += fmt.Sprintf(", %d acknowledged and then forgotten", r.Forgotten)
		}
		return fmt.Errorf("%s", text)
	}
	if r.Acknowledged == 0 {
		return fmt.Errorf("nothing was acknowledged, so nothing is shown: %d refused, %d unanswered %s", r.Refused, r.Unanswered, r.Refusal)
	}
	return nil
}

// Print writes the report for people.
func (r Report) Print(out io.Writer) error {
	fmt.Fprintf(out, "%.0f s on %s: %d spots, %d writers, %g changes/s, %d clients (%d SSE, %d parkwire.v1, %d of these with snapshots)\n\n", r.Seconds, r.URL, r.Spots, r.Writers, r.Rate, r.Clients, r.SSE, r.V1+r.Snapshot, r.Snapshot)
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "phase\tfrom s\tto s\twritten\tacked\trefused\tunanswered\tdelivered\tlost\trepeated\tunordered\twrong\tlate\treconnects\tgap s\tworst gap s\tfrom ack s\tp50 ms\tp95\tp99\tmax\t\n")
	line := func(kind string, from, to float64, c Counts) {
		fmt.Fprintf(t, "%s\t%.1f\t%.1f\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%.2f\t%.2f\t%.2f\t%.1f\t%.1f\t%.1f\t%.1f\t\n", kind, from, to,
			c.Written, c.Acknowledged, c.Refused, c.Unanswered, c.Delivered, c.Lost, c.Repeated, c.OutOfOrder, c.Wrong, c.Late, c.Reconnects,
			c.LongestGap, c.WorstGap, c.WorstFromAck, c.Latency.P50, c.Latency.P95, c.Latency.P99, c.Latency.Max)
	}
	for _, p := range r.Phases {
		line(p.Kind, p.From, p.To, p.Counts)
	}
	line("all", 0, r.Seconds, r.Counts)
	t.Flush()
	fmt.Fprintln(out)
	var endings []string
	for _, why := range slices.Sorted(maps.Keys(r.Endings)) {
		endings = append(endings, fmt.Sprintf("%s: %d", why, r.Endings[why]))
	}
	for _, one := range []struct {
		show bool
		text string
	}{
		{len(endings) > 0, "connections ended or refused: " + strings.Join(endings, ", ")},
		{r.Found > 0, fmt.Sprintf("of the writes that were refused or not answered %d were done, as was read later", r.Found)},
		{r.Refusal != "", "writes were refused, such as: " + r.Refusal},
		{r.Expired > 0, fmt.Sprintf("%d times the platform's log did not reach back to a client's cursor", r.Expired)},
		{r.Snapshots > 0, fmt.Sprintf("clients began with a snapshot %d times, of these %d because their cursor had expired", r.Snapshots, r.Resets)},
		{r.Hinted > 0, fmt.Sprintf("clients waited as the platform asked %d times before they came back", r.Hinted)},
		{r.Conflated > 0, fmt.Sprintf("the platform says that it left out %d events for clients that read too slowly", r.Conflated)},
		{r.Foreign > 0, fmt.Sprintf("%d frames were of other programs", r.Foreign)},
		{len(r.Examples) > 0, "such as:\n  " + strings.Join(r.Examples, "\n  ")},
	} {
		if one.show {
			fmt.Fprintln(out, one.text)
		}
	}
	if r.OK {
		_, err := fmt.Fprintf(out, "OK: each of %d clients saw each of %d acknowledged changes once and in order\n", r.Clients, r.Acknowledged)
		return err
	}
	return nil
}
