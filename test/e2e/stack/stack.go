package stack

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// patience is how long a process may take until it is ready. Real servers on a busy machine are slow.
const patience = 60 * time.Second

// Node is one process, of Parkwire or NGINX, that can be ended and started again with the same settings.
type Node struct {
	*Process          // nil before the first Start
	Name     string   // as it appears in failures
	URL      string   // "http://host:port", what it serves to clients; empty for a part that serves none
	Proxied  string   // "host:port" of the same behind the PROXY protocol; empty where there is none
	L4       string   // "http://host:port", where NGINX forwards notifications as a stream; empty where it does not
	Settings []string // further ones from the next start on, as "NAME=value"
	admin    string
	health   string // the address that answers 200 when it is ready
	binary   string
	args     []string
	env      []string
	ended    []string // what its former processes said
}

func newNode(t T, name, subcommand string, env []string, args ...string) *Node {
	t.Helper()
	listen, admin := Address(Port(t)), Address(Port(t))
	args = append([]string{subcommand, "--listen", listen, "--admin-listen", admin}, args...)
	return &Node{Name: name, URL: "http://" + listen, admin: "http://" + admin, health: "http://" + admin + "/readyz", binary: Binary(t), args: args, env: env}
}

// Start starts the process and returns at once.
func (n *Node) Start(t T) {
	t.Helper()
	if n.Process != nil {
		n.ended = append(n.ended, n.Output())
		n.ended = n.ended[max(0, len(n.ended)-keptProcesses):]
	}
	n.Process = Start(t, n.Name, slices.Concat(n.env, n.Settings), n.binary, n.args...)
}

// keptProcesses bounds of how many former processes of a node is kept what they said.
const keptProcesses = 20

// Log is what the node said since its first start, process by process.
func (n *Node) Log() string {
	if n.Process == nil {
		return ""
	}
	return strings.Join(append(slices.Clone(n.ended), n.Output()), "\n==== started again\n")
}

// Readiness asks whether it is ready: the status (0: no answer) and what it says.
func (n *Node) Readiness() (status int, reason string) {
	answer, err := (&http.Client{Timeout: 2 * time.Second}).Get(n.health)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, strings.TrimSpace(string(text))
}

// MetricsURL is where it says what it counted.
func (n *Node) MetricsURL() string { return n.admin + "/metrics" }

// Metrics asks /metrics.
func (n *Node) Metrics(t T) string {
	t.Helper()
	answer, err := http.Get(n.MetricsURL())
	if err != nil {
		t.Fatalf("the metrics of %s: %v", n.Name, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatalf("the metrics of %s: %v", n.Name, err)
	}
	return string(text)
}

// WaitReady waits until the process is ready and returns how long that took.
func (n *Node) WaitReady(t T) time.Duration {
	t.Helper()
	return n.waitReadiness(t, "ready", func(status int) bool { return status == 200 })
}

// WaitNotReady waits until the process answers that it is not ready, and returns the reason that it gives.
func (n *Node) WaitNotReady(t T) string {
	t.Helper()
	n.waitReadiness(t, "unready", func(status int) bool { return status == 503 })
	_, reason := n.Readiness()
	return reason
}

func (n *Node) waitReadiness(t T, what string, reached func(status int) bool) time.Duration {
	t.Helper()
	began := time.Now()
	for {
		status, reason := n.Readiness()
		if reached(status) {
			return time.Since(began)
		}
		select {
		case <-n.Exited():
			t.Fatalf("%s ended before it was %s:\n%s", n.Name, what, tail(n.Output()))
		case <-time.After(20 * time.Millisecond):
		}
		if time.Since(began) > patience {
			t.Fatalf("%s is not %s after %v: %d %s\n%s", n.Name, what, patience, status, reason, tail(n.Output()))
		}
	}
}

// Restart starts an ended process again and waits until it is ready.
func (n *Node) Restart(t T) {
	t.Helper()
	n.Start(t)
	n.WaitReady(t)
}

// Stack is a running platform.
type Stack struct {
	API
	// Kafka is the bootstrap address for other programs; Channel and those of topics are the names in use.
	Kafka, Topic, SpotsTopic, RejectedTopic, AuditTopic, AccessTopic, Channel string
	// Redis is the URL of the bus; empty when it is in memory.
	Redis string
	// Database is the URL of the database of a distributed stack.
	Database  string
	tokenEnv  []string // with which "parkwire token" makes tokens for this stack
	tokenArgs []string

	// One is the single process of the embedded way; nil when distributed.
	One *Node
	// Gateways and the others are the processes of the distributed way; Edge, if there is one, is NGINX in front of them.
	Gateways, Parking, Live []*Node
	History, Audit, Alerts  []*Node
	Edge                    *Node
}

// Embedded starts "parkwire all" and waits until it is ready. args are further settings.
func Embedded(t T, args ...string) *Stack {
	t.Helper()
	s := Prepare(t, args...)
	s.One.Restart(t)
	s.Token = s.TokenFor(t, "operate")
	return s
}

// Demo starts "parkwire demo" and waits until it is ready. args are further settings.
func Demo(t T, args ...string) *Stack {
	t.Helper()
	s := Prepare(t, args...)
	s.One.args[0] = "demo"
	s.One.Restart(t)
	s.Token = s.TokenFor(t, "operate")
	return s
}

// Prepare makes an embedded stack that is not started and has no token, which is made at the first start.
func Prepare(t T, args ...string) *Stack {
	t.Helper()
	dir, kafka := t.TempDir(), Address(Port(t))
	one := newNode(t, "all", "all", nil, append([]string{"--data-dir", dir, "--kafka-listen", kafka}, args...)...)
	return &Stack{
		API:   API{URL: one.URL},
		Kafka: kafka, Topic: "parking-events", SpotsTopic: "parking-spots", RejectedTopic: "parking-events-rejected", Channel: "notifications",
		AuditTopic: "parking-audit", AccessTopic: "parking-access",
		One: one, tokenEnv: []string{"PARKWIRE_KAFKA_LISTEN=" + kafka}, tokenArgs: []string{"--data-dir", dir},
	}
}

// TokenFor makes a token as an operator does, with "parkwire token".
func (s *Stack) TokenFor(t T, scope string) string {
	t.Helper()
	args := append([]string{"token", "--scope", scope}, s.tokenArgs...)
	return strings.TrimSpace(Run(t, time.Minute, s.tokenEnv, Binary(t), args...))
}

// Parkwire runs a subcommand against the stack, as its operator, and returns what it said on standard output.
func (s *Stack) Parkwire(t T, timeout time.Duration, args ...string) string {
	t.Helper()
	return Run(t, timeout, []string{"PARKWIRE_TOKEN=" + s.Token}, Binary(t), args...)
}

// WebSocket connects a WebSocket client where users do.
func (s *Stack) WebSocket(t T, query ...string) *Listener {
	t.Helper()
	return ListenWebSocket(t, s.URL, Query(t, query...))
}

// SSE connects a client of server-sent events where users do.
func (s *Stack) SSE(t T, query ...string) *Listener {
	t.Helper()
	return ListenSSE(t, s.URL, Query(t, query...), "")
}

// Query makes a query of names and values.
func Query(t T, pairs ...string) url.Values {
	t.Helper()
	if len(pairs)%2 != 0 {
		t.Fatalf("a query of names and values was expected: %q", pairs)
	}
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		q.Add(pairs[i], pairs[i+1])
	}
	return q
}

// Instances are the addresses of the live instances, each reached directly.
func (s *Stack) Instances() []string {
	if s.One != nil {
		return []string{s.One.URL}
	}
	urls := make([]string, len(s.Live))
	for i, n := range s.Live {
		urls[i] = n.URL
	}
	return urls
}

// ForEach runs test on the embedded stack and on the distributed one; the latter is skipped, or
// fails, where its servers are not there.
func ForEach(t *testing.T, test func(t *testing.T, s *Stack)) {
	t.Run("embedded", func(t *testing.T) {
		WantEmbedded(t)
		test(t, Embedded(t))
	})
	t.Run("distributed", func(t *testing.T) { test(t, Distributed(t)) })
}

// WantEmbedded skips a test of one process where the environment says that these were run already.
func WantEmbedded(t T) {
	t.Helper()
	if os.Getenv(EnvEmbedded) == "0" {
		t.Skipf("skipped: %s=0, so only the distributed way is tested", EnvEmbedded)
	}
}

func list(nodes []*Node) string {
	urls := make([]string, len(nodes))
	for i, n := range nodes {
		urls[i] = n.URL
	}
	return strings.Join(urls, ",")
}

func numbered(name string, i int) string { return fmt.Sprintf("%s %d", name, i+1) }
