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
	"runtime"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parkwire/internal/bus"
	"parkwire/internal/event"
	"parkwire/internal/identity"
	"parkwire/internal/kafkalog"
	"parkwire/internal/websocket"
)

// Log is what this package needs of the event log; [kafkalog.Log] provides it.
type Log interface {
	// EnsureTopics waits until the log can be used.
	EnsureTopics(ctx context.Context) error
	TopicID() event.TopicID
	Partitions() int
	// Heads are the newest offsets, Tails the newest that can no longer be read.
	Heads(ctx context.Context) (event.Offsets, error)
	Tails(ctx context.Context) (event.Offsets, error)
	// Range calls fn for every record behind from, up to and including to, in order per partition.
	Range(ctx context.Context, from, to event.Offsets, fn func(kafkalog.Record) error) error
}

// Options configure a [Service]. Log, Bus and Authorize are required.
type Options struct {
	Log Log
	Bus bus.Bus
	// Authorize decides who may listen; its error is answered as the problem it is.
	Authorize func(*http.Request) (identity.Principal, error)

	Logger     *slog.Logger
	Registerer prometheus.Registerer

	// MemoryBytes bounds the recent events kept for clients that come back. Default 64 MiB: at
	// 1 KB an event a minute of 1,000 changes a second. What is older is read from the log.
	MemoryBytes int64
	// ClientBytes bounds how far a client may fall behind before it is closed with 4408.
	// Default 1 MiB. It bounds the memory that the slowest client of a subscription holds.
	ClientBytes int64
	// Origins are the values of the Origin header that may open a WebSocket; empty: all.
	// Access rests on tokens, never on cookies, so that other sites gain nothing by default.
	Origins []string
	// DrainWindow is over how long Drain spreads the closing of many clients. Default 10 s.
	DrainWindow time.Duration
	// PingInterval is how often a client is pinged; one that is silent for twice as
	// long and a little is gone. Default 30 s: proxies commonly cut after 60 s.
	PingInterval time.Duration
	// CompareInterval is how often the heads of log and instance are compared, which finds what
	// the bus lost when nothing came after it. Default 1 s; ten times as often while the bus is away.
	CompareInterval time.Duration
}

// Service is one live instance.
type Service struct {
	options Options
	metrics *metrics
	senders []*sender

	clientsWG sync.WaitGroup

	mu       sync.Mutex
	started  bool          // topic, heads and memory are set
	draining bool          // no new clients
	topic    event.TopicID // the log that heads counts
	heads    event.Offsets // the newest event of each partition that was delivered
	memory   *memory
	subs     *subscriptions
	clients  map[*client]struct{}
	turn     int           // whose turn among the senders it is
	changed  chan struct{} // closed at the next delivery; nil when nobody waits

	busSeen      bool // the bus was there at least once
	busConnected bool
	logErr       error // why a hole cannot be filled at present
}

// New makes an instance; [Service.Run] starts it.
func New(o Options) *Service {
	o.Logger = cmp.Or(o.Logger, slog.Default())
	o.MemoryBytes = cmp.Or(o.MemoryBytes, 64<<20)
	o.ClientBytes = cmp.Or(o.ClientBytes, 1<<20)
	o.DrainWindow = cmp.Or(o.DrainWindow, 10*time.Second)
	o.PingInterval = cmp.Or(o.PingInterval, 30*time.Second)
	o.CompareInterval = cmp.Or(o.CompareInterval, time.Second)
	s := &Service{
		options: o,
		metrics: newMetrics(o.Registerer),
		subs:    newSubscriptions(runtime.GOMAXPROCS(0)),
		clients: map[*client]struct{}{},
	}
	for range runtime.GOMAXPROCS(0) {
		s.senders = append(s.senders, newSender())
	}
	return s
}

// Run waits for the log, then follows the bus until ctx ends, and then cuts every client
// that is still there. It returns when all its goroutines have ended.
func (s *Service) Run(ctx context.Context) error {
	if err := s.start(ctx); err != nil {
		return err
	}
	senderCtx, stopSenders := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	for i, sender := range s.senders {
		wg.Go(func() { sender.run(senderCtx, i, s.options.PingInterval) })
	}
	err := s.follow(ctx)
	s.mu.Lock()
	s.draining = true
	for c := range s.clients {
		c.socket.Close()
	}
	s.mu.Unlock()
	s.clientsWG.Wait()
	stopSenders()
	wg.Wait()
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
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
	s.topic = s.options.Log.TopicID()
	s.heads = event.NewOffsets(s.options.Log.Partitions()).Join(heads)
	s.memory = newMemory(s.options.MemoryBytes, s.heads.Join(nil))
	s.started = true
	return nil
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
	case !s.busSeen:
		return errors.New("the bus between the live instances has not answered yet")
	}
	return s.logErr
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
	s.mu.Unlock()
	if len(leaving) == 0 {
		return
	}
	// A few clients are closed quickly, very many evenly over the window.
	pause := min(s.options.DrainWindow/time.Duration(len(leaving)), 5*time.Millisecond)
	began := time.Now()
	for i, c := range leaving {
		c.close(websocket.ServiceRestart, "this instance restarts: reconnect with after=CURSOR")
		if ahead := time.Duration(i)*pause - time.Since(began); ahead > time.Millisecond {
			select {
			case <-ctx.Done():
				return
			case <-time.After(ahead):
			}
		}
	}
	gone := make(chan struct{})
	go func() { s.clientsWG.Wait(); close(gone) }() // ends at the latest with Run, which cuts the rest
	select {
	case <-gone:
	case <-ctx.Done():
	case <-time.After(closeWait + time.Second):
	}
}

// enter registers a client, unless the instance takes none any more.
func (s *Service) enter(c *client) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return false
	}
	s.clients[c] = struct{}{}
	c.sender = s.senders[s.turn%len(s.senders)]
	s.turn++
	s.metrics.connections.WithLabelValues(c.encoding.String()).Inc()
	return true
}

// attach lets the client follow the log of its subscription from the newest event on.
// The caller holds mu, so that nothing is delivered meanwhile, and gives up c.busy by it.
func (s *Service) attach(c *client, f filter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.gone {
		c.sub = s.subs.acquire(c.encoding, f)
		c.pos = c.sub.log.end()
	}
	c.busy = false
}

// leave takes a client out. It is the last thing that happens to it.
func (s *Service) leave(c *client) {
	c.mu.Lock()
	c.gone = true
	sub := c.sub
	c.mu.Unlock()
	c.socket.Close()
	s.mu.Lock()
	delete(s.clients, c)
	if sub != nil {
		s.subs.release(sub)
	}
	s.mu.Unlock()
	if sub != nil {
		c.sender.attend(c)
	}
	s.metrics.connections.WithLabelValues(c.encoding.String()).Dec()
}
