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

// enter makes a client of a connection. The caller calls [client.begin]. clientsWG counts it until it has left. Where
// the instance takes no client any more it returns nil.
func (s *Service) enter(conn net.Conn, enc encoding) *client {
	c := &client{encoding: enc}
	if enc.isV1() {
		c.more().session = newSession()
	}
	s.mu.Lock()
	if s.draining {
		s.mu.Unlock()
		return nil
	}
	c.loop = s.loops[s.turn%len(s.loops)]
	s.turn++
	c.connect(conn) // here, since whoever finds the client may end it
	s.clients[c] = struct{}{}
	s.clientsWG.Add(1)
	s.mu.Unlock()
	s.metrics.connections.WithLabelValues(enc.String()).Inc()
	return c
}

// leave takes a client out. It is the last thing that happens to it. The loop of one that is a file descriptor calls it, or
// else who reads.
func (s *Service) leave(c *client) {
	defer s.clientsWG.Done()
	c.mu.Lock()
	c.gone = true
	sub := c.sub
	c.at = place{}
	if x := c.extras; x != nil {
		if x.stop != nil {
			x.stop()
		}
		x.then, x.control = place{}, nil
	}
	if c.raw < 0 {
		c.extras.socket.Close()
	} else {
		c.raw.Close()
		if c.busy {
			s.metrics.slow.Dec()
		}
	}
	c.loop.attend(c)
	c.mu.Unlock()
	s.crowds.leave(c)
	s.bearers.leave(c)
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
