package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"

	"parkwire/test/bench/machine"
	"parkwire/test/e2e/stack"
)

// hardware describes what figures were taken on, a line each.
func hardware(b *builder) (lines []string) {
	memory := fields("/proc/meminfo")["MemTotal"]
	lines = append(lines, fmt.Sprintf("%s, %d cores, %.0f GB of memory", machine.Processor(), runtime.NumCPU(), float64(memory)/(1<<30)))
	var files syscall.Rlimit
	syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files)
	lines = append(lines, fmt.Sprintf("Linux %s; a process opens at most %d files", machine.Says("uname", "-r"), files.Max))
	lines = append(lines, fmt.Sprintf("%s; %s; Redis %s; %s", strings.TrimPrefix(runtime.Version(), "go"), machine.Says("cc", "--version"),
		word(machine.Says("redis-server", "--version"), "v="), strings.TrimSpace(nginxVersion())))
	lines[len(lines)-1] = "Go " + lines[len(lines)-1]
	lines = append(lines, "Parkwire "+machine.Says("git", "-C", stack.Root(), "describe", "--tags", "--always", "--dirty"))
	for _, module := range []string{"bare", "centrifuge"} {
		lines = append(lines, versions(filepath.Join(stack.Root(), "test/bench", module, "go.mod"), regexp.MustCompile(`(?m)^\t(github\.com/\S+ v\S+)$`)))
	}
	lines = append(lines, "Node "+machine.Says("node", "--version")+", kafkajs, ioredis, ws, socket.io and its Redis Streams adapter as the lock files have them: "+
		strings.Join(locked(b), ", "))
	return lines
}

func nginxVersion() string {
	out, _ := exec.Command("nginx", "-v").CombinedOutput()
	return strings.TrimPrefix(string(out), "nginx version: ")
}

// word is what follows a mark, to the next space.
func word(text, mark string) string {
	_, rest, _ := strings.Cut(text, mark)
	found, _, _ := strings.Cut(rest, " ")
	return found
}

func versions(path string, pattern *regexp.Regexp) string {
	text, _ := os.ReadFile(path)
	var all []string
	for _, found := range pattern.FindAllStringSubmatch(string(text), -1) {
		all = append(all, strings.TrimPrefix(found[1], "github.com/"))
	}
	return strings.Join(all, ", ")
}

// locked are the versions of the peers' packages.
func locked(b *builder) (all []string) {
	for _, stack := range []string{"seedstack", "socketio"} {
		for _, name := range []string{"kafkajs", "ioredis", "ws", "socket.io", "@socket.io/redis-streams-adapter"} {
			text, err := os.ReadFile(filepath.Join(b.work, stack, "node_modules", name, "package.json"))
			if found := regexp.MustCompile(`"version": "([^"]+)"`).FindSubmatch(text); err == nil && found != nil {
				if v := name + " " + string(found[1]); !strings.Contains(strings.Join(all, ","), v) {
					all = append(all, v)
				}
			}
		}
	}
	return all
}
