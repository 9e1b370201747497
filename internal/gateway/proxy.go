package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parkwire/internal/identity"
	"parkwire/internal/identity/access"
	"parkwire/internal/problem"
	"parkwire/internal/trace"
)

// ProxyOptions configure a [Proxy]. URLs and Name are required.
type ProxyOptions struct {
	// URLs are the addresses of the instances, such as "http://parking-1:5000". At most 64. "dns+http://parking:5000" stands for as many
	// instances as the name has addresses: it is looked up again and again.
	URLs []string
	// Name is the part's, as clients and logs are told it.
	Name string
	// NoKeys says that the part keeps no Idempotency-Keys, which the gateway refuses: none is handed on, and what changes something is not asked twice.
	NoKeys bool
	// LookupInterval is how often names are looked up. Default 5 s.
	LookupInterval time.Duration
	// DialNames reaches the servers of names.
	DialNames Dial
	// ReadyInterval is how often each instance is asked for /readyz. Default 1 s.
	ReadyInterval time.Duration
	// LostAfter is for how long an instance does not answer to /readyz, while another one is ready, until the streams that come
	// from it are ended. It is long, because one that is only very busy still delivers, and a machine that vanished is noticed
	// by the silence of its connections. Default 20 s.
	LostAfter time.Duration
	// AnswerTimeout is from when a request was sent to the header of its answer. Default 30 s. How long the
	// rest takes is not bounded: streams have no end, and clients may be slow.
	AnswerTimeout time.Duration
	// Handshakes is how many streams are being opened at each instance at most, more or less; further ones wait. Default 128.
	Handshakes int
	// HandshakeTimeout is how long an instance has to answer one before another instance is asked. Default 5 s.
	HandshakeTimeout time.Duration
	// HandshakeWait is how long one waits for its turn before its client is asked to try again later. Default 5 s.
	HandshakeWait time.Duration
	// DrainWindow is over how long Drain spreads the end of very many streams. 0: they end at once.
	DrainWindow time.Duration
	// FinishWait is how long a stream that is to end may take for the rest of what is half passed on, and then how long its client
	// may take to close. Default 3 s.
	FinishWait time.Duration

	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// Proxy is a [Part] whose instances run elsewhere. Each request goes to the ready instance with the fewest under way. WebSocket
// upgrades and server-sent events pass through.
type Proxy struct {
	options  ProxyOptions
	roster   roster
	names    []*name
	turn     atomic.Uint64
	reverse  *httputil.ReverseProxy
	inFlight prometheus.Gauge
	streams  *streams
	opening  *turns     // of streams
	again    *allowance // for what is asked twice

	turnedAway prometheus.Counter
}

// NewProxy makes a proxy. The error names the address that cannot be one.
func NewProxy(o ProxyOptions) (*Proxy, error) {
	o.Logger = cmp.Or(o.Logger, slog.Default())
	o.LookupInterval = cmp.Or(o.LookupInterval, 5*time.Second)
	o.ReadyInterval = cmp.Or(o.ReadyInterval, time.Second)
	o.LostAfter = cmp.Or(o.LostAfter, 20*time.Second)
	o.AnswerTimeout = cmp.Or(o.AnswerTimeout, 30*time.Second)
	o.Handshakes = cmp.Or(o.Handshakes, 128)
	o.HandshakeTimeout = cmp.Or(o.HandshakeTimeout, 5*time.Second)
	o.HandshakeWait = cmp.Or(o.HandshakeWait, 5*time.Second)
	o.FinishWait = cmp.Or(o.FinishWait, 3*time.Second)
	part := prometheus.Labels{"part": o.Name}
	p := &Proxy{options: o, again: newAllowance(), streams: newStreams(2 * o.FinishWait),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "parkwire_gateway_proxied_in_flight", Help: "Requests and streams under way to a part in other processes.", ConstLabels: part,
		}),
		turnedAway: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parkwire_gateway_handshakes_turned_away_total", Help: "Streams that were to be opened while too many were, and whose clients were asked to try again later.", ConstLabels: part,
		}),
	}
	if len(o.URLs) == 0 || len(o.URLs) > 64 {
		return nil, fmt.Errorf("%s: %d addresses; there must be 1 to 64", o.Name, len(o.URLs))
	}
	for _, text := range o.URLs {
		address, shared := strings.CutPrefix(text, dnsPrefix)
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
			return nil, fmt.Errorf("%s: %q is no address of an instance, such as http://parking-1:5000", o.Name, text)
		}
		if shared {
			p.names = append(p.names, newName(u))
		} else {
			p.roster.add(newInstance(u, "", o.AnswerTimeout))
		}
	}
	p.opening = newTurns(func() int { return o.Handshakes * max(len(p.roster.all()), 1) })
	p.reverse = &httputil.ReverseProxy{
		Rewrite: p.rewrite, Transport: p, ModifyResponse: modify, ErrorHandler: p.refuse, BufferPool: &bufferPool{},
		ErrorLog: slog.NewLogLogger(o.Logger.Handler(), slog.LevelDebug), // connections that ended in the middle
	}
	resting := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "parkwire_gateway_instances_resting", Help: "Instances that are passed over because they take requests and do not answer.", ConstLabels: part,
	}, func() (n float64) {
		for _, in := range p.roster.all() {
			if in.breaker.rests() {
				n++
			}
		}
		return n
	})
	if o.Registerer != nil {
		for _, metric := range []prometheus.Collector{p.inFlight, p.turnedAway, resting} {
			if err := o.Registerer.Register(metric); err != nil {
				return nil, fmt.Errorf("%s: %w", o.Name, err)
			}
		}
	}
	return p, nil
}

// headerKey is of requests that are done once, however often they are sent.
const headerKey = "Idempotency-Key"

// takesKeys reports whether a method is one of those under which a key means something; others may be repeated without.
func takesKeys(method string) bool { return method == http.MethodPost || method == http.MethodPatch }

// headerTraceparent is [trace.Header] as a header of HTTP is kept.
var headerTraceparent = http.CanonicalHeaderKey(trace.Header)

type flightKey struct{}

// ServeHTTP hands a request on and brings the answer back.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.inFlight.Inc()
	defer p.inFlight.Dec()
	f := &flight{instances: p.known(r.Context()), most: int64(p.options.Handshakes)}
	defer f.leave()
	r = r.WithContext(context.WithValue(r.Context(), flightKey{}, f))
	if isStream(r) {
		var left func()
		r, f.stream, left = p.streams.enter(r)
		defer left()
	}
	if err := makeRewindable(r); err != nil {
		problem.Write(w, r, unreadable())
		return
	}
	f.body, _ = r.Body.(*clientBody)
	if span := trace.Of(r.Context()).Child("ask "+p.options.Name, trace.Client, time.Time{}); span != nil {
		defer span.End()
		r.Header.Set(trace.Header, span.Traceparent())
	}
	p.reverse.ServeHTTP(w, r)
}

// makeRewindable lets a body be sent again where it is short, or is in memory anyway.
func makeRewindable(r *http.Request) error {
	switch {
	case r.GetBody != nil || r.Body == nil || r.Body == http.NoBody:
	case 0 <= r.ContentLength && r.ContentLength <= maxRewindable:
		body, err := io.ReadAll(r.Body) // the server ends it at its length
		if err != nil {
			return err
		}
		setBody(r, body)
	default:
		r.Body = &clientBody{Reader: r.Body}
	}
	return nil
}

// rewrite makes the outgoing request. What the gateway says of the client is set again, since a client can have any header
// taken out on the way by naming it in Connection.
func (p *Proxy) rewrite(r *httputil.ProxyRequest) {
	identity.CopyForwarded(r.Out.Header, r.In.Header)
	for _, name := range []string{problem.HeaderRequestID, identity.HeaderForwardedFor, "Authorization", access.HeaderKey, headerTraceparent} {
		if values := r.In.Header[name]; len(values) > 0 {
			r.Out.Header[name] = values
		}
	}
	r.Out.URL.RawQuery = r.In.URL.RawQuery // parts judge parameters, also those that cannot be parsed
	r.Out.GetBody = r.In.GetBody
	// The gateway has answered "Expect" already. Keys let the transport, too, repeat what may have been done: parts keep this one, of these methods.
	r.Out.Header.Del("Expect")
	r.Out.Header.Del("X-Idempotency-Key")
	if p.options.NoKeys || !takesKeys(r.In.Method) {
		r.Out.Header.Del(headerKey)
	}
}

// modify leaves the request id to the gateway, which has said it already.
func modify(r *http.Response) error {
	r.Header.Del(problem.HeaderRequestID)
	return nil
}

// refuse answers a request that no instance answered.
func (p *Proxy) refuse(w http.ResponseWriter, r *http.Request, err error) {
	noConnection := new(dialError)
	answer := problem.New(http.StatusServiceUnavailable, "unavailable",
		fmt.Sprintf("The %s service cannot be reached at present. Nothing was done. Try again in a moment.", p.options.Name))
	switch {
	case errors.Is(err, errCrowded):
		p.turnAway(w, r)
		return
	case errors.Is(err, errClientBody):
		problem.Write(w, r, unreadable())
		return
	case errors.As(err, &noConnection), errors.Is(err, errResting), errors.Is(err, errNobody):
	case isTimeout(err):
		answer = problem.New(http.StatusGatewayTimeout, "timeout",
			fmt.Sprintf("The %s service took too long to answer. Whether it did what was asked is not known.", p.options.Name))
	default:
		answer.Detail = fmt.Sprintf("The connection to the %s service was lost before it answered. Whether it did what was asked is not known. Try again in a moment.", p.options.Name)
	}
	p.options.Logger.Debug("a request was not answered", "to", p.options.Name, "requestId", problem.RequestID(r.Context()), "error", err)
	w.Header().Set("Retry-After", "2")
	problem.Write(w, r, answer.With("part", p.options.Name))
}

// Ready returns nil where any instance is ready.
func (p *Proxy) Ready() error {
	var errs []error
	for _, in := range p.roster.all() {
		c, err := in.state()
		if c == ready {
			return nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", in.name, err))
	}
	for _, n := range p.names {
		if err := n.trouble(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", n.url.Host, err))
		}
	}
	return errors.Join(errs...)
}

// Drain ends the streams that pass through here, each after what is whole, and those that begin hereafter.
func (p *Proxy) Drain(ctx context.Context) { p.streams.end(ctx, p.options.DrainWindow) }

// Run asks each instance, again and again, whether it is ready, and looks up which ones there are, until ctx ends.
func (p *Proxy) Run(ctx context.Context) error {
	named := p.roster.all()
	var wg sync.WaitGroup
	for _, in := range named {
		wg.Go(func() { p.watch(ctx, in) })
	}
	for _, n := range p.names {
		wg.Go(func() { p.keepLookingUp(ctx, n) })
	}
	wg.Wait()
	p.Drain(ctx) // at once, since ctx has ended
	for _, in := range named {
		in.transport.CloseIdleConnections()
	}
	return nil
}

// A bufferPool holds the buffers through which answers are copied.
type bufferPool struct{ pool sync.Pool }

func (b *bufferPool) Get() []byte {
	if buffer, ok := b.pool.Get().(*[]byte); ok {
		return *buffer
	}
	return make([]byte, 32<<10)
}

func (b *bufferPool) Put(buffer []byte) { b.pool.Put(&buffer) }
