package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/problem"
	"parkwire/internal/websocket"
)

// Notifications serves GET /notifications, as WebSocket or server-sent events.
func (s *Service) Notifications() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := s.open(w, r); err != nil {
			writeProblem(w, r, err)
		}
	})
}

func (s *Service) open(w http.ResponseWriter, r *http.Request) error {
	enc, err := negotiate(r)
	if err != nil {
		return err
	}
	f, err := s.admit(r)
	if err != nil {
		return err
	}
	after := r.URL.Query().Get("after")
	if id := r.Header.Get("Last-Event-ID"); enc == encodingSSE && id != "" {
		after = id // newer than the address, which stays the same over reconnects
	}
	var have event.Offsets
	if after != "" {
		have, err = s.parseAfter(r.Context(), after)
		if err != nil && !errors.Is(err, errCursorExpired) {
			return err
		}
	}
	c, early, hijackErr := s.hijack(w, r, enc)
	if hijackErr != nil {
		return hijackErr
	}
	c.mu.Lock()
	c.busy = true // until it is attached
	c.mu.Unlock()
	s.clientsWG.Go(func() { c.read(early) })
	switch {
	case err != nil:
		c.release()
		c.close(closeCursorExpired, "cursor expired: load the present state and connect without it")
	case have == nil:
		s.mu.Lock()
		s.attach(c, f)
		s.mu.Unlock()
		s.follows(c)
	default:
		s.clientsWG.Go(func() { s.resume(c, f, have) })
	}
	return nil
}

// follows hands a client that was attached to its sender.
func (s *Service) follows(c *client) {
	c.mu.Lock()
	attached := c.sub != nil
	c.mu.Unlock()
	if attached {
		c.sender.attend(c)
	}
}

// resume sends what came after the client's cursor, then lets it follow.
func (s *Service) resume(c *client, f filter, have event.Offsets) {
	ctx, cancel := context.WithCancel(context.Background()) // ends by a write that fails, at the latest when Run cuts the socket
	defer cancel()
	var buf []byte
	send := func() error {
		err := c.writeDirect(buf)
		buf = buf[:0]
		return err
	}
	emit := func(e entry, have event.Offsets) error {
		if e.partition >= 0 && f.matches(e.event) {
			buf = c.encoding.appendEvent(buf, e.value, event.Cursor{Topic: s.topic, Offsets: have}.String())
		}
		if e.partition >= 0 && len(buf) < maxWait {
			return nil
		}
		return send()
	}
	err := s.catchUp(ctx, have, emit, func(event.Offsets) {
		// What is still in buf goes out before anything of the log: busy is held until then.
		c.mu.Lock()
		if !c.gone {
			c.sub = s.subs.acquire(c.encoding, f)
			c.pos = c.sub.log.end()
		}
		c.mu.Unlock()
	})
	if err == nil {
		err = send()
	}
	c.release()
	switch {
	case err == nil:
		s.follows(c)
	case errors.Is(err, errCursorExpired):
		c.close(closeCursorExpired, "cursor expired: load the present state and connect without it")
	default:
		c.close(websocket.TryAgainLater, "the event log cannot be read now: reconnect with after=CURSOR")
	}
}

// release gives up busy and sends what gathered meanwhile.
func (c *client) release() {
	c.mu.Lock()
	c.busy = false
	c.mu.Unlock()
	c.flush()
}

// negotiate decides how to speak to the client.
func negotiate(r *http.Request) (encoding, error) {
	switch {
	case r.Method != http.MethodGet:
		return 0, problem.New(405, "method-not-allowed", "Notifications are opened with GET.")
	case websocket.Requested(r):
		return encodingWebSocket, nil
	case strings.Contains(r.Header.Get("Accept"), "text/event-stream"):
		return encodingSSE, nil
	}
	return 0, problem.New(426, "upgrade-required",
		"Open this address as a WebSocket (new WebSocket(\"ws://…/notifications\")), or as server-sent events with the header \"Accept: text/event-stream\".")
}

// admit checks everything about a request that does not depend on how it is answered.
func (s *Service) admit(r *http.Request, also ...string) (filter, error) {
	if _, err := s.options.Authorize(r); err != nil {
		return filter{}, err
	}
	if origin := r.Header.Get("Origin"); origin != "" && len(s.options.Origins) > 0 && !slices.Contains(s.options.Origins, origin) {
		return filter{}, problem.New(403, "origin-not-allowed", fmt.Sprintf("The origin %q may not listen here.", origin))
	}
	f, err := parseFilter(r.URL.Query(), also...)
	if err != nil {
		return filter{}, err
	}
	s.mu.Lock()
	started, draining := s.started, s.draining
	s.mu.Unlock()
	if !started || draining {
		return filter{}, problem.New(503, "not-ready", "This instance does not take clients now. Try again in a moment.")
	}
	return f, nil
}

// hijack takes the connection over and makes it a client.
func (s *Service) hijack(w http.ResponseWriter, r *http.Request, enc encoding) (*client, []byte, error) {
	c := &client{encoding: enc, service: s, index: -1}
	if !s.enter(c) {
		return nil, nil, problem.New(503, "not-ready", "This instance is shutting down. Try again in a moment.")
	}
	// enter comes first, so that Run waits for what begins here; until there is a socket, it closes none.
	conn, early, err := s.handshake(w, r, enc)
	if err != nil {
		s.forget(c)
		return nil, nil, err
	}
	s.mu.Lock()
	c.socket = websocket.NewSocket(conn)
	s.mu.Unlock()
	return c, early, nil
}
