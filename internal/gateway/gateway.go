// Package gateway is what clients reach: it says who makes a request and whether they may, bounds how
// much they ask for, and hands the request to the part that serves it. It keeps no state but
// what its limits count, so that any number of gateways run side by side.
package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"parkwire/internal/identity"
	"parkwire/internal/limit"
	"parkwire/internal/problem"
	"parkwire/internal/reference"
	"parkwire/internal/trace"
)

// Options configure a [Gateway]. Parking, Live, Dashboard and Authenticator are required.
type Options struct {
	Parking, Live Part
	// Further services read the log. The platform does without them: while one is away its requests are refused, and nothing else is; where one is nil
	// they are answered by a problem that says so.
	History, Audit, Alerts Part
	Dashboard              http.Handler
	Authenticator          identity.Authenticator

	// ReadPublic lets everybody read. A token that is shown must be good all the same.
	ReadPublic bool
	// Limiter counts the requests of each client, by the subject of its token or, without one, by its address. Opening a stream of
	// notifications is not counted, unless the client has asked for many in ways that cannot be understood. nil: no limit.
	Limiter limit.Limiter
	// RefusalDelay is how long who asks for too much waits for being told so. Default 200 ms. Who asks again as soon as it is answered would
	// else have the gateway do little but refuse.
	RefusalDelay time.Duration
	// BodyLimit is the largest body in bytes. Default 8 MiB.
	BodyLimit int64
	// TrustedProxies are the networks whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	// Login is how people sign in on the dashboard; nil: they cannot.
	Login *Login
	// Hosts are the names and addresses, without ports, under which clients may reach the platform; empty: all.
	Hosts []string
	// CORSOrigins are the sites whose pages may call the REST interface; "*" for all.
	CORSOrigins []string

	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Tracer     *trace.Tracer // nil: no traces
}

// Gateway is an [http.Handler] for everything that clients may ask.
type Gateway struct {
	options  Options
	mux      *http.ServeMux // of [resource]s; it is asked which one, and serves none
	unknown  *resource
	cors     cors
	pages    http.Handler
	metrics  *metrics
	buffers  *buffers
	refusals limit.Limiter   // of the lines that say that a client asked for too much
	mistakes *limit.Local    // streams that were refused for how they were asked for
	delayed  chan struct{}   // one element for each refusal that waits
	hosts    map[string]bool // nil: all
}

// maxDelayed is how many refusals wait at once; others are said immediately.
const maxDelayed = 1024

// New makes a gateway. It serves by [Gateway.Handler]; [Gateway.Run] keeps what it knows of other processes up to date.
func New(o Options) *Gateway {
	o.Logger = cmp.Or(o.Logger, slog.Default())
	o.BodyLimit = cmp.Or(o.BodyLimit, 8<<20)
	o.RefusalDelay = cmp.Or(o.RefusalDelay, 200*time.Millisecond)
	g := &Gateway{
		options:  o,
		mux:      http.NewServeMux(),
		cors:     newCORS(o.CORSOrigins),
		pages:    reference.Handler(),
		metrics:  newMetrics(o.Registerer),
		buffers:  newBuffers(),
		refusals: limit.NewLocal(limit.Rate{PerSecond: 1, Burst: 5}, nil),
		mistakes: limit.NewLocal(limit.Rate{PerSecond: 1, Burst: 20}, nil),
		delayed:  make(chan struct{}, maxDelayed),
		hosts:    hostNames(o.Hosts),
	}
	for pattern, r := range tabulate(routes, g.handler) {
		r.latency = g.metrics.latency.WithLabelValues(pattern)
		g.mux.Handle(pattern, r)
		if pattern == "/api/" {
			g.unknown = r
		}
	}
	return g
}

// handler returns who serves a route.
func (g *Gateway) handler(r route) http.Handler {
	switch r.to {
	case toParking:
		return g.options.Parking
	case toLive:
		return g.options.Live
	case toHistory:
		return orNone("history", g.options.History)
	case toAudit:
		return orNone("audit", g.options.Audit)
	case toAlerts:
		return orNone("alerts", g.options.Alerts)
	case toDescription:
		return description(r.pattern)
	case toPages:
		return g.pages
	case toIdentity:
		return http.HandlerFunc(g.serveIdentity)
	default:
		return g.options.Dashboard
	}
}

// Handler serves every request of clients.
func (g *Gateway) Handler() http.Handler { return http.HandlerFunc(g.serve) }

// further are the services besides that there are, by their names.
func (g *Gateway) further() map[string]Part {
	all := map[string]Part{"history": g.options.History, "audit": g.options.Audit, "alerts": g.options.Alerts}
	maps.DeleteFunc(all, func(_ string, part Part) bool { return part == nil })
	return all
}

// parts are all that requests may be handed to.
func (g *Gateway) parts() []Part {
	return append(slices.Collect(maps.Values(g.further())), g.options.Parking, g.options.Live)
}

// Run runs the parts' sides here until ctx ends.
func (g *Gateway) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, part := range g.parts() {
		group.Go(func() error { return part.Run(ctx) })
	}
	return group.Wait()
}

// Ready returns nil, or which part cannot be reached without which there is no platform.
func (g *Gateway) Ready() error {
	return errors.Join(named("parking", g.options.Parking.Ready()), named("live", g.options.Live.Ready()))
}

// FurtherReady returns nil, or which of the further services cannot be reached.
func (g *Gateway) FurtherReady() error {
	var errs []error
	further := g.further()
	for _, name := range slices.Sorted(maps.Keys(further)) {
		errs = append(errs, named(name, further[name].Ready()))
	}
	return errors.Join(errs...)
}

// Drain ends the streams that pass through to other processes, before the HTTP server ends, which does
// not while streams last. Their clients come back with their cursor.
func (g *Gateway) Drain(ctx context.Context) {
	var draining sync.WaitGroup
	defer draining.Wait()
	for _, part := range g.parts() {
		draining.Go(func() { part.Drain(ctx) })
	}
}

// orNone is who answers for a further service.
func orNone(name string, part Part) http.Handler {
	if part != nil {
		return part
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		problem.Write(w, r, problem.New(http.StatusServiceUnavailable, "service-not-configured",
			fmt.Sprintf("This platform runs without the %s service. Who operates it can add one, and name it in the gateway's setting %[1]s-urls.", name)).With("part", name))
	})
}

func named(part string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", part, err)
}
