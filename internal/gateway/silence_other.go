//go:build !linux

package gateway

import (
	"syscall"
	"time"
)

// boundSilence leaves it at what the system does by itself.
func boundSilence(time.Duration) func(network, address string, c syscall.RawConn) error { return nil }
