package gateway

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// boundSilence lets a connection fail when what was sent is not acknowledged in time. Otherwise a machine that vanished right after
// something was sent to it is noticed after a quarter of an hour: TCP asks for a sign of life only where it waits for none.
func boundSilence(silence time.Duration) func(network, address string, c syscall.RawConn) error {
	return func(_, _ string, c syscall.RawConn) error {
		var failed error
		if err := c.Control(func(fd uintptr) {
			failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(silence.Milliseconds()))
		}); err != nil {
			return err
		}
		return failed
	}
}
