package stack

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// Proxy stands in front of a TCP server and can be cut, silenced or slowed down, so that a test takes a server away and
// brings it back without owning it. It starts cut: nothing listens on its address.
type Proxy struct {
	Addr   string // where clients connect
	target string
	pipe   Pipe

	mu       sync.Mutex
	listener net.Listener // nil while cut
	conns    map[*proxied]struct{}
	silent   chan struct{} // closed when bytes flow again; nil while they do
	deaf     bool          // while it is silent, the server is heard still
	delay    time.Duration // of every piece
	wg       sync.WaitGroup
}

// A Pipe makes what moves the bytes of one connection, up to the server and down to the client, each until its reader ends.
type Pipe func() (up, down func(io.Writer, io.Reader) error)

// Unchanged moves bytes as they are.
func Unchanged() (up, down func(io.Writer, io.Reader) error) {
	move := func(to io.Writer, from io.Reader) error {
		_, err := io.Copy(to, from)
		return err
	}
	return move, move
}

// proxied is one connection through a proxy.
type proxied struct {
	client, server net.Conn
	cut            chan struct{} // closed when the connection is cut
}

// NewProxy makes a proxy to target ("host:port"), cut. pipe, if there is one, may change what passes through.
func NewProxy(t T, target string, pipe ...Pipe) *Proxy {
	p := &Proxy{Addr: Address(Port(t)), target: target, pipe: Unchanged, conns: map[*proxied]struct{}{}}
	if len(pipe) > 0 {
		p.pipe = pipe[0]
	}
	t.Cleanup(p.Cut)
	return p
}

// Open lets clients through. What is held back by Silence comes now.
func (p *Proxy) Open(t T) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.speak()
	p.delay = 0
	if p.listener != nil {
		return
	}
	listener, err := net.Listen("tcp", p.Addr)
	if err != nil {
		t.Fatalf("opening the way to %s: %v", p.target, err)
	}
	p.listener = listener
	p.wg.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			p.wg.Go(func() { p.serve(listener, client) })
		}
	})
}

// Silence keeps every connection open, takes new ones, and lets nothing through any more, as a network does that drops
// packets. Nobody hears of an end either.
func (p *Proxy) Silence() { p.silence(false) }

// Deafen lets nothing through to the server any more, while what it says still comes: half of what Silence does.
func (p *Proxy) Deafen() { p.silence(true) }

func (p *Proxy) silence(deaf bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deaf = deaf
	if p.silent == nil {
		p.silent = make(chan struct{})
	}
}

// Delay holds every piece of data back for d, on each of the two ways.
func (p *Proxy) Delay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// Cut resets every connection and refuses new ones.
func (p *Proxy) Cut() {
	p.mu.Lock()
	if p.listener != nil {
		p.listener.Close()
		p.listener = nil
	}
	for c := range p.conns {
		c.reset()
	}
	clear(p.conns)
	p.speak()
	p.mu.Unlock()
	p.wg.Wait()
}

// speak is called with mu held.
func (p *Proxy) speak() {
	if p.silent != nil {
		close(p.silent)
		p.silent = nil
	}
}

// reset ends a connection as a server does that died. The proxy's mu is held, so it is called once.
func (c *proxied) reset() {
	close(c.cut)
	for _, conn := range []net.Conn{c.client, c.server} {
		if conn == nil {
			continue
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			tcp.SetLinger(0)
		}
		conn.Close()
	}
}

func (p *Proxy) serve(listener net.Listener, client net.Conn) {
	defer client.Close()
	c := &proxied{client: client, cut: make(chan struct{})}
	if !p.enter(c, func() bool { return p.listener == listener }) {
		return
	}
	defer p.leave(c)
	if p.pass(c, true) != nil { // while it is silent, the server does not even hear of it
		return
	}
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer server.Close()
	if !p.enter(c, func() bool { _, still := p.conns[c]; c.server = server; return still }) {
		return
	}
	up, down := p.pipe()
	var both sync.WaitGroup
	for _, way := range []struct {
		move     func(io.Writer, io.Reader) error
		to, from net.Conn
		up       bool
	}{{up, server, client, true}, {down, client, server, false}} {
		both.Go(func() {
			way.move(gate{p, c, way.to, way.up}, way.from)
			p.pass(c, true)
			client.Close()
			server.Close()
		})
	}
	both.Wait()
}

// enter notes a connection unless it was cut meanwhile.
func (p *Proxy) enter(c *proxied, open func() bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !open() {
		return false
	}
	p.conns[c] = struct{}{}
	return true
}

func (p *Proxy) leave(c *proxied) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

var errCut = errors.New("the connection was cut")

// pass waits for as long as the proxy holds data back, on the way up or down.
func (p *Proxy) pass(c *proxied, up bool) error {
	holding := func() (chan struct{}, time.Duration) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.deaf && !up {
			return nil, p.delay
		}
		return p.silent, p.delay
	}
	silent, delay := holding()
	if delay > 0 {
		select {
		case <-c.cut:
			return errCut
		case <-time.After(delay):
		}
	}
	for silent != nil {
		select {
		case <-c.cut:
			return errCut
		case <-silent:
		}
		silent, _ = holding()
	}
	return nil
}

// gate is a connection to write to when the proxy lets through.
type gate struct {
	*Proxy
	c  *proxied
	to net.Conn
	up bool
}

func (g gate) Write(data []byte) (int, error) {
	if err := g.pass(g.c, g.up); err != nil {
		return 0, err
	}
	return g.to.Write(data)
}
