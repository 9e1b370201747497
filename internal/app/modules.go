package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"parkwire/internal/bridge"
	"parkwire/internal/bus/kafka"
	"parkwire/internal/bus/memory"
	"parkwire/internal/bus/redis"
	"parkwire/internal/config"
	"parkwire/internal/event"
	"parkwire/internal/gateway"
	"parkwire/internal/identity"
	"parkwire/internal/identity/access"
	"parkwire/internal/kafkalog"
	"parkwire/internal/live"
	"parkwire/internal/mqtt"
	"parkwire/internal/parking"
	"parkwire/internal/parking/postgres"
	"parkwire/internal/parking/sqlite"
	"parkwire/internal/problem"
	"parkwire/internal/proxyprotocol"
	"parkwire/internal/relay"
	"parkwire/web"
)

// modules is the graph of everything that a process can run. The targets are modules too: those
// that are only what they need have no body.
var modules = graph{
	"all":           {needs: []string{"gateway", "parking", "notifications", "history", "audit", "alerts"}},
	"notifications": {needs: []string{"live"}},

	"data-dir":    {make: (*App).makeDataDir},
	"broker":      {needs: []string{"data-dir"}, make: (*App).makeBroker},
	"log":         {after: []string{"broker"}, make: (*App).makeLog},
	"store":       {needs: []string{"data-dir"}, make: (*App).makeStore},
	"bus":         {after: []string{"log"}, make: (*App).makeBus},
	"relay":       {needs: []string{"store", "log"}, make: (*App).makeRelay},
	"parking":     {needs: []string{"store", "log", "relay"}, make: (*App).makeParking},
	"mqtt":        {needs: []string{"parking"}, make: (*App).makeMQTT},
	"bridge":      {needs: []string{"log", "bus"}, make: (*App).makeBridge},
	"live":        {needs: []string{"log", "bus", "identity"}, make: (*App).makeLive},
	"history-db":  {needs: []string{"data-dir"}, make: (*App).makeHistoryDatabase},
	"history":     {needs: []string{"history-db", "log"}, make: (*App).makeHistory},
	"audit-db":    {needs: []string{"data-dir"}, make: (*App).makeAuditDatabase},
	"audit":       {needs: []string{"audit-db", "log"}, make: (*App).makeAudit},
	"alerts-db":   {needs: []string{"data-dir"}, make: (*App).makeAlertsDatabase},
	"alerts":      {needs: []string{"alerts-db", "log"}, make: (*App).makeAlerts},
	"limits":      {make: (*App).makeLimits},
	"certificate": {make: (*App).makeCertificate},
	"gateway":     {needs: []string{"identity", "limits"}, after: []string{"parking", "live", "history", "audit", "alerts"}, make: (*App).makeGateway},
	// The address is served from the first moment on: what cannot be done yet is refused with its reason.
	"server":    {needs: []string{"certificate"}, after: []string{"gateway", "parking", "live", "bridge", "history", "audit", "alerts"}, make: (*App).makeServer},
	"further":   {after: []string{"gateway"}, make: (*App).makeFurtherHealth},
	"proxied":   {after: []string{"server"}, make: (*App).makeProxied},
	"companion": {needs: []string{"server"}, make: (*App).makeCompanion},
	"identity":  {make: (*App).makeIdentity},
	"traces":    {make: (*App).makeTraces},
	"admin":     {make: (*App).makeAdmin},
}

// makeDataDir keeps other processes off the folder for as long as this one runs.
func (a *App) makeDataDir() (part, error) {
	if !a.config.UsesDataDir {
		return part{}, nil
	}
	var lock *os.File
	return part{
		start: func(context.Context) (err error) {
			lock, err = lockFolder(a.config.DataDir)
			return err
		},
		close: func() error {
			if lock == nil {
				return nil
			}
			return lock.Close()
		},
	}, nil
}

// brokerFolder is where the embedded broker keeps the log.
func brokerFolder(dataDir string) string { return filepath.Join(dataDir, "kafka") }

func (a *App) makeBroker() (part, error) {
	c := a.config
	var broker *kafkalog.Broker
	return part{
		start: func(ctx context.Context) (err error) {
			broker, err = kafkalog.StartBroker(ctx, kafkalog.BrokerOptions{
				Dir: brokerFolder(c.DataDir), Listen: c.KafkaListen, Advertise: c.KafkaAdvertise, Logger: a.logger("broker"),
			})
			if errors.As(err, new(*net.OpError)) {
				return listenError("kafka-listen", c.KafkaListen, err)
			}
			return err
		},
		close: func() error {
			if broker == nil {
				return nil
			}
			return broker.Close()
		},
	}, nil
}

func (a *App) makeLog() (part, error) {
	o := logOptions(a.config, Options{Logger: a.logger("log")})
	o.Registerer = a.registry
	log, err := kafkalog.Open(o)
	a.log = log
	return part{run: log.Run, ready: log.Ready, close: closing(log.Close)}, err
}

// logOptions are those of everybody who uses the event log.
func logOptions(c *config.Resolved, o Options) kafkalog.Options {
	return kafkalog.Options{
		Brokers: c.KafkaBrokers, Security: kafkaSecurity(c), Topic: c.KafkaTopic, SpotsTopic: c.KafkaSpotsTopic, RejectedTopic: c.KafkaRejectedTopic,
		AuditTopic: c.KafkaAuditTopic, AccessTopic: c.KafkaAccessTopic, GroupPrefix: c.ServicesPrefix + "-",
		Partitions: c.KafkaPartitions, Replication: c.KafkaReplication, MinInSync: c.KafkaMinInSync,
		Retention: c.KafkaRetention, RetentionBytes: int64(c.KafkaRetentionSize), AuditRetention: c.KafkaAuditRetention,
		Logger: o.Logger,
	}
}

func (a *App) makeStore() (part, error) {
	var err error
	if path, ok := strings.CutPrefix(a.config.DatabaseURL, config.SQLite); ok {
		a.store, err = sqlite.Open(sqlite.Options{Path: path, Logger: a.logger("store"), Registerer: a.registry})
	} else {
		a.store, err = postgres.Open(postgres.Options{URL: a.config.DatabaseURL, PasswordFile: a.config.DatabasePasswordFile,
			MaxConns: a.config.DatabaseConnections, Logger: a.logger("store"), Registerer: a.registry})
	}
	if err != nil {
		return part{}, fmt.Errorf("--database-url: %w", err)
	}
	return part{start: a.store.Start, ready: a.store.Ready, vital: true, close: a.store.Close}, nil
}

func (a *App) makeBus() (part, error) {
	switch c := a.config; {
	case c.LiveFanout == config.FanoutKafka:
		a.bus = kafka.New(kafka.Options{Log: a.log, Logger: a.logger("bus"), Registerer: a.registry})
	case c.RedisURL == config.Memory:
		a.bus = memory.New()
	default:
		r, err := redis.Open(redis.Options{Location: redisLocation(c), Channel: c.RedisChannel, Sharded: c.RedisSharded, Logger: a.logger("bus"), Registerer: a.registry})
		if err != nil {
			return part{}, fmt.Errorf("--redis-url: %w", err)
		}
		a.bus = r
	}
	return part{ready: a.bus.Ready, bridged: true, close: a.bus.Close}, nil
}

func (a *App) makeRelay() (part, error) {
	r := relay.New(relay.Options{Outbox: a.store, Records: a.store, Log: a.log, Logger: a.logger("relay"), Registerer: a.registry, Tracer: a.tracer})
	return part{run: r.Run, ready: r.Ready}, nil
}

func (a *App) makeParking() (part, error) {
	service := parking.NewService(parking.Options{
		Store: a.store, HistoryRetention: a.config.HistoryRetention, Logger: a.logger("parking"), Registerer: a.registry, Tracer: a.tracer,
		Topic: func() (event.TopicID, bool) { id := a.log.TopicID(); return id, id != event.TopicID{} },
	})
	var g gate
	a.parking = service
	a.handlers["parking"] = g.wrap(service.Handler(), problem.New(http.StatusServiceUnavailable, "database-unavailable",
		"The database has not answered since the platform started. Try again in a moment."))
	return part{start: g.open, run: service.Run, ready: g.ready(service.Ready)}, nil
}

// makeMQTT takes readings from a broker. The platform serves without it, and the broker keeps what comes meanwhile.
func (a *App) makeMQTT() (part, error) {
	c := a.config
	s, err := mqtt.New(mqtt.Options{
		URL: c.MQTTURL, Username: c.MQTTUsername, Password: c.MQTTPassword, PasswordFile: c.MQTTPasswordFile, ClientID: c.MQTTClientID, Topics: c.MQTTTopics, Share: c.MQTTShare,
		Deliver: a.parking.Deliver, Logger: a.logger("mqtt"), Registerer: a.registry,
	})
	if err != nil {
		return part{}, fmt.Errorf("--mqtt-url: %w", err)
	}
	return part{run: s.Run, ready: s.Ready, bridged: true}, nil
}

func (a *App) makeBridge() (part, error) {
	b := bridge.New(bridge.Options{Log: a.log, Bus: a.bus, Group: a.config.KafkaGroup, Logger: a.logger("bridge"), Registerer: a.registry, Tracer: a.tracer})
	return part{run: b.Run, ready: b.Ready, bridged: true}, nil
}

func (a *App) makeLive() (part, error) {
	c, granted := a.config, access.NewSet(nil)
	files := openFiles()
	clients := mostClients(c.LiveMaxClients, files)
	if clients < c.LiveMaxClients {
		a.logger("live").Info("fewer clients are taken than live-max-clients says, since the process may open too few files", "clients", clients, "files", files)
	}
	service := live.New(live.Options{
		Log: a.log, Bus: a.bus, Authorize: a.authorizeReading(access.Doorman{Tokens: a.tokens, Set: granted}), Access: granted, Origins: c.WebSocketOrigins,
		MemoryBytes: int64(c.LiveMemory), ClientBytes: int64(c.LiveClientLimit), DrainWindow: max(c.DrainWindow, 1), // 0 would be the default
		MaxClients: clients, ClientsPerAddress: c.LiveAddressLimit, ClientsPerPrincipal: c.LivePrincipalLimit, TrustedProxies: c.TrustedProxies, HandshakeRate: c.LiveHandshakeRate,
		PingInterval: c.LivePingInterval, Compression: c.LiveCompression, Engine: c.LiveEngine, Loops: c.LiveLoops,
		Logger: a.logger("live"), Registerer: a.registry, Tracer: a.tracer,
	})
	a.handlers["live"], a.sendAway = service.Handler(), service.Drain
	return part{run: both(service.Run, func(ctx context.Context) error { return granted.FollowLog(ctx, a.log, a.logger("access")) }),
		ready: func() error { return errors.Join(service.Ready(), granted.Ready()) }, drain: service.Drain}, nil
}

// authorizeReading decides who may listen. Live instances are reached without a gateway too, so the token itself
// is looked at. Without a key there is nothing to look at it with, and reading is public.
func (a *App) authorizeReading(doorman access.Doorman) func(*http.Request) (identity.Principal, error) {
	return func(r *http.Request) (identity.Principal, error) {
		p, err := doorman.Authenticate(r)
		if err != nil {
			return p, identity.Refused(err)
		}
		if a.config.ReadPublic {
			return p, nil
		}
		return p, identity.Authorize(p, identity.ScopeRead)
	}
}

// both runs two things until ctx ends, or one of them fails.
func both(one, other func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		group, ctx := errgroup.WithContext(ctx)
		group.Go(func() error { return one(ctx) })
		group.Go(func() error { return other(ctx) })
		return group.Wait()
	}
}

// makeIdentity keeps what tokens are checked with as it is elsewhere: in the file with the platform's own keys, and at the OpenID Connect
// provider. Tokens that can be checked without it are taken, so the platform serves while the provider is away.
func (a *App) makeIdentity() (part, error) {
	c, logger := a.config, a.logger("identity")
	var err error
	if a.verifier, err = Verifier(c); err != nil {
		return part{}, err
	}
	a.provider, a.tokens = a.makeProvider(), identity.Tokens{}
	if a.verifier != nil {
		a.tokens[identity.Issuer] = a.verifier
	}
	if a.provider != nil {
		a.tokens[c.OIDCIssuer] = a.provider
	}
	p := part{bridged: true, run: func(ctx context.Context) error {
		var following sync.WaitGroup
		if a.verifier != nil && c.JWTKeyFile != "" {
			following.Go(func() { a.verifier.Follow(ctx, c.JWTKeyFile, logger) })
		}
		if a.provider != nil {
			following.Go(func() { a.provider.Run(ctx) })
		}
		following.Wait()
		<-ctx.Done()
		return nil
	}}
	if a.provider != nil {
		p.ready = a.provider.Ready
	}
	return p, nil
}

func (a *App) makeGateway() (part, error) {
	c := a.config
	toParking, err := a.behind("parking", "parking-urls", c.ParkingURLs)
	if err != nil {
		return part{}, err
	}
	toLive, err := a.behind("live", "live-urls", c.LiveURLs)
	if err != nil {
		return part{}, err
	}
	var toFurther [3]gateway.Part
	for i, s := range []struct {
		service config.Target
		urls    []string
	}{{config.History, c.HistoryURLs}, {config.Audit, c.AuditURLs}, {config.Alerts, c.AlertsURLs}} {
		if toFurther[i], err = a.behindFurther(s.service, s.urls); err != nil {
			return part{}, err
		}
	}
	login, granted := a.login(), access.NewSet(nil)
	g := gateway.New(gateway.Options{
		Parking: toParking, Live: toLive, History: toFurther[0], Audit: toFurther[1], Alerts: toFurther[2], Dashboard: web.Handler(login.TokenOrigin, web.Tiles{URL: c.DashboardTiles, Attribution: c.DashboardTilesAttribution, MaxZoom: c.DashboardTilesMaxZoom}), Login: login, Authenticator: access.Doorman{Tokens: a.tokens, Set: granted}, ReadPublic: c.ReadPublic,
		Limiter: a.limiter, Hosts: c.Hosts, BodyLimit: int64(c.BodyLimit), TrustedProxies: c.TrustedProxies,
		CORSOrigins: c.CORSOrigins, Logger: a.logger("gateway"), Registerer: a.registry, Tracer: a.tracer,
	})
	a.gateway = g
	a.handlers["gateway"], a.endStreams = g.Handler(), append(a.endStreams, g.Drain)
	return part{run: both(g.Run, func(ctx context.Context) error { return granted.Follow(ctx, toParking, a.logger("access")) }),
		ready: func() error { return errors.Join(g.Ready(), granted.Ready()) }}, nil
}

// login returns how people log in to the dashboard; nil: they cannot.
func (a *App) login() *gateway.Login {
	c := a.config
	if a.provider == nil || c.OIDCClientID == "" {
		return nil
	}
	return &gateway.Login{ClientID: c.OIDCClientID, Scope: c.OIDCLoginScope, Resource: c.OIDCLoginResource, Endpoints: func() (gateway.Endpoints, bool) {
		e, ok := a.provider.Endpoints()
		return gateway.Endpoints(e), ok
	}}
}

// behind returns what serves the requests for a part: the handler in this process, where the address says so, or a
// proxy to others. What troubles a part in this process it says itself.
func (a *App) behind(name, setting string, urls []string) (gateway.Part, error) {
	if !slices.Contains(urls, config.InProcess) {
		return gateway.NewProxy(gateway.ProxyOptions{
			URLs: urls, Name: name, NoKeys: name != "parking", DrainWindow: a.config.DrainWindow, Logger: a.logger("gateway"), Registerer: a.registry,
		})
	}
	handler, here := a.handlers[name]
	if !here || len(urls) > 1 {
		return nil, fmt.Errorf("--%s: %q is the one service in the process of `parkwire all`, and cannot be used here", setting, config.InProcess)
	}
	return gateway.Local(handler, nil), nil
}

func (a *App) makeServer() (part, error) {
	handler := a.handlers[a.config.Serves]
	if a.config.Serves != "gateway" { // gateways ask here whether the part takes requests
		mux := http.NewServeMux()
		mux.Handle("GET /readyz", a.health)
		mux.Handle("/", problem.Identified(handler))
		handler = mux
	}
	a.served = handler
	s := a.clientServer("listen", a.config.Listen, handler, a.logger("server"))
	a.server = s
	p := s.part()
	p.drain = a.endAllStreams
	return p, nil
}

// makeProxied serves the same to proxies that only move bytes. Such a proxy reads no answer: it goes on to the next instance only where it
// cannot connect. So this address is not served before the process is ready but for it, and is the first to go.
func (a *App) makeProxied() (part, error) {
	c := a.config
	if c.ListenProxied == "" {
		return part{}, nil
	}
	logger := a.logger("proxied")
	s := a.clientServer("listen-proxied", c.ListenProxied, a.served, logger)
	s.wrap = func(l net.Listener) net.Listener {
		return &proxyprotocol.Listener{TCPListener: l.(*net.TCPListener), Trusted: c.TrustedProxies, Timeout: headerTimeout, Logger: logger}
	}
	p := s.part()
	p.start = func(ctx context.Context) error {
		for a.health.errBut("proxied") != nil {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(20 * time.Millisecond):
			}
		}
		return s.start(ctx)
	}
	p.drain = a.endAllStreams
	return p, nil
}

// makeAdmin serves operators from before anything else starts until everything else has ended.
func (a *App) makeAdmin() (part, error) {
	return newHTTPServer("admin-listen", a.config.AdminListen, time.Second, adminHandler(a.health, a.registry), nil, a.logger("admin")).part(), nil
}

func (a *App) makeCompanion() (part, error) {
	return part{run: func(ctx context.Context) error {
		select {
		case <-a.becameReady:
		case <-ctx.Done():
			return nil
		}
		return a.options.Companion(ctx, a.URL())
	}}, nil
}

// A gate answers with a problem until it is opened.
type gate struct{ opened atomic.Bool }

func (g *gate) open(context.Context) error { g.opened.Store(true); return nil }

// ready is the readiness of what is behind the gate, and false as long as it is closed: whoever is told that the process is ready is let in.
func (g *gate) ready(behind func() error) func() error {
	return func() error {
		if err := behind(); err != nil || g.opened.Load() {
			return err
		}
		return errors.New("requests are not let in yet")
	}
}

func (g *gate) wrap(behind http.Handler, closed problem.Problem) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !g.opened.Load() {
			w.Header().Set("Retry-After", "2")
			problem.Write(w, r, closed)
			return
		}
		behind.ServeHTTP(w, r)
	})
}

// closing makes a close function of one that reports nothing.
func closing(close func()) func() error { return func() error { close(); return nil } }
