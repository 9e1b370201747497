package live

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"parkwire/internal/event"
	ws "parkwire/internal/websocket"
)

// rawConn is a WebSocket of which the test reads and writes every byte.
type rawConn struct {
	*net.TCPConn
	t  *testing.T
	in *bufio.Reader
}

func (s *testStand) raw(query ...string) *rawConn {
	s.Helper()
	conn, err := net.Dial("tcp", s.server.Listener.Addr().String())
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { conn.Close() })
	c := &rawConn{conn.(*net.TCPConn), s.T, bufio.NewReaderSize(conn, 16)}
	_ = conn.SetDeadline(time.Now().Add(2 * patience))
	fmt.Fprintf(conn, "GET %s?%s HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
		PathNotifications, values(query).Encode())
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			s.Fatal(err)
		}
		if line == "\r\n" {
			return c
		}
	}
}

// frame reads one frame.
func (c *rawConn) frame() (ws.Opcode, []byte, error) {
	var h [2]byte
	if _, err := io.ReadFull(c.in, h[:]); err != nil {
		return 0, nil, err
	}
	n := uint64(h[1])
	switch n {
	case 126:
		var b [2]byte
		if _, err := io.ReadFull(c.in, b[:]); err != nil {
			return 0, nil, err
		}
		n = uint64(binary.BigEndian.Uint16(b[:]))
	case 127:
		var b [8]byte
		if _, err := io.ReadFull(c.in, b[:]); err != nil {
			return 0, nil, err
		}
		n = binary.BigEndian.Uint64(b[:])
	}
	if h[0]&0x70 != 0 || h[0]&0x80 == 0 || n > 1<<20 {
		return 0, nil, fmt.Errorf("no frame begins with % x", h)
	}
	payload := make([]byte, n)
	_, err := io.ReadFull(c.in, payload)
	return ws.Opcode(h[0] & 15), payload, err
}

func (c *rawConn) send(op ws.Opcode, payload string) {
	b := ws.AppendFrame(nil, op, []byte(payload))
	b[1] |= 0x80 // masked with zeros
	_, _ = c.Write(append(append(b[:2:2], 0, 0, 0, 0), payload...))
}

// closeFrame reads up to a close frame and returns its code.
func (c *rawConn) closeFrame() int {
	c.t.Helper()
	for {
		op, payload, err := c.frame()
		if err != nil {
			c.t.Fatalf("waiting for a close frame: %v", err)
		}
		if op == ws.Close {
			return int(binary.BigEndian.Uint16(payload))
		}
	}
}

// bigEvents writes n events of some KB each of one spot.
func (s *testStand) bigEvents(n int) {
	for range n {
		s.mu.Lock()
		s.versions["big"]++
		value := fmt.Sprintf(`{"spotId":"big","version":%d,"lotId":"big","filling":%q}`, s.versions["big"], strings.Repeat("x", 8000))
		p := s.log.append(0, value)
		s.mu.Unlock()
		_ = s.bus.Publish(context.Background(), event.AppendLogPosition(nil, []byte(value), p))
	}
}

func TestASlowClientIsClosedAndHarmsNobody(t *testing.T) {
	onEachEngine(t, func(t *testing.T) {
		s := start(t, func(o *Options) { o.ClientBytes = 64 << 10 })
		fast, fastSSE := s.webSocket(), s.sse("")
		slow := s.raw()
		const n = 1500 // 12 MB, more than the kernel buffers
		for i := 0; i < n; i += 10 {
			s.bigEvents(10)
			fast.count(i + 10)
			fastSSE.count(i + 10)
		}
		gapless(t, fast.name, fast.count(n), nil)
		gapless(t, fastSSE.name, fastSSE.count(n), nil)
		s.eventually("its end", func() bool { return testutil.ToFloat64(s.service.metrics.tooSlow) == 1 })
		// It reads on: whole frames in order, then the code, and by its cursor the rest.
		last := frame{}
		for {
			op, payload, err := slow.frame()
			if err != nil {
				t.Fatalf("behind %d frames: %v", last.Version, err)
			}
			if op == ws.Close {
				if code := binary.BigEndian.Uint16(payload); code != 4408 {
					t.Errorf("closed with %d", code)
				}
				break
			}
			f := decodeFrame(string(payload))
			if f.Version != last.Version+1 {
				t.Fatalf("version %d came behind %d", f.Version, last.Version)
			}
			last = f
		}
		slow.send(ws.Close, "\x11\x38")
		if _, _, err := slow.frame(); err != io.EOF {
			t.Errorf("after the handshake of closing: %v", err)
		}
		s.connected(2)
		resumed := s.webSocket("after", last.Cursor)
		gapless(t, resumed.name, resumed.count(n-int(last.Version)), map[string]int64{"big": last.Version})
	})
}

// Pings of a client that reads slowly are answered between whole frames, never within one.
func TestControlFramesNeverCutAnEvent(t *testing.T) {
	onEachEngine(t, func(t *testing.T) {
		s := start(t, func(o *Options) { o.ClientBytes, o.PingInterval = 64<<20, time.Second })
		c := s.raw()
		_ = c.SetWriteBuffer(1 << 20)
		const n = 1200
		go s.bigEvents(n)
		next, pongs, pings := int64(1), 0, 0
		for next <= n {
			if next%50 == 0 {
				c.send(ws.Ping, "are you there")
			}
			op, payload, err := c.frame()
			if err != nil {
				t.Fatal(err)
			}
			switch op {
			case ws.Text:
				if f := decodeFrame(string(payload)); f.Version != next || !strings.HasSuffix(f.raw, `"}`) {
					t.Fatalf("version %d came, %.60s; %d was to come", f.Version, f.raw, next)
				}
				next++
			case ws.Pong:
				if string(payload) != "are you there" {
					t.Fatalf("a pong with %q", payload)
				}
				pongs++
			case ws.Ping:
				pings++
				c.send(ws.Pong, string(payload))
			default:
				t.Fatalf("opcode %d with %q", op, payload)
			}
		}
		if pongs == 0 {
			t.Error("no ping was answered")
		}
		t.Logf("%d pongs and %d pings among %d events", pongs, pings, n)
	})
}

func TestAClosingHandshakeIsAnsweredWithItsCode(t *testing.T) {
	onEachEngine(t, func(t *testing.T) {
		s := start(t, nil)
		for _, code := range []uint16{1000, 1001, 4000} {
			c := s.raw()
			c.send(ws.Close, string(binary.BigEndian.AppendUint16(nil, code)))
			if got := c.closeFrame(); got != int(code) {
				t.Errorf("%d was answered with %d", code, got)
			}
			if _, _, err := c.frame(); err != io.EOF {
				t.Errorf("after it came %v", err)
			}
		}
		c := s.raw()
		c.send(ws.Close, "")
		if op, payload, err := c.frame(); op != ws.Close || len(payload) != 0 || err != nil {
			t.Errorf("a close without code was answered with %d %q %v", op, payload, err)
		}
		l := s.webSocket()
		if err := l.conn.Close(websocket.StatusNormalClosure, ""); err != nil {
			t.Errorf("closing: %v", err)
		}
		s.connected(0)
	})
}

func TestABrokenFrameIsAnsweredWithItsCode(t *testing.T) {
	onEachEngine(t, func(t *testing.T) {
		s := start(t, nil)
		for name, c := range map[string]struct {
			bytes []byte
			code  int
		}{
			"unmasked":   {ws.AppendFrame(nil, ws.Text, []byte("hello")), 1002},
			"no UTF-8":   {[]byte{0x81, 0x81, 0, 0, 0, 0, 0xff}, 1007},
			"too large":  {[]byte{0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0}, 1009},
			"a fragment": {[]byte{0x80, 0x80, 0, 0, 0, 0}, 1002},
		} {
			conn := s.raw()
			_, _ = conn.Write(append(c.bytes, make([]byte, 5000)...)) // and more, that is not looked at
			if got := conn.closeFrame(); got != c.code {
				t.Errorf("%s: closed with %d, not %d", name, got, c.code)
			}
			conn.Close()
		}
		c := s.raw()
		c.send(ws.Text, "what plain clients say is nobody's concern")
		c.send(ws.Ping, "x")
		if op, payload, err := c.frame(); op != ws.Pong || string(payload) != "x" || err != nil {
			t.Errorf("after a message: %d %q %v", op, payload, err)
		}
		c.Close()
		s.connected(0)
	})
}

func TestAClientThatAnswersNoPingIsGone(t *testing.T) {
	onEachEngine(t, func(t *testing.T) {
		t.Parallel() // it waits most of the time
		s := start(t, func(o *Options) { o.PingInterval = time.Second })
		dead, alive, stream := s.raw(), s.webSocket(), s.sse("")
		s.connected(3)
		if op, _, err := dead.frame(); op != ws.Ping || err != nil {
			t.Fatalf("instead of a ping came %d, %v", op, err)
		}
		began := time.Now()
		s.connected(2)
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("it was let go after %v", took)
		}
		time.Sleep(500 * time.Millisecond)
		s.write(1)
		alive.count(1)
		stream.count(1)
		if !strings.Contains(strings.Join(stream.lines, "\n"), "\n:\n") {
			t.Errorf("a silent stream had no sign of life: %q", stream.lines)
		}
	})
}

func TestDrainingSendsEverybodyAwayAndTakesNobody(t *testing.T) {
	onEachEngine(t, func(t *testing.T) {
		t.Parallel() // it waits most of the time
		s := start(t, func(o *Options) { o.DrainWindow = 200 * time.Millisecond })
		var clients []*listener
		for range 20 {
			clients = append(clients, s.webSocket(), s.webSocket("lot", "lot-1"))
		}
		stream, stubborn := s.sse(""), s.raw()
		s.write(1)
		for _, c := range clients {
			c.count(1)
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		began := time.Now()
		drained := make(chan struct{})
		go func() { defer close(drained); s.service.Drain(ctx) }()
		for _, c := range clients {
			if code := c.closed(); code != 1012 {
				t.Errorf("%s was closed with %d", c.name, code)
			}
		}
		stream.until("the end", func(_ []frame, err error) bool {
			if err != nil && err != io.EOF {
				t.Errorf("the stream ended with %v", err)
			}
			return err != nil
		})
		if code := stubborn.closeFrame(); code != 1012 { // and it answers nothing
			t.Errorf("closed with %d", code)
		}
		<-drained
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("draining took %v", took)
		}
		if err := s.service.Ready(); err == nil {
			t.Error("it is ready while draining")
		}
		if status, h, _ := s.get("GET", PathNotifications, map[string][]string{"Accept": {"text/event-stream"}}); status != 503 || h.Get("Retry-After") == "" {
			t.Errorf("a new client is answered with %d", status)
		}
		s.connected(0)
		s.service.Drain(ctx) // nobody is left
	})
}

// A client that leaves, and a service that ends, end a resumption wherever it stands.
func TestAResumptionEndsWithItsClientAndWithTheService(t *testing.T) {
	onEachEngine(t, func(t *testing.T) {
		log := newFakeLog(4)
		before := startOn(t, log, memoryBus(), nil)
		before.write(1, 2, 3)
		before.stop()
		s := startOn(t, log, memoryBus(), nil)
		s.knowsTheState() // which takes a range too
		gate, ranges := make(chan struct{}), 0
		s.log.set(func() { s.log.gate, ranges = gate, s.log.ranges })
		leaves, stays := s.webSocket("after", s.cursorAt(-1, -1, -1, -1)), s.webSocket("after", s.cursorAt(-1, -1, -1, -1))
		s.eventually("the reading", func() bool { s.log.mu.Lock(); defer s.log.mu.Unlock(); return s.log.ranges == ranges+1 })
		leaves.stop()
		s.connected(1)
		s.stop()
		stays.until("the end", func(_ []frame, err error) bool { return err != nil })
		close(gate)
	})
}

// A client that reads nothing of what it missed keeps nobody else from the log.
func TestResumingClientsThatDoNotReadKeepNobodyFromTheLog(t *testing.T) {
	onEachEngine(t, func(t *testing.T) {
		log := newFakeLog(4)
		before := startOn(t, log, memoryBus(), nil)
		before.bigEvents(1000)
		before.stop()
		s := startOn(t, log, memoryBus(), nil)
		from := s.cursorAt(-1, -1, -1, -1)
		for range maxLogReads + 2 {
			s.raw("after", from)
		}
		time.Sleep(50 * time.Millisecond)
		c := s.webSocket("after", from)
		gapless(t, c.name, c.count(1000), nil)
	})
}

func TestAClientWhoseMissedEventsCannotBeReadIsToldToTryAgain(t *testing.T) {
	onEachEngine(t, func(t *testing.T) {
		log := newFakeLog(4)
		before := startOn(t, log, memoryBus(), nil)
		before.write(1, 2, 3)
		before.stop()
		s := startOn(t, log, memoryBus(), nil)
		s.log.set(func() { s.log.broken = true })
		if code := s.webSocket("after", s.cursorAt(-1, -1, -1, -1)).closed(); code != 1013 {
			t.Errorf("closed with %d", code)
		}
		s.log.set(func() { s.log.broken, s.log.away = false, true })
		status, h, body := s.get("GET", PathEvents+"?after="+s.cursorAt(-1, -1, -1, -1), nil)
		if status != 503 || !strings.Contains(body, "log-unavailable") || h.Get("Retry-After") == "" {
			t.Errorf("events were answered with %d %s", status, body)
		}
		s.write(1) // what is in memory needs no log
		if status, _, body := s.get("GET", PathEvents+"?after="+s.cursorAt(-1, 0, 0, 0), nil); status != 200 || !strings.Contains(body, `"spotId":"s-001"`) {
			t.Errorf("events in memory were answered with %d %s", status, body)
		}
	})
}
