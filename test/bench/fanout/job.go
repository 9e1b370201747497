package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// perInstance bounds the clients of one process: it may open 20,000 files on the machines where this runs.
const perInstance = 16_700

// repeats is how many lone events, and how many bursts, are measured in a run.
const repeats = 4

// throughNGINX bounds the clients behind NGINX: each takes two files there, and all may come to one of its workers.
const throughNGINX = 9_000

// A job is one run of "parkwire load" against one contender, freshly started. It is the key of its result.
type job struct {
	Measure   string `json:"measure"`
	Contender string `json:"contender"`
	Round     int    `json:"round"` // from 1
	Clients   int    `json:"clients"`
	Instances int    `json:"instances"`
	Lots      int    `json:"lots,omitempty"`

	Patterns string        `json:"patterns"`          // of "parkwire load", with commas between
	Hold     time.Duration `json:"hold,omitempty"`    // how long idle and steady last
	Repeats  int           `json:"repeats,omitempty"` // lone events, and bursts
	Burst    int           `json:"burst,omitempty"`
	Rate     int           `json:"rate,omitempty"` // events a second of steady
	Sched    string        `json:"sched"`
	Ping     time.Duration `json:"ping,omitempty"` // of Parkwire, where it is not the default
}

func (j job) String() string {
	text := fmt.Sprintf("%s, round %d: %s, %d clients", j.Measure, j.Round, j.Contender, j.Clients)
	if j.Lots > 0 {
		text += fmt.Sprintf(" on %d lots", j.Lots)
	}
	return text
}

// estimate is about how long a job takes: starting, connecting, what is measured, and the end.
func (j job) estimate() time.Duration {
	const connects, lone, burst = 6_000, 100_000, 250_000 // a second, of a middling contender on 2 cores
	seconds := 6 + float64(j.Instances)/3 + float64(j.Clients)/connects
	for pattern := range strings.SplitSeq(j.Patterns, ",") {
		switch pattern {
		case "lone":
			seconds += float64((j.Repeats+2)*j.Clients) / lone
		case "burst":
			seconds += float64(j.Repeats*j.Burst*j.Clients)/burst/float64(max(j.Lots, 1)) + float64(2*j.Clients)/lone
		default:
			seconds += j.Hold.Seconds()
		}
	}
	return time.Duration(seconds * float64(time.Second))
}

// sizes are what the command line says about how large everything is.
type sizes struct {
	rounds, clients int
	quick           bool
	million         int
}

// The measurements. The first three are made over the same connections.
var measures = []string{"lone", "burst", "idle", "default-sched", "lots", "nginx", "growth", "million"}

// fanout is the measure of lone, burst and idle.
const fanout = "fanout"

// plan lists the jobs of the measurements that are wanted.
func plan(s sizes, wanted []string, only string, absent map[string]string) (jobs []job) {
	has := func(name string) bool { return slices.Contains(wanted, name) }
	can := func(name string) bool { return chosen(only, name) && absent[name] == "" }
	patterns := ""
	for _, p := range []string{"idle", "lone", "burst"} {
		if has(p) {
			patterns += "," + p
		}
	}
	base := job{Clients: s.clients, Instances: instances(s.clients), Hold: 4 * time.Second, Repeats: repeats, Burst: 10, Sched: "batch"}
	for round := 1; round <= s.rounds; round++ {
		for _, name := range beside() {
			if j := base; patterns != "" && can(name) {
				j.Measure, j.Contender, j.Round, j.Patterns = fanout, name, round, patterns[1:]
				jobs = append(jobs, j)
			}
		}
	}
	for round := 1; has("default-sched") && round <= s.rounds; round++ {
		for _, name := range []string{"parkwire-io_uring", "parkwire-epoll", limit, nodeWS, centrifuge} {
			if j := base; can(name) {
				j.Measure, j.Contender, j.Round, j.Patterns, j.Sched = "default-sched", name, round, "lone", "other"
				jobs = append(jobs, j)
			}
		}
	}
	for round := 1; has("lots") && round <= s.rounds; round++ {
		for _, name := range append(beside(), "centrifuge-kafka") {
			if c := contenderNamed(name); can(name) && c.lots {
				j := job{Measure: "lots", Contender: name, Round: round, Clients: 10_000, Instances: 3, Lots: 200, Patterns: "steady", Rate: 750, Hold: 15 * time.Second, Sched: "batch"}
				if s.quick {
					j.Clients, j.Hold = 2_000, 5*time.Second
				}
				jobs = append(jobs, j)
			}
		}
	}
	for round := 1; has("nginx") && round <= s.rounds; round++ {
		for _, name := range []string{"parkwire", "nginx-http", "nginx-stream"} {
			if j := base; can(name) {
				j.Measure, j.Contender, j.Round, j.Patterns, j.Clients, j.Instances = "nginx", name, round, "idle,lone,burst", min(s.clients, throughNGINX), 3
				jobs = append(jobs, j)
			}
		}
	}
	if has("growth") && can("parkwire") {
		jobs = append(jobs, growth(s, base)...)
	}
	if j := base; has("million") && can("parkwire") {
		j.Measure, j.Contender, j.Round, j.Patterns, j.Clients, j.Instances = "million", "parkwire", 1, "idle,lone,burst", s.million, instances(s.million)
		// A ping each 30 s of a million clients alone takes both cores, and Kafka's heartbeats come too late beside it.
		j.Hold, j.Repeats, j.Ping = 30*time.Second, 3, 2*time.Minute
		jobs = append(jobs, j)
	}
	return jobs
}

// growth lists Parkwire with more and more clients on one lot, and with more and more lots: there each burst has one event for each
// lot, so that each client gets one.
func growth(s sizes, base job) (jobs []job) {
	base.Contender, base.Round, base.Hold = "parkwire", 1, 8*time.Second
	counts := []int{1_000, 5_000, 20_000, 50_000, 100_000, 200_000, 500_000}
	if s.quick {
		counts = []int{500, 1_000, 2_000}
	}
	for _, n := range counts {
		j := base
		j.Measure, j.Patterns, j.Clients, j.Instances, j.Lots = "growth-clients", "idle,lone,burst", n, instances(n), 1
		jobs = append(jobs, j)
	}
	for _, n := range []int{1, 10, 100, 1_000, 10_000} {
		if n > s.clients {
			continue
		}
		j := base
		j.Measure, j.Patterns, j.Lots, j.Burst = "growth-lots", "idle,burst", n, n
		jobs = append(jobs, j)
	}
	return jobs
}

// instances is how many processes so many clients need; three at least, as everybody runs.
func instances(clients int) int { return max(3, (clients+perInstance-1)/perInstance) }
