package live

import (
	"context"
	"net"
	"time"

	"parkwire/internal/problem"
	"parkwire/internal/websocket"
)

var errNotReady = problem.New(503, "not-ready", "This instance does not take clients now. Try again in a moment.")

// admitting returns why no client is taken at present.
func (s *Service) admitting() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.started || s.draining {
		return errNotReady
	}
	return nil
}

// full reports whether there are as many clients as there may be.
func (s *Service) full() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.clients) >= s.options.MaxClients
}

// enter makes a client of a connection. The caller calls [client.read] in a goroutine, for which
// clientsWG already counts, and which ends with leave. Where the instance takes no client
// any more it returns nil.
func (s *Service) enter(conn net.Conn, enc encoding) *client {
	c := &client{socket: websocket.NewSocket(conn), encoding: enc, service: s, index: -1, slot: -1}
	if enc.isV1() {
		c.v1 = newSession()
	}
	s.mu.Lock()
	if s.draining {
		s.mu.Unlock()
		return nil
	}
	s.clients[c] = struct{}{}
	s.clientsWG.Add(1)
	c.sender = s.senders[s.turn%len(s.senders)]
	s.turn++
	s.mu.Unlock()
	s.metrics.connections.WithLabelValues(enc.String()).Inc()
	return c
}

// leave takes a client out. It is the last thing that happens to it.
func (s *Service) leave(c *client) {
	defer s.clientsWG.Done()
	c.mu.Lock()
	c.gone = true
	sub := c.sub
	c.at, c.then, c.control = place{}, place{}, nil
	if c.stop != nil {
		c.stop()
	}
	c.token.forget()
	c.mu.Unlock()
	c.socket.Close()
	c.sender.attend(c)
	s.crowds.leave(c)
	s.mu.Lock()
	defer s.mu.Unlock()
	if sub != nil {
		s.subs.release(sub)
	}
	delete(s.clients, c)
	if s.draining && len(s.clients) == 0 {
		s.closeEmpty()
	}
	s.metrics.connections.WithLabelValues(c.encoding.String()).Dec()
}

// closeEmpty tells Drain that nobody is left. The caller holds mu.
func (s *Service) closeEmpty() {
	select {
	case <-s.empty:
	default:
		close(s.empty)
	}
}

// restarting is what a client is told when the instance ends.
func restarting() farewell {
	return farewell{websocket.ServiceRestart, "this instance restarts: reconnect with after=CURSOR", restartHint()}
}

// Drain sends every client away with 1012, spread over the drain window lest they all
// come back at once, and returns when they have gone or ctx ends. New clients are refused.
func (s *Service) Drain(ctx context.Context) {
	s.mu.Lock()
	s.draining = true
	var leaving []*client
	for c := range s.clients {
		leaving = append(leaving, c)
	}
	if len(leaving) == 0 {
		s.closeEmpty()
	}
	s.mu.Unlock()
	if len(leaving) == 0 {
		return
	}
	// A few clients are closed quickly, very many evenly over the window.
	pause := min(s.options.DrainWindow/time.Duration(len(leaving)), 5*time.Millisecond)
	began := time.Now()
	for i, c := range leaving {
		c.close(restarting())
		if ahead := time.Duration(i)*pause - time.Since(began); ahead > time.Millisecond {
			select {
			case <-ctx.Done():
				return
			case <-time.After(ahead):
			}
		}
	}
	select {
	case <-s.empty:
	case <-ctx.Done():
	case <-time.After(closeWait + time.Second): // Run cuts the others
	}
}
