package stack

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// keptLines bounds how much of what a process said is kept to be shown.
const keptLines = 2000

// Process is one running process. It ends with its test at the latest.
type Process struct {
	name   string
	cmd    *exec.Cmd
	exited chan struct{} // closed when it has ended and everything it said was read
	err    error         // of Wait; valid when exited is closed

	mu    sync.Mutex
	lines []string
}

// Start starts a program with the environment of the tests, but for what configures Parkwire, and with env
// ("NAME=value") added.
func Start(t T, name string, env []string, path string, args ...string) *Process {
	t.Helper()
	p := &Process{name: name, cmd: exec.Command(path, args...), exited: make(chan struct{})}
	p.cmd.Env = append(Environ(), env...)
	p.cmd.Dir = t.TempDir() // so that a relative path by mistake is nobody else's folder
	endWithParent(p.cmd)
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatalf("starting %s: %v", name, err)
	}
	p.cmd.Stdout, p.cmd.Stderr = in, in
	err = p.cmd.Start()
	in.Close()
	if err != nil {
		out.Close()
		t.Fatalf("starting %s: %v", name, err)
	}
	go func() {
		defer close(p.exited)
		p.read(out)
		p.err = p.cmd.Wait()
		out.Close()
	}()
	t.Cleanup(func() {
		p.end()
		if t.Failed() {
			t.Logf("what %s said:\n%s", name, p.Output())
		}
	})
	return p
}

// Environ is the environment of the tests without the variables that configure Parkwire.
func Environ() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "PARKWIRE_") })
}

func (p *Process) read(from io.Reader) {
	scanner := bufio.NewScanner(from)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		p.mu.Lock()
		if len(p.lines) == keptLines {
			p.lines = slices.Delete(p.lines, 0, keptLines/2)
		}
		p.lines = append(p.lines, scanner.Text())
		p.mu.Unlock()
	}
	io.Copy(io.Discard, from) // a line too long to keep must not block the process
}

// Output is what the process said last, standard output and error together.
func (p *Process) Output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.lines, "\n")
}

// PID is the id of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Signal sends a signal.
func (p *Process) Signal(t T, signal syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		t.Fatalf("sending %v to %s: %v", signal, p.name, err)
	}
}

// Wait waits until the process has ended by itself and returns its exit code (-1: by a signal).
func (p *Process) Wait(t T, timeout time.Duration) int {
	t.Helper()
	select {
	case <-p.exited:
	case <-time.After(timeout):
		t.Fatalf("%s has not ended after %v", p.name, timeout)
	}
	var exit *exec.ExitError
	if p.err != nil && !errors.As(p.err, &exit) {
		t.Fatalf("waiting for %s: %v", p.name, p.err)
	}
	return p.cmd.ProcessState.ExitCode()
}

// Exited is closed when the process has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Stop sends SIGTERM and checks that the process ends by itself, without a failure.
func (p *Process) Stop(t T) {
	t.Helper()
	p.Signal(t, syscall.SIGTERM)
	if code := p.Wait(t, 30*time.Second); code != 0 {
		t.Errorf("%s ended with exit code %d after SIGTERM; 0 was promised", p.name, code)
	}
}

// Kill sends SIGKILL and waits for the end.
func (p *Process) Kill(t T) {
	t.Helper()
	p.Signal(t, syscall.SIGKILL)
	p.Wait(t, 30*time.Second)
}

// end ends the process however it is.
func (p *Process) end() {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		select {
		case <-p.exited:
			return
		default:
		}
		p.cmd.Process.Signal(signal)
		select {
		case <-p.exited:
			return
		case <-time.After(5 * time.Second):
		}
	}
}

// Run runs a program to its end and returns what it said on standard output.
func Run(t T, timeout time.Duration, env []string, path string, args ...string) string {
	t.Helper()
	return run(t, timeout, env, nil, path, args...)
}

// Feed runs a program to its end that reads input, and returns what it said on standard output.
func Feed(t T, timeout time.Duration, input, path string, args ...string) string {
	t.Helper()
	return run(t, timeout, nil, strings.NewReader(input), path, args...)
}

func run(t T, timeout time.Duration, env []string, input io.Reader, path string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(Environ(), env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = input, &stdout, &stderr
	endWithParent(cmd)
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v %v\n%s%s", path, strings.Join(args, " "), err, context.Cause(ctx), tail(stdout.String()), tail(stderr.String()))
	}
	return stdout.String()
}

func tail(text string) string {
	if len(text) > 4000 {
		return "…" + text[len(text)-4000:]
	}
	return text
}
