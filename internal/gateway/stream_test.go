package gateway_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"parkwire/internal/gateway"
)

// echoing is a live part that speaks WebSocket and server-sent events.
func echoing(t *testing.T) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/readyz":
		case r.Header.Get("Upgrade") != "":
			conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"parkwire.v1"}})
			if err != nil {
				t.Errorf("the handshake: %v", err)
				return
			}
			defer conn.CloseNow()
			for {
				kind, message, err := conn.Read(context.Background())
				if err != nil {
					return
				}
				if string(message) == "restart" {
					conn.Close(websocket.StatusServiceRestart, "come back")
					return
				}
				if err := conn.Write(context.Background(), kind, append([]byte(r.URL.RawQuery+" "), message...)); err != nil {
					return
				}
			}
		default:
			w.Header().Set("Content-Type", "text/event-stream")
			for i := 0; ; i++ {
				fmt.Fprintf(w, "id: %d\n\n", i)
				if err := http.NewResponseController(w).Flush(); err != nil {
					return // who listened is gone
				}
				select {
				case <-r.Context().Done():
					return
				case <-time.After(20 * time.Millisecond):
				}
			}
		}
	})
}

func TestWebSocketsPassThroughBothWays(t *testing.T) {
	for name, live := range map[string]func() gateway.Part{
		"here":      func() gateway.Part { return gateway.Local(echoing(t), nil) },
		"elsewhere": func() gateway.Part { return newProxy(t, "live", nowhere(t), serve(t, echoing(t)).URL) },
	} {
		t.Run(name, func(t *testing.T) {
			registry := prometheus.NewPedanticRegistry()
			b := newBench(t, func(o *gateway.Options) { o.Live, o.Registerer = live(), registry })
			conn, response, err := websocket.Dial(t.Context(), b.server.URL+"/notifications?lot=a", &websocket.DialOptions{
				HTTPClient: &http.Client{Transport: b.client.Transport}, Subprotocols: []string{"parkwire.v1"}})
			if err != nil {
				t.Fatal(err)
			}
			defer conn.CloseNow()
			if conn.Subprotocol() != "parkwire.v1" || len(response.Header["X-Request-Id"]) != 1 {
				t.Errorf("subprotocol %q, headers %v", conn.Subprotocol(), response.Header)
			}
			for i := range 100 {
				text := strings.Repeat("x", i*100)
				if err := conn.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
					t.Fatal(err)
				}
				if _, got, err := conn.Read(t.Context()); err != nil || string(got) != "lot=a "+text {
					t.Fatalf("message %d came back as %.50q, %v", i, got, err)
				}
				conn.SetReadLimit(1 << 20)
			}
			conn.Write(t.Context(), websocket.MessageText, []byte("restart"))
			if _, _, err := conn.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusServiceRestart {
				t.Errorf("the close code became %v", err)
			}
			const want = `# HELP parkwire_gateway_requests_total Requests by route, method and class of status; "stream" for connections that were taken over, "aborted" for answers that were cut off.
# TYPE parkwire_gateway_requests_total counter
parkwire_gateway_requests_total{method="GET",route="/notifications",status="stream"} 1
`
			eventually(t, "a stream counted as one", func() bool {
				return testutil.GatherAndCompare(registry, strings.NewReader(want), "parkwire_gateway_requests_total") == nil
			})
		})
	}
}

func TestServerSentEventsPassAtOnceAndOutliveTheServersBounds(t *testing.T) {
	b := newBench(t, func(o *gateway.Options) { o.Live = newProxy(t, "live", serve(t, echoing(t)).URL) })
	server := httptest.NewUnstartedServer(b.gateway.Handler())
	server.Config.ReadTimeout = time.Second
	server.Start()
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, _ := http.NewRequestWithContext(ctx, "GET", server.URL+"/notifications", nil)
	r.Header.Set("Accept", "text/event-stream")
	began := time.Now()
	response, err := b.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	for n := 0; lines.Scan(); n++ {
		if n == 0 && time.Since(began) > time.Minute {
			t.Error("the first event was held back")
		}
		if time.Since(began) > 1500*time.Millisecond {
			return
		}
	}
	t.Errorf("the stream ended after %v: %v", time.Since(began), lines.Err())
}

func TestAnInstanceKilledInTheMiddleCutsItsStreamsAndNoMore(t *testing.T) {
	named := func(name string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Instance", name)
			echoing(t).ServeHTTP(w, r)
		})
	}
	first, second := serve(t, named("first")), serve(t, named("second"))
	proxy := newProxy(t, "live", first.URL, second.URL)
	b := newBench(t, func(o *gateway.Options) { o.Live = proxy })
	open := func() (string, *bufio.Scanner) {
		r, _ := http.NewRequestWithContext(t.Context(), "GET", b.server.URL+"/notifications", nil)
		r.Header.Set("Accept", "text/event-stream")
		response, err := b.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { response.Body.Close() })
		s := bufio.NewScanner(response.Body)
		if !s.Scan() {
			t.Fatalf("nothing came: %v", s.Err())
		}
		return response.Header.Get("Instance"), s
	}
	ended := map[string]chan struct{}{}
	for len(ended) < 2 { // until there is one on each; both may be on one that was found ready earlier
		name, s := open()
		if ended[name] != nil {
			continue
		}
		end := make(chan struct{})
		ended[name] = end
		go func() {
			defer close(end)
			for s.Scan() {
			}
		}()
	}
	first.CloseClientConnections()
	first.Listener.Close()
	<-ended["first"]
	for range 10 {
		if name, _ := open(); name != "second" {
			t.Errorf("a stream is from the instance %q", name)
		}
	}
	select {
	case <-ended["second"]:
		t.Fatal("the stream of the instance that lives ended too")
	default:
	}
	proxy.Drain(t.Context())
	<-ended["second"]
	if a := b.do("GET", "/notifications", nil, "Accept", "text/event-stream"); a.status != 503 {
		t.Errorf("after draining a stream is answered %d", a.status)
	}
}
