// Package app makes a running platform of a resolved configuration: the parts that the target names, and whatever they need, started
// and stopped in the order of their dependencies. `main` and the tests run the same [App].
package app

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"parkwire/internal/bus"
	"parkwire/internal/certificate"
	"parkwire/internal/config"
	"parkwire/internal/consumer"
	"parkwire/internal/gateway"
	"parkwire/internal/identity"
	"parkwire/internal/identity/oidc"
	"parkwire/internal/kafkalog"
	"parkwire/internal/limit"
	"parkwire/internal/parking"
	"parkwire/internal/sqldb"
	"parkwire/internal/trace"
)

// Options configure an [App] beyond what the configuration says.
type Options struct {
	Version string // of the binary, for the metrics
	Logger  *slog.Logger
	// Companion, where set, runs beside the platform from when it is ready until it ends, as a client of it at url.
	Companion func(ctx context.Context, url string) error
	// Ready, where set, is called once: when the platform is ready for the first time.
	Ready func(url string)
}

// App is one process of the platform.
type App struct {
	config   *config.Resolved
	options  Options
	registry *prometheus.Registry
	health   *health
	// becameReady is closed when the process is ready for the first time.
	becameReady chan struct{}
	verifier    *identity.Verifier // nil where no key is configured
	provider    *oidc.Provider     // nil where none is configured
	tokens      identity.Tokens    // what checks tokens: either, both or none of these
	tracer      *trace.Tracer      // nil where there is no collector
	runner      *runner

	// What the modules made, in the order in which they need each other.
	log         *kafkalog.Log
	store       parking.Store
	parking     *parking.Service
	bus         bus.Bus
	limiter     limit.Limiter      // nil: none
	certificate *certificate.Files // nil: no TLS
	gateway     *gateway.Gateway
	databases   map[config.Target]*sqldb.DB     // of further services
	consumers   map[string][]*consumer.Consumer // of further services, by their names
	// handlers are what modules serve to clients, by their names.
	handlers map[string]http.Handler
	// sendAway, where set, ends the streams that are served in this process.
	sendAway func(context.Context)
	// endStreams end the streams that pass through to other processes, and those of this one that are answers like any other.
	endStreams []func(context.Context)
	endOnce    sync.Once
	server     *httpServer  // for clients
	served     http.Handler // what it serves
}

// New makes the parts. Where they need them, it reads, or makes, the key for tokens and reads the certificate, and does no other I/O.
func New(c *config.Resolved, o Options) (*App, error) {
	o.Logger = cmp.Or(o.Logger, slog.Default())
	a := &App{config: c, options: o, registry: newRegistry(o.Version), health: &health{}, becameReady: make(chan struct{}), handlers: map[string]http.Handler{},
		databases: map[config.Target]*sqldb.DB{}, consumers: map[string][]*consumer.Consumer{}}
	a.registry.MustRegister(a.health)
	if err := a.makeTracer(); err != nil {
		return nil, err
	}
	roots := append([]string{"admin", "traces", "server", "proxied", "further"}, c.Modules...)
	if o.Companion != nil {
		roots = append(roots, "companion")
	}
	names, err := modules.order(roots)
	if err != nil {
		return nil, err
	}
	a.runner = &runner{graph: modules, names: names, parts: map[string]part{}, logger: o.Logger}
	for _, name := range names {
		if modules[name].make == nil {
			continue
		}
		p, err := modules[name].make(a)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		a.runner.parts[name] = p
		a.health.add(name, p)
	}
	return a, nil
}

// Run runs the platform until ctx ends, and then ends it in order: readiness drops, after the drain delay clients are
// sent away over the drain window, and each part ends when no other needs it any more. The error is why it
// ended before ctx did, or what did not end well; nil otherwise.
func (a *App) Run(ctx context.Context) error {
	readyCtx, stopReady := context.WithCancel(ctx)
	readyEnded := make(chan struct{})
	go func() { defer close(readyEnded); a.tellReady(readyCtx) }()

	err := a.runner.run(ctx, func() {
		a.health.leave()
		if ctx.Err() != nil {
			a.options.Logger.Info("ending: clients are sent away", "drainDelay", a.config.DrainDelay, "drainWindow", a.config.DrainWindow)
			time.Sleep(a.config.DrainDelay)
		}
	}, a.config.DrainWindow+a.config.StopTimeout)
	stopReady()
	<-readyEnded
	return err
}

// Ready returns nil, or why the process cannot do its work at present.
func (a *App) Ready() error { return a.health.err() }

// URL is where clients on this machine find the platform; "" until it is ready.
func (a *App) URL() string {
	bound := a.server.bound.Load()
	if bound == nil {
		return ""
	}
	scheme := "http://"
	if a.certificate != nil {
		scheme = "https://"
	}
	return scheme + config.Dialable(*bound)
}

func (a *App) logger(part string) *slog.Logger { return a.options.Logger.With("part", part) }

// tellReady logs how readiness changes, and at the start what is waited for.
func (a *App) tellReady(ctx context.Context) {
	const interval = 100 * time.Millisecond
	began, last, firstTime := time.Now(), "starting", true
	for ctx.Err() == nil {
		state := "ready"
		if err := a.health.err(); err != nil {
			state = err.Error()
		}
		switch {
		case state == last:
		case state == "ready":
			a.options.Logger.Info("ready", "target", a.config.Target, "after", time.Since(began).Round(time.Millisecond))
			if last = state; firstTime {
				firstTime = false
				close(a.becameReady)
				if a.options.Ready != nil {
					a.options.Ready(a.URL())
				}
			}
		case last == "ready" || time.Since(began) > time.Second: // what is over within a moment is nobody's concern
			a.options.Logger.Warn("not ready", "reason", state)
			last = state
		}
		select {
		case <-ctx.Done():
		case <-time.After(interval):
		}
	}
}

// Verifier returns what checks and issues tokens with the configured keys; nil where none is.
func Verifier(c *config.Resolved) (*identity.Verifier, error) {
	keys, err, setting := [][]byte{[]byte(c.JWTKey)}, error(nil), "jwt-key-file"
	switch {
	case c.JWTKey != "":
	case c.MakeKey:
		setting = "data-dir"
		keys, err = identity.ReadOrMakeKeys(c.JWTKeyFile)
	case c.JWTKeyFile != "":
		keys, err = identity.ReadKeys(c.JWTKeyFile)
	default:
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", setting, err)
	}
	return identity.NewHS256(keys[0], identity.Options{Audience: c.JWTAudience}, keys[1:]...)
}

// makeProvider returns what checks the tokens of the configured OpenID Connect provider; nil where none is.
func (a *App) makeProvider() *oidc.Provider {
	c := a.config
	if c.OIDCIssuer == "" {
		return nil
	}
	return oidc.New(oidc.Options{
		Issuer: c.OIDCIssuer, Audience: c.OIDCAudience, ScopesClaims: c.OIDCScopesClaims, Scopes: c.ScopesOf(), LotsClaim: c.OIDCLotsClaim,
		Logger: a.logger("oidc"), Registerer: a.registry,
	})
}

func newRegistry(version string) *prometheus.Registry {
	registry := prometheus.NewRegistry()
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "parkwire_build_info", Help: "Always 1; the labels tell what runs.",
		ConstLabels: prometheus.Labels{"version": version, "go": runtime.Version()},
	})
	info.Set(1)
	registry.MustRegister(info, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return registry
}
