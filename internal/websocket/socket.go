package websocket

import (
	"errors"
	"net"
	"syscall"
	"time"
)

// A Socket is a connection that can be written to without waiting. One goroutine at
// a time may write.
type Socket struct {
	net.Conn
	raw syscall.RawConn // nil where only waiting writes are to be had

	// What the callback of raw.Write works on; kept here so that a write allocates nothing.
	write   func(fd uintptr) bool
	pending []byte
	n       int
	err     error
}

// sendBuffer bounds what a client that does not read costs in the kernel, in bytes; Linux takes it twice, for what it needs itself. By
// default a buffer there grows to 4 MiB, all of which a client that stops reading fills. A client that is far away is slowed down to a buffer
// a round trip, some 1 MB a second at 100 ms. See docs/adr/0086-slow-clients.md for what was measured.
const sendBuffer = 64 << 10

// ErrWouldBlock says that the kernel took only part of the bytes, or none.
var ErrWouldBlock = errors.New("the socket's send buffer is full")

// NewSocket wraps a connection. On a plain TCP connection of a Unix system TryWrite is
// one system call; elsewhere (TLS, other systems) it always reports ErrWouldBlock,
// and the caller's waiting Write does the work.
func NewSocket(conn net.Conn) *Socket {
	s := &Socket{Conn: conn}
	if c, ok := conn.(syscall.Conn); ok && haveTryWrite {
		s.raw, _ = c.SyscallConn()
	}
	beneath := conn
	if c, ok := conn.(interface{ NetConn() net.Conn }); ok { // TLS
		beneath = c.NetConn()
	}
	if c, ok := beneath.(interface{ SetWriteBuffer(int) error }); ok {
		_ = c.SetWriteBuffer(sendBuffer)
	}
	s.write = func(fd uintptr) bool {
		s.n, s.err = tryWrite(fd, s.pending)
		return true // done, whatever came out: never wait here
	}
	return s
}

// TryWrite writes what the kernel takes at once and returns how much that was, with
// [ErrWouldBlock] where it is less than all.
func (s *Socket) TryWrite(b []byte) (int, error) {
	if s.raw == nil {
		return 0, ErrWouldBlock
	}
	s.pending = b
	err := s.raw.Write(s.write)
	s.pending = nil
	if err != nil {
		return 0, err
	}
	if s.err == nil && s.n < len(b) {
		return s.n, ErrWouldBlock
	}
	return s.n, s.err
}

// WriteWithin writes b, waiting at most d, and returns how much of it was sent.
func (s *Socket) WriteWithin(b []byte, d time.Duration) (int, error) {
	if err := s.SetWriteDeadline(time.Now().Add(d)); err != nil {
		return 0, err
	}
	n, err := s.Write(b)
	if err != nil {
		return n, err
	}
	return n, s.SetWriteDeadline(time.Time{}) // TryWrite fails once a deadline has passed
}
