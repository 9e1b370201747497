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
func startPeer(b *bench, folder string, platform *stack.Stack) *side {
	dir := b.TempDir()
	for _, name := range []string{"index.js", "package.json", "package-lock.json"} {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, fs.FileMode(0o644))
		}
		if err != nil {
			b.Fatalf("copying the stack to compare with: %v; -peer names its folder", err)
		}
	}
	stack.Run(b, 2*time.Minute, nil, "npm", "ci", "--omit=dev", "--no-audit", "--no-fund", "--prefix", dir)
	redis := platform.Redis
	if redis == "" {
		redis = startRedis(b)
	}
	address := stack.Address(stack.Port(b))
	host, port, _ := strings.Cut(address, ":")
	p := stack.Start(b, "peer", []string{
		"HOST=" + host, "PORT=" + port, "KAFKA=" + platform.Kafka, "TOPIC=" + platform.Topic, "REDIS=" + redis,
		"CHANNEL=latency-" + port, "GROUP=latency-" + port,
	}, "node", filepath.Join(dir, "index.js"))
	await(b, p, "listening")
	return &side{name: "peer", address: address, pids: []int{p.PID()}}
}

func startRedis(b *bench) string {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		b.Fatalf("the stack to compare with needs Redis: %v", err)
	}
	address := stack.Address(stack.Port(b))
	_, port, _ := strings.Cut(address, ":")
	await(b, stack.Start(b, "redis", nil, path, "--bind", "127.0.0.1", "--port", port, "--save", "", "--dir", b.TempDir()), "Ready to accept")
	return "redis://" + address
}

// await waits until a process has said something.
func await(b *bench, p *stack.Process, what string) {
	for began := time.Now(); !strings.Contains(p.Output(), what); time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > 30*time.Second {
			b.Fatalf("a process did not say %q:\n%s", what, p.Output())
		}
		select {
		case <-p.Exited():
			b.Fatalf("a process ended before it said %q:\n%s", what, p.Output())
		default:
		}
	}
}
