package limit

import (
	"cmp"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/rueidis"

	"parkwire/internal/redis"
)

// SharedOptions configure a [Shared]. Location, Prefix and Rate are required.
type SharedOptions struct {
	Location redis.Location
	// Prefix begins every key, so that several platforms may use one Redis. With ACLs the user needs PREFIX*. In a cluster it is {PREFIX}, so that one server
	// has them all.
	Prefix string
	Rate   Rate
	// Patience is how long a request waits for the answer of Redis before it is counted here alone. Default 50 ms.
	Patience time.Duration

	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

const (
	probeEvery = time.Second
	silence    = 3 * time.Second // on a connection until it is given up
	maxLate    = 3               // answers in a row that come too late until Redis is asked no more
	maxAsking  = 512             // requests that ask Redis at once; others are counted here alone
)

// Shared counts together with every other process that has the same Redis and prefix, by Redis's own clock. It asks in one round trip.
//
// Every request is counted here too. Who asks for too much here alone is refused without a question, and so is, until its time is
// over, whom Redis has refused: a flood costs Redis no more questions than the rate. And where Redis is away or slow the count goes
// on from where it was, so that each process alone then still limits.
type Shared struct {
	options SharedOptions
	local   *Local
	server  *redis.Server
	asking  chan struct{} // one element for each question
	late    atomic.Int32  // answers in a row
	usable  atomic.Bool   // whether Redis is asked; then client is set
	client  rueidis.Client
	wg      sync.WaitGroup // of the questions

	interval, slack string // in microseconds

	together prometheus.Gauge
	alone    prometheus.Counter

	mu    sync.Mutex
	state error // why Redis is not asked; nil while it is
}

var (
	errConnecting = errors.New("Redis has not answered yet")
	errLate       = errors.New("the answers of Redis come too late")
	errCluster    = errors.New("the server is of a Redis Cluster, in which no one server has every key: add cluster=true to redis-url")
)

// NewShared makes one. [Shared.Run] connects it, until when it counts alone. The error is about the URL.
func NewShared(o SharedOptions) (*Shared, error) {
	o.Logger = cmp.Or(o.Logger, slog.Default())
	o.Patience = cmp.Or(o.Patience, 50*time.Millisecond)
	server, err := redis.Open(o.Location, o.Prefix, o.Logger)
	if err != nil {
		return nil, err
	}
	if server.Cluster() {
		o.Prefix = redis.Together(o.Prefix)
	}
	s := &Shared{
		options: o, local: NewLocal(o.Rate, nil), server: server, asking: make(chan struct{}, maxAsking), state: errConnecting,
		interval: microseconds(max(o.Rate.interval(), time.Microsecond)), slack: microseconds(o.Rate.slack()),
		together: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "parkwire_gateway_limits_shared", Help: "1 while requests are counted together with other gateways.",
		}),
		alone: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parkwire_gateway_limits_counted_alone_total", Help: "Requests that were counted by this gateway alone, because Redis was away, too slow or asked too much.",
		}),
	}
	if o.Registerer != nil {
		o.Registerer.MustRegister(s.together, s.alone)
	}
	return s, nil
}

func microseconds(d time.Duration) string {
	return strconv.FormatFloat(float64(d)/float64(time.Microsecond), 'f', -1, 64)
}

// Take implements [Limiter]. It waits for Redis no longer than Patience.
func (s *Shared) Take(ctx context.Context, key Key) time.Duration {
	if wait := s.local.Take(ctx, key); wait > 0 {
		return wait
	}
	if !s.usable.Load() || !s.mayAsk() {
		s.alone.Inc()
		return 0
	}
	// In a goroutine of its own, since connecting anew is not bounded by a context.
	answers := make(chan answer, 1)
	s.wg.Go(func() {
		defer func() { <-s.asking }()
		answers <- s.ask(context.WithoutCancel(ctx), key)
	})
	timer := time.NewTimer(s.options.Patience)
	defer timer.Stop()
	select {
	case a := <-answers:
		return s.take(key, a)
	case <-timer.C:
		return s.take(key, answer{err: errLate})
	case <-ctx.Done(): // nobody waits any more
		return 0
	}
}

func (s *Shared) mayAsk() bool {
	select {
	case s.asking <- struct{}{}:
		return true
	default:
		return false
	}
}

// An answer is what Redis said: for how long to wait.
type answer struct {
	wait time.Duration
	err  error
}

func (s *Shared) take(key Key, a answer) time.Duration {
	if a.err != nil {
		s.found(a.err)
		s.alone.Inc()
		return 0
	}
	s.late.Store(0)
	if a.wait > 0 {
		s.local.hold(key, a.wait)
	}
	return a.wait
}

// found takes in how a question ended. One answer that comes too late means nothing yet: this process may be busy.
func (s *Shared) found(err error) {
	if err == nil {
		s.late.Store(0)
	} else if errors.Is(err, errLate) && s.usable.Load() && s.late.Add(1) < maxLate {
		return
	}
	s.became(err)
}

//go:embed take.lua
var source string

var script = rueidis.NewLuaScript(source)

// ask counts a request in Redis.
func (s *Shared) ask(ctx context.Context, key Key) answer {
	ctx, cancel := context.WithTimeout(ctx, s.options.Patience)
	defer cancel()
	wait, err := script.Exec(ctx, s.client, []string{s.options.Prefix + key.digest()}, []string{s.interval, s.slack}).AsInt64()
	return answer{time.Duration(wait) * time.Microsecond, inTime(redis.Explain(err))}
}

// digest names a client in Redis, short and without saying who it is.
func (k Key) digest() string {
	text := "s" + k.subject
	if k.subject == "" {
		text = "a" + k.address.String()
	}
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// Run connects and, from then on, asks once a second whether Redis is there and answers in time, until ctx ends.
func (s *Shared) Run(ctx context.Context) error {
	defer s.server.Close()
	client, err := s.server.Connect(silence)
	if client == nil { // only for options that cannot be; a server that is away is no reason
		return err
	}
	s.client = client
	defer func() {
		s.usable.Store(false)
		client.Close()
		s.wg.Wait()
	}()
	for {
		err := s.probe(ctx)
		if ctx.Err() != nil {
			return nil
		}
		s.found(err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(probeEvery):
		}
	}
}

// probe returns nil where Redis can be asked.
func (s *Shared) probe(ctx context.Context) error {
	asking, cancel := context.WithTimeout(ctx, s.options.Patience)
	defer cancel()
	hello := s.client.Do(asking, s.client.B().Hello().Build())
	if err := s.server.Leads(hello); err != nil {
		return inTime(err)
	}
	if answer, err := hello.AsMap(); err == nil && !s.server.Cluster() {
		mode := answer["mode"]
		if text, err := mode.ToString(); err == nil && text == "cluster" {
			return errCluster
		}
	}
	return s.ask(ctx, Key{}).err
}

// inTime names the error of what did not come in time.
func inTime(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return errLate
	}
	return err
}

// became records whether Redis is asked, and says so when that changes.
func (s *Shared) became(err error) {
	s.mu.Lock()
	was := s.state
	s.state = err
	s.mu.Unlock()
	s.usable.Store(err == nil)
	switch {
	case err == nil && was != nil:
		s.together.Set(1)
		s.options.Logger.Info("requests are counted together with other gateways, in Redis")
	case err != nil && (was == nil || was == errConnecting):
		s.together.Set(0)
		s.options.Logger.Warn("requests are counted by this gateway alone, until Redis answers in time", "error", err)
	}
}

// Ready returns nil, or why requests are counted here alone.
func (s *Shared) Ready() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == nil {
		return nil
	}
	return fmt.Errorf("requests are counted by this gateway alone: %w", s.state)
}
