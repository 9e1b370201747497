package outward

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// Options configure a [Client]. All have defaults.
type Options struct {
	// Allow are networks that are not public, to which requests may go all the same, and without TLS only to these.
	Allow []netip.Prefix
	// Connect bounds the time until there is a connection, and that until its TLS is agreed on. Default 3 s each.
	Connect time.Duration
	// Headers bounds the time until an answer begins, from when the request was written. Default 8 s.
	Headers time.Duration
	// Whole bounds all of it. Default 10 s.
	Whole time.Duration
	// Resolver finds addresses. Default that of the system.
	Resolver *net.Resolver
	// Roots are the certificates that are trusted. Default those of the system.
	Roots *x509.CertPool
}

// Bounds of an answer, of which nothing is kept but its status.
const (
	maxHeaders  = 16 << 10
	maxDrained  = 4 << 10 // what is read of a body, so that its connection can be used again
	drainTime   = 250 * time.Millisecond
	maxIdle     = 256
	maxIdleHost = 8
	idleTimeout = 30 * time.Second
)

// A Client sends requests. It follows no redirect, uses no proxy, keeps no cookie, and reads nothing of an answer but how it begins.
type Client struct {
	options     Options
	open, plain *http.Transport
}

// NewClient returns a client. Close ends its idle connections.
func NewClient(o Options) *Client {
	o.Connect = cmp.Or(o.Connect, 3*time.Second)
	o.Headers = cmp.Or(o.Headers, 8*time.Second)
	o.Whole = cmp.Or(o.Whole, 10*time.Second)
	return &Client{options: o, open: transport(o, Gate{Allow: o.Allow}), plain: transport(o, Gate{Allow: o.Allow, Inward: true})}
}

// Bound is the longest that a request takes.
func (c *Client) Bound() time.Duration { return c.options.Whole }

// Close ends connections that nobody uses.
func (c *Client) Close() {
	c.open.CloseIdleConnections()
	c.plain.CloseIdleConnections()
}

func transport(o Options, gate Gate) *http.Transport {
	dialer := &net.Dialer{
		Timeout: o.Connect, Resolver: o.Resolver,
		Control: func(_, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil {
				return &RefusedError{Reason: "its address cannot be understood"}
			}
			return gate.Check(to)
		},
	}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.Roots},
		TLSHandshakeTimeout:    o.Connect,
		ResponseHeaderTimeout:  o.Headers,
		MaxResponseHeaderBytes: maxHeaders,
		MaxIdleConns:           maxIdle,
		MaxIdleConnsPerHost:    maxIdleHost,
		IdleConnTimeout:        idleTimeout,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
	}
}

// Answer is what is known of one.
type Answer struct {
	Status int
	// RetryAfter is for how long the server wants to be left alone; 0: it does not say.
	RetryAfter time.Duration
}

// OK reports whether the request was taken.
func (a Answer) OK() bool { return a.Status >= 200 && a.Status <= 299 }

// Post sends a body. An error means that there was no answer; [Explain] puts it into words for whoever gave the address, [Reached] says whether the
// server is there.
func (c *Client) Post(ctx context.Context, address string, header http.Header, body []byte) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.options.Whole)
	defer cancel()
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { connected.Store(false) }, // again where one that was kept is of no use any more
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return Answer{}, fmt.Errorf("making a request: %w", err)
	}
	request.Header = header.Clone()
	transport := c.open
	if request.URL.Scheme == "http" {
		transport = c.plain
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return Answer{}, &unansweredError{err, connected.Load()}
	}
	drain(response.Body)
	return Answer{response.StatusCode, retryAfter(response.Header.Get("Retry-After"), time.Now())}, nil
}

// unansweredError is that of a request which was not answered.
type unansweredError struct {
	cause     error
	connected bool
}

func (e *unansweredError) Error() string { return "sending a request: " + e.cause.Error() }
func (e *unansweredError) Unwrap() error { return e.cause }

// Reached reports whether there was a connection to the server, over TLS where the address wants it. What went wrong then may be so for the path
// alone that was asked for.
func Reached(err error) bool {
	var unanswered *unansweredError
	return errors.As(err, &unanswered) && unanswered.connected
}

// drain reads a body that is short and there, so that its connection can be used again. Another one ends with its connection.
func drain(body io.ReadCloser) {
	slow := time.AfterFunc(drainTime, func() { _ = body.Close() })
	_, _ = io.CopyN(io.Discard, body, maxDrained)
	slow.Stop()
	_ = body.Close()
}

// retryAfter reads seconds or a date. What is neither, or in the past, is 0.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(text); err == nil {
		return time.Duration(min(max(seconds, 0), 7*24*3600)) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}

// Wanted is what an address must be, in words.
const Wanted = "an address such as https://example.org/hooks/parking, of at most 2048 characters, without user, password and fragment"

const maxAddress = 2048

// CheckURL says what is wrong with an address, as far as that can be told without its network, or returns "". Names are resolved when a request
// is sent, again each time.
func CheckURL(text string, allow []netip.Prefix) string {
	u, err := url.Parse(text)
	switch {
	case err != nil || len(text) > maxAddress || port(u) == 0 || u.Opaque != "" || u.Hostname() == "" || u.User != nil || strings.Contains(text, "#"):
		return Wanted
	case u.Scheme == "http" && len(allow) == 0:
		return "an address that begins with https:, so that nobody reads on the way what is sent"
	case u.Scheme != "https" && u.Scheme != "http":
		return Wanted
	}
	address, err := netip.ParseAddr(u.Hostname())
	if err != nil {
		return ""
	}
	if refused := (Gate{Allow: allow, Inward: u.Scheme == "http"}).Check(netip.AddrPortFrom(address, port(u))); refused != nil {
		return "one that leads to a public server; this is refused because " + refused.Error()
	}
	return ""
}

// port is 0 where the address names none that there is.
func port(u *url.URL) uint16 {
	n, err := strconv.ParseUint(cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme]), 10, 16)
	if err != nil {
		return 0
	}
	return uint16(n)
}

// nowhere is the same for a name that nobody knows and one that is known inside alone: else it could be asked which there are.
const nowhere = "its name leads to no public address"

// Explain says why there was no answer, in words that tell nothing of the network in which this runs.
func Explain(err error) string {
	var refused *RefusedError
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	var timeout net.Error
	switch {
	case NotPublic(err), errors.As(err, &name) && name.IsNotFound:
		return nowhere
	case errors.As(err, &refused):
		return "refused: " + refused.Reason
	case errors.As(err, &name):
		return "its name could not be resolved"
	case errors.As(err, &certificate):
		return "its certificate is not accepted: " + strings.TrimPrefix(certificate.Err.Error(), "x509: ")
	case errors.Is(err, context.Canceled):
		return "the attempt was broken off"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "it refused the connection"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "it did not answer in time"
	}
	return "the connection failed before it answered"
}

// Refused reports whether no connection was tried because of where it would have led.
func Refused(err error) bool {
	var refused *RefusedError
	return errors.As(err, &refused)
}

// NotPublic reports whether that is so because the address is not public.
func NotPublic(err error) bool {
	var refused *RefusedError
	return errors.As(err, &refused) && refused.NotPublic
}
