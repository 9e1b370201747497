package gateway

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// Bounds in time of a request to another process.
const (
	dialTimeout = 2 * time.Second
	// silenceTimeout is for how long the machine of an instance may acknowledge nothing.
	silenceTimeout = 12 * time.Second
	// idleTimeout is less than that of the parts' servers, so that they seldom close what is about to be used.
	idleTimeout = 60 * time.Second
)

// maxRewindable is how long a body is at most that is held in memory, so that it can be sent again where a connection
// turned out to have been closed before anything was written.
const maxRewindable = 64 << 10

// A dialError says that there is no connection to an instance, so that nothing can have been sent.
type dialError struct{ err error }

func (e *dialError) Error() string { return e.err.Error() }
func (e *dialError) Unwrap() error { return e.err }

// newTransport makes one for one instance. Where address is not "" it is connected to there, whatever its URL says.
func newTransport(answerTimeout time.Duration, address string) *http.Transport {
	dialer := &net.Dialer{
		Timeout: dialTimeout,
		// A machine that vanished is noticed in the middle of a stream, too.
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: silenceTimeout / 2, Interval: silenceTimeout / 6, Count: 3},
		Control:         boundSilence(silenceTimeout),
	}
	return &http.Transport{
		DialContext: func(ctx context.Context, network, named string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, cmp.Or(address, named))
			if err != nil {
				return nil, &dialError{err}
			}
			return conn, nil
		},
		MaxIdleConnsPerHost:   256,
		IdleConnTimeout:       idleTimeout,
		TLSHandshakeTimeout:   dialTimeout,
		ResponseHeaderTimeout: answerTimeout,
		DisableCompression:    true, // what a client and a part agree on is theirs
	}
}

// errClientBody is what reading a client's body failed with, where it did.
var errClientBody = errors.New("the client's body could not be read")

// A clientBody is a body as it comes from the client. It stays open when an attempt to send it fails, since
// what was not begun can be sent elsewhere, and it remembers that the failure was the client's.
type clientBody struct {
	io.Reader
	failed atomic.Bool
}

func (b *clientBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err != nil && err != io.EOF {
		b.failed.Store(true)
	}
	return n, err
}

func (b *clientBody) Close() error { return nil } // the HTTP server's to do

// RoundTrip sends a request to the best instance, and to others where that cannot have any other effect:
//
//   - where there is no connection to an instance, any request goes on to the next;
//   - where the connection is lost before the answer, or the instance itself is, what may be repeated is asked once more elsewhere;
//   - where an instance answers that it cannot serve now, what may be repeated is asked once more at one that is ready.
//
// Streams are opened by [Proxy.open].
func (p *Proxy) RoundTrip(r *http.Request) (*http.Response, error) {
	f := r.Context().Value(flightKey{}).(*flight)
	if f.stream != nil {
		return p.open(r, f)
	}
	p.again.earn()
	if !f.next(p.turn.Add(1), false) {
		return nil, f.nobody()
	}
	for again := p.repeatable(r); ; {
		in := f.current
		asked, settled := r, func() {}
		if again {
			asked, settled = p.whileReached(r, in)
		}
		response, err := p.ask(f, asked)
		settled()
		noConnection := new(dialError)
		switch {
		case err == nil && response.StatusCode == http.StatusServiceUnavailable && again && p.again.spend() && f.next(p.turn.Load(), true):
			response.Body.Close()
			again = false
		case err == nil:
			return response, nil
		case f.clientFailed(): // which over HTTP/1 ends the request's context too
			return nil, errClientBody
		case r.Context().Err() != nil:
			return nil, err
		case errors.As(err, &noConnection):
			p.found(in, unreachable, err)
			if !f.next(p.turn.Load(), false) {
				return nil, err
			}
		case again && !isTimeout(err) && p.again.spend() && f.next(p.turn.Load(), false):
			again = false
		default:
			return nil, err
		}
	}
}

// Why no instance was asked.
var (
	errResting = errors.New("every instance rests, because it did not answer")
	errNobody  = errors.New("no instance is known")
)

// repeatable reports whether a request may be done twice: what only reads, and what is done under a key that the part keeps, if its body can
// be sent again.
func (p *Proxy) repeatable(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		return true
	}
	return r.Header.Get(headerKey) != "" && (r.GetBody != nil || r.Body == nil || r.Body == http.NoBody)
}

// whileReached lets a request end when its instance is found to be unreachable and there is another one. The caller calls settled when
// it was answered.
func (p *Proxy) whileReached(r *http.Request, in *instance) (asked *http.Request, settled func()) {
	ctx, cancel := context.WithCancelCause(r.Context()) // that it ends when the request has is seen to by r's
	stop := context.AfterFunc(in.reached(), func() {
		if p.Ready() == nil {
			cancel(errLost)
		}
	})
	return r.WithContext(ctx), func() { stop() }
}

// ask sends a request to the instance that has it.
func (p *Proxy) ask(f *flight, r *http.Request) (*http.Response, error) {
	in := f.current
	response, err := in.transport.RoundTrip(p.attempt(r, in))
	became, cause := failed, context.Cause(r.Context())
	switch noConnection := new(dialError); {
	case err == nil && response.StatusCode != http.StatusBadGateway && response.StatusCode != http.StatusGatewayTimeout: // by a proxy in between
		in.answers.Add(1)
		became = answered
	case err == nil:
	case cause != nil && !errors.Is(cause, errLost) && !isTimeout(cause), errors.As(err, &noConnection), f.clientFailed():
		became = unclear
	}
	if rests := in.breaker.report(time.Now(), became, f.trial); rests > 0 {
		p.options.Logger.Warn("an instance takes requests and does not answer, so it rests", "to", p.options.Name, "instance", in.name, "for", rests, "error", err)
	}
	if err != nil && errors.Is(cause, errLost) {
		err = errLost
	}
	return response, err
}

// attempt returns the request as it goes to one instance.
func (p *Proxy) attempt(r *http.Request, in *instance) *http.Request {
	out := r.WithContext(r.Context())
	address := *r.URL
	address.Scheme, address.Host = in.url.Scheme, in.url.Host
	out.URL = &address
	if r.GetBody != nil {
		out.Body, _ = r.GetBody() // from memory: it does not fail
	}
	return out
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
