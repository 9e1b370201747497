package load

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"parkwire/internal/event"
)

var update = flag.Bool("update", false, "write testdata anew")

// example is a report in which everything has happened.
func example() Report {
	h := newHistogram()
	for i := range 1000 {
		h.add(int64(time.Millisecond) + int64(i)*int64(20*time.Microsecond))
	}
	cpu := CPU{Share: 0.21, Why: "it waited for frames", Seconds: 1.5, Cores: 2, BusiestLoop: 0.3, AsleepShare: 0.6, FoundAtOnce: 0.4, Machine: 0.7}
	busy := cpu
	busy.Bottleneck, busy.Why = true, "a loop was busy all the time"
	rounds := []Round{{0.02, 0.001, 1000, 50000}, {0.01, 0.001, 1000, 100000}, {0.04, 0.002, 1000, 25000}}
	r := Report{
		Run: "ab12", Began: event.At(time.Unix(1764000000, 0)), Seconds: 12.5, URLs: []string{"ws://localhost:5000/notifications"}, Protocol: plain, Publish: "kafka",
		Pattern: "idle,burst,storm", Burst: 10, Rate: 100, Bytes: 202, Sched: "batch", Processes: 2, Hardware: "2 cores, linux/amd64",
		Clients: Clients{Wanted: 100, Connected: 99, Ever: 100, Lost: 3, ConnectSeconds: 0.5, PerSecond: 200},
		Events:  Events{Published: 33, Expected: 3300, Delivered: 3299, Lost: 1, Repeated: 2, OutOfOrder: 3, Strange: 4, Missed: 5, Frames: 3310, Bytes: 700_000},
		Phases: []Phase{
			{Pattern: idle, Began: 1, Ended: 2_000_000_001, Rounds: []Round{}, CPU: cpu},
			{Pattern: burst, Began: 2, Ended: 3, Delivered: 3000, Rounds: rounds, DeliveriesPerSecond: spreadOf(rounds, nil), Latency: latencyOf(h), CPU: busy},
			{Pattern: storm, Began: 3, Ended: 4, Delivered: 300, Rounds: []Round{}, DeliveriesPerSecond: Spread{100, 110, 120}, Latency: latencyOf(h), CPU: cpu},
		},
		Rounds: []Round{}, DeliveriesPerSecond: Spread{100, 110, 120}, Latency: latencyOf(h), CPU: cpu,
		Cuts:      []Cut{{At: 5, Clients: 50, BackSeconds: 0.25, CaughtUpSeconds: 0.5}},
		Endings:   map[string]int{"refused: HTTP 503": 7, "lost: closed with 1012": 3},
		Samples:   []Sample{{0, 0, 0, 0}, {1, 60, 0, 0}, {2, 100, 10, 1000}, {5.1, 50, 20, 1900}, {12.5, 99, 33, 3299}},
		Histogram: bucketsOf(h),
	}
	r.judge("the last 7 events had not come")
	return r
}

// TestTheReportsSayWhatWasFound compares with what is kept in testdata: -update writes it anew.
func TestTheReportsSayWhatWasFound(t *testing.T) {
	r := example()
	var text strings.Builder
	if err := r.Print(&text); err != nil {
		t.Fatal(err)
	}
	r.Histogram = r.Histogram[:3]
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]string{"report.txt": text.String(), "report.json": string(data) + "\n", "report.svg": string(example().SVG())} {
		file := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil || string(want) != got {
			t.Errorf("%s has become (%v)\n%s", name, err, got)
		}
	}
}

func TestAReportWithoutAnythingIsOneToo(t *testing.T) {
	for _, r := range []Report{{}, {Phases: []Phase{{Pattern: idle}}, Samples: []Sample{{}}}, {Samples: []Sample{{0, 1, 1, 1}, {0, 1, 1, 1}}, Histogram: []Bucket{{0, 1}}}} {
		if err := r.Print(io.Discard); err != nil {
			t.Error(err)
		}
		picture := string(r.SVG())
		for _, bad := range []string{"NaN", "Inf"} {
			if strings.Contains(picture, bad) {
				t.Errorf("the picture has %s in it: %s", bad, picture)
			}
		}
		for d := xml.NewDecoder(strings.NewReader(picture)); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("the picture is no XML: %v\n%s", err, picture)
			}
		}
		if _, err := json.Marshal(r); err != nil {
			t.Error(err)
		}
	}
}

func TestQuantilesAreAtMostSoMuchTooHigh(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	one, two, merged := newHistogram(), newHistogram(), newHistogram()
	var all []time.Duration
	for i := range 20_000 {
		d := time.Duration(random.ExpFloat64() * float64(10*time.Millisecond))
		all = append(all, d)
		[]*histogram{one, two}[i%2].add(int64(d))
	}
	merged.include(one)
	merged.include(two)
	slices.Sort(all)
	for _, q := range []float64{0, 0.5, 0.9, 0.99, 0.999, 1} {
		want := all[min(int(q*float64(len(all))), len(all)-1)]
		if got := merged.quantile(q); float64(got) < float64(want)*0.999-1000 || float64(got) > float64(want)*1.033+1000 {
			t.Errorf("%v of them are within %v, and it says %v", q, want, got)
		}
	}
	if merged.N != 20_000 || merged.quantile(1) != all[len(all)-1].Truncate(time.Microsecond) {
		t.Errorf("the longest of %d is %v instead of %v", merged.N, merged.quantile(1), all[len(all)-1])
	}
	merged.add(int64(100 * time.Hour))
	merged.add(-5)
	if merged.Buckets[len(merged.Buckets)-1] != 1 || merged.Buckets[0] == 0 {
		t.Error("what is too long or negative is not counted")
	}
	if merged.reset(); merged.quantile(0.5) != 0 || merged.N != 0 {
		t.Error("it is not empty after a reset")
	}
}

func TestSecondsWithoutRoundsAreSpread(t *testing.T) {
	var samples []Sample
	for i := range 51 { // 1 s of nothing, 3 s of 1,000 a second, 1 s of nothing
		samples = append(samples, Sample{Seconds: float64(i) / 10, Delivered: uint64(100 * min(max(i-10, 0), 30))})
	}
	if got := spreadOf(nil, samples); got.Min < 999 || got.Max > 1001 {
		t.Errorf("the rate of a steady second is %+v", got)
	}
}

func TestOptionsThatCannotBeUsedAreNamed(t *testing.T) {
	for want, change := range map[string]func(*Options){
		"--clients":             func(o *Options) { o.Clients = 0 },
		"--url is missing":      func(o *Options) { o.URLs = nil },
		"no address":            func(o *Options) { o.URLs = []string{"nowhere"} },
		"TLS":                   func(o *Options) { o.URLs = []string{"wss://example.org"} },
		"must begin with":       func(o *Options) { o.URLs = []string{"ftp://example.org"} },
		"--protocol":            func(o *Options) { o.Protocol = "mqtt" },
		"--pattern":             func(o *Options) { o.Pattern = "lone,lonely" },
		"--sched":               func(o *Options) { o.Sched = "fifo" },
		"--lots":                func(o *Options) { o.Lots = -1 },
		"--ramp":                func(o *Options) { o.Ramp = -1 },
		"--patience":            func(o *Options) { o.Patience = 0 },
		"--run":                 func(o *Options) { o.Run = `a"b` },
		"--size":                func(o *Options) { o.Size = -1 },
		"--burst":               func(o *Options) { o.Burst = 0 },
		"--rounds":              func(o *Options) { o.Rounds = 0 },
		"--rate":                func(o *Options) { o.Rate = 0 },
		"--cut":                 func(o *Options) { o.Cut = 1.5 },
		"--every":               func(o *Options) { o.Every = 0 },
		"--away":                func(o *Options) { o.Away = -1 },
		"--warmup":              func(o *Options) { o.Warmup = -1 },
		"--events":              func(o *Options) { o.Events = -1 },
		"--duration":            func(o *Options) { o.For = -1 },
		"--processes":           func(o *Options) { o.Processes = -1 },
		"--publish is missing":  func(o *Options) { o.Publish = "none" },
		"none of kafka":         func(o *Options) { o.Publish = "amqp://x/y" },
		"lacks a host":          func(o *Options) { o.Publish = "redis://x" },
		"redis://localhost:637": func(o *Options) { o.Publish = "redis://x:y/z" },
	} {
		o := Defaults()
		o.URLs, o.Publish = []string{"ws://localhost:5000"}, "kafka://a:1,b:2/topic"
		change(&o)
		err := o.check()
		if wrong := OptionError(""); !errors.As(err, &wrong) || !strings.Contains(err.Error(), want) {
			t.Errorf("instead of %q it says %v", want, err)
		}
	}
	o := Defaults()
	o.URLs, o.Publish, o.Pattern = []string{"http://localhost", "ws://[::1]:5000/x?y=z"}, "none", "idle,steady"
	if err := o.check(); err != nil || o.Run == "" {
		t.Errorf("good options are refused: %v", err)
	}
}
