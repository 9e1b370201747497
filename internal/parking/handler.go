package parking

import (
	"encoding/json"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"

	"parkwire/internal/identity"
	"parkwire/internal/identity/access"
	"parkwire/internal/problem"
)

// answer is what a handler has to say when nothing is wrong.
type answer struct {
	status   int
	location string // header Location, where something was made
	etag     string // header ETag, of one spot, lot or zone
	body     any    // nil: none
	once     any    // is answered in its place, and not kept for who repeats the request
	replayed bool   // it was given before, to a request under the same key

	stream func(io.Writer) error // writes a body of another kind, however long, in the place of the body above
	kind   string                // its media type
	file   string                // the name under which it may be kept
}

// endpoint serves one method of one path. Its error becomes a problem.
type endpoint func(w http.ResponseWriter, r *http.Request, by origin) (answer, error)

// route is an endpoint, and what a token must allow who calls it; "" where the gateway alone decides.
type route struct {
	scope string
	serve endpoint
}

// routes are all resources. Paths are as in [http.ServeMux].
func (s *Service) routes() map[string]map[string]route {
	const operate, admin = identity.ScopeOperate, identity.ScopeAdmin
	paths := map[string]map[string]route{
		"/lots":                        {"GET": {"", s.getLots}, "POST": {operate, s.postLot}},
		"/lots/{lotId}":                {"GET": {"", s.getLot}, "PATCH": {operate, s.patchLot}, "DELETE": {operate, s.deleteLot}},
		"/lots/{lotId}/summary":        {"GET": {"", s.getSummary}},
		"/lots/{lotId}/zones":          {"GET": {"", s.getZones}, "POST": {operate, s.postZone}},
		"/lots/{lotId}/zones/{zoneId}": {"GET": {"", s.getZone}, "PATCH": {operate, s.patchZone}, "DELETE": {operate, s.deleteZone}},
		"/lots/{lotId}/spots":          {"GET": {"", s.getLotSpots}, "POST": {operate, s.postSpots}},
		"/lots/{lotId}/spots:import":   {"POST": {operate, s.postImport}},
		"/spots":                       {"GET": {"", s.getSpots}},
		"/spots/{spotId}":              {"GET": {"", s.getSpot}, "PATCH": {operate, s.patchSpot}, "DELETE": {operate, s.deleteSpot}},
		"/spots/{spotId}/history":      {"GET": {"", s.getHistory}},
		"/spots/{spotId}/reservation":  {"PUT": {operate, s.putReservation}, "DELETE": {operate, s.deleteReservation}},
		"/observations":                {"POST": {identity.ScopeIngest, s.postObservations}},
		"/ingest/ttn":                  {"POST": {identity.ScopeIngest, s.postTheThingsStack}},
		"/ingest/chirpstack":           {"POST": {identity.ScopeIngest, s.postChirpStack}},
		"/sensors":                     {"GET": {operate, s.getSensors}, "POST": {operate, s.postSensor}},
		"/sensors/{sensorId}":          {"GET": {operate, s.getSensor}, "PATCH": {operate, s.patchSensor}, "DELETE": {operate, s.deleteSensor}},
		"/keys":                        {"GET": {admin, s.getKeys}, "POST": {admin, s.postKey}},
		"/keys/{keyId}":                {"GET": {admin, s.getKey}, "DELETE": {admin, s.deleteKey}},
		"/keys/{keyId}/rotate":         {"POST": {admin, s.rotateKey}},
		"/revocations":                 {"GET": {admin, s.getRevocations}, "POST": {admin, s.postRevocation}},
		"/revocations/{revocationId}":  {"GET": {admin, s.getRevocation}},
	}
	for name, act := range actions {
		paths["/spots/{spotId}/"+name] = map[string]route{"POST": {operate, s.postAction(act)}}
	}
	return paths
}

// Handler serves everything under /api/v1 but the events. It trusts the headers by which a gateway says who makes
// a request, see [identity.Behind], and leaves it to the gateway who may read. Requests have their ids already.
func (s *Service) Handler() http.Handler {
	mux := http.NewServeMux()
	for path, methods := range s.routes() {
		for method, route := range methods {
			mux.Handle(method+" /api/v1"+path, s.handle(route))
		}
		mux.Handle("/api/v1"+path, s.refuseMethod(slices.Sorted(maps.Keys(methods))))
	}
	mux.Handle("GET "+access.FeedPath, s.handle(route{"", s.getFeed})) // no gateway routes anybody there
	mux.Handle("/", s.handle(route{serve: func(_ http.ResponseWriter, r *http.Request, _ origin) (answer, error) {
		return answer{}, routeNotFound(r.URL.Path)
	}}))
	return mux
}

func (s *Service) refuseMethod(allowed []string) http.Handler {
	if slices.Contains(allowed, "GET") {
		allowed = append(allowed, "HEAD")
	}
	return s.handle(route{serve: func(w http.ResponseWriter, r *http.Request, _ origin) (answer, error) {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		return answer{}, methodNotAllowed(r.Method, r.URL.Path, allowed)
	}})
}

func (s *Service) handle(to route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, err := s.serve(w, r, to)
		switch {
		case err == nil && a.stream != nil:
			s.stream(w, r, a)
		case err == nil:
			err = a.write(w)
		}
		if err != nil {
			s.fail(w, r, err)
		}
	})
}

func (s *Service) serve(w http.ResponseWriter, r *http.Request, to route) (answer, error) {
	who, err := identity.Behind{}.Authenticate(r)
	if err != nil {
		return answer{}, identity.Refused(err)
	}
	if err := identity.Authorize(who, to.scope); err != nil {
		return answer{}, err
	}
	if to.scope == identity.ScopeAdmin && who.Lots != nil {
		return answer{}, accessForLots()
	}
	for _, name := range []string{"lotId", "zoneId", "spotId", "sensorId", "keyId", "revocationId"} {
		if id := r.PathValue(name); id != "" && !validID(id) {
			return answer{}, routeNotFound(r.URL.Path) // and no store needs to hear of it
		}
	}
	if id := r.PathValue("lotId"); id != "" {
		if err := identity.AuthorizeLot(who, id); err != nil {
			return answer{}, err
		}
	}
	by := origin{who: who, request: requestOf(r), traceparent: traceparent(r)}
	if hasKey(r) {
		return s.once(w, r, by, to.serve)
	}
	return to.serve(w, r, by)
}

// encode returns the body in JSON; nil where there is none.
func (a answer) encode() ([]byte, error) {
	if a.body == nil {
		return nil, nil
	}
	return json.Marshal(a.body)
}

// write answers. Where the answer cannot be encoded nothing was written.
func (a answer) write(w http.ResponseWriter) error {
	if a.once != nil {
		a.body = a.once
	}
	body, err := a.encode()
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	if a.location != "" {
		h.Set("Location", a.location)
	}
	if a.etag != "" {
		h.Set("ETag", a.etag)
	}
	if a.replayed {
		h.Set(headerReplayed, "true")
	}
	if body == nil {
		w.WriteHeader(a.status)
		return nil
	}
	h.Set("Content-Type", "application/json")
	w.WriteHeader(a.status)
	_, _ = w.Write(append(body, '\n')) // a client that is gone needs no answer
	return nil
}

// stream writes an answer that is not held in memory. Where that fails in the middle the connection is cut off, so that half
// an answer is not taken for a whole one.
func (s *Service) stream(w http.ResponseWriter, r *http.Request, a answer) {
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Accept")
	h.Set("Content-Type", a.kind)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": a.file}))
	w.WriteHeader(a.status)
	if r.Method == http.MethodHead {
		return
	}
	if err := a.stream(w); err != nil {
		if r.Context().Err() == nil {
			s.logger.Warn("an answer broke off", "path", r.URL.Path, "request", problem.RequestID(r.Context()), "error", err)
		}
		panic(http.ErrAbortHandler)
	}
}

func (s *Service) fail(w http.ResponseWriter, r *http.Request, err error) {
	p, internal := problemOf(err)
	if internal {
		s.logger.Error("a request failed", "method", r.Method, "path", r.URL.Path, "request", problem.RequestID(r.Context()), "error", err)
	}
	if p.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "2")
	}
	identity.Challenge(w.Header(), p)
	problem.Write(w, r, p)
}

// traceparent returns the W3C trace context of the request, or "" where there is none that is well formed.
func traceparent(r *http.Request) string {
	t := r.Header.Get("Traceparent")
	for i, c := range []byte(t) {
		dash := i == 2 || i == 35 || i == 52
		if dash != (c == '-') || !dash && !strings.ContainsRune("0123456789abcdef", rune(c)) {
			return ""
		}
	}
	if len(t) != 55 {
		return ""
	}
	return t
}
