package gateway

import (
	"context"
	"net/http"
)

// Part is what serves the requests for one part of the platform: a handler in this process ([Local]), or
// instances elsewhere ([Proxy]). The gateway knows no difference.
type Part interface {
	http.Handler
	// Run does what the part needs besides requests, until ctx ends.
	Run(ctx context.Context) error
	// Ready returns nil, or why the part cannot serve now. It never blocks.
	Ready() error
	// Drain ends the streams that pass through here, so that the HTTP server can end. It returns when they have ended, which
	// they do at once when ctx ends.
	Drain(ctx context.Context)
}

type local struct {
	http.Handler
	ready func() error
}

// Local makes a [Part] of a handler in this process. ready may be nil: it is always ready.
func Local(handler http.Handler, ready func() error) Part {
	if ready == nil {
		ready = func() error { return nil }
	}
	return local{handler, ready}
}

func (l local) Run(ctx context.Context) error { <-ctx.Done(); return nil }
func (l local) Ready() error                  { return l.ready() }
func (l local) Drain(context.Context)         {} // it sends its clients away itself
