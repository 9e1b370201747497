// Package live delivers events to the clients of one instance: it follows the bus,
// fills what the bus lost from the log, and broadcasts to WebSocket and
// server-sent-events clients, each from the place that its cursor names.
package live

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parkwire/internal/bus"
	"parkwire/internal/event"
	"parkwire/internal/identity"
	"parkwire/internal/kafkalog"
	"parkwire/internal/trace"
	"parkwire/internal/websocket"
)

// Log is what this package needs of the event log; [kafkalog.Log] provides it.
type Log interface {
	// EnsureTopics waits until the log can be used.
	EnsureTopics(ctx context.Context) error
	TopicID() event.TopicID
	Partitions() int
	// Heads are the newest offsets that can be read, Ends the newest that there are, and Tails the newest that can
	// no longer be read.
	Heads(ctx context.Context) (event.Offsets, error)
	Ends(ctx context.Context) (event.Offsets, error)
	Tails(ctx context.Context) (event.Offsets, error)
	// Range calls fn for every record behind from, up to and including to, in order per partition.
	Range(ctx context.Context, from, to event.Offsets, fn func(kafkalog.Record) error) error
	// Spots calls fn for every record of the compacted twin; see [kafkalog.Log.Spots].
	Spots(ctx context.Context, fn func(kafkalog.Record) error) (covered event.Offsets, err error)
}

// Options configure a [Service]. Log, Bus and Authorize are required.
type Options struct {
	Log Log
	Bus bus.Bus
	// Authorize decides who may listen; its error is answered as the problem it is.
	Authorize func(*http.Request) (identity.Principal, error)
	// Access says what is revoked of what clients have shown. Default: nothing ever is.
	Access Access

	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Tracer     *trace.Tracer // nil: no traces

	// MemoryBytes bounds the recent events kept for clients that come back. Default 64 MiB: at
	// 1 KB an event a minute of 1,000 changes a second. What is older is read from the log.
	MemoryBytes int64
	// RangeBytes bounds what was read from the log for clients that come back, and is kept for others who lack the
	// same. Default as MemoryBytes.
	RangeBytes int64
	// ClientBytes bounds how far a client may fall behind before it is closed with 4408.
	// Default 1 MiB. It bounds the memory that the slowest client of a subscription holds.
	ClientBytes int64
	// Origins are the values of the Origin header that may listen; empty: all.
	// Access rests on tokens, never on cookies, so that other sites gain nothing by default.
	Origins []string
	// Compression lets WebSockets have frames compressed that want it (permessage-deflate), once for all of them. Default off: it takes some
	// 10 µs an event, and saves little of an event that comes alone.
	Compression bool
	// MaxClients bounds the connections of this instance; beyond, clients are told to try again
	// later. Default 100,000.
	MaxClients int
	// ClientsPerAddress bounds the connections of one address, an IPv6 network (/64) counting as one, as far as TrustedProxies tell whose they
	// are; beyond, clients are told to try again later. Default 0: no bound, since a whole office may come from one address.
	ClientsPerAddress int
	// ClientsPerPrincipal bounds the connections with tokens of one subject; beyond, clients are told to try again later. Who shows no
	// token is not counted. Default 0: no bound.
	ClientsPerPrincipal int
	// TrustedProxies are the networks whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	// HandshakeRate bounds how many clients a second are taken, so that those who all come at once do not hurt the others; beyond, they
	// are told when to try again. Default 2,000.
	HandshakeRate int
	// HeartbeatInterval is how often clients of parkwire.v1 are told where they stand. Default 10 s.
	HeartbeatInterval time.Duration
	// DrainWindow is over how long Drain spreads the closing of many clients. Default 10 s.
	DrainWindow time.Duration
	// PingInterval is how often a client is pinged; one that is silent for three times as
	// long is gone. Default 30 s: proxies commonly cut after 60 s.
	PingInterval time.Duration
	// Engine is how clients are served, see [EngineAuto], which is the default.
	Engine string
	// Loops is how many goroutines send, each to a share of the clients. Default GOMAXPROCS.
	Loops int
	// CompareInterval is how often the heads of log and instance are compared, which finds what
	// the bus lost when nothing came after it, and whether the log is there at all. Default 1 s; a hundred times as often while the bus is away.
	CompareInterval time.Duration
}

// Service is one live instance.
type Service struct {
	options Options
	metrics *metrics
	loops   []*loop
	shared  *shared

	handshakes *bucket
	crowds     *crowds
	bearers    *bearers

	running   context.Context // ends with Run, and with it whatever waits for a client
	stop      context.CancelFunc
	clientsWG sync.WaitGroup

	// following holds one token while events are delivered, and while a hole before them is filled: for as
	// long as the log is away. It comes before mu.
	following chan struct{}
	busTurned chan struct{} // holds one signal: the bus came or went

	// What the engine is made of; tests have others, and hear other things.
	newPoller  func() (poller, error)
	newBatches func() (batchSender, error)
	hear       func(*client, websocket.Message) error
	maxMessage int // bytes; 0: what the protocol of the client says

	// mu comes before client.mu, and that before loop.mu and frameLog.mu.
	mu       sync.Mutex
	started  bool          // topic, heads and memory are set
	draining bool          // no new clients
	topic    event.TopicID // the log that heads counts
	heads    event.Offsets // the newest event of each partition that was delivered
	memory   *memory
	state    *state
	subs     *subscriptions
	clients  map[*client]struct{}
	// switching are the clients of parkwire.v1 that follow no subscription at present, with their filters.
	switching map[*client][]filter
	empty     chan struct{} // closed when draining and no client is left
	turn      int           // whose turn among the loops it is
	changed   chan struct{} // closed when heads move; nil when nobody waits

	busConnected bool
	logErr       error // why a hole cannot be filled at present

	lastAnswer time.Time // of the log
	staleSince time.Time // it has not answered since; zero while it does
}

// New makes an instance; [Service.Run] starts it.
func New(o Options) *Service {
	o.Logger = cmp.Or(o.Logger, slog.Default())
	o.MemoryBytes = cmp.Or(o.MemoryBytes, 64<<20)
	o.RangeBytes = cmp.Or(o.RangeBytes, o.MemoryBytes)
	o.ClientBytes = cmp.Or(o.ClientBytes, 1<<20)
	o.MaxClients = cmp.Or(o.MaxClients, 100_000)
	o.DrainWindow = cmp.Or(o.DrainWindow, 10*time.Second)
	o.PingInterval = cmp.Or(o.PingInterval, 30*time.Second)
	o.CompareInterval = cmp.Or(o.CompareInterval, time.Second)
	o.HandshakeRate = cmp.Or(o.HandshakeRate, 2000)
	o.HeartbeatInterval = cmp.Or(o.HeartbeatInterval, 10*time.Second)
	o.Loops = cmp.Or(o.Loops, runtime.GOMAXPROCS(0))
	if o.Access == nil {
		o.Access = nothingRevoked{}
	}
	s := &Service{
		options:   o,
		following: make(chan struct{}, 1),
		busTurned: make(chan struct{}, 1),
		state:     newState(),
		subs:      newSubscriptions(o.Loops),
		clients:   map[*client]struct{}{},
		empty:     make(chan struct{}),

		newPoller:  newPoller,
		newBatches: newBatchSender,
		hear:       (*client).handle,

		handshakes: newBucket(o.HandshakeRate),
		crowds:     newCrowds(o),
		bearers:    newBearers(),
		switching:  map[*client][]filter{},
	}
	s.metrics = newMetrics(o.Registerer, s.staleSeconds, s.waitingBytes)
	s.running, s.stop = context.WithCancel(context.Background())
	s.shared = newShared(s.running, o.Log, o.RangeBytes, s.metrics.logReads)
	for i := range o.Loops {
		s.loops = append(s.loops, newLoop(s, i))
	}
	return s
}

// Run waits for the log, then follows the bus until ctx ends, and then cuts every client
// that is still there. It returns when all its goroutines have ended.
func (s *Service) Run(ctx context.Context) error {
	defer func() {
		s.stop()
		s.shared.errands.wait()
	}()
	err := s.startEngine()
	defer s.stopEngine()
	if err == nil {
		err = s.start(ctx)
	}
	if err == nil {
		err = s.serve(ctx)
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (s *Service) start(ctx context.Context) error {
	if err := s.options.Log.EnsureTopics(ctx); err != nil {
		return err
	}
	heads, err := retry(ctx, s, func() (event.Offsets, error) { return s.options.Log.Heads(ctx) })
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastAnswer = time.Now()
	s.topic = s.options.Log.TopicID()
	s.heads = event.NewOffsets(s.options.Log.Partitions()).Join(heads)
	s.memory = newMemory(s.options.MemoryBytes, slices.Clone(s.heads))
	s.started = true
	return nil
}

func (s *Service) serve(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	sending, stopSending := context.WithCancel(context.WithoutCancel(ctx))
	defer stopSending() // after the last client has ended
	for _, l := range s.loops {
		wg.Go(func() { l.run(sending) })
	}
	wg.Go(func() { s.beat(sending) })
	wg.Go(func() { s.watchAccess(sending) })
	began := s.have()
	wg.Go(func() { s.loadState(sending, began) })
	err := s.follow(ctx)
	s.mu.Lock()
	s.draining = true
	for c := range s.clients {
		c.mu.Lock()
		c.cut()
		c.mu.Unlock()
	}
	s.mu.Unlock()
	s.stop()
	s.clientsWG.Wait()
	return err
}

// Ready reports why new clients should go elsewhere; nil when they need not.
func (s *Service) Ready() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.draining:
		return errors.New("this instance is shutting down")
	case !s.started:
		return errors.New("the event log has not answered yet")
	}
	return s.logErr
}
