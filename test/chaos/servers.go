package main

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"parkwire/test/e2e/stack"
)

// servers are three nodes of Kafka, Redis with a replica and three sentinels, and PostgreSQL, run by test/kit in a folder of
// their own. Each is a process that can be killed, paused and started again.
type servers struct {
	dir       string   // KIT_DIR
	kafka     []string // addresses of the brokers
	redis     []string // of redis-1 and redis-2
	sentinels []string
	database  *url.URL
}

// The names of the nodes, as test/kit has them.
var (
	kafkaNodes    = []string{"31", "32", "33"}
	redisNodes    = []string{"redis-1", "redis-2"}
	sentinelNodes = []string{"sentinel-1", "sentinel-2", "sentinel-3"}
)

// startServers starts them all, and wipes them when the program ends.
func startServers(t stack.T, dir string) *servers {
	s := &servers{dir: dir}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	os.Chmod(dir, 0o755) // PostgreSQL runs as a user of its own
	t.Cleanup(func() {
		s.all(t, "wipe")
		os.RemoveAll(filepath.Join(dir, "sentinel"))
	})
	if _, err := s.try("kafka.sh", "start", "3"); err != nil { // somebody else took a port meanwhile
		t.Logf("%v; once more, with other ports", err)
		s.all(t, "wipe")
	}
	s.all(t, "start")
	s.kafka = strings.Split(s.kit(t, "kafka.sh", "brokers", "3"), ",")
	for _, line := range strings.Split(s.kit(t, "sentinel.sh", "nodes"), "\n") {
		name, address, _ := strings.Cut(line, " ")
		if strings.HasPrefix(name, "redis") {
			s.redis = append(s.redis, address)
		} else {
			s.sentinels = append(s.sentinels, address)
		}
	}
	var err error
	if s.database, err = url.Parse(s.kit(t, "postgres.sh", "url")); err != nil {
		t.Fatal(err)
	}
	return s
}

// all does something to all servers at once: start (those that do not run), stop or wipe.
func (s *servers) all(t stack.T, do string) {
	t.Helper()
	nodes := []string{"3"}
	if do == "wipe" {
		nodes = nil
	}
	errs := make([]error, 3)
	var all sync.WaitGroup
	for i, args := range [][]string{append([]string{"kafka.sh", do}, nodes...), {"sentinel.sh", do}, {"postgres.sh", do}} {
		all.Go(func() { _, errs[i] = s.try(args...) })
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			t.Fatalf("%v", err)
		}
	}
}

// kit runs a script of test/kit and returns what it said.
func (s *servers) kit(t stack.T, args ...string) string {
	t.Helper()
	out, err := s.try(args...)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return out
}

func (s *servers) try(args ...string) (string, error) {
	cmd := exec.Command(filepath.Join(stack.Root(), "test", "kit", args[0]), args[1:]...)
	cmd.Env = append(os.Environ(), "KIT_DIR="+s.dir)
	// A Ctrl-C is for this program, which ends the servers.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		text := strings.TrimSpace(out.String() + said.String())
		return "", fmt.Errorf("test/kit/%s: %w: %s", strings.Join(args, " "), err, text[max(0, len(text)-500):])
	}
	return strings.TrimSpace(out.String()), nil
}

// redisURL is how Redis is found through its sentinels, at the given addresses of these.
func redisURL(sentinels []string) string {
	u := "redis://" + sentinels[0] + "?master_set=parkwire"
	for _, other := range sentinels[1:] {
		u += "&addr=" + other
	}
	return u
}

// signalKafka sends a signal to nodes of Kafka that run.
func (s *servers) signalKafka(t stack.T, signal syscall.Signal, nodes ...string) {
	t.Helper()
	for _, node := range nodes {
		text, err := os.ReadFile(filepath.Join(s.dir, "kafka", "node-"+node, "pid"))
		if err != nil {
			t.Fatal(err)
		}
		pid, _ := strconv.Atoi(strings.Fields(string(text))[0])
		if err := syscall.Kill(pid, signal); err != nil {
			t.Fatalf("sending %v to node %s of Kafka: %v", signal, node, err)
		}
	}
}

// each runs a script for several nodes at once.
func (s *servers) each(t stack.T, script, do string, nodes ...string) {
	t.Helper()
	errs := make([]error, len(nodes))
	var all sync.WaitGroup
	for i, node := range nodes {
		all.Go(func() { _, errs[i] = s.try(script, do, node) })
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			t.Fatalf("%v", err)
		}
	}
}
