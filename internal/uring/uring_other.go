//go:build !linux

package uring

import (
	"errors"
	"fmt"
)

// A Ring is to be had on Linux only.
type Ring struct{}

// New reports that there is no io_uring here, as [errors.ErrUnsupported].
func New(int) (*Ring, error) { return nil, fmt.Errorf("io_uring: %w", errors.ErrUnsupported) }

// Entries is 0.
func (*Ring) Entries() int { return 0 }

// Send is never called, there being no Ring.
func (*Ring) Send(int, []byte, uint64) bool { return false }

// Submit is never called, there being no Ring.
func (*Ring) Submit(func(tag uint64, n int, err error)) error { return errors.ErrUnsupported }

// Close does nothing.
func (*Ring) Close() error { return nil }
