// Footprint measures what "parkwire all" costs before it does anything: the size of the binary, the time from its start
// until it is ready, first on an empty folder and then on the same, and its memory at rest.
//
//	go run ./test/bench/footprint
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"parkwire/test/e2e/stack"
)

func main() {
	rounds := flag.Int("rounds", 5, "how many times it is started, each on an empty folder and again on the same")
	rest := flag.Duration("rest", 10*time.Second, "how long it rests before its memory is read")
	flag.Parse()
	err := stack.Script(func(t stack.T) {
		info, err := os.Stat(stack.Binary(t))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("binary                       %.1f MB\n", float64(info.Size())/1e6)
		var first, again []time.Duration
		var last *stack.Stack
		for range *rounds {
			if last != nil {
				last.One.Stop(t)
			}
			last = stack.Prepare(t)
			last.One.Start(t)
			first = append(first, last.One.WaitReady(t))
			last.One.Stop(t)
			last.One.Start(t)
			again = append(again, last.One.WaitReady(t))
		}
		fmt.Printf("ready on an empty folder     %s\nready on the same folder     %s\n", spread(first), spread(again))
		time.Sleep(*rest)
		fmt.Printf("memory at rest after %v     %s\n", *rest, strings.Join(memory(last.One.PID()), ", "))
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "footprint:", err)
		os.Exit(1)
	}
}

func spread(times []time.Duration) string {
	slices.Sort(times)
	return fmt.Sprintf("%d ms (%d to %d)", times[len(times)/2].Milliseconds(), times[0].Milliseconds(), times[len(times)-1].Milliseconds())
}

// memory reads the resident memory of a process, and of it what is its own, from /proc.
func memory(pid int) []string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return []string{err.Error()}
	}
	var found []string
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(line, ":"); name == "VmRSS" || name == "RssAnon" || name == "RssFile" || name == "Threads" {
			found = append(found, name+" "+strings.TrimSpace(value))
		}
	}
	return found
}
