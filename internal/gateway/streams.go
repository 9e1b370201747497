package gateway

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// streams are the answers without an end that pass through a proxy.
type streams struct {
	mu      sync.Mutex
	closed  bool
	running map[*http.Request]context.CancelFunc
}

// enter returns r with a context that ends when the stream is to end. The caller calls leave when it has ended.
func (s *streams) enter(r *http.Request) (_ *http.Request, leave func()) {
	ctx, cancel := context.WithCancel(r.Context())
	r = r.WithContext(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		cancel()
	}
	s.running[r] = cancel
	return r, func() {
		cancel()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.running, r)
	}
}

// end ends the streams one after the other, a few quickly and very many evenly over the window, lest their
// clients all come back at once. It ends the rest when ctx does, and those that begin hereafter at once.
func (s *streams) end(ctx context.Context, window time.Duration) {
	s.mu.Lock()
	s.closed = true
	leaving := slices.Collect(maps.Values(s.running))
	s.mu.Unlock()
	pause := min(window/time.Duration(max(len(leaving), 1)), 5*time.Millisecond)
	began := time.Now()
	for i, cancel := range leaving {
		if ahead := time.Duration(i)*pause - time.Since(began); ahead > time.Millisecond {
			select {
			case <-ctx.Done():
			case <-time.After(ahead):
			}
		}
		cancel()
	}
}
