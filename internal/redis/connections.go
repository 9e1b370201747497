package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"

	"github.com/redis/rueidis"

	"parkwire/internal/certificate"
)

// connections are those to Redis itself. It is known where each leads, so that those to a server that is
// not the master any more can be cut: they would answer, and carry nothing.
type connections struct {
	mu     sync.Mutex
	master string // "" without a finder, or while it does not know
	open   map[*connection]struct{}
}

type connection struct {
	net.Conn
	address string
	among   *connections
}

func (c *connection) Close() error {
	c.among.mu.Lock()
	delete(c.among.open, c)
	c.among.mu.Unlock()
	return c.Conn.Close()
}

var errMoved = errors.New("another server has become the master meanwhile")

// add takes in a connection that leads to address, unless the master is another one now.
func (c *connections) add(conn net.Conn, address string) (net.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.master != "" && c.master != address {
		conn.Close()
		return nil, errMoved
	}
	added := &connection{conn, address, c}
	c.open[added] = struct{}{}
	return added, nil
}

// follow cuts every connection that does not lead to master.
func (c *connections) follow(master string) {
	c.mu.Lock()
	c.master = master
	c.mu.Unlock()
	c.cut(func(address string) bool { return address != master })
}

// cut closes the connections to the addresses for which which is true.
func (c *connections) cut(which func(address string) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.open {
		if !which(conn.address) {
			continue
		}
		raw := conn.Conn
		if t, ok := raw.(*tls.Conn); ok { // which would say goodbye, and wait for that
			raw = t.NetConn()
		}
		raw.Close()
		delete(c.open, conn)
	}
}

// dial connects to the master, wherever it is at present.
func (s *Server) dial(ctx context.Context, address string, dialer *net.Dialer, _ *tls.Config) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialer.Timeout)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	if s.finder != nil {
		var err error
		if address, err = s.finder.master(ctx); err != nil {
			return nil, err
		}
	}
	network := "tcp"
	if s.unix {
		network = "unix"
	}
	conn, err := dial(ctx, network, address, dialer, s.tls)
	if err != nil {
		return nil, err
	}
	return s.connections.add(conn, address)
}

func dial(ctx context.Context, network, address string, dialer *net.Dialer, secure *certificate.Client) (net.Conn, error) {
	if secure == nil {
		return dialer.DialContext(ctx, network, address)
	}
	return secure.Dial(ctx, dialer, network, address)
}

var (
	errReplica  = errors.New("the server is a replica: what is published there does not reach everybody")
	errSentinel = errors.New("the server is a sentinel: the address must name the master that it watches, as in ?master_set=NAME")
)

// Leads returns nil where the answer to HELLO is that of a server through which everybody is reached, or else why it is none.
// It also cuts the connections then, since the next may lead elsewhere. A replica takes what is published on it without an
// error, and passes it on to nobody but those who subscribed to it. Within a cluster every server reaches everybody.
func (s *Server) Leads(hello rueidis.RedisResult) error {
	answer, err := hello.AsMap()
	if said, refused := rueidis.IsRedisErr(err); refused {
		for _, outside := range []string{"WRONGPASS", "NOAUTH"} { // whoever is not let in may do nothing
			if strings.HasPrefix(said.Error(), outside) {
				return s.Explain(err)
			}
		}
		if s.finder == nil { // a proxy, or a user who may not ask
			return nil
		}
		return fmt.Errorf("the server does not say whether it is the master: %w", err)
	}
	if err != nil {
		return s.Explain(err)
	}
	s.answered.Store(true)
	text := func(name string) string { m := answer[name]; t, _ := m.ToString(); return t }
	mode, role := text("mode"), text("role")
	switch {
	case mode == "sentinel":
		return errSentinel
	case mode != "cluster" && (role == "replica" || role == "slave"):
		s.connections.cut(func(string) bool { return true })
		return errReplica
	}
	return nil
}
