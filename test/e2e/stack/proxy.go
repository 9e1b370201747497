package stack

import (
	"io"
	"net"
	"sync"
)

// Proxy stands in front of a TCP server and can be cut, so that a test takes a server away and brings it back
// without owning it. It starts cut: nothing listens on its address.
type Proxy struct {
	Addr   string // where clients connect
	target string

	mu       sync.Mutex
	listener net.Listener // nil while cut
	conns    map[net.Conn]struct{}
	wg       sync.WaitGroup
}

// NewProxy makes a proxy to target ("host:port"), cut.
func NewProxy(t T, target string) *Proxy {
	p := &Proxy{Addr: Address(Port(t)), target: target, conns: map[net.Conn]struct{}{}}
	t.Cleanup(p.Cut)
	return p
}

// Open lets clients through.
func (p *Proxy) Open(t T) {
	t.Helper()
	listener, err := net.Listen("tcp", p.Addr)
	if err != nil {
		t.Fatalf("opening the way to %s: %v", p.target, err)
	}
	p.mu.Lock()
	p.listener = listener
	p.mu.Unlock()
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

// Cut resets every connection and refuses new ones.
func (p *Proxy) Cut() {
	p.mu.Lock()
	if p.listener != nil {
		p.listener.Close()
		p.listener = nil
	}
	for conn := range p.conns {
		if tcp, ok := conn.(*net.TCPConn); ok {
			tcp.SetLinger(0) // a reset, as from a server that died
		}
		conn.Close()
	}
	p.mu.Unlock()
	p.wg.Wait()
}

func (p *Proxy) serve(listener net.Listener, client net.Conn) {
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		client.Close()
		return
	}
	p.mu.Lock()
	if p.listener != listener { // cut meanwhile
		p.mu.Unlock()
		client.Close()
		server.Close()
		return
	}
	p.conns[client], p.conns[server] = struct{}{}, struct{}{}
	p.mu.Unlock()
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
		both.Go(func() {
			io.Copy(way[1], way[0])
			client.Close()
			server.Close()
		})
	}
	both.Wait()
	p.mu.Lock()
	delete(p.conns, client)
	delete(p.conns, server)
	p.mu.Unlock()
}
