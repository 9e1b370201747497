package websocket

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A Raw is a connection that is a file descriptor and nothing else: no buffer, no goroutine, nothing in the runtime. Its
// methods never wait. Whoever closes it makes sure that nobody uses it any more.
type Raw int32

// TakeOver makes a file descriptor of a connection that has one of its own, which is not so with TLS. conn is then closed, and what
// package net had for it is gone; after an error it is as it was.
//
// The kernel no longer asks idle peers whether they are there: who pings does that.
func TakeOver(conn net.Conn) (Raw, error) {
	c, ok := conn.(syscall.Conn)
	if !ok {
		return -1, errors.ErrUnsupported
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return -1, err
	}
	own, dupErr := -1, errors.ErrUnsupported
	if err := raw.Control(func(fd uintptr) { own, dupErr = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) }); err != nil {
		return -1, err
	}
	if dupErr != nil {
		return -1, dupErr
	}
	_ = unix.SetsockoptInt(own, unix.SOL_SOCKET, unix.SO_SNDBUF, sendBuffer)
	_ = unix.SetsockoptInt(own, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 0)
	_ = conn.Close()
	return Raw(own), nil
}

// TryWrite writes what the kernel takes at once and returns how much that was, with [ErrWouldBlock] where it is less than all.
//
// The runtime is not told of the system call, as it is of others: this one never sleeps, and to tell it costs a tenth of it.
func (r Raw) TryWrite(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(r), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
		switch {
		case errno == 0 && int(n) == len(b):
			return len(b), nil
		case errno == 0:
			return int(n), ErrWouldBlock
		case errno == unix.EAGAIN:
			return 0, ErrWouldBlock
		case errno != unix.EINTR:
			return 0, errno
		}
	}
}

// TryRead reads what there is at once; there is nothing with [ErrWouldBlock], and nothing ever again with [io.EOF].
func (r Raw) TryRead(b []byte) (int, error) {
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(r), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), unix.MSG_DONTWAIT, 0, 0)
		switch {
		case errno == 0 && n == 0:
			return 0, io.EOF
		case errno == 0:
			return int(n), nil
		case errno == unix.EAGAIN:
			return 0, ErrWouldBlock
		case errno != unix.EINTR:
			return 0, errno
		}
	}
}

// RemoteAddr asks the kernel who is at the other end.
func (r Raw) RemoteAddr() string {
	peer, err := unix.Getpeername(int(r))
	if err != nil {
		return "gone"
	}
	switch a := peer.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port)).String()
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr).Unmap(), uint16(a.Port)).String()
	}
	return "local"
}

// Close closes it.
func (r Raw) Close() error { return unix.Close(int(r)) }
