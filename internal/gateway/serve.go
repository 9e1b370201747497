package gateway

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strconv"
	"time"

	"parkwire/internal/identity"
	"parkwire/internal/limit"
	"parkwire/internal/problem"
	"parkwire/internal/trace"
)

// serve is the way of every request, from top to bottom.
func (g *Gateway) serve(w http.ResponseWriter, r *http.Request) {
	r = problem.Identify(r) // a copy but for the header, which is the gateway's to change from here on
	x := &exchange{ResponseWriter: w, began: time.Now(), resource: g.lookup(r), client: identity.ClientAddress(r, g.options.TrustedProxies), strict: isStrict(r)}
	x.Header().Set(problem.HeaderRequestID, problem.RequestID(r.Context()))
	x.span, r = g.begin(x, r)
	defer g.end(x, r)

	handler, release, err := g.admit(x, r)
	if err != nil {
		p := problem.From(err)
		identity.Challenge(x.Header(), p)
		problem.Write(x, r, p)
		return
	}
	defer release()
	handler.ServeHTTP(x, r)
	if isStream(r) && (x.status == http.StatusBadRequest || x.status == http.StatusUpgradeRequired) {
		g.mistakes.Take(r.Context(), limit.KeyOf(x.subject, x.client))
	}
	if x.status == 0 && !x.taken {
		x.WriteHeader(http.StatusOK)
	}
}

// begin begins the span of a request, if it is to be followed, and has those behind follow what is followed here alone. Streams are not followed: they
// have no end.
func (g *Gateway) begin(x *exchange, r *http.Request) (*trace.Span, *http.Request) {
	said := r.Header.Get(headerTraceparent)
	if !x.resource.api || isStream(r) {
		tell(r.Header, trace.Unfollowed(said))
		return nil, r
	}
	span, onward := g.options.Tracer.Enter(said, methodLabel(r.Method), x.resource.pattern, trace.Server)
	tell(r.Header, onward)
	if span == nil {
		return nil, r
	}
	span.Set("http.request.method", r.Method, "http.route", x.resource.pattern, "parkwire.request_id", problem.RequestID(r.Context()))
	return span, r.WithContext(span.In(r.Context()))
}

func tell(h http.Header, traceparent string) {
	if traceparent == "" {
		h.Del(headerTraceparent)
		return
	}
	h.Set(headerTraceparent, traceparent)
}

// admit decides who serves a request, and makes it one that parts can trust.
func (g *Gateway) admit(x *exchange, r *http.Request) (handler http.Handler, release func(), err error) {
	if g.hosts != nil && !g.hosts[hostName(r.Host)] {
		return nil, nil, problem.New(http.StatusMisdirectedRequest, "host-not-served", "The platform is not served under the name by which this request calls it.")
	}
	if x.resource.api {
		g.cors.allow(x.Header(), r, x.resource.allow)
	}
	principal, refused := g.options.Authenticator.Authenticate(r)
	x.subject = principal.Subject
	if wait := g.count(r, principal, refused, x.client); wait > 0 {
		g.metrics.rateLimited.Inc()
		g.delay(r.Context())
		x.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
		return nil, nil, problem.New(http.StatusTooManyRequests, "rate-limited",
			"You make more requests than one client may. Wait as long as Retry-After says, and send several things in one request where that is possible.")
	}
	e, err := x.resource.endpoint(x.Header(), r.Method)
	if err != nil {
		return nil, nil, err
	}
	if refused != nil {
		return nil, nil, identity.Refused(refused)
	}
	scope := e.scope
	if scope == identity.ScopeRead && g.options.ReadPublic {
		scope = ""
	}
	if err := identity.Authorize(principal, scope); err != nil {
		return nil, nil, err
	}
	if _, keyed := r.Header[headerKey]; keyed && !e.keys && takesKeys(r.Method) {
		return nil, nil, problem.New(http.StatusBadRequest, "idempotency-key-not-kept",
			"Nothing is remembered here under an Idempotency-Key: sent again, this would be done again. Send it without the header, and look what there is where no answer came.").WithField(headerKey)
	}
	if release, err = g.takeBody(x, r); err != nil {
		return nil, nil, err
	}
	if x.client.IsValid() {
		r.Header.Set(identity.HeaderForwardedFor, x.client.String())
	}
	identity.Forward(r.Header, principal)
	return e.handler, release, nil
}

// count counts a request and returns for how long its client must wait. Bad tokens count too, lest they be guessed. To listen does
// not: behind one address there may be thousands of clients that come back at once after a crash, and
// no page could read the refusal. How many handshakes there may be is for the live instances to say. Who has asked for many
// streams that cannot be, such as with a filter that is none, is counted as for anything else. So is who opens a stream of alerts: that is one
// subject's, and costs a look into the database.
func (g *Gateway) count(r *http.Request, principal identity.Principal, refused error, client netip.Addr) time.Duration {
	key := limit.KeyOf(principal.Subject, client)
	listens := isStream(r) && r.URL.Path != identity.AlertsPath
	if g.options.Limiter == nil || listens && refused == nil && g.mistakes.Wait(key) == 0 {
		return 0
	}
	return g.options.Limiter.Take(r.Context(), key)
}

// delay lets a refusal wait.
func (g *Gateway) delay(ctx context.Context) {
	select {
	case g.delayed <- struct{}{}:
		defer func() { <-g.delayed }()
	default:
		return
	}
	timer := time.NewTimer(g.options.RefusalDelay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// end says what became of a request. A panic becomes a 500, or, where an answer was begun already, cuts the
// connection, so that half an answer is never taken for a whole one.
func (g *Gateway) end(x *exchange, r *http.Request) {
	cause := recover()
	if cause != nil {
		if err, ok := cause.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
			g.options.Logger.ErrorContext(r.Context(), "a request made the program panic", "requestId", problem.RequestID(r.Context()),
				"method", r.Method, "path", r.URL.EscapedPath(), "panic", cause, "stack", string(debug.Stack()))
			if x.status == 0 && !x.taken {
				cause = nil
				problem.Write(x, r, problem.From(errors.New("panic")))
			}
		}
		x.aborted = cause != nil
	}
	g.record(x, r)
	if x.span != nil {
		x.span.Set("http.response.status_code", x.status)
		if x.status >= 500 || x.aborted {
			x.span.Fail(errors.New(x.class()))
		}
		x.span.End()
	}
	if cause != nil {
		panic(http.ErrAbortHandler)
	}
}

func (g *Gateway) record(x *exchange, r *http.Request) {
	class := x.class()
	g.metrics.requests.WithLabelValues(x.resource.pattern, methodLabel(r.Method), class).Inc()
	if !x.answered.IsZero() && !x.taken {
		x.resource.latency.Observe(x.answered.Sub(x.began).Seconds())
	}
	level := slog.LevelDebug // sensors write all day; what they changed is in the event log
	switch {
	case x.status == http.StatusTooManyRequests && g.refusals.Take(r.Context(), limit.KeyOf(x.subject, x.client)) > 0: // a flood must not become one of the log
	case x.status >= 400, x.aborted && !isStream(r): // a stream has no other end
		level = slog.LevelInfo
	}
	if !g.options.Logger.Enabled(r.Context(), level) {
		return
	}
	// The path without its query, which may carry a token.
	g.options.Logger.LogAttrs(r.Context(), level, "request",
		slog.String("method", r.Method[:min(len(r.Method), 20)]), slog.String("path", r.URL.EscapedPath()), slog.Int("status", x.status), slog.String("outcome", class),
		slog.Int64("bytes", x.bytes), slog.Duration("duration", time.Since(x.began)), slog.String("client", x.client.String()),
		slog.String("subject", x.subject), slog.String("requestId", problem.RequestID(r.Context())))
}
