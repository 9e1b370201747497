package gateway_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parkwire/internal/gateway"
	server "parkwire/internal/websocket"
)

// raw is a live part that takes each WebSocket over and hands it to the test.
type raw struct {
	handler http.Handler
	conns   chan net.Conn
}

func newRaw(t *testing.T) *raw {
	r := &raw{conns: make(chan net.Conn, 1000)}
	r.handler = http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if !server.Requested(request) { // /readyz too
			return
		}
		if protocol := request.Header.Get("Sec-WebSocket-Protocol"); protocol != "" {
			w.Header().Set("Sec-WebSocket-Protocol", protocol)
		}
		conn, _, err := server.Accept(w, request)
		if err != nil {
			t.Errorf("the handshake: %v", err)
			return
		}
		t.Cleanup(func() { conn.Close() })
		r.conns <- conn
	})
	return r
}

func (b *bench) dial(protocols ...string) *websocket.Conn {
	b.t.Helper()
	conn, _, err := websocket.Dial(b.t.Context(), b.server.URL+"/notifications",
		&websocket.DialOptions{HTTPClient: &http.Client{Transport: b.client.Transport}, Subprotocols: protocols})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { conn.CloseNow() })
	return conn
}

// patientProxy ends no stream by time.
func patientProxy(t *testing.T, live http.Handler) *gateway.Proxy {
	return runProxy(t, gateway.ProxyOptions{Name: "live", URLs: []string{serve(t, live).URL}, FinishWait: forEver})
}

// drain drains a gateway in the background; the returned function waits for its end.
func (b *bench) drain() (wait func()) {
	done := make(chan struct{})
	go func() { defer close(done); b.gateway.Drain(context.Background()) }()
	return func() {
		b.t.Helper()
		select {
		case <-done:
		case <-time.After(time.Minute):
			b.t.Error("the draining does not end")
		}
	}
}

var hint = regexp.MustCompile(` retry-after-ms=([1-4]\d{3})$`)

// sentAway checks that the next thing a client hears is that it shall come back later.
func sentAway(t *testing.T, conn *websocket.Conn, code websocket.StatusCode) {
	t.Helper()
	_, message, err := conn.Read(t.Context())
	var closed websocket.CloseError
	if !errors.As(err, &closed) || closed.Code != code || !hint.MatchString(closed.Reason) {
		t.Errorf("it hears %q, %v instead of a close with code %d and a hint", message, err, code)
	}
}

func TestAGatewayThatEndsClosesItsWebSocketsBetweenTwoMessages(t *testing.T) {
	live := newRaw(t)
	b := newBench(t, func(o *gateway.Options) { o.Live = patientProxy(t, live.handler) })
	client := b.dial()
	instance := <-live.conns
	client.SetReadLimit(1 << 20)
	message := strings.Repeat("x", 100_000)
	frame := server.AppendFrame(nil, server.Text, []byte(message))
	instance.Write(frame)
	instance.Write(frame[:50_000])
	expect(t, client, message)
	_, half, err := client.Reader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 10_000)
	if _, err := io.ReadFull(half, got); err != nil {
		t.Fatal(err)
	}
	wait := b.drain()
	b.mustRefuseStreams()
	instance.Write(frame[50_000:])
	if rest, err := io.ReadAll(half); err != nil || string(got)+string(rest) != message {
		t.Errorf("of the rest of a message %d bytes came: %v", len(rest), err)
	}
	sentAway(t, client, websocket.StatusServiceRestart)
	if closed, err := io.ReadAll(instance); err != nil || !strings.Contains(fmt.Sprintf("%x", closed), "88") {
		t.Errorf("the instance hears %x, %v instead of the client's close", closed, err)
	}
	instance.Close()
	wait()
}

func (b *bench) mustRefuseStreams() {
	b.t.Helper()
	eventually(b.t, "new streams are refused", func() bool {
		return b.do("GET", "/notifications", nil, "Accept", "text/event-stream").status == 503
	})
}

func expect(t *testing.T, conn *websocket.Conn, want string) {
	t.Helper()
	if _, got, err := conn.Read(t.Context()); err != nil || string(got) != want {
		t.Errorf("%d bytes came instead of %d: %v", len(got), len(want), err)
	}
}

func TestAMessageInPartsIsNotTornByTheEndOfTheGateway(t *testing.T) {
	live := newRaw(t)
	b := newBench(t, func(o *gateway.Options) { o.Live = patientProxy(t, live.handler) })
	client := b.dial()
	instance := <-live.conns
	part := server.AppendFrame(nil, server.Text, []byte("first, "))
	part[0] &^= 0x80
	instance.Write(server.AppendFrame(part, server.Ping, nil))
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		expect(t, client, "first, last")
		sentAway(t, client, websocket.StatusServiceRestart)
	}()
	if _, err := io.ReadFull(instance, make([]byte, 6)); err != nil { // the pong
		t.Fatal(err)
	}
	wait := b.drain()
	b.mustRefuseStreams()
	instance.Write(server.AppendFrame(nil, server.Continuation, []byte("last")))
	<-heard
	instance.Close()
	wait()
}

func TestAClientOfTheSubprotocolIsToldInAMessageWhenToComeBack(t *testing.T) {
	live := newRaw(t)
	b := newBench(t, func(o *gateway.Options) { o.Live = patientProxy(t, live.handler) })
	client := b.dial("parkwire.v1")
	instance := <-live.conns
	wait := b.drain()
	_, message, err := client.Read(t.Context())
	if err != nil || !regexp.MustCompile(`^{"type":"Retry","afterMs":[1-4]\d{3},"reason":"restart"}$`).Match(message) {
		t.Errorf("it hears %q, %v", message, err)
	}
	sentAway(t, client, websocket.StatusServiceRestart)
	instance.Close()
	wait()
}

func TestACloseFrameOfTheInstanceIsTheOnlyOne(t *testing.T) {
	live := newRaw(t)
	b := newBench(t, func(o *gateway.Options) { o.Live = patientProxy(t, live.handler) })
	client := b.dial()
	instance := <-live.conns
	instance.Write(server.AppendClose(server.AppendFrame(nil, server.Text, []byte("the last")), server.CloseCode(4408), "too slow"))
	expect(t, client, "the last")
	wait := b.drain()
	if _, _, err := client.Read(t.Context()); websocket.CloseStatus(err) != 4408 {
		t.Errorf("it hears %v", err)
	}
	instance.Close()
	wait()
}

func TestAnEndThatAClientDoesNotAnswerIsNotWaitedForForEver(t *testing.T) {
	live := newRaw(t)
	b := newBench(t, func(o *gateway.Options) {
		o.Live = runProxy(t, gateway.ProxyOptions{Name: "live", URLs: []string{serve(t, live.handler).URL}, FinishWait: 10 * time.Millisecond})
	})
	b.dial() // and neither reads nor closes
	<-live.conns
	b.drain()()
}

func TestServerSentEventsEndAfterAWholeEventAndSayWhenToComeBack(t *testing.T) {
	begun, more, asked := make(chan struct{}), make(chan struct{}), make(chan struct{})
	live := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/readyz" {
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		say := func(text string) {
			io.WriteString(w, text)
			http.NewResponseController(w).Flush()
		}
		if r.URL.Query().Has("quiet") {
			say("id: 1\n\n")
			close(asked)
			<-r.Context().Done()
			return
		}
		say("id: 1\n\ndata: half ")
		close(begun)
		<-more
		say("an event\n\n")
		<-r.Context().Done()
	})
	b := newBench(t, func(o *gateway.Options) { o.Live = patientProxy(t, live) })
	open := func(query string, so <-chan struct{}) *bufio.Reader {
		r, _ := http.NewRequestWithContext(t.Context(), "GET", b.server.URL+"/notifications"+query, nil)
		r.Header.Set("Accept", "text/event-stream")
		response, err := b.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { response.Body.Close() })
		<-so
		return bufio.NewReader(response.Body)
	}
	const goodbye = `: this gateway restarts: reconnect with after=CURSOR\nretry: [1-4]\d{3}\n\n$`
	half, quiet := open("", begun), open("?quiet", asked)
	for _, r := range []*bufio.Reader{half, quiet} {
		if line, err := r.ReadString('\n'); line != "id: 1\n" {
			t.Fatalf("it begins with %q, %v", line, err)
		}
	}
	if text, err := half.Peek(len("\ndata: half ")); err != nil {
		t.Fatalf("it goes on with %q, %v", text, err)
	}
	wait := b.drain()
	if text, err := io.ReadAll(quiet); err != nil || !regexp.MustCompile(`^\n`+goodbye).Match(text) {
		t.Errorf("the quiet stream ends with %q, %v", text, err)
	}
	b.mustRefuseStreams()
	close(more)
	if text, err := io.ReadAll(half); err != nil || !regexp.MustCompile(`^\ndata: half an event\n\n`+goodbye).Match(text) {
		t.Errorf("the busy stream ends with %q, %v", text, err)
	}
	wait()
	if log := b.log.String(); regexp.MustCompile(`level=INFO msg=request .*status=200`).MatchString(log) {
		t.Errorf("the end of a stream is logged as a failure: %.300s", log)
	}
}
