package gateway

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"parkwire/internal/identity"
)

// isStream reports whether the answer to r has no end: notifications, as WebSocket or server-sent events, and alerts.
func isStream(r *http.Request) bool {
	switch {
	case r.Method != http.MethodGet:
		return false
	case r.URL.Path == identity.NotificationsPath:
		return r.Header.Get("Upgrade") != "" || strings.Contains(r.Header.Get("Accept"), "text/event-stream")
	}
	return r.URL.Path == identity.AlertsPath
}

// A stream is one answer without an end that passes through a proxy.
type stream struct {
	cut context.CancelFunc // ends it in the middle of whatever passes

	mu      sync.Mutex
	leaving bool
	finish  func()    // makes it end after what is whole; nil until its answer began
	from    *instance // nil until then
}

// begin says that the answer began, and how it is ended in order.
func (s *stream) begin(from *instance, finish func()) {
	s.mu.Lock()
	s.finish, s.from = finish, from
	leaving := s.leaving
	s.mu.Unlock()
	if leaving {
		finish()
	}
}

// leave ends the stream after what is whole, and cuts it where that takes too long or nothing has begun yet.
func (s *stream) leave(patience time.Duration) {
	s.mu.Lock()
	finish := s.finish
	again := s.leaving
	s.leaving = true
	s.mu.Unlock()
	switch {
	case again:
	case finish == nil:
		s.cut()
	default:
		finish()
		time.AfterFunc(patience, s.cut)
	}
}

func (s *stream) isFrom(in *instance) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.from == in
}

// streams are those that pass through a proxy.
type streams struct {
	mu      sync.Mutex
	closed  bool
	running map[*stream]struct{}
	empty   chan struct{} // closed when closed is set and nothing runs

	patience time.Duration // in which a stream that is to end ends
}

func newStreams(patience time.Duration) *streams {
	return &streams{patience: patience, running: map[*stream]struct{}{}, empty: make(chan struct{})}
}

// enter returns r with a context that ends when the stream is cut. The caller calls left when it has ended.
func (s *streams) enter(r *http.Request) (out *http.Request, st *stream, left func()) {
	ctx, cut := context.WithCancel(r.Context())
	st = &stream{cut: cut}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		cut()
	}
	s.running[st] = struct{}{}
	return r.WithContext(ctx), st, func() {
		cut()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.running, st)
		s.checkEmpty()
	}
}

// checkEmpty tells end when nothing is left. The caller holds mu.
func (s *streams) checkEmpty() {
	if !s.closed || len(s.running) > 0 {
		return
	}
	select {
	case <-s.empty:
	default:
		close(s.empty)
	}
}

// end ends the streams one after the other, spread over the window, and those that begin hereafter at once. It returns when
// all have ended. When ctx ends, it cuts what is left and returns.
func (s *streams) end(ctx context.Context, window time.Duration) {
	s.mu.Lock()
	s.closed = true
	leaving := slices.Collect(maps.Keys(s.running))
	s.checkEmpty()
	s.mu.Unlock()
	s.sendAway(ctx, window, leaving)
	select {
	case <-s.empty:
	case <-ctx.Done():
		for _, st := range leaving {
			st.cut()
		}
	}
}

// endFrom ends the streams that come from one instance, spread over the window.
func (s *streams) endFrom(ctx context.Context, in *instance, window time.Duration) (ended int) {
	s.mu.Lock()
	leaving := slices.Collect(maps.Keys(s.running))
	s.mu.Unlock()
	leaving = slices.DeleteFunc(leaving, func(st *stream) bool { return !st.isFrom(in) })
	s.sendAway(ctx, window, leaving)
	return len(leaving)
}

// sendAway tells a few streams quickly to leave and very many evenly over the window, lest their clients all come back at
// once. When ctx ends, it tells the rest at once.
func (s *streams) sendAway(ctx context.Context, window time.Duration, leaving []*stream) {
	pause := min(window/time.Duration(max(len(leaving), 1)), 5*time.Millisecond)
	began := time.Now()
	for i, st := range leaving {
		if ahead := time.Duration(i)*pause - time.Since(began); ahead > time.Millisecond {
			select {
			case <-ctx.Done():
			case <-time.After(ahead):
			}
		}
		st.leave(s.patience)
	}
}
