package gateway_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parkwire/internal/gateway"
	"parkwire/internal/limit"
)

// forEver bounds in time what a test does not want to see ended by time.
const forEver = time.Hour

func TestListeningIsNotCountedAsARequest(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	b := newBench(t, func(o *gateway.Options) {
		o.Limiter = limit.NewLocal(limit.Rate{PerSecond: 0.5, Burst: 2}, func() time.Time { return now })
	})
	for range 50 {
		for _, how := range [][]string{{"Accept", "text/event-stream"}, {"Upgrade", "websocket", "Connection", "Upgrade"}} {
			if a := b.do("GET", "/notifications", nil, how...); a.status != 200 {
				t.Fatalf("a stream is answered %d %s", a.status, a.body)
			}
		}
	}
	for range 2 {
		b.do("GET", "/notifications", nil)
	}
	b.refused(b.do("GET", "/notifications", nil), 429, "rate-limited")                                        // no stream
	b.refused(b.do("GET", "/api/v1/lots", nil, "Upgrade", "x", "Connection", "Upgrade"), 429, "rate-limited") // none either
	b.refused(b.do("GET", "/notifications", nil, "Accept", "text/event-stream", "Authorization", "Bearer guessed"), 429, "rate-limited")
}

func TestWhoAsksForManyStreamsThatCannotBeIsCounted(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		how    []string
		counts bool
	}{
		"with a bad filter":         {400, []string{"Accept", "text/event-stream"}, true},
		"by a handshake of nothing": {426, []string{"Upgrade", "x", "Connection", "Upgrade"}, true},
		"from too old a place":      {410, []string{"Accept", "text/event-stream"}, false}, // as all do who come back after days
		"from one that cannot":      {503, []string{"Accept", "text/event-stream"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, func(o *gateway.Options) { o.Limiter = limit.NewLocal(limit.Rate{PerSecond: 0.001, Burst: 5}, nil) })
			b.live.answer = func(w http.ResponseWriter, r *http.Request) {
				if r.URL.RawQuery == "bad" {
					w.WriteHeader(c.status)
				}
			}
			passed := 0
			for passed < 200 && b.do("GET", "/notifications?bad", nil, c.how...).status == c.status {
				passed++
			}
			if c.counts && (passed < 20 || passed == 200) || !c.counts && passed < 200 {
				t.Errorf("%d were passed on", passed)
			}
			for range 10 { // of another client
				if a := b.do("GET", "/notifications", nil, append(c.how, "Authorization", "Bearer "+b.token("read"))...); a.status != 200 {
					t.Errorf("a stream that can be is answered %d %s", a.status, a.body)
				}
			}
		})
	}
}

// deafMachine takes connections and says nothing, as one does whose process is stopped.
func deafMachine(t *testing.T) (url string, met *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	met = new(atomic.Int64)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				request := make([]byte, 4<<10)
				if n, _ := conn.Read(request); strings.Contains(string(request[:n]), "/notifications") {
					met.Add(1)
				}
				io.Copy(io.Discard, conn)
			})
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait() })
	return "http://" + l.Addr().String(), met
}

// dialMany opens streams all at once, and calls opened for each that could be, in turn. The returned function waits for all.
func (b *bench) dialMany(ctx context.Context, n int, opened func(*websocket.Conn, error)) (wait func()) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	for range n {
		wg.Go(func() {
			conn, _, err := websocket.Dial(ctx, b.server.URL+"/notifications", &websocket.DialOptions{HTTPClient: &http.Client{Transport: b.client.Transport}})
			mu.Lock()
			defer mu.Unlock()
			opened(conn, err)
			if err == nil {
				b.t.Cleanup(func() { conn.CloseNow() })
			}
		})
	}
	return wg.Wait
}

// openMany opens streams all at once and returns their connections.
func (b *bench) openMany(n int) []*websocket.Conn {
	b.t.Helper()
	var conns []*websocket.Conn
	b.dialMany(b.t.Context(), n, func(conn *websocket.Conn, err error) {
		if err != nil {
			b.t.Errorf("a client is not let in: %v", err)
		}
		conns = append(conns, conn)
	})()
	if b.t.Failed() {
		b.t.FailNow()
	}
	return conns
}

func TestAnInstanceThatDoesNotAnswerHoldsUpNoMoreThanItsShareOfTheClients(t *testing.T) {
	const clients, share = 300, 10
	deaf, _ := deafMachine(t)
	urls := []string{deaf, serve(t, echoing(t)).URL, serve(t, echoing(t)).URL}
	proxy, err := gateway.NewProxy(gateway.ProxyOptions{Name: "live", URLs: urls, Handshakes: share, HandshakeTimeout: forEver, HandshakeWait: forEver})
	if err != nil { // it does not run, and so never probes
		t.Fatal(err)
	}
	b := newBench(t, func(o *gateway.Options) { o.Live = proxy })
	ctx, cancel := context.WithCancel(t.Context())
	opened, enough := 0, make(chan struct{})
	wait := b.dialMany(ctx, clients, func(_ *websocket.Conn, err error) {
		if opened++; err == nil && opened == clients-2*share { // two may see the same room
			close(enough)
		}
	})
	select {
	case <-enough:
	case <-time.After(time.Minute):
		t.Errorf("of %d clients %d are let in", clients, opened)
	}
	cancel()
	wait()
}

func TestWhatWaitsForAnInstanceThatIsFoundToBeUnreachableGoesOnToTheNextOne(t *testing.T) {
	deaf, met := deafMachine(t)
	proxy := runProxy(t, gateway.ProxyOptions{Name: "live", URLs: []string{deaf, serve(t, echoing(t)).URL}, HandshakeTimeout: time.Minute})
	b := newBench(t, func(o *gateway.Options) { o.Live = proxy })
	began := time.Now()
	b.openMany(20)
	if took := time.Since(began); took >= time.Minute {
		t.Errorf("the clients waited for %v", took)
	}
	if met.Load() == 0 {
		t.Error("no client met the instance that does not answer")
	}
}

func TestTheClientsOfAKilledInstanceFindTheOthersAtOnce(t *testing.T) {
	const clients = 300
	var lives []*raw
	var servers []*httptest.Server
	var urls []string
	for i := range 3 {
		lives = append(lives, newRaw(t))
		servers = append(servers, serve(t, lives[i].handler))
		urls = append(urls, servers[i].URL)
	}
	proxy, err := gateway.NewProxy(gateway.ProxyOptions{Name: "live", URLs: urls, Handshakes: 4, HandshakeWait: forEver, HandshakeTimeout: forEver})
	if err != nil { // it does not run, and so never probes
		t.Fatal(err)
	}
	b := newBench(t, func(o *gateway.Options) {
		o.Limiter = limit.NewLocal(limit.Rate{PerSecond: 1, Burst: 1}, nil) // all are behind one address
		o.Live = proxy
	})
	ended := make(chan struct{}, clients)
	for _, conn := range b.openMany(clients) {
		go func() { conn.Read(context.Background()); ended <- struct{}{} }()
	}
	at := func(some ...*raw) (n int) {
		for _, live := range some {
			n += len(live.conns)
		}
		return n
	}
	eventually(t, "the instances have all clients", func() bool { return at(lives...) == clients })
	servers[0].Listener.Close()
	servers[0].CloseClientConnections()
	lost := at(lives[0])
	for range lost {
		(<-lives[0].conns).Close()
		<-ended
	}
	if lost < clients/6 {
		t.Errorf("the instance that was killed had only %d of %d clients", lost, clients)
	}
	b.openMany(lost)
	eventually(t, "the instances that live have all clients", func() bool { return at(lives[1:]...) == clients })
}

func TestAClientThatWaitedTooLongIsToldWhenToComeBack(t *testing.T) {
	deaf, met := deafMachine(t)
	proxy, err := gateway.NewProxy(gateway.ProxyOptions{Name: "live", URLs: []string{deaf}, Handshakes: 1, HandshakeTimeout: forEver, HandshakeWait: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, func(o *gateway.Options) { o.Live = proxy })
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() {
		r, _ := http.NewRequestWithContext(ctx, "GET", b.server.URL+"/notifications", nil)
		r.Header.Set("Accept", "text/event-stream")
		if response, err := b.client.Do(r); err == nil {
			response.Body.Close()
		}
	})
	eventually(t, "one is being opened", func() bool { return met.Load() == 1 })

	sentAway(t, b.dial(), websocket.StatusTryAgainLater)
	v1 := b.dial("parkwire.v1")
	if _, message, err := v1.Read(t.Context()); err != nil || !strings.HasPrefix(string(message), `{"type":"Retry","afterMs":`) || v1.Subprotocol() != "parkwire.v1" {
		t.Errorf("it hears %q, %v", message, err)
	}
	sentAway(t, v1, websocket.StatusTryAgainLater)
	a := b.do("GET", "/notifications", nil, "Accept", "text/event-stream")
	if a.status != 200 || a.header.Get("Content-Type") != "text/event-stream" || !strings.Contains(a.body, "\nretry: ") {
		t.Errorf("an EventSource is answered %d %v %q", a.status, a.header, a.body)
	}
	b.refused(b.do("GET", "/notifications", nil, "Upgrade", "websocket", "Connection", "Upgrade"), 426, "invalid-handshake")
	cancel()
	wg.Wait()
}

func TestTheStreamsOfAnInstanceThatStoppedAnsweringEnd(t *testing.T) {
	var stopped atomic.Bool
	live := newRaw(t)
	first := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if stopped.Load() {
			panic(http.ErrAbortHandler)
		}
		live.handler.ServeHTTP(w, r)
	}))
	second := newRaw(t)
	proxy := runProxy(t, gateway.ProxyOptions{Name: "live", URLs: []string{first.URL, serve(t, second.handler).URL}, LostAfter: 50 * time.Millisecond})
	b := newBench(t, func(o *gateway.Options) { o.Live = proxy })
	var ofFirst, ofSecond *websocket.Conn
	for ofFirst == nil || ofSecond == nil {
		conn := b.dial()
		select {
		case <-live.conns:
			ofFirst = conn
		case <-second.conns:
			ofSecond = conn
		}
	}
	stopped.Store(true)
	sentAway(t, ofFirst, websocket.StatusServiceRestart)
	if err := ofSecond.Write(t.Context(), websocket.MessageText, []byte("still here")); err != nil {
		t.Errorf("the stream of the other instance ended too: %v", err)
	}
}
