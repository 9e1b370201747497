package load

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"parkwire/internal/event"
)

// A Report is what a run found. Its JSON is described in docs/load.md.
type Report struct {
	OK          bool       `json:"ok"`
	Problems    []string   `json:"problems,omitempty"` // why it is not
	Interrupted bool       `json:"interrupted,omitempty"`
	Run         string     `json:"run"`
	Began       event.Time `json:"began"`
	Seconds     float64    `json:"seconds"`
	URLs        []string   `json:"urls"`
	Protocol    string     `json:"protocol"`
	Publish     string     `json:"publish"` // kafka, redis or none
	Pattern     string     `json:"pattern"`
	Lots        int        `json:"lots"`
	Burst       int        `json:"burst,omitempty"`
	Rate        float64    `json:"rate,omitempty"`
	Bytes       int        `json:"bytes"` // of an event as it is published
	Sched       string     `json:"sched"`
	Processes   int        `json:"processes"`
	Hardware    string     `json:"hardware"`

	Clients             Clients        `json:"clients"`
	Events              Events         `json:"events"`
	Phases              []Phase        `json:"phases"` // one for each pattern
	Rounds              []Round        `json:"rounds"` // this and what follows are of the last phase
	DeliveriesPerSecond Spread         `json:"deliveriesPerSecond"`
	Latency             Latency        `json:"latencyMs"`
	CPU                 CPU            `json:"cpu"`
	Cuts                []Cut          `json:"cuts,omitempty"`
	Endings             map[string]int `json:"endings"` // of connections and tries to connect, by reason
	Samples             []Sample       `json:"samples"`
	Histogram           []Bucket       `json:"histogram"`
}

// Clients are the clients of a run.
type Clients struct {
	Wanted         int     `json:"wanted"`
	Connected      int64   `json:"connected"` // and subscribed at the end
	Ever           int64   `json:"ever"`      // at any time
	Lost           int64   `json:"lost"`      // connections that the server or the network ended
	ConnectSeconds float64 `json:"connectSeconds"`
	PerSecond      float64 `json:"perSecond"`
}

// Events are what was published, with the warm-up, and what came of it, summed over all clients.
type Events struct {
	Published  uint64 `json:"published"`
	Expected   uint64 `json:"expected"`
	Delivered  uint64 `json:"delivered"`
	Lost       uint64 `json:"lost"`
	Repeated   uint64 `json:"repeated"`
	OutOfOrder uint64 `json:"outOfOrder"`
	Strange    uint64 `json:"strange"` // of a lot that the client did not ask for
	Missed     uint64 `json:"missed"`  // while a client without a cursor was away; not lost
	Frames     uint64 `json:"frames"`  // that clients have read, whatever was in them
	Bytes      uint64 `json:"bytes"`
}

// A Phase is one pattern, without the warm-up.
type Phase struct {
	Pattern             string  `json:"pattern"`
	Began               int64   `json:"began"` // Unix nanoseconds
	Ended               int64   `json:"ended"` // when everything had arrived
	Delivered           uint64  `json:"delivered"`
	Rounds              []Round `json:"rounds"`
	DeliveriesPerSecond Spread  `json:"deliveriesPerSecond"`
	Latency             Latency `json:"latencyMs"`
	CPU                 CPU     `json:"cpu"`
}

// A Round is from the publication of a lone event, or of a burst, to the last client's last frame.
type Round struct {
	Seconds             float64 `json:"seconds"`
	FirstSeconds        float64 `json:"firstSeconds"` // to the first client's first frame
	Deliveries          uint64  `json:"deliveries"`
	DeliveriesPerSecond float64 `json:"deliveriesPerSecond"`
}

// Spread is of the rounds or, without rounds, of the whole seconds of the run.
type Spread struct {
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	Max    float64 `json:"max"`
}

// Latency is from just before an event is published to its reading by each client.
type Latency struct {
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
}

// A Cut is one wave or storm.
type Cut struct {
	At              float64 `json:"at"` // seconds from the beginning
	Clients         int64   `json:"clients"`
	BackSeconds     float64 `json:"backSeconds"`     // until all were connected again; 0: not before the next cut
	CaughtUpSeconds float64 `json:"caughtUpSeconds"` // until, on average, less than one event had not come; 0: as above

	began  time.Time
	before int64
}

// CPU is what load itself took while it measured.
type CPU struct {
	Share       float64 `json:"share"`      // of all cores
	Bottleneck  bool    `json:"bottleneck"` // what was measured is about load rather than about the server
	Why         string  `json:"why"`
	Seconds     float64 `json:"seconds"`
	Cores       int     `json:"cores"`
	BusiestLoop float64 `json:"busiestLoop"` // CPU time of the busiest process with clients, of one core
	AsleepShare float64 `json:"asleepShare"` // of the time, in which the busiest one found nothing to read
	FoundAtOnce float64 `json:"foundAtOnce"` // share of the looks that found something to read at once
	Machine     float64 `json:"machine"`     // how much of all cores was used, by whomever
}

// A Sample is a moment of the run.
type Sample struct {
	Seconds   float64 `json:"seconds"`
	Clients   int64   `json:"clients"`
	Published uint64  `json:"published"`
	Delivered uint64  `json:"delivered"`
}

// A Bucket counts the deliveries that took longer than the one before it, and up to UpToMs.
type Bucket struct {
	UpToMs float64 `json:"upToMs"`
	Count  uint64  `json:"count"`
}

// Failure is nil where every client was connected and got everything once and in order.
func (r Report) Failure() error {
	if len(r.Problems) == 0 {
		return nil
	}
	return fmt.Errorf("%s", strings.Join(r.Problems, "; "))
}

// subscriptions says what the clients subscribed to.
func (r Report) subscriptions() string {
	if r.Lots == 0 {
		return "all to all"
	}
	return fmt.Sprintf("1 of %d lots each", r.Lots)
}

// judge fills in what is wrong.
func (r *Report) judge(more ...string) {
	e := r.Events
	if e.Lost+e.Repeated+e.OutOfOrder+e.Strange > 0 {
		text := fmt.Sprintf("%d lost, %d repeated, %d out of order", e.Lost, e.Repeated, e.OutOfOrder)
		if e.Strange > 0 {
			text += fmt.Sprintf(", %d not asked for", e.Strange)
		}
		r.Problems = append(r.Problems, text)
	}
	if r.Clients.Connected < int64(r.Clients.Wanted) {
		r.Problems = append(r.Problems, fmt.Sprintf("%d of %d clients are connected", r.Clients.Connected, r.Clients.Wanted))
	}
	for _, one := range more {
		if one != "" {
			r.Problems = append(r.Problems, one)
		}
	}
	r.OK = len(r.Problems) == 0
}

func latencyOf(h *histogram) Latency {
	ms := func(q float64) float64 { return float64(h.quantile(q).Microseconds()) / 1000 }
	return Latency{ms(0.5), ms(0.9), ms(0.99), ms(0.999), float64(h.Max) / 1000}
}

// bucketsOf are those that are not empty.
func bucketsOf(h *histogram) (all []Bucket) {
	for i, n := range h.Buckets {
		if n > 0 {
			all = append(all, Bucket{float64(min(longest(i), h.Max)) / 1000, n})
		}
	}
	return all
}

// spreadOf is that of the rounds or, without any, of the seconds in which something was delivered but the first and the last.
func spreadOf(rounds []Round, samples []Sample) Spread {
	var all []float64
	for _, r := range rounds {
		all = append(all, r.DeliveriesPerSecond)
	}
	if len(rounds) == 0 {
		all = perSecond(samples)
	}
	if len(all) == 0 {
		return Spread{}
	}
	slices.Sort(all)
	return Spread{all[0], median(all), all[len(all)-1]}
}

// during are the samples of a phase.
func during(samples []Sample, p *Phase, began time.Time) (all []Sample) {
	for _, s := range samples {
		if at := began.UnixNano() + int64(s.Seconds*1e9); at >= p.Began && at <= p.Ended {
			all = append(all, s)
		}
	}
	return all
}

func median(sorted []float64) float64 {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func perSecond(samples []Sample) (all []float64) {
	busy := samples
	for len(busy) > 1 && busy[1].Delivered == busy[0].Delivered {
		busy = busy[1:]
	}
	for len(busy) > 1 && busy[len(busy)-2].Delivered == busy[len(busy)-1].Delivered {
		busy = busy[:len(busy)-1]
	}
	for i, from := 1, 0; i < len(busy); i++ {
		if took := busy[i].Seconds - busy[from].Seconds; took >= 0.95 {
			all = append(all, float64(busy[i].Delivered-busy[from].Delivered)/took)
			from = i
		}
	}
	return all
}
