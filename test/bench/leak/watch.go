//go:build linux

package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"parkwire/test/e2e/stack"
)

// figures are what a process holds.
type figures struct {
	rss, heap         float64 // MB
	goroutines, files int
	clients           int
}

// Above what was there before nothing more is taken for noise than this. A byte that each of a million connections left behind would be 1 MB.
const (
	moreHeap       = 4  // MB
	moreRSS        = 40 // MB: Go gives memory back late, and the collector runs when it likes
	moreGoroutines = 16
	moreFiles      = 8
)

// leaked says what did not come back.
func (f figures) leaked(before figures) string {
	switch {
	case f.clients > 1: // the gateway's
		return fmt.Sprintf("there are still %d clients", f.clients-1)
	case f.files > before.files+moreFiles:
		return fmt.Sprintf("there are %d files; there were %d", f.files, before.files)
	case f.goroutines > before.goroutines+moreGoroutines:
		return fmt.Sprintf("there are %d goroutines; there were %d", f.goroutines, before.goroutines)
	case f.heap > before.heap+moreHeap:
		return fmt.Sprintf("the heap has %.1f MB; it had %.1f", f.heap, before.heap)
	case f.rss > before.rss+moreRSS:
		return fmt.Sprintf("%.1f MB are resident; it were %.1f", f.rss, before.rss)
	}
	return ""
}

// watch looks at a process from outside.
type watch struct{ node *stack.Node }

// engine is the one that the process says it uses.
func (w *watch) engine(t stack.T) string {
	for line := range strings.Lines(w.node.Metrics(t)) {
		if rest, ok := strings.CutPrefix(line, `parkwire_live_engine_info{engine="`); ok {
			name, _, _ := strings.Cut(rest, `"`)
			return name
		}
	}
	return "engine not told"
}

// settled waits until every client is gone and everything is back, for a minute at most, and returns what there is then.
// Without figures of before it waits for files and goroutines to become no fewer.
func (w *watch) settled(t stack.T, before figures) figures {
	last := w.figures(t)
	for began := time.Now(); time.Since(began) < time.Minute; {
		time.Sleep(time.Second)
		now := w.figures(t)
		known := before != figures{}
		if now.clients <= 1 && (known && now.leaked(before) == "" || !known && now.files >= last.files && now.goroutines >= last.goroutines) {
			return now
		}
		last = now
	}
	return last
}

func (w *watch) figures(t stack.T) figures {
	answer, err := http.Get(strings.Replace(w.node.MetricsURL(), "/metrics", "/debug/pprof/heap?gc=1", 1))
	if err != nil {
		t.Fatalf("asking for a garbage collection: %v", err)
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	var f figures
	for line := range strings.Lines(w.node.Metrics(t)) {
		name, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		value, err := strconv.ParseFloat(text, 64)
		switch {
		case err != nil:
		case name == "go_goroutines":
			f.goroutines = int(value)
		case name == "process_open_fds":
			f.files = int(value)
		case name == "go_memstats_heap_alloc_bytes":
			f.heap = value / 1e6
		case strings.HasPrefix(name, "parkwire_live_connections{"):
			f.clients += int(value)
		}
	}
	f.rss = resident(t, w.node.PID())
	return f
}

// resident is the memory of a process that is its own, in MB.
func resident(t stack.T, pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			kb, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(value), " kB"))
			if err != nil {
				t.Fatal(err)
			}
			return float64(kb) * 1024 / 1e6
		}
	}
	t.Fatalf("process %d does not say how much memory it has", pid)
	return 0
}
