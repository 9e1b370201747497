// Package rest is what the REST interfaces of all services have in common: routes with their scopes and the lots of a token, parameters,
// pages, strict JSON bodies, answers, and problems that say what is wrong and what would be right.
package rest

import (
	"cmp"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"parkwire/internal/identity"
	"parkwire/internal/problem"
	"parkwire/internal/trace"
)

// Prefix is what paths of [Routes] stand behind, unless [Options] say otherwise.
const Prefix = "/api/v1"

// Caller is who makes a request, and by which.
type Caller struct {
	Who         identity.Principal
	Request     Request
	Traceparent string // W3C trace context; "" where there is none that is well formed
}

// Request is what is told of the request that made a change.
type Request struct {
	Client    string `json:"client,omitempty"` // address
	Method    string `json:"method"`
	Route     string `json:"route"`
	RequestID string `json:"requestId"`
}

// Endpoint serves one method of one path. Its error becomes a problem.
type Endpoint func(w http.ResponseWriter, r *http.Request, by Caller) (Answer, error)

// Route is an endpoint, and what a token must allow who calls it; "" where the gateway alone decides, as it does for reading, which may be
// public.
type Route struct {
	Scope string
	Serve Endpoint
}

// Routes are resources, by path as in [http.ServeMux] without its prefix, and by method. A path with {lotId} is for those alone whose token
// reaches the lot; other lots than that an endpoint has to look at itself, see [identity.AuthorizeLot]. What needs the scope admin is for
// tokens that are not limited to lots.
type Routes map[string]map[string]Route

// Options configure [Handler].
type Options struct {
	Prefix string // of the routes; "": that of the same name
	// Inside are routes with no prefix, for other parts of the platform: no gateway lets clients reach them.
	Inside Routes
	// Unavailable is in the chain of errors that come from a database that does not answer. They are answered with 503.
	Unavailable error
	Logger      *slog.Logger
	Tracer      *trace.Tracer // nil: no traces
}

// Handler serves the routes. It trusts the headers by which a gateway says who makes a request, see [identity.Behind]. Requests have
// their ids already.
func Handler(routes Routes, o Options) http.Handler {
	s := server{unavailable: o.Unavailable, logger: cmp.Or(o.Logger, slog.Default()), tracer: o.Tracer}
	mux := http.NewServeMux()
	s.add(mux, cmp.Or(o.Prefix, Prefix), routes)
	s.add(mux, "", o.Inside)
	mux.Handle("/", s.handle(Route{Serve: func(_ http.ResponseWriter, r *http.Request, _ Caller) (Answer, error) {
		return Answer{}, RouteNotFound(r.URL.Path)
	}}, nil))
	return mux
}

// add registers each path once, whatever its methods: "/audit/head" may stand beside "/audit/{sequence}" only where neither pattern names a method.
func (s server) add(mux *http.ServeMux, prefix string, routes Routes) {
	for path, methods := range routes {
		ids := wildcards(path)
		handlers := map[string]http.Handler{}
		for method, route := range methods {
			handlers[method] = s.handle(route, ids)
		}
		if get, ok := handlers["GET"]; ok {
			handlers["HEAD"] = get
		}
		refuse := s.refuseMethod(slices.Sorted(maps.Keys(methods)), ids)
		mux.HandleFunc(prefix+path, func(w http.ResponseWriter, r *http.Request) {
			if handler, ok := handlers[r.Method]; ok {
				handler.ServeHTTP(w, r)
				return
			}
			refuse.ServeHTTP(w, r)
		})
	}
}

// wildcards are the names in the braces of a path.
func wildcards(path string) (names []string) {
	for segment := range strings.SplitSeq(path, "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			names = append(names, strings.TrimSuffix(name, "}"))
		}
	}
	return names
}

type server struct {
	unavailable error
	logger      *slog.Logger
	tracer      *trace.Tracer
}

func (s server) refuseMethod(allowed, ids []string) http.Handler {
	if slices.Contains(allowed, "GET") {
		allowed = append(allowed, "HEAD")
	}
	return s.handle(Route{Serve: func(w http.ResponseWriter, r *http.Request, _ Caller) (Answer, error) {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		return Answer{}, MethodNotAllowed(r.Method, r.URL.Path, allowed)
	}}, ids)
}

func (s server) handle(to Route, ids []string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		span := s.begin(r)
		if span != nil {
			defer span.End()
			r = r.WithContext(span.In(r.Context()))
		}
		a, err := s.serve(w, r, to, ids)
		switch {
		case err == nil && a.Stream != nil:
			s.stream(w, r, a)
		case err == nil:
			err = a.write(w, r)
		}
		if err != nil {
			s.fail(w, r, err)
		}
	})
}

// begin begins the span of a request, where the gateway says that it is followed.
func (s server) begin(r *http.Request) *trace.Span {
	traceparent := r.Header.Get(trace.Header)
	if s.tracer == nil || !trace.Followed(traceparent) {
		return nil
	}
	return s.tracer.Begin(traceparent, r.Method+" "+r.Pattern, trace.Server, time.Time{})
}

func (s server) serve(w http.ResponseWriter, r *http.Request, to Route, ids []string) (Answer, error) {
	who, err := identity.Behind{}.Authenticate(r)
	if err != nil {
		return Answer{}, identity.Refused(err)
	}
	if err := identity.Authorize(who, to.Scope); err != nil {
		return Answer{}, err
	}
	if to.Scope == identity.ScopeAdmin && who.Lots != nil {
		return Answer{}, allLotsNeeded()
	}
	for _, name := range ids {
		if !ValidID(r.PathValue(name)) {
			return Answer{}, RouteNotFound(r.URL.Path) // and no store needs to hear of it
		}
	}
	if id := r.PathValue("lotId"); id != "" {
		if err := identity.AuthorizeLot(who, id); err != nil {
			return Answer{}, err
		}
	}
	return to.Serve(w, r, Caller{Who: who, Request: requestOf(r), Traceparent: Traceparent(r)})
}

func (s server) fail(w http.ResponseWriter, r *http.Request, err error) {
	p, internal := ProblemOf(err, s.unavailable)
	if internal {
		trace.Of(r.Context()).Fail(err)
		s.logger.ErrorContext(r.Context(), "a request failed", "method", r.Method, "path", r.URL.Path, "request", problem.RequestID(r.Context()), "error", err)
	}
	if p.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "2")
	}
	identity.Challenge(w.Header(), p)
	problem.Write(w, r, p)
}

func requestOf(r *http.Request) Request {
	q := Request{Method: r.Method, Route: r.Pattern, RequestID: problem.RequestID(r.Context())}
	if client := (identity.Behind{}).Client(r); client.IsValid() {
		q.Client = client.String()
	}
	return q
}

// Traceparent returns the trace of the request as those are told who come behind it: that of its span where it is followed, and else what its
// header says; "" where that is none.
func Traceparent(r *http.Request) string {
	said := r.Header.Get(trace.Header)
	if !trace.Valid(said) {
		return ""
	}
	return trace.Of(r.Context()).Onward(said)
}
