package webhook_test

import (
	"bufio"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"parkwire/internal/outward"
	"parkwire/internal/webhook"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The receiver that docs/alerts.md shows takes what the sender sends, once, and nothing else.
func TestTheReceiverInTheDocumentsWorks(t *testing.T) {
	secret, other := webhook.NewSecret(), webhook.NewSecret()
	address, said := documented(t, secret)
	client := outward.NewClient(outward.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	t.Cleanup(client.Close)
	send := func(m webhook.Message, now time.Time) int {
		t.Helper()
		m.URL = "http://" + address + "/hooks/parking"
		answer, err := webhook.Sender{Client: client, Agent: "test", Now: func() time.Time { return now }}.Send(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		return answer.Status
	}
	now := time.Now()
	first := webhook.Message{Secrets: []string{secret}, ID: "1", Body: []byte(`{"id":"1"}`)}
	for range 2 {
		if status := send(first, now); status != http.StatusNoContent {
			t.Errorf("a message is answered with %d", status)
		}
	}
	for what, m := range map[string]webhook.Message{
		"by another secret": {Secrets: []string{other}, ID: "2", Body: []byte(`{"id":"2"}`)},
	} {
		if status := send(m, now); status != http.StatusUnauthorized {
			t.Errorf("a message %s is answered with %d", what, status)
		}
	}
	if status := send(webhook.Message{Secrets: []string{secret}, ID: "3", Body: []byte(`{"id":"3"}`)}, now.Add(-10*time.Minute)); status != http.StatusUnauthorized {
		t.Errorf("an old message is answered with %d", status)
	}
	both := webhook.Message{Secrets: []string{other, secret}, ID: "4", Body: []byte(`{"id":"4"}`)}
	if status := send(both, now); status != http.StatusNoContent {
		t.Errorf("a message by two secrets is answered with %d", status)
	}
	for _, want := range []string{`{"id":"1"}`, `{"id":"4"}`} {
		if got := <-said; !strings.HasSuffix(got, want) {
			t.Errorf("the receiver says %q, and not %s", got, want)
		}
	}
}

// documented builds the program of the document and runs it.
func documented(t *testing.T, secret string) (address string, said <-chan string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/alerts.md")
	if err != nil {
		t.Fatal(err)
	}
	_, behind, found := strings.Cut(string(text), "<!-- a test runs this -->\n```go\n")
	source, _, closed := strings.Cut(behind, "```")
	if !found || !closed {
		t.Fatal("the document has no receiver")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(dir, "receiver"), filepath.Join(dir, "main.go"))
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the receiver: %v\n%s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = l.Addr().String()
	_ = l.Close()
	run := exec.Command(filepath.Join(dir, "receiver"))
	run.Env = append(os.Environ(), "SECRET="+secret, "LISTEN="+address)
	out, err := run.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	lines, ended := make(chan string, 100), make(chan struct{})
	go func() {
		defer close(ended)
		for s := bufio.NewScanner(out); s.Scan(); {
			lines <- s.Text()
		}
	}()
	t.Cleanup(func() { _ = run.Process.Kill(); <-ended; _ = run.Wait() })
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
			return address, lines
		}
		if time.Now().After(deadline) {
			t.Fatalf("the receiver does not come: %v", err)
		}
	}
}
