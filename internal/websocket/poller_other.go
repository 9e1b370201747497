//go:build !linux

package websocket

import "errors"

// A Poller tells which of very many connections have news. There are none on this system.
type Poller struct{}

// NewPoller reports that it cannot be done.
func NewPoller() (*Poller, error) { return nil, errors.ErrUnsupported }

// Add is as NewPoller, and so are the others.
func (p *Poller) Add(Raw) error { return errors.ErrUnsupported }

// Poll is as Add.
func (p *Poller) Poll(func(Raw, Ready)) error { return errors.ErrUnsupported }

// Wait is as Add.
func (p *Poller) Wait() error { return errors.ErrUnsupported }

// Close is as Add.
func (p *Poller) Close() error { return errors.ErrUnsupported }
