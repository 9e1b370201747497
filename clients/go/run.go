package parkwire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// run connects, again and again, until ctx ends or trying is of no use.
func (c *Client) run(ctx context.Context) {
	defer close(c.done)
	for at, try := 0, 0; ; at++ {
		address := c.options.URLs[at%len(c.options.URLs)]
		lasted, err := c.serve(ctx, address)
		if lasted {
			try = 0
		}
		if ctx.Err() != nil || c.ended() != nil {
			c.end(ErrClosed)
			return
		}
		var final finalError
		if errors.As(err, &final) {
			c.end(final.error)
			c.report(func(s *ConnectionStatus) { *s = ConnectionStatus{URL: address, Err: final.error} })
			return
		}
		wait, asked := hint(err)
		if !asked {
			wait = c.options.Backoff(try)
		}
		try++
		c.report(func(s *ConnectionStatus) { *s = ConnectionStatus{URL: address, Err: err, Retry: wait} })
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// connect makes one connection, until the server has said Welcome.
func (c *Client) connect(ctx context.Context, address string) (s *session, expires time.Time, err error) {
	token, expires, fresh, err := c.tokens.get(ctx)
	if err != nil {
		return nil, expires, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	w, err := c.dial(ctx, address, token)
	if err != nil {
		return nil, expires, c.judge(err, fresh)
	}
	s = &session{client: c, wire: w, wake: make(chan struct{}, 1), expiring: make(chan struct{}, 1)}
	message, err := s.receive(ctx)
	if err == nil && message.Type != "Welcome" {
		err = fmt.Errorf("%w: %s came instead of Welcome", ErrProtocol, message.Type)
	}
	if err != nil {
		w.drop()
		return nil, expires, fmt.Errorf("%s: %w", address, err)
	}
	s.heartbeat = time.Duration(message.HeartbeatMS) * time.Millisecond
	if s.heartbeat <= 0 {
		s.heartbeat = defaultHeartbeat
	}
	return s, expires, nil
}

// judge makes an error final where trying again is of no use.
func (c *Client) judge(err error, fresh bool) error {
	once := false
	select {
	case <-c.first:
		once = true
	default:
	}
	var refused *RefusedError
	switch {
	case errors.As(err, &refused) && (refused.StatusCode == http.StatusUnauthorized || refused.StatusCode == http.StatusForbidden):
		if fresh {
			return finalError{err}
		}
		c.tokens.refused()
	case once: // what served once will serve again, whatever stands there meanwhile
	case errors.Is(err, ErrProtocol):
		return finalError{err}
	case refused != nil && refused.StatusCode >= 400 && refused.StatusCode < 500:
		switch refused.StatusCode {
		case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		default:
			return finalError{err}
		}
	}
	return err
}

// serve connects and reads until the connection ends, and says why. lasted: it was of use.
func (c *Client) serve(ctx context.Context, address string) (lasted bool, err error) {
	s, expires, err := c.connect(ctx, address)
	if err != nil {
		return false, err
	}
	defer s.wire.drop()
	ctx, cancel := context.WithCancelCause(ctx)
	defer s.aside.Wait()
	defer cancel(nil)
	if !c.begin(s) {
		return false, ErrClosed
	}
	defer c.lost()
	select {
	case <-c.first:
	default:
		close(c.first)
	}
	c.report(func(status *ConnectionStatus) { *status = ConnectionStatus{Connected: true, URL: address} })
	s.aside.Go(func() {
		if err := s.write(ctx); err != nil {
			cancel(err)
		}
	})
	if c.tokens.source != nil {
		s.aside.Go(func() { s.keepAuthenticated(ctx, expires) })
	}
	err = s.listen(ctx)
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if websocket.CloseStatus(err) == closeTokenExpired {
		c.tokens.refused()
	}
	err = fmt.Errorf("%s: %w", address, err)
	if s.retry.given {
		err = retryError{err, s.retry}
	}
	return s.lasted, err
}

// begin lets subscriptions reach the connection, and asks for all that there are. It reports false where the client has ended.
func (c *Client) begin(s *session) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return false
	}
	c.session = s
	for _, one := range c.subs {
		one.begin()
		s.subscribe(one)
	}
	return true
}

func (c *Client) lost() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.session = nil
}

// A session is one connection.
type session struct {
	client    *Client
	wire      wire
	heartbeat time.Duration
	wake      chan struct{} // there is something to send
	expiring  chan struct{} // the token expires soon

	aside sync.WaitGroup

	// These belong to the goroutine that reads.

	lasted bool       // more came than the greeting, and a farewell
	retry  retryAfter // as the server said before it closes

	mu       sync.Mutex
	outgoing []outgoing // bounded by what the program does while a write hangs, writeTimeout at most
}

const (
	defaultHeartbeat = 10 * time.Second
	missedHeartbeats = 3
)

func (s *session) receive(ctx context.Context) (m incoming, err error) {
	frame, err := s.wire.read(ctx)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(frame, &m); err != nil {
		return m, fmt.Errorf("%w: a frame is no message: %w", ErrProtocol, err)
	}
	return m, nil
}

// listen handles what comes until the connection ends.
func (s *session) listen(ctx context.Context) error {
	for {
		waiting, cancel := context.WithTimeout(ctx, missedHeartbeats*s.heartbeat)
		m, err := s.receive(waiting)
		silent := waiting.Err() != nil && ctx.Err() == nil
		cancel()
		switch {
		case err != nil && silent:
			return fmt.Errorf("nothing came for %v, not even a heartbeat", missedHeartbeats*s.heartbeat)
		case err != nil:
			return err
		}
		if err := s.handle(ctx, m); err != nil {
			return err
		}
	}
}

func (s *session) subscribe(one *Subscription) { s.send(one.request()) }

func (s *session) send(m outgoing) {
	s.mu.Lock()
	s.outgoing = append(s.outgoing, m)
	s.mu.Unlock()
	signal(s.wake)
}

// write sends what there is to send, until ctx ends.
func (s *session) write(ctx context.Context) error {
	for {
		s.mu.Lock()
		messages := s.outgoing
		s.outgoing = nil
		s.mu.Unlock()
		for _, m := range messages {
			if err := s.writeOne(ctx, m); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		}
	}
}

func (s *session) writeOne(ctx context.Context, m outgoing) error {
	message, err := json.Marshal(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	if err := s.wire.write(ctx, message); err != nil {
		return fmt.Errorf("sending %s: %w", m.Type, err)
	}
	return nil
}
