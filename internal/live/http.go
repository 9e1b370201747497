package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/identity"
	"parkwire/internal/problem"
	"parkwire/internal/websocket"
)

// The paths that [Service.Handler] serves.
const (
	PathNotifications = identity.NotificationsPath
	PathEvents        = "/api/v1/events"
)

// Handler serves GET /notifications, as WebSocket or server-sent events, and GET /api/v1/events.
func (s *Service) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var err error
		switch r.URL.Path {
		case PathNotifications:
			err = s.serveNotifications(w, r)
		case PathEvents:
			err = s.serveEvents(w, r)
		default:
			err = problem.New(404, "not-found", "There is nothing at this address.")
		}
		if err != nil {
			s.writeProblem(w, r, err)
		}
	})
}

func (s *Service) serveNotifications(w http.ResponseWriter, r *http.Request) error {
	if r.Method == http.MethodOptions {
		return s.preflight(w, r)
	}
	enc, err := s.negotiate(w, r)
	if err != nil {
		return err
	}
	who, q, f, err := s.admit(r, parametersOf(enc)...)
	if err != nil {
		return err
	}
	if enc.isV1() && f.values() > 0 {
		return notInAddress(q)
	}
	lots := lotsOf(who)
	if f, err = f.within(lots); err != nil {
		return err
	}
	if err := s.allowOrigin(w, r); err != nil {
		return err
	}
	seat, away := s.admission(r, who)
	defer seat.giveUp()
	overloaded := away != nil
	in, fresh, err := s.entranceOf(r, enc, q, f)
	expired := errors.Is(err, errCursorExpired) && enc != encodingSSE
	if err != nil && !expired && !overloaded {
		return err
	}
	if r.Method == http.MethodHead && enc == encodingSSE {
		describeStream(w.Header())
		return nil
	}
	var at *stand
	switch {
	case overloaded:
	case enc.isV1():
		at = s.takeStand(enc)
	case fresh:
		at = s.takeStand(enc, f)
	}
	conn, early, err := shakeHands(w, r, enc)
	if err != nil {
		s.giveUp(at)
		return err
	}
	if overloaded { // a browser cannot read the status of a WebSocket, and an EventSource never comes back after an error
		turnAway(conn, enc, *away)
		return nil
	}
	c := s.enter(conn, enc)
	if c != nil {
		seat.take(c)
		if v := c.session(); v != nil {
			v.lots = lots
		}
	}
	switch {
	case c == nil: // the draining began meanwhile
		s.giveUp(at)
		turnAway(conn, enc, restarting())
		return nil
	case expired:
		s.metrics.expired.Inc()
		c.close(farewell{code: closeCursorExpired, reason: expiredReason})
	case at != nil:
		c.follow(at)
	default:
		ctx, resumption := c.prepare()
		s.clientsWG.Go(func() { s.resume(ctx, resumption, in) })
	}
	c.watchToken(who)
	c.begin(early)
	if a, ok := conn.(*answerConn); ok {
		a.wait()
	}
	return nil
}

// parametersOf are what an address may have beside the filter. Clients of parkwire.v1 say the rest in messages.
func parametersOf(enc encoding) []string {
	if enc.isV1() {
		return []string{"access_token"}
	}
	return []string{"after", "snapshot", "access_token"}
}

// notInAddress refuses what a client of parkwire.v1 has to say in a message.
func notInAddress(q url.Values) error {
	names := slices.Sorted(maps.Keys(q))
	names = slices.DeleteFunc(names, func(name string) bool { return name == "access_token" })
	return problem.New(400, "unknown-parameter", fmt.Sprintf("The parameter %q is not for %s: say it in the message Subscribe.", names[0], protocolV1)).WithField(names[0])
}

// entranceOf finds out how a plain client wants to begin; fresh says that it is told what comes from now on.
//
// A WebSocket in a browser sees no status: it is told by a close code that its cursor has expired. An EventSource sees nothing else,
// and comes back for ever unless it is answered with an error.
func (s *Service) entranceOf(r *http.Request, enc encoding, q url.Values, f filter) (in entrance, fresh bool, err error) {
	in = entrance{filter: f, snapshot: q.Has("snapshot")}
	if in.snapshot && q.Get("snapshot") != "1" {
		return in, false, problem.New(400, "invalid-parameter", "The parameter \"snapshot\" must be 1, or be left out.").WithField("snapshot")
	}
	after := q.Get("after")
	if id := r.Header.Get("Last-Event-ID"); enc == encodingSSE && id != "" {
		after = id // newer than the address, which stays the same over reconnects
	}
	if after == "" {
		in.state = in.snapshot
		return in, !in.snapshot, nil
	}
	in.have, err = s.parseAfter(r.Context(), after)
	if errors.Is(err, errCursorExpired) && in.snapshot {
		in.state, in.reset, err = true, resetReason(after, s.topic), nil
	}
	return in, false, err
}

// admission keeps a seat for a client, or returns what to tell one that has to come again later: there are as many as there may be, of its
// address, of its subject or in all, or more come than can be served.
func (s *Service) admission(r *http.Request, who identity.Principal) (seat, *farewell) {
	wait, ok := s.handshakes.take(time.Now())
	if ok && s.full() {
		wait, ok = fullHint(), false
	}
	if !ok {
		s.metrics.overload.Inc()
		return seat{}, &farewell{websocket.TryAgainLater, "too many clients: try again later", wait}
	}
	kept, tooMany := s.crowds.seat(r, who)
	if tooMany != "" {
		s.metrics.crowded.Inc()
		return seat{}, &farewell{websocket.TryAgainLater, "too many clients of " + tooMany + ": try again later", fullHint()}
	}
	return kept, nil
}

// turnAway ends a connection that became no client. It waits a second for the client to be through with it: to close while the client
// still sends would reset the connection, and the reset would overtake what it is told.
func turnAway(conn net.Conn, enc encoding, f farewell) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	if _, err := conn.Write(enc.appendClose(nil, f)); err != nil {
		return
	}
	if half, ok := conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_, _ = io.CopyN(io.Discard, conn, maxRequest)
	}
}

// shakeHands takes over the connection of a client. An error means that there is nobody to answer any more,
// unless it is a [*websocket.HandshakeError].
func shakeHands(w http.ResponseWriter, r *http.Request, enc encoding) (conn net.Conn, early []byte, err error) {
	if enc.isV1() {
		w.Header().Set("Sec-WebSocket-Protocol", protocolV1)
	}
	if enc.isDeflated() {
		answer, _ := websocket.OffersDeflate(r)
		w.Header().Set(websocket.HeaderExtensions, answer)
	}
	switch {
	case enc != encodingSSE:
		conn, early, err = websocket.Accept(w, r)
	case r.ProtoMajor > 1:
		describeStream(w.Header())
		return newAnswerConn(w, r), nil, nil
	default:
		describeStream(w.Header())
		// The stream ends with its connection, and so needs neither a length nor chunks: events are the same bytes for all.
		w.Header().Set("Connection", "close")
		w.Header().Set("Date", time.Now().UTC().Format(http.TimeFormat))
		conn, early, err = websocket.Hijack(w, "HTTP/1.1 200 OK\r\n")
	}
	if _, refused := errors.AsType[*websocket.HandshakeError](err); refused {
		w.Header().Del("Sec-WebSocket-Protocol")
		w.Header().Del(websocket.HeaderExtensions)
	} else if err != nil {
		err = fmt.Errorf("%w: %w", errGone, err)
	}
	return conn, early, err
}

// errGone says that there is nobody to answer any more.
var errGone = errors.New("the client is gone")

func describeStream(h http.Header) {
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // NGINX passes on what comes when it comes
	h.Set("X-Content-Type-Options", "nosniff")
}

// negotiate decides how to speak to the client.
func (s *Service) negotiate(w http.ResponseWriter, r *http.Request) (encoding, error) {
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		return 0, notAllowed(w)
	case websocket.Requested(r):
		enc := encodingWebSocket
		if websocket.Offers(r, protocolV1) {
			enc = encodingV1
		}
		if _, ok := websocket.OffersDeflate(r); ok && s.options.Compression {
			enc = enc.deflated()
		}
		return enc, nil
	case strings.Contains(r.Header.Get("Accept"), "text/event-stream"):
		return encodingSSE, nil
	}
	w.Header().Set("Upgrade", "websocket")
	return 0, problem.New(426, "upgrade-required",
		"Open this address as a WebSocket (new WebSocket(\"ws://…/notifications\")), or as server-sent events with the header \"Accept: text/event-stream\".")
}

func notAllowed(w http.ResponseWriter) error {
	w.Header().Set("Allow", "GET, HEAD, OPTIONS")
	return problem.New(405, "method-not-allowed", "This address is for GET.")
}

// preflight answers OPTIONS, also when a page asks before it reads notifications with headers of its own.
func (s *Service) preflight(w http.ResponseWriter, r *http.Request) error {
	if err := s.allowOrigin(w, r); err != nil {
		return err
	}
	w.Header().Set("Allow", "GET, HEAD, OPTIONS")
	if r.Header.Get("Access-Control-Request-Method") != "" {
		w.Header().Set("Access-Control-Allow-Methods", "GET")
		w.Header().Set("Access-Control-Allow-Headers", "Authorization, Cache-Control, Last-Event-ID")
		w.Header().Set("Access-Control-Max-Age", "600")
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// allowOrigin refuses pages of sites that may not listen, and lets those of others read the answer.
func (s *Service) allowOrigin(w http.ResponseWriter, r *http.Request) error {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return nil
	}
	if len(s.options.Origins) == 0 {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		return nil
	}
	w.Header().Add("Vary", "Origin")
	if !slices.Contains(s.options.Origins, origin) {
		return problem.New(403, "origin-not-allowed", fmt.Sprintf("Pages of %q may not listen here.", origin))
	}
	w.Header().Set("Access-Control-Allow-Origin", origin)
	return nil
}

// admit checks what does not depend on how a request is answered, and reads its filter. others are
// the parameters that it may have besides.
func (s *Service) admit(r *http.Request, others ...string) (identity.Principal, url.Values, filter, error) {
	who, err := s.options.Authorize(r)
	if err != nil {
		return who, nil, filter{}, err
	}
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return who, nil, filter{}, problem.New(400, "invalid-query", "The query of the address cannot be read: "+err.Error()+".")
	}
	f, err := parseFilter(q, others...)
	if err != nil {
		return who, nil, filter{}, err
	}
	return who, q, f, s.admitting()
}

// writeProblem answers a request that was refused.
func (s *Service) writeProblem(w http.ResponseWriter, r *http.Request, err error) {
	var p problem.Problem
	if handshake, ok := errors.AsType[*websocket.HandshakeError](err); ok {
		p = problem.New(handshake.Status, "invalid-handshake", "This is no WebSocket handshake: "+handshake.Reason+".")
		if handshake.Status == http.StatusUpgradeRequired {
			w.Header().Set("Upgrade", "websocket")
			w.Header().Set("Sec-WebSocket-Version", "13")
		}
	} else {
		switch {
		case errors.As(err, &p):
		case errors.Is(err, errCursorExpired):
			p = problem.New(410, "cursor-expired", "The log no longer holds what comes after this cursor. Load the present state from /api/v1/spots and go on from its cursor.").WithField("after")
		case errors.Is(err, event.ErrCursor):
			p = problem.New(400, "invalid-cursor", "The parameter \"after\" must be a cursor as events carry it: "+err.Error()+".").WithField("after")
		case errors.Is(err, errGone), r.Context().Err() != nil:
			s.options.Logger.Debug("a client is gone before it was answered", "error", err)
			return
		default:
			s.options.Logger.Warn("a request cannot be answered", "path", r.URL.Path, "error", err)
			p = problem.New(503, "log-unavailable", "The event log cannot be read now. Try again in a moment.")
		}
	}
	if p.Status == http.StatusServiceUnavailable && w.Header().Get("Retry-After") == "" {
		w.Header().Set("Retry-After", "2")
	}
	identity.Challenge(w.Header(), p)
	problem.Write(w, r, p)
}

// whileRunning returns a context that ends with the request, and with the service.
func (s *Service) whileRunning(r *http.Request) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(r.Context())
	stop := context.AfterFunc(s.running, cancel)
	return ctx, func() { stop(); cancel() }
}
