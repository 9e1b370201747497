package websocket

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// pair returns both ends of a TCP connection.
func pair(t *testing.T) (server *Socket, client net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err = net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return NewSocket(conn), client
}

// tooMuch is more than the kernel finds room for in a full socket, in bytes, though it may find some.
const tooMuch = 16 << 20

// fill writes until the kernel takes no more, also a moment later when it has moved some of it to the other end, and returns how
// much it took.
func fill(t *testing.T, s *Socket) int {
	t.Helper()
	if !haveTryWrite {
		t.Skip("this system has no writes that never wait")
	}
	chunk, total := bytes.Repeat([]byte("x"), 64<<10), 0
	for idle := 0; idle < 20; {
		n, err := s.TryWrite(chunk)
		total += n
		switch {
		case err == nil || n > 0:
			idle = 0
		case errors.Is(err, ErrWouldBlock):
			idle++
			time.Sleep(5 * time.Millisecond)
		default:
			t.Fatal(err)
		}
	}
	return total
}

func TestTryWriteNeverWaitsAndSaysHowMuchItTook(t *testing.T) {
	s, client := pair(t)
	total := fill(t, s)
	n, err := s.TryWrite(make([]byte, tooMuch))
	if total += n; n == tooMuch || !errors.Is(err, ErrWouldBlock) {
		t.Errorf("a full socket took %d bytes, %v", n, err)
	}
	go func() { io.Copy(io.Discard, io.LimitReader(client, int64(total))) }()
	deadline := time.Now().Add(30 * time.Second)
	for {
		n, err := s.TryWrite([]byte("end"))
		if n == 3 && err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("a socket whose peer reads takes nothing: %d, %v", n, err)
		}
		time.Sleep(time.Millisecond)
	}
}

// What a client costs that does not read is bounded, though its own kernel takes some too.
func TestTheKernelHoldsLittleForAClientThatDoesNotRead(t *testing.T) {
	s, client := pair(t)
	if err := client.(*net.TCPConn).SetReadBuffer(64 << 10); err != nil {
		t.Fatal(err)
	}
	if took := fill(t, s); took > 1<<20 {
		t.Errorf("the kernels took %d bytes", took)
	}
}

func TestAWaitingWriteIsBoundedAndLeavesNoDeadlineBehind(t *testing.T) {
	s, client := pair(t)
	total := fill(t, s)
	n, err := s.WriteWithin(make([]byte, tooMuch), 20*time.Millisecond)
	if total += n; err == nil {
		t.Fatal("a full socket took a write")
	}
	if err := s.SetWriteDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	go func() { io.Copy(io.Discard, io.LimitReader(client, int64(total))) }()
	const wait = 2 * time.Second
	if n, err := s.WriteWithin([]byte("abc"), wait); n != 3 || err != nil {
		t.Fatalf("a socket whose peer reads took %d bytes, %v", n, err)
	}
	time.Sleep(wait + 100*time.Millisecond)
	if n, err := s.TryWrite([]byte("abc")); n != 3 || err != nil {
		t.Errorf("after the deadline of an earlier write: %d bytes, %v", n, err)
	}
}

func TestAClosedSocketSaysSo(t *testing.T) {
	s, _ := pair(t)
	s.Close()
	if _, err := s.TryWrite([]byte("x")); err == nil || errors.Is(err, ErrWouldBlock) {
		t.Errorf("writing to a closed socket: %v", err)
	}
}

// A connection without a file of its own (TLS) is written to by waiting writes alone.
func TestAConnectionWithoutAFileAlwaysAsksToWait(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if n, err := NewSocket(a).TryWrite([]byte("x")); n != 0 || !errors.Is(err, ErrWouldBlock) {
		t.Errorf("%d, %v", n, err)
	}
}
