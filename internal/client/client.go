// Package client speaks to a platform as anybody else does: over its REST interface and its
// notifications. It serves the tools that Parkwire brings along.
package client

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"parkwire/internal/problem"
)

// Options configure a [Client]. URL is required.
type Options struct {
	URL   string // "http://host:port", or with a path where the platform is behind one
	Token string // empty: as nobody
	// Transport is how requests are sent; nil: with connections of its own.
	Transport http.RoundTripper
	// Patience is how long a request is tried again while the platform is away or asks to wait.
	// Default 30 s, which a restart takes at most; negative: not at all.
	Patience time.Duration
	// Backoff is how long to wait before the given try (1, 2, …) of a request or connection.
	// Default: at random up to 250 ms, and up to twice as much each time until 15 s.
	Backoff func(try int) time.Duration
	// Waiting, unless nil, is told why a request is tried again, once a request.
	Waiting func(error)
}

// Client speaks to one platform. It may be used by several goroutines.
type Client struct {
	base     *url.URL
	token    string
	http     *http.Client
	patience time.Duration
	backoff  func(try int) time.Duration
	waiting  func(error)
}

// Bounds of one exchange.
const (
	tryTimeout = 30 * time.Second // of one try, until the whole answer is there
	maxAnswer  = 64 << 20         // bytes; the longest page has 5,000 spots
	maxWait    = 30 * time.Second // of a Retry-After that is believed
)

// New makes a client. It sends nothing yet.
func New(o Options) (*Client, error) {
	base, err := url.Parse(o.URL)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") || base.RawQuery != "" {
		return nil, fmt.Errorf("the address %q is none of a platform; http://localhost:5000 is one", o.URL)
	}
	if o.Transport == nil {
		o.Transport = http.DefaultTransport.(*http.Transport).Clone()
	}
	if o.Waiting == nil {
		o.Waiting = func(error) {}
	}
	if o.Backoff == nil {
		o.Backoff = jittered
	}
	return &Client{
		base: base, token: o.Token, http: &http.Client{Transport: o.Transport},
		patience: cmp.Or(o.Patience, 30*time.Second), backoff: o.Backoff, waiting: o.Waiting,
	}, nil
}

// Close gives up the connections that are kept for the next request.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// URL is the address of the platform.
func (c *Client) URL() string { return c.base.String() }

// jittered is random from zero on, so that clients who lost the same server do not return together.
func jittered(try int) time.Duration {
	most := min(250*time.Millisecond<<min(try-1, 10), 15*time.Second)
	return rand.N(most)
}

// do sends one request and reads the answer into into, unless that is nil. What the platform refuses
// is a [problem.Problem] in the error's chain.
//
// It tries again when the platform is away or busy. That is safe for whatever this package sends:
// reading; readings, which are unchanged or late the second time; actions, which change nothing where it
// is so already; and adding and removing, which are refused with 409 and 404 the second time, so that whoever
// does that must ask then what is there.
func (c *Client) do(ctx context.Context, method, path string, query url.Values, body, into any) error {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return fmt.Errorf("%s %s: %w", method, path, err)
		}
	}
	giveUp := time.Now().Add(c.patience)
	for try := 1; ; try++ {
		pause, err := c.try(ctx, method, path, query, text, into)
		if err == nil {
			return nil
		}
		err = fmt.Errorf("%s %s: %w", method, path, err)
		pause = max(pause, c.backoff(try))
		if !temporary(err) || ctx.Err() != nil || time.Now().Add(pause).After(giveUp) {
			return err
		}
		if try == 1 {
			c.waiting(err)
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}

// try sends the request once. pause is how long the platform asks to wait, where it does.
func (c *Client) try(ctx context.Context, method, path string, query url.Values, body []byte, into any) (pause time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, c.address(path, query), bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	c.authorize(request.Header)
	request.Header.Set("Accept", "application/json")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := c.http.Do(request)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err // its text repeats method and address
		}
		return 0, awayError{err}
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	switch {
	case err != nil:
		return 0, awayError{fmt.Errorf("reading the answer: %w", err)}
	case answer.StatusCode >= 300:
		seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
		return min(time.Duration(seconds)*time.Second, maxWait), refusal(answer.StatusCode, text)
	case into == nil:
		return 0, nil
	}
	if err := json.Unmarshal(text, into); err != nil {
		return 0, fmt.Errorf("the answer is not what was promised; is there a Parkwire at %s? %w", c.base, err)
	}
	return 0, nil
}

func (c *Client) address(path string, query url.Values) string {
	address := strings.TrimSuffix(c.base.String(), "/") + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	return address
}

func (c *Client) authorize(h http.Header) {
	if c.token != "" {
		h.Set("Authorization", "Bearer "+c.token)
	}
}

// awayError is the failure of an exchange in which the platform said nothing.
type awayError struct{ error }

func (e awayError) Unwrap() error { return e.error }

func temporary(err error) bool {
	switch Status(err) {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return errors.As(err, new(awayError))
}

// refusal reads the problem of an answer, whoever wrote it: a proxy knows no problem details. What the
// body says of the status is advice (RFC 9457, section 3.1.2); whether to try again rests on the answer's own.
func refusal(status int, body []byte) problem.Problem {
	var p problem.Problem
	if json.Unmarshal(body, &p) != nil || p.Error() == "" {
		p = problem.New(status, "unexpected-answer", strings.TrimSpace(fmt.Sprintf("%d %s: %.200s", status, http.StatusText(status), body)))
	}
	p.Status = status
	return p
}

// Status is the status with which the platform refused a request; 0 for other errors.
func Status(err error) int {
	var p problem.Problem
	if errors.As(err, &p) {
		return p.Status
	}
	return 0
}

// Advise adds to the refusal of a token what to do about it. Other errors it returns as they are.
func Advise(err error, scope string) error {
	switch Status(err) {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("%w\nPARKWIRE_TOKEN must hold a token of the platform with the scope %q; "+
			"`parkwire token --scope %s --data-dir DIR` prints one, DIR being the platform's", err, scope, scope)
	}
	return err
}
