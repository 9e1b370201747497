package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"parkwire/internal/load"
)

// A report is what is kept of the one that "parkwire load" writes.
type report struct {
	Clients load.Clients `json:"clients"`
	Events  load.Events  `json:"events"`
	Phases  []load.Phase `json:"phases"`
}

func (r report) phase(pattern string) (load.Phase, bool) {
	for _, p := range r.Phases {
		if p.Pattern == pattern {
			return p, true
		}
	}
	return load.Phase{}, false
}

// arguments are the command line of the generator for a job.
func arguments(s *site, c contender, g group, j job, to string) []string {
	var urls []string
	for _, address := range g.addresses {
		urls = append(urls, "ws://"+address+c.path)
	}
	args := []string{"load", "--url", strings.Join(urls, ","), "--clients", strconv.Itoa(j.Clients), "--protocol", c.protocol,
		"--publish", s.feed(c), "--lots", strconv.Itoa(j.Lots), "--pattern", j.Patterns, "--sched", j.Sched, "--size", "180", "--json", to}
	for _, f := range []struct {
		name  string
		value int
	}{{"--rounds", j.Repeats}, {"--burst", j.Burst}, {"--rate", j.Rate}} {
		if f.value > 0 {
			args = append(args, f.name, strconv.Itoa(f.value))
		}
	}
	if j.Hold > 0 {
		args = append(args, "--duration", j.Hold.String())
	}
	return args
}

// generate runs the generator to its end. What it says while it runs goes to progress.
func generate(ctx context.Context, s *site, c contender, g group, j job, progress *os.File) (report, error) {
	var r report
	to := filepath.Join(s.TempDir(), "load.json")
	cmd := exec.CommandContext(ctx, filepath.Join(s.work, "parkwire"), arguments(s, c, g, j, to)...)
	cmd.Stderr = progress
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	failed := cmd.Run()
	text, err := os.ReadFile(to)
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		return r, fmt.Errorf("parkwire load: %v, %w", failed, err)
	}
	return r, nil
}
