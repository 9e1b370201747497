//go:build linux

package live

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"parkwire/internal/websocket"
)

// A tap is a connection whose other end the test holds. What the service sends goes through a pipe of the kernel that
// holds 4 KiB, so that writes that do not wait are the real ones and come out in part; but nothing else of it is the
// kernel's, so that time stands still under testing/synctest while somebody waits for it. For an engine whose loops take descriptors over it
// is a pair of sockets, whose news the test tells.
type tap struct {
	out, in int                   // file descriptors: of the service, of the test
	news    func(websocket.Ready) // nil: a goroutine waits

	mu                    sync.Mutex
	said                  []byte // by the test, to the service
	closed, left, deaf    bool   // by the service, by the test
	readUntil, writeUntil time.Time
	changed               chan struct{} // closed when any of that changes
}

func newTap(t rapid.TB, news func(websocket.Ready)) *tap {
	fd := make([]int, 2)
	if news != nil {
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		return &tap{in: pair[0], out: pair[1], changed: make(chan struct{}), news: news}
	}
	if err := unix.Pipe2(fd, unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.FcntlInt(uintptr(fd[1]), unix.F_SETPIPE_SZ, 4096); err != nil {
		t.Fatal(err)
	}
	return &tap{in: fd[0], out: fd[1], changed: make(chan struct{})}
}

// set changes what others may wait for.
func (c *tap) set(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
	if c.news != nil {
		what := websocket.Readable | websocket.Writable
		if c.left {
			what |= websocket.Ended
		}
		c.news(what)
	}
	close(c.changed)
	c.changed = make(chan struct{})
}

// once repeats do, which holds mu, until it no longer says that it would have to wait.
func (c *tap) once(until *time.Time, do func() (int, error)) (int, error) {
	for {
		c.mu.Lock()
		n, err := 0, error(net.ErrClosed)
		late := !until.IsZero() && !time.Now().Before(*until)
		if !c.closed {
			n, err = do()
		}
		changed, wait := c.changed, time.Hour
		if !until.IsZero() {
			wait = time.Until(*until)
		}
		c.mu.Unlock()
		if !errors.Is(err, unix.EAGAIN) {
			return n, err
		}
		if late {
			return 0, os.ErrDeadlineExceeded
		}
		select {
		case <-changed:
		case <-time.After(wait):
		}
	}
}

func (c *tap) Read(b []byte) (int, error) {
	return c.once(&c.readUntil, func() (int, error) {
		n := copy(b, c.said)
		c.said = c.said[n:]
		switch {
		case n > 0:
			return n, nil
		case c.left:
			return 0, io.EOF
		}
		return 0, unix.EAGAIN
	})
}

func (c *tap) Write(b []byte) (sent int, err error) {
	for sent < len(b) && err == nil {
		var n int
		n, err = c.once(&c.writeUntil, func() (int, error) { return unix.Write(c.out, b[sent:]) })
		sent += max(n, 0)
	}
	return sent, err
}

func (c *tap) Close() error {
	c.set(func() {
		if !c.closed {
			unix.Close(c.out)
		}
		c.closed = true
	})
	return nil
}

func (c *tap) LocalAddr() net.Addr                { return &net.TCPAddr{} }
func (c *tap) RemoteAddr() net.Addr               { return &net.TCPAddr{} }
func (c *tap) SetReadDeadline(t time.Time) error  { c.set(func() { c.readUntil = t }); return nil }
func (c *tap) SetWriteDeadline(t time.Time) error { c.set(func() { c.writeUntil = t }); return nil }
func (c *tap) SetDeadline(t time.Time) error {
	c.set(func() { c.readUntil, c.writeUntil = t, t })
	return nil
}

func (c *tap) SyscallConn() (syscall.RawConn, error) { return rawTap{c}, nil }

type rawTap struct{ c *tap }

func (r rawTap) Control(f func(uintptr)) error { f(uintptr(r.c.out)); return nil }
func (r rawTap) Read(func(uintptr) bool) error { panic("not used") }
func (r rawTap) Write(f func(uintptr) bool) error {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	if r.c.closed {
		return net.ErrClosed
	}
	f(uintptr(r.c.out))
	return nil
}

// take reads up to n bytes of what was sent. There are none now, or with ended none will come.
func (c *tap) take(n int) (b []byte, ended bool) {
	c.set(func() {
		b = make([]byte, n)
		got, err := unix.Read(c.in, b)
		b, ended = b[:max(got, 0)], got == 0 && err == nil || errors.Is(err, unix.ECONNRESET)
	})
	return b, ended
}

// say sends to the service.
func (c *tap) say(b []byte) {
	c.set(func() {
		if c.news == nil {
			c.said = append(c.said, b...)
		} else if n, err := unix.SendmsgN(c.in, b, nil, nil, unix.MSG_NOSIGNAL); err == nil && n < len(b) {
			panic("the service does not hear")
		}
	})
}

// leave ends the connection on the test's side, without a word. Nothing may be taken from it any more.
func (c *tap) leave() {
	c.fallSilent()
	c.set(func() {
		if !c.deaf {
			unix.Close(c.in)
		}
		c.deaf = true
	})
}

// fallSilent lets the service see the end of what it is said.
func (c *tap) fallSilent() {
	c.set(func() {
		if c.news != nil && !c.deaf {
			_ = unix.Shutdown(c.in, unix.SHUT_WR)
		}
		c.left = true
	})
}

// tapWriter answers a request, and gives its connection away.
type tapWriter struct {
	*httptest.ResponseRecorder
	tap       *tap
	meanwhile func() // happens before the client is answered
}

func (w tapWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.meanwhile()
	return w.tap, bufio.NewReadWriter(bufio.NewReader(w.tap), bufio.NewWriter(w.tap)), nil
}
