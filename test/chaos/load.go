package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"parkwire/internal/verify"
	"parkwire/test/e2e/stack"
)

// demand is what "parkwire verify" does while a scenario runs. Clients listen through NGINX.
type demand struct {
	clients, sse, v1, snapshot int
	rate                       int
	spots, writers, batch      int
	settle                     time.Duration
}

// some is the demand of most scenarios.
var some = demand{clients: 48, sse: 8, v1: 12, snapshot: 4, rate: 60, spots: 60, writers: 8, batch: 1, settle: 90 * time.Second}

// load is "parkwire verify" as a process.
type load struct {
	process *stack.Process
	demand  demand
	file    string
	text    []byte
	report  report
}

// report is what is read of its JSON.
type report struct {
	OK                  bool
	Spots, Clients      int64
	Forgotten, Expired  int64
	Endings             map[string]int
	Refusal             string
	Examples            []string
	LongestGap          float64 `json:"longestGapSeconds"`
	WorstGap            float64 `json:"worstGapSeconds"`
	WorstFromAck        float64 `json:"worstAckToFrameSeconds"`
	Acknowledged        int64
	Delivered           int64
	Lost, Repeated      int64
	OutOfOrder, Wrong   int64
	Refused, Unanswered int64
	Reconnects          int64
	Phases              []phase
}

type phase struct {
	Kind       string
	From, To   float64
	Lost       int64
	Reconnects int64
	Latency    struct{ P50, P95, P99, Max float64 } `json:"latencyMilliseconds"`
}

// verifyFlags says which flags verify has.
func verifyFlags(t stack.T) string {
	p := stack.Start(t, "verify", nil, stack.Binary(t), "verify", "-h")
	p.Wait(t, 10*time.Second)
	return p.Output()
}

// startLoad starts it and waits until all its clients are connected and it writes.
func startLoad(t *trial, d demand) *load {
	l := &load{demand: d, file: filepath.Join(t.TempDir(), "report.json")}
	args := []string{"verify", "--url", t.p.URL, "--duration", "0", "--json", l.file, "--clients", fmt.Sprint(d.clients), "--sse", fmt.Sprint(d.sse),
		"--rate", fmt.Sprint(d.rate), "--spots", fmt.Sprint(d.spots), "--writers", fmt.Sprint(d.writers), "--batch", fmt.Sprint(d.batch),
		"--settle", d.settle.String()}
	for name, n := range map[string]int{"v1": d.v1, "snapshot": d.snapshot} {
		if n > 0 && strings.Contains(t.verifyFlags, "-"+name) {
			args = append(args, "--"+name, fmt.Sprint(n))
		}
	}
	l.process = stack.Start(t, "verify", []string{"PARKWIRE_TOKEN=" + t.p.Token}, stack.Binary(t), args...)
	t.load = l
	limit := time.Minute + time.Duration(d.clients)*50*time.Millisecond
	t.until(limit, fmt.Sprintf("%d clients of verify to be connected", d.clients), func() bool {
		select {
		case <-l.process.Exited():
			t.Fatalf("verify ended before it began:\n%s", l.process.Output())
		default:
		}
		// The instances count those of an earlier scenario too, who are leaving still.
		return strings.Contains(l.process.Output(), verify.AllConnected)
	})
	return l
}

const connections = "parkwire_live_connections"

// mark begins a phase.
func (l *load) mark(t *trial) { l.process.Signal(t, syscall.SIGUSR1) }

// finish ends the writing, waits until every client has seen everything, and reads the report.
func (l *load) finish(t *trial) {
	l.process.Signal(t, syscall.SIGINT)
	code := l.process.Wait(t, l.demand.settle+2*time.Minute)
	text, err := os.ReadFile(l.file)
	if err == nil {
		l.text, err = text, json.Unmarshal(text, &l.report)
	}
	if err != nil {
		t.Fatalf("verify ended with %d and without a report (%v):\n%s", code, err, l.process.Output())
	}
	r := l.report
	if code != 0 || !r.OK || r.Lost+r.Repeated+r.OutOfOrder+r.Wrong+r.Forgotten != 0 {
		t.Errorf("verify: %d lost, %d repeated, %d out of order, %d wrong, %d forgotten (exit code %d): %s", r.Lost, r.Repeated, r.OutOfOrder,
			r.Wrong, r.Forgotten, code, strings.Join(r.Examples[:min(len(r.Examples), 5)], "; "))
	}
	if r.Acknowledged == 0 {
		t.Errorf("nothing was acknowledged, so nothing is shown: %s", r.Refusal)
	}
	t.row.add(r)
}
