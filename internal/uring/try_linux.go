package uring

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// try sends into a pair of sockets: a byte must arrive, and a full socket must say so at once.
func (r *Ring) try() error {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(pair[0])
	defer unix.Close(pair[1])
	_ = unix.SetsockoptInt(pair[0], unix.SOL_SOCKET, unix.SO_SNDBUF, 1) // as small as it goes

	sent, got := []byte{'p'}, []byte{0}
	if err := r.tryOnce(pair[0], sent, 1, nil); err != nil {
		return err
	}
	if n, _, err := unix.Recvfrom(pair[1], got, unix.MSG_DONTWAIT); n != 1 || err != nil || got[0] != sent[0] {
		return fmt.Errorf("what it sent did not arrive (%v): %w", err, errors.ErrUnsupported)
	}
	for err == nil {
		_, err = plain(pair[0], make([]byte, 4<<10))
	}
	if !errors.Is(err, unix.EAGAIN) {
		return err
	}
	return r.tryOnce(pair[0], sent, 0, unix.EAGAIN)
}

// tryOnce expects an outcome at once: a kernel that waits instead would keep us waiting for ever.
func (r *Ring) tryOnce(fd int, b []byte, wantN int, want error) error {
	outcome := errors.New("it does not answer at once")
	r.Send(fd, b, 1)
	errno := r.exchange()
	r.taken++
	r.flying++
	r.reap(func(tag uint64, n int, err error) {
		if outcome = nil; tag != 1 || n != wantN || !errors.Is(err, want) {
			outcome = fmt.Errorf("it answers %d bytes, %v", n, err)
		}
	})
	switch {
	case errno != 0:
		return errno
	case outcome != nil:
		return fmt.Errorf("%w: %w", outcome, errors.ErrUnsupported)
	}
	return nil
}
