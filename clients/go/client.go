package parkwire

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// Options configure a [Client]. URLs is required.
type Options struct {
	// URLs are the addresses of one platform ("http://host:port", with a path where it is behind one), of which the next one is tried
	// when one is lost: its balancers, or its instances.
	URLs []string
	// Token is asked for a token when one is needed; nil: as nobody.
	Token TokenSource
	// OnStatus, unless nil, is told each change of the connection. It must return soon and must not close the client:
	// nothing is read meanwhile.
	OnStatus func(ConnectionStatus)
	// HTTPClient makes the connections; nil: one of this client's own. Its Timeout must be 0.
	HTTPClient *http.Client
	// Buffer bounds, in bytes for each subscription, what has come and was not iterated over yet. Default 1 MiB. Less memory is used where the program
	// keeps up; more lets it pause for longer before others are held up.
	Buffer int
	// Backoff is how long to wait before a try (0, 1, …) where the platform does not say. Default: at random up to 1 s, then up to twice as
	// long each time, at most 15 s. Whatever it is should be random, or clients that lost the same server come back together.
	Backoff func(try int) time.Duration
	// Logger gets what is a defect: a [Gap]. nil: slog.Default().
	Logger *slog.Logger
}

// A TokenSource returns a token and when it expires (the zero time: never, or not known). It is asked again a minute before that, when the platform says that
// the token expires soon, and when it refused the last one. It is called by one goroutine at a time. An error is like a platform that is away: it is tried again.
type TokenSource func(ctx context.Context) (token string, expires time.Time, err error)

// StaticToken is a source of one token. When that expires the client ends.
func StaticToken(token string) TokenSource {
	return func(context.Context) (string, time.Time, error) { return token, time.Time{}, nil }
}

// ConnectionStatus is how a client stands with its platform.
type ConnectionStatus struct {
	Connected  bool
	URL        string    // of the connection, or of the last try
	StaleSince time.Time // not zero: the platform lost its event log then, and what happens since comes later
	// Err is why there is no connection, and Retry how long until the next try.
	Err   error
	Retry time.Duration
}

// Client is a connection that is won again whenever it is lost, and its subscriptions. All methods may be called by several goroutines.
type Client struct {
	options   Options
	dial      func(ctx context.Context, address, token string) (wire, error)
	tokens    *tokens
	closeIdle func()
	cancel    context.CancelFunc
	done      chan struct{} // nothing runs any more
	first     chan struct{} // closed at the first connection

	mu      sync.Mutex
	session *session // nil while there is no connection
	subs    []*Subscription
	lastID  int
	status  ConnectionStatus
	err     error // not nil: the client has ended
}

const defaultBuffer = 1 << 20

// Connect returns a client that has a connection. While the platform cannot be reached it is tried again, until ctx ends: give it
// one with a timeout, or see [Options.OnStatus] for why it takes long. What the platform refuses is a [RefusedError] at once.
// What ctx does later does not matter; [Client.Close] ends the client.
func Connect(ctx context.Context, o Options) (*Client, error) {
	c, err := newClient(o)
	if err != nil {
		return nil, err
	}
	if err := c.start(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

func newClient(o Options) (*Client, error) {
	if len(o.URLs) == 0 {
		return nil, errors.New("parkwire: Options.URLs is empty")
	}
	for _, address := range o.URLs {
		if u, err := url.Parse(address); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" {
			return nil, fmt.Errorf("parkwire: the address %q is none of a platform; http://localhost:5000 is one", address)
		}
	}
	idle := func() {} // the connections of others are theirs
	if o.HTTPClient == nil {
		o.HTTPClient = &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}
		idle = o.HTTPClient.CloseIdleConnections
	}
	if o.Buffer <= 0 {
		o.Buffer = defaultBuffer
	}
	if o.Backoff == nil {
		o.Backoff = jittered
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.OnStatus == nil {
		o.OnStatus = func(ConnectionStatus) {}
	}
	return &Client{options: o, dial: dialWebSocket(o.HTTPClient), closeIdle: idle, tokens: &tokens{source: o.Token}, done: make(chan struct{}), first: make(chan struct{})}, nil
}

// start returns when there is a connection; otherwise nothing runs any more.
func (c *Client) start(ctx context.Context) error {
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c.cancel = cancel
	go c.run(running)
	select {
	case <-c.first:
		return nil
	case <-c.done:
		return c.ended()
	case <-ctx.Done():
		status := c.Status()
		_ = c.Close()
		if status.Err != nil {
			return fmt.Errorf("%w: %w", ctx.Err(), status.Err)
		}
		return ctx.Err()
	}
}

// Subscribe adds a subscription: to what happens from now on, unless options say otherwise. It does not wait for the platform; what that
// refuses ends iterating with a [SubscriptionError]. A client may have 16 subscriptions; see [Filter] for the bounds of filters.
func (c *Client) Subscribe(f Filter, options ...SubscribeOption) (*Subscription, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	s := &Subscription{client: c, filter: f.clone(), known: map[string]known{}}
	for _, option := range options {
		option(s)
	}
	s.queue = newQueue(c.options.Buffer, s.resume)
	c.mu.Lock()
	defer c.mu.Unlock()
	values := f.values()
	for _, other := range c.subs {
		values += other.filter.values()
	}
	switch {
	case c.err != nil:
		return nil, c.err
	case len(c.subs) == maxSubscriptions:
		return nil, fmt.Errorf("%w: a client has at most %d subscriptions", ErrFilter, maxSubscriptions)
	case values > maxFilterValues:
		return nil, fmt.Errorf("%w: the filters of a client have at most %d values together", ErrFilter, maxFilterValues)
	}
	c.lastID++
	s.id = strconv.Itoa(c.lastID)
	c.subs = append(c.subs, s)
	if c.session != nil {
		c.session.subscribe(s)
	}
	return s, nil
}

// Status is how the client stands with its platform now.
func (c *Client) Status() ConnectionStatus {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.status
}

// Close ends the client: iterating over its subscriptions ends with [ErrClosed], the connection is closed as WebSockets are (which takes some seconds where the server does
// not answer), and when it returns nothing of the client runs any more. It returns nil; closing again changes nothing.
func (c *Client) Close() error {
	if session := c.end(ErrClosed); session != nil {
		session.wire.close()
	}
	c.cancel()
	<-c.done
	c.closeIdle()
	return nil
}

// end ends all subscriptions, for good. It returns the connection, if there is one.
func (c *Client) end(err error) *session {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
	}
	for _, s := range c.subs {
		s.queue.end(err)
	}
	c.subs = nil
	return c.session
}

func (c *Client) ended() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

func (c *Client) unsubscribe(s *Subscription) {
	s.queue.end(errUnsubscribed)
	if session := c.remove(s); session != nil {
		session.send(outgoing{Type: "Unsubscribe", ID: s.id})
	}
}

// remove takes a subscription out. It returns the connection that still has it, if any.
func (c *Client) remove(s *Subscription) *session {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, one := range c.subs {
		if one == s {
			c.subs = append(c.subs[:i:i], c.subs[i+1:]...) // a new one: others read the old one
			return c.session
		}
	}
	return nil
}

func (c *Client) subscriptions() []*Subscription {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.subs
}

func (c *Client) report(change func(*ConnectionStatus)) {
	c.mu.Lock()
	change(&c.status)
	status := c.status
	c.mu.Unlock()
	c.options.OnStatus(status)
}
