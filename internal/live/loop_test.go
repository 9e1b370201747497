package live

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"parkwire/internal/websocket"
)

// A loop that is told of frames while it sends others comes round again, however often that happens.
func TestNoFrameWaitsForTheNextOne(t *testing.T) {
	onEachEngine(t, func(t *testing.T) {
		s := start(t, func(o *Options) { o.Loops = 1 })
		var clients []*listener
		for range 20 {
			clients = append(clients, s.webSocket())
		}
		const rounds = 300
		for n := range rounds {
			s.write(1)
			if n%3 == 0 { // else the next event comes at whatever moment of the pass
				clients[n%len(clients)].count(n + 1)
			}
		}
		for _, c := range clients {
			gapless(t, c.name, c.count(rounds), nil)
		}
	})
}

// A backlog of many segments goes out to its end, though it takes many writes and nothing is appended any more.
func TestABacklogIsSentToItsEnd(t *testing.T) {
	onEachEngine(t, func(t *testing.T) {
		s := start(t, func(o *Options) { o.ClientBytes = 64 << 20 })
		c := s.raw()
		const n = 1000 // 8 MB: more than the kernel takes before it is read
		s.bigEvents(n)
		s.eventually("a full socket", func() bool { return testutil.ToFloat64(s.service.metrics.slow) == 1 })
		for next := int64(1); next <= n; next++ {
			_, payload, err := c.frame()
			if f := decodeFrame(string(payload)); err != nil || f.Version != next {
				t.Fatalf("version %d came, %v; %d was to come", f.Version, err, next)
			}
		}
		s.eventually("that it is not slow any more", func() bool { return testutil.ToFloat64(s.service.metrics.slow) == 0 })
	})
}

// Who takes nothing is closed for being too far behind, though its socket is full and stays so.
func TestWhoIsBlockedIsClosedByItsBound(t *testing.T) {
	onEachEngine(t, func(t *testing.T) {
		s := start(t, func(o *Options) { o.ClientBytes = 64 << 10 })
		s.raw()
		s.bigEvents(1500)
		s.eventually("its end", func() bool { return testutil.ToFloat64(s.service.metrics.tooSlow) == 1 })
	})
}

// What a write is under way with stays as it is, whatever is appended meanwhile and whoever leaves.
func TestBytesUnderWayNeverChange(t *testing.T) {
	l := newFrameLog()
	at := l.end()
	l.append(bytes.Repeat([]byte("a"), 100))
	under := at.next()
	before := bytes.Clone(under)
	alone := at.alone()
	for i := range 2000 {
		l.append(bytes.Repeat([]byte{byte(i)}, 100))
	}
	alone.seg.log.append([]byte("b"))
	runtime.GC()
	if !bytes.Equal(under, before) {
		t.Errorf("%q became %q", before, under)
	}
}

// descriptors is how many files the process has open.
func descriptors(t *testing.T) int {
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("this system does not tell which files are open")
	}
	return len(files)
}

// However clients come and go, nothing of them stays: no file, no goroutine, no place anywhere.
func TestNothingStaysOfClientsThatLeft(t *testing.T) {
	onEachEngine(t, func(t *testing.T) {
		s := start(t, func(o *Options) { o.HandshakeRate = 1 << 20 })
		visit := func(n int) {
			for i := range n {
				conn, err := net.Dial("tcp", s.server.Listener.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(conn, "GET %s?lot=%d HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", PathNotifications, i%7)
				if i%2 == 0 {
					if _, err := io.ReadFull(conn, make([]byte, 12)); err != nil {
						t.Fatal(err)
					}
				}
				if i%3 == 0 { // a reset, with something half said before
					_, _ = conn.Write([]byte{0x81, 0x85, 0})
					_ = conn.(*net.TCPConn).SetLinger(0)
				}
				conn.Close()
			}
			s.connected(0)
		}
		visit(100) // what is made once is made
		files, goroutines := descriptors(t), runtime.NumGoroutine()
		visit(1000)
		s.eventually("that no file stays open", func() bool { return descriptors(t) <= files })
		s.eventually("that no goroutine stays", func() bool { return runtime.NumGoroutine() <= goroutines })
		s.eventually("that no subscription stays", func() bool { // a handshake may still be under way
			s.service.mu.Lock()
			defer s.service.mu.Unlock()
			return len(s.service.clients)+len(s.service.subs.byKey)+len(s.service.crowds.homes) == 0
		})
	})
}

// A file descriptor has the number of one that was closed a moment ago, of which news may still be under way.
func TestNewsOfAConnectionReachNobodyElse(t *testing.T) {
	s := start(t, func(o *Options) { o.Loops, o.HandshakeRate = 1, 1<<20 })
	const n = 300
	stays := s.webSocket()
	for i := range n {
		leaves := s.raw()
		_, _ = leaves.Write([]byte{0x81, 0x85, 0, 0, 0, 0, 'h', 'a'}) // half a message
		leaves.Close()
		comes := s.raw()
		s.write(1)
		if op, payload, err := comes.frame(); err != nil || op != websocket.Text || decodeFrame(string(payload)).Version != int64(i+1) {
			t.Fatalf("client %d got %d %q, %v", i, op, payload, err)
		}
		comes.send(websocket.Ping, "still here?")
		if op, payload, err := comes.frame(); err != nil || op != websocket.Pong || string(payload) != "still here?" {
			t.Fatalf("client %d got %d %q, %v", i, op, payload, err)
		}
		comes.Close()
	}
	gapless(t, stays.name, stays.count(n), nil)
}

// An event that is told of a client though it has nothing to say, as one of an earlier connection would be, is nothing to it.
func TestNewsWithoutReasonDoNothing(t *testing.T) {
	p := newToldPoller()
	s := startOnLoops(t, func() (poller, error) { return p, nil })
	c := s.raw()
	s.connected(1)
	for range 100 {
		p.tell(websocket.Readable | websocket.Writable | websocket.Ended)
	}
	c.send(websocket.Ping, "x")
	deadline := time.Now().Add(patience)
	for got := false; !got; {
		if time.Now().After(deadline) {
			t.Fatal("it is not heard")
		}
		p.tell(websocket.Readable)
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		op, payload, err := c.frame()
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		got = err == nil && op == websocket.Pong && string(payload) == "x"
	}
}

// A message that comes in many pieces is one, and costs a parser of its own only while it does.
func TestAMessageInPiecesIsHeardWhole(t *testing.T) {
	onEachEngine(t, func(t *testing.T) {
		s := start(t, nil)
		c := s.raw()
		payload := strings.Repeat("p", 100)
		frame := append([]byte{0x89, 0x80 | 100, 0, 0, 0, 0}, payload...)
		for range 3 {
			for i := range frame {
				if _, err := c.Write(frame[i : i+1]); err != nil {
					t.Fatal(err)
				}
			}
			if op, got, err := c.frame(); err != nil || op != websocket.Pong || string(got) != payload {
				t.Fatalf("%d %q %v", op, got, err)
			}
		}
		s.service.mu.Lock()
		defer s.service.mu.Unlock()
		for c := range s.service.clients {
			c.mu.Lock()
			if c.raw >= 0 && c.extras != nil {
				t.Errorf("it keeps %+v", *c.extras)
			}
			c.mu.Unlock()
		}
	})
}

func TestTheEngineIsTold(t *testing.T) {
	onEachEngine(t, func(t *testing.T) {
		s := start(t, nil)
		for _, engine := range engines() {
			want := 0.0
			if engine == engineOf(t) {
				want = 1
			}
			if got := testutil.ToFloat64(s.service.metrics.engine.WithLabelValues(engine)); got != want {
				t.Errorf("%s: %v", engine, got)
			}
		}
	})
	err := New(optionsOn(newFakeLog(1), memoryBus(), func(o *Options) { o.Engine = "steam" })).Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "steam") {
		t.Errorf("an engine that nobody knows: %v", err)
	}
}

// Where an engine does not work, the next one does.
func TestAutoTakesWhatWorks(t *testing.T) {
	broken := func() (poller, error) { return nil, errors.ErrUnsupported }
	s := startOnLoops(t, broken)
	if testutil.ToFloat64(s.service.metrics.engine.WithLabelValues(EngineGoroutines)) != 1 {
		t.Error("it is not the last one")
	}
	c := s.webSocket()
	s.write(1)
	c.count(1)
}

// startOnLoops starts a service whose loops have other pollers.
func startOnLoops(t *testing.T, newPoller func() (poller, error)) *testStand {
	t.Helper()
	log, b := newFakeLog(4), memoryBus()
	s := New(optionsOn(log, b, func(o *Options) { o.Loops = 1 }))
	s.newPoller, s.newBatches = newPoller, func() (batchSender, error) { return nil, errors.ErrUnsupported }
	return run(t, log, b, s)
}
