package uring

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// newRing makes a ring, or skips the test where the kernel gives none.
func newRing(t testing.TB, entries int) *Ring {
	t.Helper()
	r, err := New(entries)
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) {
		t.Skip("no ring to be had here:", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error("closing the ring:", err)
		}
	})
	return r
}

// A pipe is a connection: what is sent to fd is read from peer.
type pipe struct {
	fd   int
	peer *os.File
}

func newPipe(t testing.TB) *pipe {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	return own(t, pair[0], pair[1])
}

// newTCP makes a connection over loopback.
func newTCP(t testing.TB, l net.Listener) *pipe {
	t.Helper()
	peer, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return own(t, take(t, conn), take(t, peer))
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// take gives conn's descriptor to the test alone.
func take(t testing.TB, conn net.Conn) int {
	t.Helper()
	defer conn.Close()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	fd := -1
	if e := raw.Control(func(old uintptr) { fd, err = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0) }); e != nil || err != nil {
		t.Fatal(e, err)
	}
	return fd
}

func own(t testing.TB, fd, peer int) *pipe {
	p := &pipe{fd, os.NewFile(uintptr(peer), "peer")}
	t.Cleanup(func() {
		unix.Close(p.fd)
		p.peer.Close()
	})
	_ = p.peer.SetDeadline(time.Now().Add(time.Minute)) // of a test that would hang
	return p
}

// An outcome is what done was told.
type outcome struct {
	n   int
	err error
}

// submit sends what is queued and returns the outcomes by their tag. None may come twice.
func submit(t testing.TB, r *Ring) map[uint64]outcome {
	t.Helper()
	got := map[uint64]outcome{}
	if err := r.Submit(record(t, got)); err != nil {
		t.Fatal(err)
	}
	return got
}

func record(t testing.TB, got map[uint64]outcome) func(uint64, int, error) {
	return func(tag uint64, n int, err error) {
		if first, twice := got[tag]; twice {
			t.Errorf("the outcome of %d was handed over twice: %v, %d %v", tag, first, n, err)
		}
		got[tag] = outcome{n, err}
	}
}
