package gateway_test

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"parkwire/internal/gateway"
	"parkwire/internal/identity"
	"parkwire/internal/problem"
)

func newProxy(t *testing.T, name string, urls ...string) *gateway.Proxy {
	t.Helper()
	return runProxy(t, gateway.ProxyOptions{URLs: urls, Name: name})
}

func runProxy(t *testing.T, o gateway.ProxyOptions) *gateway.Proxy {
	t.Helper()
	o.ReadyInterval, o.Logger = 20*time.Millisecond, slog.New(slog.DiscardHandler)
	p, err := gateway.NewProxy(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { p.Run(ctx) })
	t.Cleanup(func() { cancel(); wg.Wait() })
	return p
}

// remote is a gateway whose parking and live parts are behind sockets.
func remote(t *testing.T, parking, live []string) *bench {
	return newBench(t, func(o *gateway.Options) {
		if parking != nil {
			o.Parking = newProxy(t, "parking", parking...)
		}
		if live != nil {
			o.Live = newProxy(t, "live", live...)
		}
	})
}

// nowhere is an address that refuses connections.
func nowhere(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return "http://" + l.Addr().String()
}

func TestAnAddressThatIsNoneIsNamed(t *testing.T) {
	for _, text := range []string{"parking-1:5000", "ftp://a", "http://", "http://a/path", "http://a?x=1", "http://u:p@a", ":"} {
		if _, err := gateway.NewProxy(gateway.ProxyOptions{URLs: []string{text}, Name: "parking"}); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", text)) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := gateway.NewProxy(gateway.ProxyOptions{Name: "parking"}); err == nil {
		t.Error("a proxy to nowhere was made")
	}
}

func TestARequestIsTheSameElsewhereAsHere(t *testing.T) {
	part := &fake{name: "parking"}
	part.answer = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Request-Id", "another")
		w.Header().Set("ETag", `"7"`)
		problem.Write(w, r, problem.New(409, "spot-closed", "The spot is closed."))
	}
	b := remote(t, []string{serve(t, part).URL}, nil)
	token := "Bearer " + b.tokenOf(identity.Principal{Subject: "tester", Scopes: []string{"operate"}, Lots: []string{"central", "ost 2"}})
	a := b.do("POST", "/api/v1/spots/a%2Fb/occupy?x=1;y&%zz", strings.NewReader("{}"), "Authorization", token,
		"Connection", "X-Parkwire-Subject, X-Parkwire-Lots, Authorization, X-Request-Id", "X-Parkwire-Scopes", "admin", "Traceparent", followed,
		"If-Match", `"6"`, "Idempotency-Key", "k", "Expect", "100-continue", "X-Request-Id", "id-1", "X-Forwarded-For", "1.2.3.4", "Accept-Encoding", "br")
	if a.status != 409 || len(a.header["X-Request-Id"]) != 1 || a.header.Get("X-Request-Id") != "id-1" || len(a.header["Cache-Control"]) != 1 {
		t.Errorf("answered %d %v", a.status, a.header)
	}
	got := part.requests()[0]
	if got.uri != "/api/v1/spots/a%2Fb/occupy?x=1;y&%zz" || got.body != "{}" || got.length != 2 {
		t.Errorf("arrived as %+v", got)
	}
	for name, want := range map[string]string{
		"X-Parkwire-Subject": "tester", "X-Parkwire-Scopes": "operate", "X-Parkwire-Lots": "central ost%202", "Traceparent": unfollowed, "If-Match": `"6"`, "X-Request-Id": "id-1",
		"X-Forwarded-For": "127.0.0.1", "Authorization": token, "Idempotency-Key": "k", "Expect": "", "Accept-Encoding": "br", "User-Agent": "Go-http-client/1.1",
	} {
		if h := strings.Join(got.header.Values(name), "|"); h != want {
			t.Errorf("%s arrived as %q, not %q", name, h, want)
		}
	}
}

func TestTheInstanceWithTheFewestRequestsIsAsked(t *testing.T) {
	parts := []*fake{{name: "0"}, {name: "1"}, {name: "2"}}
	var urls []string
	hold, held := make(chan struct{}), make(chan struct{}, 1)
	for _, p := range parts {
		urls = append(urls, serve(t, p).URL)
	}
	b := remote(t, urls, nil)
	for _, p := range parts {
		p.answer = func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Has("hold") {
				held <- struct{}{}
				<-hold
			}
			io.WriteString(w, p.name)
		}
	}
	busy := make(chan string, 1)
	go func() { busy <- b.do("GET", "/api/v1/lots?hold", nil).body }()
	<-held
	counts := map[string]int{}
	for range 40 {
		counts[b.do("GET", "/api/v1/lots", nil).body]++
	}
	close(hold)
	delete(counts, <-busy)
	if len(counts) != 2 {
		t.Fatalf("the busy instance was asked too: %v", counts)
	}
	for name, n := range counts {
		if n < 10 {
			t.Errorf("of 40 requests instance %s got %d", name, n)
		}
	}
}

func TestWhatCouldNotBeSentGoesToTheNextInstance(t *testing.T) {
	part := &fake{name: "alive"}
	b := remote(t, []string{nowhere(t), serve(t, part).URL, nowhere(t)}, nil)
	operate := "Bearer " + b.token("operate")
	for i := range 20 {
		body := strings.Repeat("x", 50*i)
		if a := b.do("POST", "/api/v1/lots", strings.NewReader(body), "Authorization", operate); a.status != 200 {
			t.Fatalf("request %d: %d %s", i, a.status, a.body)
		}
		if got := part.requests()[i].body; got != body {
			t.Errorf("request %d arrived with %d of %d bytes", i, len(got), len(body))
		}
	}
}

func TestALargeBodyThatWasNotBegunGoesToTheNextInstance(t *testing.T) {
	part := &fake{name: "alive"}
	b := newBench(t, func(o *gateway.Options) {
		o.BodyLimit = 1 << 20
		o.Parking = newProxy(t, "parking", nowhere(t), serve(t, part).URL)
	})
	body := strings.Repeat("x", 1<<20)
	for i := range 4 {
		if a := b.do("POST", "/api/v1/lots", strings.NewReader(body), "Authorization", "Bearer "+b.token("operate")); a.status != 200 || part.requests()[i].body != body {
			t.Errorf("request %d: %d %s", i, a.status, a.body)
		}
	}
}

// deaf takes requests and closes the connection instead of answering, as a process does that is killed.
func deaf(t *testing.T, requests *atomic.Int64) string {
	return serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/readyz" {
			return
		}
		requests.Add(1)
		panic(http.ErrAbortHandler)
	})).URL
}

func TestOfWhatHasNoKeyOnlyWhatReadsIsAskedTwice(t *testing.T) {
	var killed atomic.Int64
	part := &fake{name: "alive"}
	b := remote(t, []string{deaf(t, &killed), serve(t, part).URL}, nil)
	operate := "Bearer " + b.token("operate")
	for range 10 {
		if a := b.do("GET", "/api/v1/lots", nil); a.status != 200 {
			t.Errorf("GET: %d %s", a.status, a.body)
		}
	}
	lost := 0
	for range 10 {
		before := killed.Load() + int64(len(part.requests()))
		a := b.do("POST", "/api/v1/lots", strings.NewReader("{}"), "Authorization", operate)
		if a.status != 200 {
			lost++
			if p := b.refused(a, 503, "unavailable"); !strings.Contains(p.Detail, "not known") {
				t.Errorf("the problem does not say that the outcome is unknown: %q", p.Detail)
			}
		}
		if n := killed.Load() + int64(len(part.requests())) - before; n != 1 {
			t.Errorf("a POST was sent %d times", n)
		}
	}
	if lost == 0 || lost == 10 {
		t.Errorf("%d of 10 writes met the instance that dies", lost)
	}
}

func TestAnInstanceThatIsNotReadyIsPassedOver(t *testing.T) {
	var leaving atomic.Bool
	draining := &fake{name: "draining"}
	draining.answer = func(w http.ResponseWriter, r *http.Request) {
		problem.Write(w, r, problem.New(503, "not-ready", "This instance is shutting down."))
	}
	first := serve(t, problem.Identified(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/readyz" && leaving.Load() {
			http.Error(w, "not ready\nlive: shutting down", 503)
			return
		}
		draining.ServeHTTP(w, r)
	})))
	alive := &fake{name: "alive"}
	second := serve(t, alive)
	b := remote(t, nil, []string{first.URL, second.URL})
	for range 10 { // before anybody was told
		if a := b.do("GET", "/notifications", nil); a.status != 200 || a.body != "alive" {
			t.Errorf("answered %d %s", a.status, a.body)
		}
	}
	leaving.Store(true)
	eventually(t, "the instance is not asked any more", func() bool {
		n := len(draining.requests())
		for range 4 {
			b.do("GET", "/notifications", nil)
		}
		return len(draining.requests()) == n
	})
	if err := b.gateway.Ready(); err != nil {
		t.Errorf("with one instance ready the gateway is not: %v", err)
	}
	second.Close()
	eventually(t, "the gateway is not ready, with the reasons", func() bool {
		err := b.gateway.Ready()
		return err != nil && strings.Contains(err.Error(), "live: shutting down") && strings.Contains(err.Error(), "refused")
	})
	b.refused(b.do("GET", "/notifications", nil), 503, "not-ready") // its own words are better than ours
	leaving.Store(false)
	eventually(t, "the gateway is ready again", func() bool { return b.gateway.Ready() == nil })
}

func TestWithoutAnyInstanceTheAnswerSaysWhichPartIsMissing(t *testing.T) {
	b := remote(t, []string{nowhere(t), nowhere(t)}, nil)
	for _, method := range []string{"GET", "POST"} {
		a := b.do(method, "/api/v1/lots", nil, "Authorization", "Bearer "+b.token("operate"))
		p := b.refused(a, 503, "unavailable")
		if p.Extras["part"] != "parking" || !strings.Contains(p.Detail, "parking") || a.header.Get("Retry-After") != "2" {
			t.Errorf("%s: %+v %v", method, p, a.header)
		}
		if strings.Contains(a.body, "127.0.0.1") || strings.Contains(a.body, "refused") {
			t.Errorf("the answer tells of the inside: %s", a.body)
		}
	}
	eventually(t, "the gateway is not ready", func() bool { return b.gateway.Ready() != nil })
}

func TestAnAnswerThatDoesNotComeIsATimeoutAndIsNotAskedForAgain(t *testing.T) {
	part := &fake{name: "slow"}
	part.answer = func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	proxy, err := gateway.NewProxy(gateway.ProxyOptions{URLs: []string{serve(t, part).URL, serve(t, part).URL}, Name: "parking",
		AnswerTimeout: 50 * time.Millisecond, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, func(o *gateway.Options) { o.Parking = proxy })
	p := b.refused(b.do("GET", "/api/v1/lots", nil), 504, "timeout")
	if p.Extras["part"] != "parking" {
		t.Errorf("got %+v", p)
	}
	eventually(t, "the request has arrived", func() bool { return len(part.requests()) > 0 }) // maybe later than it was given up
	if n := len(part.requests()); n != 1 {
		t.Errorf("it was asked %d times", n)
	}
}

func TestARequestInFlightIsCountedAndADisconnectedClientLetsGo(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	left := make(chan struct{})
	part := &fake{name: "slow"}
	part.answer = func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done(); close(left) }
	proxy, err := gateway.NewProxy(gateway.ProxyOptions{URLs: []string{serve(t, part).URL}, Name: "parking", Registerer: registry})
	if err != nil {
		t.Fatal(err)
	}
	other, err := gateway.NewProxy(gateway.ProxyOptions{URLs: []string{nowhere(t)}, Name: "live", Registerer: registry})
	if err != nil {
		t.Fatalf("two parts cannot be measured side by side: %v", err)
	}
	b := newBench(t, func(o *gateway.Options) { o.Parking, o.Live = proxy, other })
	inFlight := func(n int) func() bool {
		want := fmt.Sprintf("# HELP parkwire_gateway_proxied_in_flight Requests and streams under way to a part in other processes.\n"+
			"# TYPE parkwire_gateway_proxied_in_flight gauge\nparkwire_gateway_proxied_in_flight{part=\"live\"} 0\nparkwire_gateway_proxied_in_flight{part=\"parking\"} %d\n", n)
		return func() bool {
			return testutil.GatherAndCompare(registry, strings.NewReader(want), "parkwire_gateway_proxied_in_flight") == nil
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	r, _ := http.NewRequestWithContext(ctx, "GET", b.server.URL+"/api/v1/lots", nil)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if response, err := b.client.Do(r); err == nil {
			response.Body.Close()
		}
	}()
	eventually(t, "one in flight", inFlight(1))
	eventually(t, "it has arrived", func() bool { return len(part.requests()) == 1 })
	cancel()
	<-done
	<-left
	eventually(t, "none in flight", inFlight(0))
}

// Parts keep keys, so that what was done under one is not done twice.
func TestWhatHasAKeyIsAskedOnceMoreElsewhere(t *testing.T) {
	var killed atomic.Int64
	part := &fake{name: "alive"}
	b := remote(t, []string{deaf(t, &killed), serve(t, part).URL}, nil)
	operate := "Bearer " + b.token("operate")
	for range 10 {
		if a := b.do("POST", "/api/v1/lots", strings.NewReader(`{"id":"x"}`), "Authorization", operate, "Idempotency-Key", "k"); a.status != 200 {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	if killed.Load() == 0 {
		t.Error("none met the instance that dies")
	}
	for _, got := range part.requests() {
		if got.header.Get("Idempotency-Key") != "k" || got.body != `{"id":"x"}` {
			t.Errorf("it arrived as %+v", got)
		}
	}
	lost := 0
	for range 10 { // methods whose keys parts do not look at
		if a := b.do("DELETE", "/api/v1/lots/a", nil, "Authorization", operate, "Idempotency-Key", "k"); a.status != 200 {
			lost++
		}
	}
	if lost == 0 {
		t.Error("a DELETE is asked twice")
	}
}

func TestAnInstanceThatDoesNotAnswerRestsAndIsTriedAgain(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	var killed atomic.Int64
	bad := deaf(t, &killed)
	proxy, err := gateway.NewProxy(gateway.ProxyOptions{URLs: []string{bad}, Name: "parking", Registerer: registry, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, func(o *gateway.Options) { o.Parking = proxy })
	operate := "Bearer " + b.token("operate")
	write := func() answer {
		return b.do("POST", "/api/v1/lots", strings.NewReader("{}"), "Authorization", operate)
	}
	for range 10 {
		if p := b.refused(write(), 503, "unavailable"); !strings.Contains(p.Detail, "not known") {
			t.Errorf("%s", p.Detail)
		}
	}
	before := killed.Load()
	a := write()
	if p := b.refused(a, 503, "unavailable"); !strings.Contains(p.Detail, "Nothing was done") || killed.Load() != before {
		t.Errorf("it was asked all the same, or its client is not told that it was not: %s", p.Detail)
	}
	const want = "# HELP parkwire_gateway_instances_resting Instances that are passed over because they take requests and do not answer.\n" +
		"# TYPE parkwire_gateway_instances_resting gauge\nparkwire_gateway_instances_resting{part=\"parking\"} 1\n"
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "parkwire_gateway_instances_resting"); err != nil {
		t.Error(err)
	}
	eventually(t, "it is tried again", func() bool { write(); return killed.Load() > before })
}

// Or else whoever may write could close the platform for all.
func TestAClientThatDoesNotSendItsBodyIsToldSoAndNoInstanceRests(t *testing.T) {
	for name, send := range map[string]func(t *testing.T, b *bench, token string) string{"HTTP/1": tornOverHTTP1, "HTTP/2": tornOverHTTP2} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, func(o *gateway.Options) {
				o.BodyLimit = 1 << 20
				o.Parking = newProxy(t, "parking", serve(t, &fake{name: "alive"}).URL)
			})
			for range 12 {
				if text := send(t, b, b.token("ingest")); !strings.Contains(text, "urn:parkwire:problem:body-unreadable") {
					t.Fatalf("it is told %s", text)
				}
			}
			if a := b.do("GET", "/api/v1/lots", nil); a.status != 200 {
				t.Errorf("another client is answered %d %s", a.status, a.body)
			}
		})
	}
}

const tornLength = 70_000 // more than is held in memory

func tornOverHTTP1(t *testing.T, b *bench, token string) string {
	conn, err := net.Dial("tcp", b.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /api/v1/observations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\nfew", token, tornLength)
	conn.(*net.TCPConn).CloseWrite()
	text, _ := io.ReadAll(conn)
	return string(text)
}

// tornOverHTTP2 writes the frames itself, since clients do not say that a body has ended which has not.
func tornOverHTTP2(t *testing.T, b *bench, token string) string {
	server := httptest.NewUnstartedServer(b.gateway.Handler())
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	conn, err := tls.Dial("tcp", server.Listener.Addr().String(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	frame := func(kind, flags, stream byte, payload []byte) {
		conn.Write(append([]byte{byte(len(payload) >> 16), byte(len(payload) >> 8), byte(len(payload)), kind, flags, 0, 0, 0, stream}, payload...))
	}
	const data, headers, settings, endStream, endHeaders = 0, 1, 4, 1, 4
	var fields []byte // each as a literal, see RFC 7541, section 6.2.2
	text := func(s string) {
		if n := len(s) - 127; n < 0 {
			fields = append(fields, byte(len(s)))
		} else {
			fields = binary.AppendUvarint(append(fields, 127), uint64(n))
		}
		fields = append(fields, s...)
	}
	for _, f := range [][2]string{{":method", "POST"}, {":scheme", "https"}, {":authority", "x"}, {":path", "/api/v1/observations"},
		{"authorization", "Bearer " + token}, {"content-length", strconv.Itoa(tornLength)}} {
		fields = append(fields, 0)
		text(f[0])
		text(f[1])
	}
	io.WriteString(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	frame(settings, 0, 0, nil)
	frame(headers, endHeaders, 1, fields)
	frame(data, endStream, 1, []byte("few"))
	var answer strings.Builder
	for head := make([]byte, 9); ; {
		if _, err := io.ReadFull(conn, head); err != nil {
			t.Fatalf("after %q: %v", answer.String(), err)
		}
		payload := make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
		io.ReadFull(conn, payload)
		if head[3] == data {
			answer.Write(payload)
		}
		if (head[3] == data || head[3] == headers) && head[4]&endStream != 0 {
			return answer.String()
		}
	}
}

func TestOfWhatWasCutOffUnderWayNobodySaysThatNothingWasDone(t *testing.T) {
	ctx, cut := context.WithCancel(t.Context())
	part := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		cut()
		<-r.Context().Done()
	}))
	proxy, err := gateway.NewProxy(gateway.ProxyOptions{URLs: []string{part.URL}, Name: "parking", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	proxy.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "POST", "/api/v1/lots", strings.NewReader("{}")))
	if text := w.Body.String(); w.Code != 503 || !strings.Contains(text, "not known") || strings.Contains(text, "Nothing was done") {
		t.Errorf("its client is told %d %s", w.Code, text)
	}
}

func TestAnInstanceThatAnswersWithErrorsDoesNotRest(t *testing.T) {
	part := &fake{name: "broken"}
	part.answer = func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", 500) }
	b := remote(t, []string{serve(t, part).URL}, nil)
	for range 30 {
		b.do("GET", "/api/v1/lots", nil)
	}
	if n := len(part.requests()); n != 30 {
		t.Errorf("it was asked %d times", n)
	}
}

func TestReadersOfAnInstanceThatIsLostAreServedByAnother(t *testing.T) {
	var silent atomic.Bool
	hanging := make(chan struct{}, 10)
	lost := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			silent.Store(true)
			hanging <- struct{}{}
		} else if !silent.Load() {
			return
		}
		<-r.Context().Done()
	}))
	part := &fake{name: "alive"}
	b := remote(t, []string{lost.URL, serve(t, part).URL}, nil)
	eventually(t, "a reader hangs and is served elsewhere", func() bool {
		if a := b.do("GET", "/api/v1/lots", nil); a.body != "alive" {
			t.Fatalf("%d %s", a.status, a.body)
		}
		return len(hanging) > 0
	})
}
