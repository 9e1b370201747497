//go:build linux

package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"parkwire/test/e2e/stack"
)

// startPeer starts the stack to compare with, installed from its lock file into a folder of its own, on the
// topic of the platform. It needs Redis, which is started where the platform has none.
func startPeer(t stack.T, folder string, platform *stack.Stack) *side {
	dir := t.TempDir()
	for _, name := range []string{"index.js", "package.json", "package-lock.json"} {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, fs.FileMode(0o644))
		}
		if err != nil {
			t.Fatalf("copying the stack to compare with: %v; -peer names its folder", err)
		}
	}
	stack.Run(t, 2*time.Minute, nil, "npm", "ci", "--omit=dev", "--no-audit", "--no-fund", "--prefix", dir)
	redis := platform.Redis
	if redis == "" {
		redis = startRedis(t)
	}
	address := stack.Address(stack.Port(t))
	host, port, _ := strings.Cut(address, ":")
	p := stack.Start(t, "peer", []string{
		"HOST=" + host, "PORT=" + port, "KAFKA=" + platform.Kafka, "TOPIC=" + platform.Topic, "REDIS=" + redis,
		"CHANNEL=latency-" + port, "GROUP=latency-" + port,
	}, "node", filepath.Join(dir, "index.js"))
	await(t, p, "listening")
	return &side{name: "peer", address: address, pids: []int{p.PID()}}
}

func startRedis(t stack.T) string {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatalf("the stack to compare with needs Redis: %v", err)
	}
	address := stack.Address(stack.Port(t))
	_, port, _ := strings.Cut(address, ":")
	await(t, stack.Start(t, "redis", nil, path, "--bind", "127.0.0.1", "--port", port, "--save", "", "--dir", t.TempDir()), "Ready to accept")
	return "redis://" + address
}

// await waits until a process has said something.
func await(t stack.T, p *stack.Process, what string) {
	for began := time.Now(); !strings.Contains(p.Output(), what); time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > 30*time.Second {
			t.Fatalf("a process did not say %q:\n%s", what, p.Output())
		}
		select {
		case <-p.Exited():
			t.Fatalf("a process ended before it said %q:\n%s", what, p.Output())
		default:
		}
	}
}
