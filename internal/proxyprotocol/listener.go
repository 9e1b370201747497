// Package proxyprotocol is the receiving side of the PROXY protocol, versions 1 and 2, by which a proxy that only moves
// bytes (NGINX stream, HAProxy, a balancer of a cloud) says whose connection it is.
package proxyprotocol

import (
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Listener takes connections that begin with a header, from proxies that are believed. There is no guessing: a connection without a
// header is ended, since otherwise whoever reaches the port could say to be somebody else.
type Listener struct {
	*net.TCPListener
	// Trusted are the networks of the proxies. Others are cut off.
	Trusted []netip.Prefix
	// Timeout is how long the header may take.
	Timeout time.Duration
	Logger  *slog.Logger

	told sync.Once // that somebody was cut off: once, lest anybody can fill the log
}

// Accept waits for the next connection of a trusted proxy. Its header is read by who asks first for RemoteAddr or Read, so that a slow
// one holds nobody up.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		c, err := l.AcceptTCP()
		if err != nil {
			return nil, err
		}
		if l.trusts(c.RemoteAddr()) {
			return &conn{TCPConn: c, timeout: l.Timeout}, nil
		}
		l.told.Do(func() {
			l.Logger.Warn("a connection is cut off: its address is not among trusted-proxies", "from", c.RemoteAddr(), "listen", l.Addr())
		})
		c.Close()
	}
}

func (l *Listener) trusts(from net.Addr) bool {
	address := from.(*net.TCPAddr).AddrPort().Addr().Unmap().WithZone("")
	for _, network := range l.Trusted {
		if network.Contains(address) {
			return true
		}
	}
	return false
}

// conn is a TCP connection whose other end is who the header says. What follows the header is not touched, so that the
// file of the connection can be used without this type.
type conn struct {
	*net.TCPConn
	timeout time.Duration

	once   sync.Once
	client net.Addr
	err    error
}

func (c *conn) RemoteAddr() net.Addr {
	c.once.Do(c.readHeader)
	return c.client
}

func (c *conn) Read(b []byte) (int, error) {
	c.once.Do(c.readHeader)
	if c.err != nil {
		return 0, c.err
	}
	return c.TCPConn.Read(b)
}

func (c *conn) readHeader() {
	c.client = c.TCPConn.RemoteAddr()
	_ = c.SetReadDeadline(time.Now().Add(c.timeout)) // what fails here, fails in reading too
	address, err := readHeader(c.TCPConn)
	if err == nil {
		err = c.SetReadDeadline(time.Time{})
	}
	if err != nil {
		// As an error of the network, which a server does not answer.
		c.err = &net.OpError{Op: "read", Net: "tcp", Source: c.LocalAddr(), Addr: c.client, Err: err}
		c.Close()
		return
	}
	if address.IsValid() {
		c.client = net.TCPAddrFromAddrPort(address)
	}
}
