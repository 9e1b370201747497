//go:build linux

package websocket

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// rawPair returns a connection that was taken over, and its other end.
func rawPair(t *testing.T) (Raw, *net.TCPConn) {
	t.Helper()
	s, client := pair(t)
	raw, err := TakeOver(s.Conn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { raw.Close() })
	return raw, client.(*net.TCPConn)
}

func TestAConnectionIsTakenOverWhole(t *testing.T) {
	s, client := pair(t)
	raw, err := TakeOver(s.Conn)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if err := s.Conn.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("net has it still: %v", err)
	}
	if got := raw.RemoteAddr(); got != client.LocalAddr().String() {
		t.Errorf("its peer is %s, not %s", got, client.LocalAddr())
	}
	if flags, err := unix.FcntlInt(uintptr(raw), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("children inherit it: %d, %v", flags, err)
	}
	b := make([]byte, 10)
	if n, err := raw.TryRead(b); n != 0 || !errors.Is(err, ErrWouldBlock) {
		t.Errorf("with nothing to read: %d, %v", n, err)
	}
	if n, err := raw.TryWrite([]byte("hello")); n != 5 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	if _, err := io.ReadFull(client, b[:5]); err != nil || string(b[:5]) != "hello" {
		t.Errorf("%q came, %v", b[:5], err)
	}
	if n, err := raw.TryWrite(nil); n != 0 || err != nil {
		t.Errorf("nothing: %d, %v", n, err)
	}
}

func TestARawConnectionTakesWhatTheKernelTakes(t *testing.T) {
	raw, client := rawPair(t)
	full, total := bytes.Repeat([]byte("x"), 1<<20), 0
	for {
		n, err := raw.TryWrite(full)
		total += n
		if errors.Is(err, ErrWouldBlock) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if total == 0 {
		t.Fatal("it took nothing")
	}
	client.Close()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		if _, err := raw.TryWrite(full); err != nil && !errors.Is(err, ErrWouldBlock) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("it does not fail though nobody is there")
		}
	}
	raw.Close()
	if got := raw.RemoteAddr(); got != "gone" {
		t.Errorf("a closed one is at %s", got)
	}
}

func TestAConnectionWithoutAFileIsLeftAlone(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if _, err := TakeOver(a); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("%v", err)
	}
	if err := a.SetDeadline(time.Time{}); err != nil {
		t.Errorf("it was closed: %v", err)
	}
}

func newPollerOf(t *testing.T, conns ...Raw) *Poller {
	t.Helper()
	p, err := NewPoller()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	for _, c := range conns {
		if err := p.Add(c); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// until waits until what was told of r holds all of that.
func (p *Poller) until(t *testing.T, r Raw, want Ready) {
	t.Helper()
	got := Ready(0)
	for got&want != want {
		waited := make(chan error, 1)
		go func() { waited <- p.Wait() }()
		select {
		case err := <-waited:
			if err != nil {
				t.Fatal(err)
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("%b was told, %b was to come", got, want)
		}
		if err := p.Poll(func(of Raw, what Ready) {
			if of == r {
				got |= what
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAPollerTellsWhatThereIsToReadToWriteAndTheEnd(t *testing.T) {
	raw, client := rawPair(t)
	other, _ := rawPair(t)
	client.Write([]byte("before it was added"))
	p := newPollerOf(t, other, raw)
	p.until(t, raw, Readable|Writable)
	b := make([]byte, 1<<20)
	for drained := false; !drained; {
		_, err := raw.TryRead(b)
		drained = errors.Is(err, ErrWouldBlock)
	}
	client.Write([]byte("x"))
	p.until(t, raw, Readable)
	took := 0
	for full := false; !full; { // then it is full, and told of again once the peer has read
		n, err := raw.TryWrite(b)
		took += n
		full = errors.Is(err, ErrWouldBlock)
	}
	go func() { io.CopyN(io.Discard, client, int64(took)); client.CloseWrite() }()
	p.until(t, raw, Writable|Ended)
	for {
		if _, err := raw.TryRead(b); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestAClosedPollerEndsWhoWaits(t *testing.T) {
	p := newPollerOf(t)
	waited := make(chan error, 1)
	go func() { waited <- p.Wait() }()
	p.Close()
	select {
	case err := <-waited:
		if err == nil {
			t.Error("it tells of news")
		}
	case <-time.After(30 * time.Second):
		t.Error("it waits still")
	}
}

// A sleeping poller wakes for each of very many, each of which it tells once.
func TestAPollerTellsOfVeryMany(t *testing.T) {
	const n = 300 // more than it asks for at once
	var conns []Raw
	var peers []*net.TCPConn
	for range n {
		raw, client := rawPair(t)
		conns, peers = append(conns, raw), append(peers, client)
	}
	p := newPollerOf(t, conns...)
	told := map[Raw]int{}
	poll := func() {
		if err := p.Poll(func(r Raw, what Ready) {
			if what&Readable != 0 {
				told[r]++
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	poll()
	for _, c := range peers {
		c.Write([]byte("x"))
	}
	for deadline := time.Now().Add(30 * time.Second); len(told) < n; poll() {
		if time.Now().After(deadline) {
			t.Fatalf("it told of %d", len(told))
		}
	}
	for _, times := range told {
		if times != 1 {
			t.Errorf("one was told of %d times", times)
		}
	}
}
