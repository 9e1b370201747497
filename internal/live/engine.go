package live

import (
	"cmp"
	"errors"
	"fmt"
	"net"

	"parkwire/internal/websocket"
)

// The engines: how clients are served.
const (
	EngineAuto       = "auto"       // the first of the others that works
	EngineRing       = "io_uring"   // as epoll, but the sends of a pass go to the kernel together
	EngineEpoll      = "epoll"      // loops alone: an idle client is a file descriptor and a place in a log
	EngineGoroutines = "goroutines" // loops, and a goroutine of each client that reads
)

// startEngine gives the loops what their engine needs. Whatever the engine, a connection that has no file descriptor of
// its own (TLS) is served by a goroutine.
func (s *Service) startEngine() error {
	wanted := cmp.Or(s.options.Engine, EngineAuto)
	for _, engine := range []string{EngineRing, EngineEpoll, EngineGoroutines} {
		if wanted != engine && wanted != EngineAuto {
			continue
		}
		err := s.equip(engine)
		if err != nil && wanted == engine {
			return fmt.Errorf("the fan-out engine %q does not work here: %w", engine, err)
		}
		if err == nil {
			s.metrics.engine.WithLabelValues(engine).Set(1)
			s.options.Logger.Info("the fan-out engine is chosen", "engine", engine, "loops", len(s.loops))
			return nil
		}
		s.options.Logger.Debug("a fan-out engine does not work here", "engine", engine, "error", err)
	}
	return fmt.Errorf("there is no fan-out engine %q", wanted)
}

func (s *Service) equip(engine string) (err error) {
	for _, l := range s.loops {
		if engine == EngineRing {
			l.batches, err = s.newBatches()
		}
		if engine != EngineGoroutines && err == nil {
			l.poller, err = s.newPoller()
		}
		if err != nil {
			s.stopEngine()
			return err
		}
	}
	return nil
}

// stopEngine gives back what the loops had.
func (s *Service) stopEngine() {
	for _, l := range s.loops {
		if l.poller != nil {
			_ = l.poller.Close()
		}
		if l.batches != nil {
			_ = l.batches.close()
		}
		l.poller, l.batches = nil, nil
	}
}

func newPoller() (poller, error) {
	p, err := websocket.NewPoller()
	if err != nil {
		return nil, err
	}
	return p, nil
}

// connect gives a client its socket.
func (c *client) connect(conn net.Conn) {
	c.raw = -1
	if c.loop.poller != nil {
		raw, err := websocket.TakeOver(conn)
		if err == nil {
			c.raw = raw
			return
		}
		if !errors.Is(err, errors.ErrUnsupported) {
			c.loop.service.options.Logger.Warn("a connection cannot be taken over, and is served by a goroutine", "error", err)
		}
	}
	c.more().socket = websocket.NewSocket(conn)
}
