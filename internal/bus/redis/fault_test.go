package redis

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"parkwire/internal/bus/bustest"
	"parkwire/test/e2e/stack"
)

// server is a Redis server of the test's own, that can be killed.
type server struct {
	t       *testing.T
	port    int
	dir     string
	command *exec.Cmd
}

func newServer(t *testing.T) *server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("redis-server is not installed")
	}
	dir, err := os.MkdirTemp("", "redis") // short: it holds a socket
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, port: stack.Port(t), dir: dir}
	t.Cleanup(func() { s.kill(); os.RemoveAll(dir) })
	return s
}

func (s *server) address() string { return fmt.Sprintf("127.0.0.1:%d", s.port) }
func (s *server) socket() string  { return filepath.Join(s.dir, "s") }

func (s *server) start() {
	s.t.Helper()
	s.command = exec.Command("redis-server", "--port", fmt.Sprint(s.port), "--bind", "127.0.0.1", "--unixsocket", s.socket(),
		"--save", "", "--appendonly", "no", "--dir", s.dir)
	if err := s.command.Start(); err != nil {
		s.t.Fatal(err)
	}
	for range 1500 {
		if conn, err := net.Dial("tcp", s.address()); err == nil {
			conn.Close()
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	s.t.Fatal("redis-server does not answer")
}

func (s *server) kill() {
	if s.command != nil {
		_ = s.command.Process.Kill()
		_ = s.command.Wait()
		s.command = nil
	}
}

// cli runs one command on the server.
func (s *server) cli(args ...string) {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.address())
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "%s\r\n", strings.Join(args, " "))
	answer := make([]byte, 256)
	if n, _ := conn.Read(answer); n == 0 || answer[0] == '-' {
		s.t.Fatalf("%v: %s", args, answer[:n])
	}
}

// A hole is a TCP proxy that can swallow what goes through it without closing anything.
type hole struct {
	listener net.Listener
	wg       sync.WaitGroup

	mu      sync.Mutex
	swallow bool
	conns   []net.Conn
}

func newHole(t *testing.T, to string) *hole {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &hole{listener: l}
	h.wg.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				in.Close()
				continue
			}
			h.mu.Lock()
			h.conns = append(h.conns, in, out)
			h.mu.Unlock()
			h.wg.Go(func() { h.carry(in, out) })
			h.wg.Go(func() { h.carry(out, in) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		h.mu.Lock()
		for _, c := range h.conns {
			c.Close()
		}
		h.mu.Unlock()
		h.wg.Wait()
	})
	return h
}

func (h *hole) carry(from, to net.Conn) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			to.Close()
			return
		}
		h.mu.Lock()
		swallow := h.swallow
		h.mu.Unlock()
		if swallow {
			continue
		}
		if _, err := to.Write(buf[:n]); err != nil {
			_, _ = io.Copy(io.Discard, from)
			return
		}
	}
}

func (h *hole) set(swallow bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.swallow = swallow
}

func (h *hole) url() string { return "redis://" + h.listener.Addr().String() }

// publishUntil publishes numbered messages until one arrives, since what is published while nobody is connected is lost.
func publishUntil(t *testing.T, b *Bus, l *bustest.Listener, prefix string) {
	t.Helper()
	arrived := false
	for i := 0; !arrived && i < 300; i++ {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		_ = b.Publish(ctx, fmt.Appendf(nil, "%s %d", prefix, i))
		cancel()
		time.Sleep(50 * time.Millisecond)
		l.Until("", func(m []string, _ []bool) bool {
			arrived = len(m) > 0 && strings.HasPrefix(m[len(m)-1], prefix)
			return true
		})
	}
	if !arrived {
		t.Fatalf("nothing arrives (%s)", prefix)
	}
}

// inTime is what bounds these tests: the 4 s of probeEvery and probeWait, and what a busy machine may add.
const inTime = 15 * time.Second

func waitReady(t *testing.T, b *Bus, want bool, within time.Duration) {
	t.Helper()
	for deadline := time.Now().Add(within); (b.Ready() == nil) != want; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after %v readiness is %v", within, b.Ready())
		}
	}
}

func TestAServerThatComesLateIsWaitedFor(t *testing.T) {
	s := newServer(t)
	b := openBus(t, "redis://"+s.address(), "")
	defer b.Close()
	l := bustest.Start(t, b)
	time.Sleep(300 * time.Millisecond)
	if err := b.Ready(); err == nil {
		t.Error("it is ready without a server")
	}
	if got := l.Statuses(); len(got) != 0 {
		t.Errorf("without a server the statuses are %v", got)
	}
	s.start()
	l.Connected(true)
	waitReady(t, b, true, inTime)
	bustest.Publish(t, b, "hello")
	l.Messages(1)
}

func TestAServerThatDiesAndComesBackIsFoundAgain(t *testing.T) {
	s := newServer(t)
	s.start()
	b := openBus(t, "redis://"+s.address(), "")
	defer b.Close()
	l := bustest.Listen(t, b)
	for round := range 2 {
		publishUntil(t, b, l, fmt.Sprintf("before %d", round))
		s.kill()
		l.Connected(false)
		waitReady(t, b, false, inTime)
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		if err := b.Publish(ctx, []byte("x")); err == nil || ctx.Err() != nil {
			t.Errorf("publishing without a server: %v", err)
		}
		cancel()
		s.start()
		l.Connected(true)
		waitReady(t, b, true, inTime)
		publishUntil(t, b, l, fmt.Sprintf("after %d", round))
	}
	if got := fmt.Sprint(l.Statuses()); got != "[true false true false true]" {
		t.Errorf("the statuses were %s", got)
	}
}

// The connection stays open, and nothing comes any more: soon the subscriber is told, and the publisher fails.
func TestAConnectionThatIsOpenButDeadIsFoundInTime(t *testing.T) {
	s := newServer(t)
	s.start()
	h := newHole(t, s.address())
	b := openBus(t, h.url(), "")
	defer b.Close()
	l := bustest.Listen(t, b)
	publishUntil(t, b, l, "before")
	h.set(true)
	began := time.Now()
	if err := b.Publish(context.Background(), []byte("lost")); err == nil {
		t.Error("a message that went nowhere was taken")
	}
	if took := time.Since(began); took > inTime {
		t.Errorf("publishing into nowhere took %v", took)
	}
	l.Connected(false)
	if took := time.Since(began); took > inTime {
		t.Errorf("the dead subscription was found after %v", took)
	}
	waitReady(t, b, false, inTime)
	h.set(false)
	l.Connected(true)
	waitReady(t, b, true, inTime)
	publishUntil(t, b, l, "after")
}

// The server answers but has forgotten the subscription, as after a proxy's mistake: only a probe that goes all the way finds that.
func TestAConnectionThatAnswersButCarriesNoMessagesIsFoundInTime(t *testing.T) {
	s := newServer(t)
	s.start()
	s.cli("ACL", "SETUSER", "app", "on", ">pw", "+@pubsub", "+@connection", "resetchannels", "&notifications", "&notifications:probe:*") // what the documents say is needed
	b := openBus(t, "redis://app:pw@"+s.address(), "")
	defer b.Close()
	l := bustest.Listen(t, b)
	publishUntil(t, b, l, "before")
	s.cli("ACL", "SETUSER", "app", "-publish") // the probe is refused, though PING is answered
	began := time.Now()
	l.Connected(false)
	if took := time.Since(began); took > inTime {
		t.Errorf("found after %v", took)
	}
	s.cli("ACL", "SETUSER", "app", "+publish")
	l.Connected(true)
	publishUntil(t, b, l, "after")
}

func TestASocketFileIsAnAddressToo(t *testing.T) {
	s := newServer(t)
	s.start()
	b := openBus(t, "unix://"+s.socket(), "")
	defer b.Close()
	l := bustest.Listen(t, b)
	bustest.Publish(t, b, "hello")
	l.Messages(1)
}

func TestClosingDoesNotWaitForADeadServer(t *testing.T) {
	s := newServer(t)
	s.start()
	h := newHole(t, s.address())
	b := openBus(t, h.url(), "")
	l := bustest.Listen(t, b)
	h.set(true)
	began := time.Now()
	b.Close()
	l.Ended()
	if took := time.Since(began); took > inTime {
		t.Errorf("closing took %v", took)
	}
}
