package main

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parkwire/internal/load"
)

func TestASpreadIsLeastMedianAndMost(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   spread
	}{
		{[]float64{3, 1, 2}, spread{1, 2, 3}},
		{[]float64{4, 1, 3, 2}, spread{1, 2.5, 4}},
		{[]float64{7, math.NaN()}, spread{7, 7, 7}},
	} {
		if got := spreadOf(c.values); got != c.want {
			t.Errorf("of %v: %v, want %v", c.values, got, c.want)
		}
	}
	if got := spreadOf(nil); !math.IsNaN(got.median) {
		t.Errorf("of nothing: %v", got)
	}
}

func TestRatiosAreTakenWithinRounds(t *testing.T) {
	// The machine was half as fast in round 2, for both.
	got := ratio(figures{1: 200, 2: 100, 3: 300}, figures{1: 100, 2: 50})
	if want := (spread{2, 2, 2}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestNumbersAreShort(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 29.4: "29", 999: "999", 173_412: "173,000", 1_358_900: "1,360,000", math.NaN(): "–"} {
		if got := count(v); got != want {
			t.Errorf("%v is written %q, want %q", v, got, want)
		}
	}
}

func TestWhatIsMeasuredIsNotMeasuredAgain(t *testing.T) {
	dir := t.TempDir()
	s, err := openStore(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	jobs := plan(sizes{rounds: 2, clients: 100}, []string{"lone", "idle"}, "raw,ws", nil)
	if len(jobs) != 4 || jobs[0].Contender == jobs[1].Contender || jobs[0].Round != 1 || jobs[2].Round != 2 {
		t.Fatalf("rounds do not alternate between contenders: %v", jobs)
	}
	for _, r := range []result{{job: jobs[0]}, {job: jobs[1], Failure: "no figures"}} {
		if err := s.add(r); err != nil {
			t.Fatal(err)
		}
	}
	// Killed while it wrote the third.
	file, err := os.OpenFile(s.path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(file, `{"measure":"fan`); err != nil {
		t.Fatal(err)
	}
	file.Close()
	again, err := openStore(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	if left := again.todo(jobs); len(left) != 3 || left[0] != jobs[1] {
		t.Errorf("left to do are %v; want all but the first, which has figures", left)
	}
	if err := again.add(result{job: jobs[2]}); err != nil {
		t.Fatal(err)
	}
	if third, err := openStore(dir, false); err != nil || len(third.todo(jobs)) != 2 {
		t.Errorf("a result after a half line was lost: %v", err)
	}
}

func TestAbsentAndUnwantedContendersHaveNoRuns(t *testing.T) {
	for _, j := range plan(sizes{rounds: 1, clients: 100, million: 100}, measures, "parkwire*,ws,gws", map[string]string{nodeWS: "no npm"}) {
		if j.Contender == nodeWS || j.Contender == centrifuge {
			t.Errorf("there is a run of %s", j.Contender)
		}
	}
	if err := checkOnly("parkwire*,nobody"); err == nil {
		t.Error("a contender that does not exist was accepted")
	}
}

func TestCPUIsCutWhereThePhaseBeganAndEnded(t *testing.T) {
	begin := time.Unix(1000, 0)
	var h history
	for i := range 11 { // half a core, sampled each second, and one byte more each second
		h = append(h, sample{at: begin.Add(time.Duration(i) * time.Second), cpu: time.Duration(i) * time.Second / 2, rss: int64(i)})
	}
	var r report
	r.Phases = []load.Phase{{Pattern: "idle", Began: begin.Add(time.Second).UnixNano(), Ended: begin.Add(4 * time.Second).UnixNano()},
		{Pattern: "lone", Began: begin.Add(4500 * time.Millisecond).UnixNano(), Ended: begin.Add(6 * time.Second).UnixNano()}}
	server, m := cut(r, h)
	if server[0].Seconds != 1.5 || server[1].Seconds != 0.75 || m.User != 4 {
		t.Errorf("got %+v and %+v; want 1.5 s, 0.75 s and 4 bytes", server, m)
	}
}

// measured makes results as a run would.
func measured(s sizes, wanted ...string) (all []result) {
	for i, j := range plan(s, wanted, "", nil) {
		r := result{job: j, When: time.Unix(1_800_000_000, 0)}
		r.Report.Clients.Connected, r.Report.Clients.ConnectSeconds = int64(j.Clients), 2
		r.Report.Events.Delivered, r.Report.Events.Expected = 1, 1
		r.Memory = memory{User: int64(j.Clients * 400), Kernel: int64(j.Clients * 8000), Base: 3e7}
		for pattern := range strings.SplitSeq(j.Patterns, ",") {
			p := load.Phase{Pattern: pattern, Delivered: uint64(j.Clients)}
			p.DeliveriesPerSecond.Median = 100_000 * float64(1+i%7)
			p.Latency.P99 = 12
			r.Report.Phases = append(r.Report.Phases, p)
			r.Server = append(r.Server, usage{Pattern: pattern, Seconds: 0.5, Took: 1})
		}
		all = append(all, r)
	}
	return all
}

func TestTheReportShowsEverythingThatWasMeasured(t *testing.T) {
	o := &options{work: t.TempDir(), to: t.TempDir(), sizes: sizes{rounds: 3, clients: 2000, million: 1_000_000}}
	s := &store{results: measured(o.sizes, measures...)}
	if err := os.WriteFile(machineFile(o.work), []byte("2 cores\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := o.report(&builder{absent: map[string]string{"socketio": "no npm"}}, s); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(o.to, "benchmarks.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"## What was to be shown", "## One event to all", "## Ten events at once", "## An idle connection", "default scheduler", "## Each client on one of 200 lots",
		"## Growth", "## NGINX in front", "## 1,000,000 clients", "* 2 cores", "Socket.IO, Redis Streams** is missing here: no npm"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the report has no %q", want)
		}
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "|") && strings.Count(line, "|") < 4 || strings.Contains(line, "%!") || strings.Contains(line, "NaN") {
			t.Errorf("a line is broken: %s", line)
		}
	}
	pictures, _ := filepath.Glob(filepath.Join(o.to, "benchmarks", "*.svg"))
	if len(pictures) != 6 {
		t.Errorf("there are %d pictures, want 6", len(pictures))
	}
	for _, path := range pictures {
		svg, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		d := xml.NewDecoder(svg)
		for err = nil; err == nil; _, err = d.Token() {
		}
		if svg.Close(); !errors.Is(err, io.EOF) {
			t.Errorf("%s is no picture: %v", filepath.Base(path), err)
		}
	}
}

func TestResultsOfOtherSizesAreNotMixedIn(t *testing.T) {
	o := &options{work: t.TempDir(), to: t.TempDir(), sizes: sizes{rounds: 1, clients: 50_000}}
	if err := o.report(&builder{}, &store{results: measured(sizes{rounds: 1, clients: 2000}, "lone")}); err == nil || !strings.Contains(err.Error(), "50000") {
		t.Errorf("got %v; want that nothing of 50,000 clients was measured", err)
	}
}
