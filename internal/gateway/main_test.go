package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"parkwire/internal/gateway"
	"parkwire/internal/identity"
	"parkwire/internal/problem"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A caller that has its request followed, and what parts are told of that by a gateway that follows nothing.
const (
	followed   = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	unfollowed = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
)

// seen is what a part saw of a request.
type seen struct {
	method, uri, body string
	header            http.Header
	length            int64
}

// A fake is a part that remembers what it saw.
type fake struct {
	mu     sync.Mutex
	seen   []seen
	answer http.HandlerFunc // nil: 200 and the part's name
	name   string
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/readyz" {
		return
	}
	f.mu.Lock()
	answer := f.answer
	f.mu.Unlock()
	if answer == nil {
		answer = func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, f.name) }
	}
	body, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	f.seen = append(f.seen, seen{r.Method, r.RequestURI, string(body), r.Header.Clone(), r.ContentLength})
	f.mu.Unlock()
	answer(w, r)
}

func (f *fake) requests() []seen {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen
}

// bench is a gateway on a socket, between a client and fakes.
type bench struct {
	t                        *testing.T
	parking, live, dashboard *fake
	gateway                  *gateway.Gateway
	server                   *httptest.Server
	client                   *http.Client
	verifier                 *identity.Verifier
	log                      *lockedBuffer
}

func newBench(t *testing.T, change func(*gateway.Options)) *bench {
	t.Helper()
	verifier, err := identity.NewHS256([]byte(strings.Repeat("k", 32)), identity.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{
		t: t, parking: &fake{name: "parking"}, live: &fake{name: "live"}, dashboard: &fake{name: "dashboard"},
		verifier: verifier, log: &lockedBuffer{},
	}
	o := gateway.Options{
		Parking: gateway.Local(b.parking, nil), Live: gateway.Local(b.live, nil), Dashboard: b.dashboard,
		Authenticator: verifier, ReadPublic: true, BodyLimit: 1000, RefusalDelay: 1,
		Logger: slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if change != nil {
		change(&o)
	}
	b.gateway = gateway.New(o)
	b.server = serve(t, b.gateway.Handler())
	b.client = newClient(t)
	return b
}

// serve serves a handler on a socket until the test ends.
func serve(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.Start()
	t.Cleanup(server.Close)
	return server
}

func newClient(t *testing.T) *http.Client {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
}

func (b *bench) token(scopes ...string) string {
	return b.tokenOf(identity.Principal{Subject: "tester", Scopes: scopes})
}

func (b *bench) tokenOf(p identity.Principal) string {
	b.t.Helper()
	token, err := b.verifier.Issue(p, time.Hour)
	if err != nil {
		b.t.Fatal(err)
	}
	return token
}

type answer struct {
	status int
	header http.Header
	body   string
}

// do sends a request; headers are names and values in turn.
func (b *bench) do(method, path string, body io.Reader, headers ...string) answer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.server.URL+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	response, err := b.client.Do(r)
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatalf("%s %s: reading the answer: %v", method, path, err)
	}
	return answer{response.StatusCode, response.Header, string(text)}
}

// refused checks that the answer is the problem that is meant, and complete.
func (b *bench) refused(a answer, status int, slug string) problem.Problem {
	b.t.Helper()
	var p problem.Problem
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		b.t.Fatalf("status %d and %q, which is no problem: %v", a.status, a.body, err)
	}
	if a.status != status || p.Status != status || p.Type != "urn:parkwire:problem:"+slug || p.Title == "" || p.Detail == "" || p.Instance == "" ||
		p.RequestID == "" || p.RequestID != a.header.Get("X-Request-Id") || a.header.Get("Content-Type") != "application/problem+json" {
		b.t.Errorf("got %d %s %v, want %d %s", a.status, a.body, a.header, status, slug)
	}
	return p
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("after a minute still not: %s", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}
