//go:build linux

package live

import (
	"sync"

	"golang.org/x/sys/unix"

	"parkwire/internal/websocket"
)

// stillEngines are those that work while time stands still: loops that take descriptors over are there told by the test of what the
// kernel would tell them.
var stillEngines = []string{EngineRing, EngineEpoll, EngineGoroutines}

// still are the pollers of one service.
type still struct {
	mu      sync.Mutex
	pollers []*toldPoller
}

// stand lets a service that is not yet running have them, where its engine wants any, and returns how they are told.
func (x *still) stand(s *Service) (news func(websocket.Ready)) {
	if s.options.Engine == EngineGoroutines {
		return nil
	}
	s.newBatches = func() (batchSender, error) { return &tallied{}, nil }
	s.newPoller = func() (poller, error) {
		p := newToldPoller()
		p.onAdd = func(raw websocket.Raw) { // a socket that is soon full
			_ = unix.SetsockoptInt(int(raw), unix.SOL_SOCKET, unix.SO_SNDBUF, 2048)
		}
		x.mu.Lock()
		defer x.mu.Unlock()
		x.pollers = append(x.pollers, p)
		return p, nil
	}
	return func(what websocket.Ready) {
		x.mu.Lock()
		defer x.mu.Unlock()
		for _, p := range x.pollers {
			p.tell(what)
		}
	}
}
