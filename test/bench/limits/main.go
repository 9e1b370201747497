//go:build linux

// Limits measures what an honest client feels while another one floods the gateway: reading and writing at a steady rate, with and without limits, counted
// in the process and in Redis. Rounds alternate between all ways, so that all meet the same machine in the same mood.
//
//	go run ./test/bench/limits
//	go run ./test/bench/limits -write docs/limits.md
//
// The flood is wrk (Debian's package of that name), which asks as fast as it is answered. It shares the machine with what it floods, as the honest client
// does: on two cores the figures are those of a machine that is full. PARKWIRE_TEST_REDIS_URL names a Redis; without it, its ways are left out.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"

	"parkwire/test/bench/document"
	"parkwire/test/bench/machine"
	"parkwire/test/e2e/stack"
)

// mark is where the table begins in its document.
const mark = "<!-- measured: go run ./test/bench/limits -write docs/limits.md -->\n"

type settings struct {
	length      time.Duration
	rounds      int
	connections int
	rate        int
	write       string
	asJSON      bool
}

func main() {
	var s settings
	flag.DurationVar(&s.length, "length", 13*time.Second, "length of one round, of which the first 3 s are not counted")
	flag.IntVar(&s.rounds, "rounds", 3, "rounds of each way")
	flag.IntVar(&s.connections, "connections", 64, "connections of the flood")
	flag.IntVar(&s.rate, "rate", 40, "requests a second of the honest client, of which every fourth writes")
	flag.StringVar(&s.write, "write", "", "document into which the table is written, between its marks")
	flag.BoolVar(&s.asJSON, "json", false, "print JSON instead of a table")
	flag.Parse()
	if err := stack.Script(s.run); err != nil {
		fmt.Fprintln(os.Stderr, "limits:", err)
		os.Exit(1)
	}
}

// A way is one of what is compared.
type way struct {
	Name  string `json:"name"`
	Flood bool   `json:"flood"`
	// Read and Write are the honest client's times in milliseconds, of all rounds together.
	Read  quantiles `json:"read"`
	Write quantiles `json:"write"`
	Lost  int       `json:"lost"` // requests of the honest client that were not done
	// Served and Refused are what the flood got, a second.
	Served  float64 `json:"served"`
	Refused float64 `json:"refused"`

	platform    *stack.Stack
	read, wrote []time.Duration
	took        time.Duration // of the floods
}

func (s settings) run(t stack.T) {
	if _, err := exec.LookPath("wrk"); err != nil {
		t.Fatalf("wrk is not installed: apt-get install wrk")
	}
	ways := s.ways(t)
	for round := range s.rounds {
		for _, w := range ways {
			s.round(t, w)
			fmt.Fprintf(os.Stderr, "round %d of %d: %s\n", round+1, s.rounds, w.Name)
		}
	}
	for _, w := range ways {
		w.Read, w.Write = quantilesOf(w.read), quantilesOf(w.wrote)
		if w.took > 0 {
			w.Served, w.Refused = w.Served/w.took.Seconds(), w.Refused/w.took.Seconds()
		}
	}
	if s.asJSON {
		out, err := json.MarshalIndent(ways, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println(string(out))
		return
	}
	text := s.table(ways)
	fmt.Print(text)
	if s.write != "" {
		if err := document.Fill(s.write, mark, text); err != nil {
			t.Fatal(err)
		}
	}
}

// ways starts a platform for each way of counting.
func (s settings) ways(t stack.T) []*way {
	const none, here, redis = "no limits", "counted in the process", "counted in Redis"
	arguments := map[string][]string{none: {"--rate-limit", "0"}, here: nil}
	if url := os.Getenv(stack.EnvRedis); url != "" {
		arguments[redis] = []string{"--redis-url", url, "--redis-channel", "bench-" + strconv.Itoa(os.Getpid())}
	}
	var ways []*way
	for _, name := range []string{none, here, redis} {
		args, ok := arguments[name]
		if !ok {
			continue
		}
		platform := stack.Embedded(t, args...)
		platform.AddLot(t, "central", spots...)
		ways = append(ways, &way{Name: name + ", no flood", platform: platform}, &way{Name: name, Flood: true, platform: platform})
	}
	return ways
}

func (s settings) round(t stack.T, w *way) {
	ctx, cancel := context.WithTimeout(context.Background(), s.length)
	defer cancel()
	ended := make(chan flood, 1)
	if w.Flood {
		go func() { ended <- s.flood(w.platform.URL) }()
	}
	h := honest{api: w.platform.API, rate: s.rate}
	h.run(ctx)
	w.read, w.wrote, w.Lost = append(w.read, h.read...), append(w.wrote, h.wrote...), w.Lost+h.lost
	if !w.Flood {
		return
	}
	f := <-ended
	if f.err != nil {
		t.Fatalf("wrk: %v", f.err)
	}
	w.Served, w.Refused, w.took = w.Served+float64(f.asked-f.refused), w.Refused+float64(f.refused), w.took+s.length
}

// A flood is what wrk did.
type flood struct {
	asked, refused int
	err            error
}

var (
	askedLine   = regexp.MustCompile(`(?m)^\s*(\d+) requests in `)
	refusedLine = regexp.MustCompile(`(?m)^\s*Non-2xx or 3xx responses: (\d+)`)
)

// flood asks for as much as it gets, without a token and so as one client by its address.
func (s settings) flood(url string) flood {
	out, err := exec.Command("wrk", "-t", "1", "-c", strconv.Itoa(s.connections), "-d", fmt.Sprintf("%.0fs", s.length.Seconds()), url+"/api/v1/lots").CombinedOutput()
	number := func(line *regexp.Regexp) int {
		if m := line.FindSubmatch(out); m != nil {
			n, _ := strconv.Atoi(string(m[1])) // digits alone
			return n
		}
		return 0
	}
	if err == nil && !askedLine.Match(out) {
		err = fmt.Errorf("it says %q", out)
	}
	return flood{number(askedLine), number(refusedLine), err}
}

func (s settings) table(ways []*way) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| way | reads: p50 | p99 | most | writes: p50 | p99 | most | lost | flood: served/s | refused/s |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, w := range ways {
		fmt.Fprintf(&b, "| %s | %s | %s | %d | ", w.Name, w.Read, w.Write, w.Lost)
		if w.Flood {
			fmt.Fprintf(&b, "%.0f | %.0f |\n", w.Served, w.Refused)
		} else {
			b.WriteString("– | – |\n")
		}
	}
	fmt.Fprintf(&b, "\nMilliseconds. %d rounds of %v each way, %d connections of wrk, %d honest requests a second; %s on %d cores, Parkwire %s.\n",
		s.rounds, s.length, s.connections, s.rate, runtime.Version(), runtime.NumCPU(), machine.Says("git", "-C", stack.Root(), "describe", "--tags", "--always", "--dirty"))
	return b.String()
}
