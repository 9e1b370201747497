package parking

import (
	"net/http"

	"parkwire/internal/identity"
	"parkwire/internal/identity/access"
	"parkwire/internal/rest"
)

// endpoint serves one method of one path. Its error becomes a problem.
type endpoint func(w http.ResponseWriter, r *http.Request, by origin) (rest.Answer, error)

// route is an endpoint, and what a token must allow who calls it; "" where the gateway alone decides.
type route struct {
	scope string
	serve endpoint
}

// routes are all resources. Paths are as in [rest.Routes].
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
// a request, and leaves it to the gateway who may read; see [rest.Handler].
func (s *Service) Handler() http.Handler {
	routes := rest.Routes{}
	for path, methods := range s.routes() {
		routes[path] = map[string]rest.Route{}
		for method, to := range methods {
			routes[path][method] = s.route(to)
		}
	}
	return rest.Handler(routes, rest.Options{
		Inside: rest.Routes{access.FeedPath: {"GET": s.route(route{"", s.getFeed})}}, Unavailable: ErrUnavailable, Logger: s.logger, Tracer: s.options.Tracer,
	})
}

// route lets what is sent again under its key be done once.
func (s *Service) route(to route) rest.Route {
	return rest.Route{Scope: to.scope, Serve: func(w http.ResponseWriter, r *http.Request, caller rest.Caller) (rest.Answer, error) {
		by := origin{Caller: caller}
		if hasKey(r) {
			return s.once(w, r, by, to.serve)
		}
		return to.serve(w, r, by)
	}}
}
