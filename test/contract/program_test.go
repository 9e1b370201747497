package contract

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parkwire/test/e2e/stack"
)

// line is what a program of the folder programs says in one line.
type line struct {
	Ready   bool    `json:"ready"`
	Key     *string `json:"key"`
	Message string  `json:"message"`
	Binary  bool    `json:"binary"`
	Error   string  `json:"error"`
}

// program is a running npm program. It ends with its test.
type program struct {
	*stack.Process
	name string
}

func start(t *testing.T, name string, args ...string) *program {
	t.Helper()
	return &program{stack.Start(t, name, nil, "node", script(name, args)...), name}
}

// run runs a program that sends each of the messages, to its end.
func run(t *testing.T, messages []string, name string, args ...string) {
	t.Helper()
	feed(t, messages, "node", script(name, args)...)
}

// feed runs a program that reads the messages from its standard input, one a line.
func feed(t *testing.T, messages []string, path string, args ...string) {
	t.Helper()
	stack.Feed(t, time.Minute, strings.Join(messages, "\n")+"\n", path, args...)
}

func script(name string, args []string) []string {
	return append([]string{filepath.Join(stack.Root(), "test", "contract", "programs", name)}, args...)
}

// lines are the messages that the program has got so far.
func (p *program) lines() []line {
	var all []line
	for text := range strings.Lines(p.Output()) {
		var l line
		if json.Unmarshal([]byte(text), &l) == nil && l.Message != "" {
			all = append(all, l)
		}
	}
	return all
}

func (p *program) ready(t *testing.T) {
	t.Helper()
	p.until(t, "it is ready", func() bool { return strings.Contains(p.Output(), `"ready":true`) })
}

// count waits until the program has got n messages.
func (p *program) count(t *testing.T, n int) []line {
	t.Helper()
	p.until(t, "it has got what was sent", func() bool { return len(p.lines()) >= n })
	return p.lines()
}

func (p *program) until(t *testing.T, what string, done func() bool) {
	t.Helper()
	const patience = time.Minute
	for began := time.Now(); !done(); time.Sleep(10 * time.Millisecond) {
		select {
		case <-p.Exited():
			if !done() {
				t.Fatalf("%s ended before %s:\n%s", p.name, what, p.Output())
			}
			return
		default:
		}
		if time.Since(began) > patience {
			t.Fatalf("%s: not after %v that %s:\n%s", p.name, patience, what, p.Output())
		}
	}
}

func messages(lines []line) string {
	texts := make([]string, len(lines))
	for i, l := range lines {
		texts[i] = l.Message
	}
	return strings.Join(texts, "\n  ")
}
