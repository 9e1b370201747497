package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"parkwire/test/e2e/stack"
)

// A trial is one scenario while it runs. It is a [stack.T]: what is started for it ends with it.
type trial struct {
	*options
	p      *platform
	name   string
	ctx    context.Context // ends when the user interrupts
	row    row
	load   *load
	crowds []*crowd
	dir    string

	mu       sync.Mutex
	failures []string
	notes    []string
	cleanups []func()
}

func (t *trial) Helper() {}

func (t *trial) Logf(format string, args ...any) {
	if t.verbose {
		fmt.Fprintf(os.Stderr, format+"\n", args...)
	}
}

func (t *trial) Errorf(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failures = append(t.failures, fmt.Sprintf(format, args...))
}

func (t *trial) Fatalf(format string, args ...any) {
	t.Errorf(format, args...)
	runtime.Goexit()
}

func (t *trial) Fatal(args ...any)                { t.Fatalf("%s", fmt.Sprint(args...)) }
func (t *trial) Skipf(format string, args ...any) { t.Fatalf(format, args...) }

func (t *trial) Failed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.failures) > 0
}

func (t *trial) Cleanup(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cleanups = append(t.cleanups, f)
}

func (t *trial) TempDir() string {
	dir, err := os.MkdirTemp(t.dir, "")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// note keeps what the scenario found, for the table.
func (t *trial) note(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.notes = append(t.notes, fmt.Sprintf(format, args...))
}

// run calls do in a goroutine of its own, which Fatalf ends, and waits for it.
func (t *trial) run(do func()) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		do()
	}()
	<-ended
}

// clean ends what was started for the trial, the last first.
func (t *trial) clean() {
	for {
		t.mu.Lock()
		n := len(t.cleanups)
		if n == 0 {
			t.mu.Unlock()
			break
		}
		last := t.cleanups[n-1]
		t.cleanups = t.cleanups[:n-1]
		t.mu.Unlock()
		t.run(last)
	}
}

// lasting is the trial as a [stack.T] for processes that outlive it.
func (t *trial) lasting() stack.T { return lasting{t, t.platformT} }

type lasting struct {
	*trial
	outer stack.T
}

func (l lasting) Cleanup(f func()) { l.outer.Cleanup(f) }
func (l lasting) TempDir() string  { return l.outer.TempDir() }

// wait waits, unless the user interrupts.
func (t *trial) wait(d time.Duration) {
	select {
	case <-t.ctx.Done():
		t.Fatalf("interrupted")
	case <-time.After(d):
	}
}

// until waits until a condition holds, and fails where that takes too long. It returns how long it took.
func (t *trial) until(limit time.Duration, what string, holds func() bool) time.Duration {
	began := time.Now()
	for !holds() {
		if time.Since(began) > limit {
			t.Fatalf("waited %v for %s", limit, what)
		}
		t.wait(20 * time.Millisecond)
	}
	return time.Since(began)
}

// bound fails the trial unless something took no longer than it may. On a machine that others use, or in the short form, it may
// take longer: see slack.
func (t *trial) bound(what string, took, limit time.Duration) {
	t.note("%s %.1f s", what, took.Seconds())
	if limit *= time.Duration(t.slack); took > limit {
		t.Errorf("%s after %v; within %v was promised", what, took.Round(10*time.Millisecond), limit)
	}
}

// choose takes the value of the short or the long form.
func choose[V any](t *trial, short, long V) V {
	if t.long {
		return long
	}
	return short
}

// keep writes what a failed trial left behind into a folder, and returns it.
func (t *trial) keep() string {
	dir := filepath.Join(t.logs, t.name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err.Error()
	}
	files := t.p.logs()
	files["failures"] = strings.Join(t.failures, "\n")
	if t.load != nil {
		files["verify"] = t.load.process.Output()
		files["report.json"] = string(t.load.text)
	}
	for name, text := range files {
		if filepath.Ext(name) == "" {
			name = strings.ReplaceAll(name, " ", "-") + ".log"
		}
		os.WriteFile(filepath.Join(dir, name), []byte(text+"\n"), 0o644)
	}
	for _, node := range kafkaNodes {
		if text, err := os.ReadFile(filepath.Join(t.p.dir, "kafka", "node-"+node, "log")); err == nil {
			os.WriteFile(filepath.Join(dir, "kafka-"+node+".log"), text, 0o644)
		}
	}
	for _, node := range append(append([]string(nil), redisNodes...), sentinelNodes...) {
		if text, err := os.ReadFile(filepath.Join(t.p.dir, "sentinel", node, "log")); err == nil {
			os.WriteFile(filepath.Join(dir, node+".log"), text, 0o644)
		}
	}
	return dir
}
