package gateway

import (
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

func newTransport(answerTimeout time.Duration) *http.Transport {
	dialer := &net.Dialer{
		Timeout: dialTimeout,
		// A machine that vanished is noticed in the middle of a stream, too.
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: silenceTimeout / 2, Interval: silenceTimeout / 6, Count: 3},
		Control:         boundSilence(silenceTimeout),
	}
	return &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
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
//   - where the connection is lost before the answer, what only reads is asked once more elsewhere;
//   - where an instance answers that it cannot serve now, what only reads is asked once more at one that is ready.
//
// Streams are opened by [Proxy.open].
func (p *Proxy) RoundTrip(r *http.Request) (*http.Response, error) {
	f := r.Context().Value(flightKey{}).(*flight)
	if f.stream != nil {
		return p.open(r, f)
	}
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	if !f.next(p.turn.Add(1), false) {
		return nil, errors.New("there is no instance")
	}
	for again := reads; ; {
		in := f.instances[f.current]
		response, err := p.ask(in, r)
		noConnection := new(dialError)
		switch {
		case err == nil && response.StatusCode == http.StatusServiceUnavailable && again && f.next(p.turn.Load(), true):
			response.Body.Close()
			again = false
		case err == nil:
			return response, nil
		case r.Context().Err() != nil:
			return nil, err
		case errors.As(err, &noConnection):
			p.found(in, unreachable, err)
			if !f.next(p.turn.Load(), false) {
				return nil, err
			}
		case again && !isTimeout(err) && f.next(p.turn.Load(), false):
			again = false
		default:
			if body, ok := r.Body.(*clientBody); ok && body.failed.Load() {
				return nil, errClientBody
			}
			return nil, err
		}
	}
}

// ask sends a request to one instance.
func (p *Proxy) ask(in *instance, r *http.Request) (*http.Response, error) {
	response, err := p.transport.RoundTrip(p.attempt(r, in))
	if err == nil {
		in.answers.Add(1)
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
