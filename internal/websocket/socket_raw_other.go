//go:build !linux

package websocket

import (
	"errors"
	"net"
)

// A Raw is a connection that is a file descriptor and nothing else. There are none on this system.
type Raw int32

// TakeOver reports that it cannot be done.
func TakeOver(net.Conn) (Raw, error) { return -1, errors.ErrUnsupported }

// TryWrite reports that it cannot be done, and so do the others.
func (r Raw) TryWrite([]byte) (int, error) { return 0, errors.ErrUnsupported }

// TryRead is as TryWrite.
func (r Raw) TryRead([]byte) (int, error) { return 0, errors.ErrUnsupported }

// RemoteAddr is as TryWrite.
func (r Raw) RemoteAddr() string { return "gone" }

// Close is as TryWrite.
func (r Raw) Close() error { return errors.ErrUnsupported }
