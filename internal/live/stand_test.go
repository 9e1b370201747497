package live

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"parkwire/internal/bus"
	"parkwire/internal/event"
	"parkwire/internal/identity"
)

const patience = 30 * time.Second

// testStand is a running service with its log, its bus and an HTTP server.
type testStand struct {
	*testing.T
	*city
	service *Service
	server  *httptest.Server
	end     context.CancelFunc // ends Run
	ended   chan struct{}
}

func start(t *testing.T, change func(*Options)) *testStand {
	t.Helper()
	log := newFakeLog(4)
	return startOn(t, log, memoryBus(), change)
}

func startOn(t *testing.T, log *fakeLog, b bus.Bus, change func(*Options)) *testStand {
	t.Helper()
	o := optionsOn(log, b, change)
	o.Engine = engineOf(t)
	return run(t, log, b, New(o))
}

func run(t *testing.T, log *fakeLog, b bus.Bus, service *Service) *testStand {
	t.Helper()
	s := &testStand{T: t, city: &city{log: log, bus: b, versions: map[string]int64{}}, service: service, ended: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	s.end = cancel
	go func() {
		defer close(s.ended)
		if err := s.service.Run(ctx); err != nil {
			t.Errorf("running: %v", err)
		}
	}()
	s.server = httptest.NewServer(s.service.Handler())
	t.Cleanup(func() { s.stop(); s.server.Close() })
	if fake, ok := b.(*fakeBus); ok {
		<-fake.started
	}
	s.eventually("readiness", func() bool { return s.service.Ready() == nil || s.busAway() })
	return s
}

func optionsOn(log *fakeLog, b bus.Bus, change func(*Options)) Options {
	o := Options{
		Log: log, Bus: b, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), CompareInterval: 50 * time.Millisecond,
		Authorize: func(*http.Request) (identity.Principal, error) { return identity.Principal{}, nil },
	}
	if change != nil {
		change(&o)
	}
	return o
}

// startOnly starts a service without a server, which ends with the test. before sees it before it runs.
func startOnly(t *testing.T, log *fakeLog, b *fakeBus, change func(*Options), before func(*Service)) *Service {
	o := optionsOn(log, b, change)
	o.Engine = engineOf(t)
	s := New(o)
	before(s)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-ended })
	<-b.started
	return s
}

func (s *testStand) busAway() bool {
	fake, ok := s.bus.(*fakeBus)
	if !ok {
		return false
	}
	fake.mu.Lock()
	defer fake.mu.Unlock()
	return fake.away
}

// stop ends Run and waits for it.
func (s *testStand) stop() {
	s.end()
	select {
	case <-s.ended:
	case <-time.After(patience):
		s.Error("Run does not end")
	}
}

func (s *testStand) eventually(what string, holds func() bool) {
	s.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.Fatalf("%s does not come about", what)
		}
	}
}

// knowsTheState waits until the state of the spots was read.
func (s *testStand) knowsTheState() {
	s.Helper()
	s.eventually("the state of the spots", func() bool {
		_, err := s.service.snapshot(s.Context())
		return err == nil
	})
}

// connected waits until the service has n clients.
func (s *testStand) connected(n int) {
	s.Helper()
	s.eventually(fmt.Sprintf("%d clients", n), func() bool {
		s.service.mu.Lock()
		defer s.service.mu.Unlock()
		return len(s.service.clients) == n
	})
	s.eventually(fmt.Sprintf("a metric that says %d clients", n), func() bool {
		got := 0.0
		for enc := range encodings {
			got += testutil.ToFloat64(s.service.metrics.connections.WithLabelValues(enc.String()))
		}
		return got == float64(n)
	})
}

// frame is what a client got.
type frame struct {
	SpotID  string `json:"spotId"`
	Version int64  `json:"version"`
	LotID   string `json:"lotId"`
	ZoneID  string `json:"zoneId"`
	Status  string `json:"status"`
	Change  string `json:"change"`
	Cursor  string `json:"cursor"`
	raw     string
	id      string // of a server-sent event
}

func decodeFrame(raw string) frame {
	f := frame{raw: raw}
	_ = json.Unmarshal([]byte(raw), &f)
	return f
}

// listener collects what one client gets.
type listener struct {
	t    *testing.T
	name string
	stop func()
	conn *websocket.Conn // of a WebSocket

	mu      sync.Mutex
	frames  []frame
	lines   []string // of server-sent events, all
	err     error    // why it ended
	changed chan struct{}
}

func (l *listener) note(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
	close(l.changed)
	l.changed = make(chan struct{})
}

// all returns the lines so far of server-sent events.
func (l *listener) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines)
}

// until waits until done holds of what came, and why it ended.
func (l *listener) until(what string, done func([]frame, error) bool) []frame {
	l.t.Helper()
	deadline := time.After(patience)
	for {
		l.mu.Lock()
		frames, err, changed := slices.Clone(l.frames), l.err, l.changed
		l.mu.Unlock()
		if done(frames, err) {
			return frames
		}
		if err != nil {
			l.t.Fatalf("%s: waiting for %s: %d frames, then %v", l.name, what, len(frames), err)
		}
		select {
		case <-changed:
		case <-deadline:
			l.t.Fatalf("%s: waiting for %s: %d frames", l.name, what, len(frames))
		}
	}
}

func (l *listener) count(n int) []frame {
	l.t.Helper()
	return l.until(fmt.Sprintf("%d frames", n), func(f []frame, _ error) bool { return len(f) >= n })
}

// version waits for that version of a spot.
func (l *listener) version(spot int, v int64) []frame {
	l.t.Helper()
	return l.until(fmt.Sprintf("version %d of %s", v, spotID(spot)), func(f []frame, _ error) bool {
		return slices.ContainsFunc(f, func(f frame) bool { return f.SpotID == spotID(spot) && f.Version >= v })
	})
}

// closed waits for the end and returns its close code, -1 where there was none.
func (l *listener) closed() int {
	l.t.Helper()
	code := 0
	l.until("the end", func(_ []frame, err error) bool { code = int(websocket.CloseStatus(err)); return err != nil })
	return code
}

func (s *testStand) webSocket(query ...string) *listener { return s.webSocketWith(nil, query...) }

func (s *testStand) webSocketWith(header http.Header, query ...string) *listener {
	s.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	client := &http.Client{Transport: &http.Transport{}}
	conn, _, err := websocket.Dial(ctx, strings.Replace(s.server.URL, "http", "ws", 1)+PathNotifications+"?"+values(query).Encode(), &websocket.DialOptions{HTTPClient: client, HTTPHeader: header})
	if err != nil {
		cancel()
		s.Fatalf("connecting with %v: %v", query, err)
	}
	conn.SetReadLimit(1 << 20)
	l := &listener{t: s.T, name: fmt.Sprint("WebSocket ", query), conn: conn, changed: make(chan struct{})}
	l.run(cancel, func() error {
		defer conn.CloseNow()
		for {
			kind, message, err := conn.Read(ctx)
			if err != nil {
				return err
			}
			if kind != websocket.MessageText {
				return fmt.Errorf("a %v message", kind)
			}
			l.note(func() { l.frames = append(l.frames, decodeFrame(string(message))) })
		}
	})
	return l
}

// run reads in a goroutine, which ends with the test.
func (l *listener) run(cancel func(), read func() error) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err := read()
		l.note(func() { l.err = err })
	}()
	l.stop = func() { cancel(); <-ended }
	l.t.Cleanup(l.stop)
}

func (s *testStand) sse(lastID string, query ...string) *listener {
	s.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	answer, client := s.request(ctx, "GET", PathNotifications+"?"+values(query).Encode(), http.Header{"Accept": {"text/event-stream"}, "Last-Event-Id": {lastID}})
	if answer.StatusCode != 200 {
		body, _ := io.ReadAll(answer.Body)
		cancel()
		s.Fatalf("connecting with %v: %s: %s", query, answer.Status, body)
	}
	l := &listener{t: s.T, name: fmt.Sprint("SSE ", query), changed: make(chan struct{})}
	l.run(cancel, func() error {
		defer client.CloseIdleConnections()
		defer answer.Body.Close()
		lines := bufio.NewReader(answer.Body)
		f := frame{}
		var data []string
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				return err
			}
			line = strings.TrimSuffix(line, "\n")
			l.note(func() { l.lines = append(l.lines, line) })
			field, value, _ := strings.Cut(line, ": ")
			switch {
			case line == "" && data != nil:
				id := f.id
				f = decodeFrame(strings.Join(data, "\n"))
				f.id = id
				l.note(func() { l.frames = append(l.frames, f) })
				data = nil
			case field == "id":
				f.id = value
			case field == "data":
				data = append(data, value)
			}
		}
	})
	return l
}

// request makes a request and returns its answer, with the client whose connections are to be closed.
func (s *testStand) request(ctx context.Context, method, path string, header http.Header) (*http.Response, *http.Client) {
	s.Helper()
	r, err := http.NewRequestWithContext(ctx, method, s.server.URL+path, nil)
	if err != nil {
		s.Fatal(err)
	}
	r.Header = header
	client := &http.Client{Transport: &http.Transport{}}
	answer, err := client.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	return answer, client
}

// get returns the status, the headers and the body of an answer.
func (s *testStand) get(method, path string, header http.Header) (int, http.Header, string) {
	s.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	answer, client := s.request(ctx, method, path, header)
	defer client.CloseIdleConnections()
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		s.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(body)
}

// values makes a query of names and values.
func values(pairs []string) url.Values {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Add(pairs[i], pairs[i+1])
	}
	return q
}

// gapless checks that of each spot came every version once and in order, from what the cursor of first leaves.
func gapless(t *testing.T, name string, frames []frame, from map[string]int64) {
	t.Helper()
	next := map[string]int64{}
	for i, f := range frames {
		want, ok := next[f.SpotID]
		if !ok {
			want = from[f.SpotID] + 1
		}
		if f.Version != want {
			t.Errorf("%s: frame %d is version %d of %s; %d was to come", name, i, f.Version, f.SpotID, want)
			return
		}
		next[f.SpotID] = want + 1
	}
}

// seen is what somebody has seen whose last frame is the last of these.
func seen(frames []frame) map[string]int64 {
	versions := map[string]int64{}
	for _, f := range frames {
		versions[f.SpotID] = f.Version
	}
	return versions
}

func (s *testStand) cursorAt(offsets ...int64) string {
	return event.Cursor{Topic: s.log.topic, Offsets: offsets}.String()
}

// newServer serves a service that does not run.
func newServer(t *testing.T, s *Service) *httptest.Server {
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	return server
}
