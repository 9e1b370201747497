package gateway

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"parkwire/internal/identity"
	"parkwire/internal/problem"
)

// A destination is who serves a route.
type destination int

const (
	toParking destination = iota
	toLive
	toHistory
	toAudit
	toAlerts
	toDashboard
	toDescription // of the interfaces, served by the gateway
	toPages       // that show the same to people, served by the gateway too
	toIdentity    // who asks, served by the gateway
)

// A route is one row of the table: who may do what, and who does it. GET includes HEAD.
type route struct {
	method  string
	pattern string // of [http.ServeMux], without method
	scope   string // "" for everybody
	to      destination
}

// routes is everything that the platform serves. api/openapi.yaml describes the same, and a test
// compares them.
var routes = []route{
	{"GET", "/api/v1/lots", identity.ScopeRead, toParking},
	{"POST", "/api/v1/lots", identity.ScopeOperate, toParking},
	{"GET", "/api/v1/lots/{lotId}", identity.ScopeRead, toParking},
	{"PATCH", "/api/v1/lots/{lotId}", identity.ScopeOperate, toParking},
	{"DELETE", "/api/v1/lots/{lotId}", identity.ScopeOperate, toParking},
	{"GET", "/api/v1/lots/{lotId}/summary", identity.ScopeRead, toParking},
	{"GET", "/api/v1/lots/{lotId}/zones", identity.ScopeRead, toParking},
	{"POST", "/api/v1/lots/{lotId}/zones", identity.ScopeOperate, toParking},
	{"GET", "/api/v1/lots/{lotId}/zones/{zoneId}", identity.ScopeRead, toParking},
	{"PATCH", "/api/v1/lots/{lotId}/zones/{zoneId}", identity.ScopeOperate, toParking},
	{"DELETE", "/api/v1/lots/{lotId}/zones/{zoneId}", identity.ScopeOperate, toParking},
	{"GET", "/api/v1/lots/{lotId}/spots", identity.ScopeRead, toParking},
	{"POST", "/api/v1/lots/{lotId}/spots", identity.ScopeOperate, toParking},
	{"POST", "/api/v1/lots/{lotId}/spots:import", identity.ScopeOperate, toParking},
	{"GET", "/api/v1/spots", identity.ScopeRead, toParking},
	{"GET", "/api/v1/spots/{spotId}", identity.ScopeRead, toParking},
	{"PATCH", "/api/v1/spots/{spotId}", identity.ScopeOperate, toParking},
	{"DELETE", "/api/v1/spots/{spotId}", identity.ScopeOperate, toParking},
	{"POST", "/api/v1/spots/{spotId}/occupy", identity.ScopeOperate, toParking},
	{"POST", "/api/v1/spots/{spotId}/release", identity.ScopeOperate, toParking},
	{"POST", "/api/v1/spots/{spotId}/close", identity.ScopeOperate, toParking},
	{"POST", "/api/v1/spots/{spotId}/reopen", identity.ScopeOperate, toParking},
	{"POST", "/api/v1/spots/{spotId}/fault", identity.ScopeOperate, toParking},
	{"POST", "/api/v1/spots/{spotId}/repair", identity.ScopeOperate, toParking},
	{"PUT", "/api/v1/spots/{spotId}/reservation", identity.ScopeOperate, toParking},
	{"DELETE", "/api/v1/spots/{spotId}/reservation", identity.ScopeOperate, toParking},
	{"GET", "/api/v1/spots/{spotId}/history", identity.ScopeRead, toParking},
	{"POST", "/api/v1/observations", identity.ScopeIngest, toParking},
	{"POST", "/api/v1/ingest/ttn", identity.ScopeIngest, toParking},
	{"POST", "/api/v1/ingest/chirpstack", identity.ScopeIngest, toParking},
	{"GET", "/api/v1/sensors", identity.ScopeOperate, toParking},
	{"POST", "/api/v1/sensors", identity.ScopeOperate, toParking},
	{"GET", "/api/v1/sensors/{sensorId}", identity.ScopeOperate, toParking},
	{"PATCH", "/api/v1/sensors/{sensorId}", identity.ScopeOperate, toParking},
	{"DELETE", "/api/v1/sensors/{sensorId}", identity.ScopeOperate, toParking},
	{"GET", "/api/v1/keys", identity.ScopeAdmin, toParking},
	{"POST", "/api/v1/keys", identity.ScopeAdmin, toParking},
	{"GET", "/api/v1/keys/{keyId}", identity.ScopeAdmin, toParking},
	{"DELETE", "/api/v1/keys/{keyId}", identity.ScopeAdmin, toParking},
	{"POST", "/api/v1/keys/{keyId}/rotate", identity.ScopeAdmin, toParking},
	{"GET", "/api/v1/revocations", identity.ScopeAdmin, toParking},
	{"POST", "/api/v1/revocations", identity.ScopeAdmin, toParking},
	{"GET", "/api/v1/revocations/{revocationId}", identity.ScopeAdmin, toParking},
	{"GET", "/api/v1/lots/{lotId}/metrics", identity.ScopeRead, toHistory},
	{"GET", "/api/v1/lots/{lotId}/heatmap", identity.ScopeRead, toHistory},
	{"GET", "/api/v1/lots/{lotId}/stays", identity.ScopeRead, toHistory},
	{"GET", "/api/v1/spots/{spotId}/stays", identity.ScopeRead, toHistory},
	{"GET", "/api/v1/spots/{spotId}/intervals", identity.ScopeRead, toHistory},
	{"GET", "/feeds/signs/lots/{lotId}", identity.ScopeRead, toHistory},
	{"GET", "/feeds/signs/lots/{lotId}/zones/{zoneId}", identity.ScopeRead, toHistory},
	{"GET", "/feeds/ngsi-ld/v1/entities", identity.ScopeRead, toHistory},
	{"GET", "/feeds/ngsi-ld/v1/entities/{entityId}", identity.ScopeRead, toHistory},
	{"GET", "/feeds/parkapi/v3/parking-sites", identity.ScopeRead, toHistory},
	{"GET", "/feeds/parkapi/v3/parking-spots", identity.ScopeRead, toHistory},
	{"GET", "/feeds/cds/lots/{lotId}/events/events", identity.ScopeRead, toHistory},
	{"GET", "/feeds/cds/lots/{lotId}/events/status", identity.ScopeRead, toHistory},
	{"GET", "/feeds/cds/lots/{lotId}/metrics/sessions", identity.ScopeRead, toHistory},
	{"GET", "/feeds/cds/lots/{lotId}/metrics/aggregates", identity.ScopeRead, toHistory},
	{"GET", "/api/v1/audit", identity.ScopeAdmin, toAudit},
	{"GET", "/api/v1/audit/head", identity.ScopeAdmin, toAudit},
	{"GET", "/api/v1/audit/{sequence}", identity.ScopeAdmin, toAudit},
	{"GET", "/api/v1/alerts/rules", identity.ScopeRead, toAlerts},
	{"POST", "/api/v1/alerts/rules", identity.ScopeRead, toAlerts},
	{"GET", "/api/v1/alerts/rules/{ruleId}", identity.ScopeRead, toAlerts},
	{"PATCH", "/api/v1/alerts/rules/{ruleId}", identity.ScopeRead, toAlerts},
	{"DELETE", "/api/v1/alerts/rules/{ruleId}", identity.ScopeRead, toAlerts},
	{"GET", "/api/v1/alerts/channels", identity.ScopeRead, toAlerts},
	{"POST", "/api/v1/alerts/channels", identity.ScopeRead, toAlerts},
	{"GET", "/api/v1/alerts/channels/{channelId}", identity.ScopeRead, toAlerts},
	{"PATCH", "/api/v1/alerts/channels/{channelId}", identity.ScopeRead, toAlerts},
	{"DELETE", "/api/v1/alerts/channels/{channelId}", identity.ScopeRead, toAlerts},
	{"POST", "/api/v1/alerts/channels/{channelId}/test", identity.ScopeRead, toAlerts},
	{"POST", "/api/v1/alerts/channels/{channelId}/rotate", identity.ScopeRead, toAlerts},
	{"POST", "/api/v1/alerts/channels/{channelId}/confirm", identity.ScopeRead, toAlerts},
	{"GET", "/api/v1/alerts/decisions", identity.ScopeRead, toAlerts},
	{"GET", "/api/v1/alerts/deliveries", identity.ScopeRead, toAlerts},
	{"GET", "/api/v1/alerts/push-key", identity.ScopeRead, toAlerts},
	{"GET", identity.AlertsPath, identity.ScopeRead, toAlerts},
	{"GET", "/api/v1/events", identity.ScopeRead, toLive},
	{"GET", identity.NotificationsPath, identity.ScopeRead, toLive},
	{"GET", "/api/v1/identity", "", toIdentity},
	{"GET", "/api/openapi.yaml", "", toDescription},
	{"GET", "/api/asyncapi.yaml", "", toDescription},
	{"GET", "/docs", "", toPages},
	{"GET", "/docs/rest", "", toPages},
	{"GET", "/docs/events", "", toPages},
	{"GET", "/docs/style.css", "", toPages},
	{"GET", "/", "", toDashboard},
}

// A resource is what one pattern of the table matches. The zero methods make it one that does not exist.
type resource struct {
	pattern string
	methods map[string]*endpoint
	allow   string // the header of that name
	api     bool   // for programs rather than for people
	latency prometheus.Observer
}

type endpoint struct {
	scope   string
	keys    bool // what is sent again under the same Idempotency-Key is done once
	handler http.Handler
}

// lookup finds the resource of a request.
func (g *Gateway) lookup(r *http.Request) *resource {
	handler, _ := g.mux.Handler(r)
	if found, ok := handler.(*resource); ok {
		return found
	}
	return g.unknown // a path that is written in a way that the mux would redirect from, such as with "//"
}

// endpoint returns what the method does to the resource, or why it does nothing.
func (r *resource) endpoint(h http.Header, method string) (*endpoint, error) {
	if r.methods == nil {
		return nil, problem.New(http.StatusNotFound, "route-not-found", "There is nothing at this address. /api/openapi.yaml lists what there is.")
	}
	e := r.methods[method]
	if e == nil {
		h.Set("Allow", r.allow)
		return nil, problem.New(http.StatusMethodNotAllowed, "method-not-allowed", fmt.Sprintf("The method %q is not known here. Known are %s.", method[:min(len(method), 20)], r.allow))
	}
	return e, nil
}

// ServeHTTP is never called: the mux is only asked which resource a path belongs to.
func (*resource) ServeHTTP(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }

// tabulate makes the resources of the table, and those under which everything else falls.
func tabulate(rows []route, handler func(route) http.Handler) map[string]*resource {
	resources := map[string]*resource{}
	for _, row := range rows {
		known := resources[row.pattern]
		if known == nil {
			known = &resource{pattern: row.pattern, methods: map[string]*endpoint{}, api: row.to != toDashboard && row.to != toPages}
			resources[row.pattern] = known
		}
		e := &endpoint{scope: row.scope, keys: row.to == toParking, handler: handler(row)}
		known.methods[row.method] = e
		if row.method == http.MethodGet {
			known.methods[http.MethodHead] = e
		}
	}
	for _, r := range resources {
		r.methods[http.MethodOptions] = &endpoint{handler: options(r)}
		r.allow = strings.Join(slices.Sorted(maps.Keys(r.methods)), ", ")
	}
	for _, unknown := range []string{"/api", "/api/", "/feeds", "/feeds/"} {
		resources[unknown] = &resource{pattern: unknown, api: true}
	}
	return resources
}

// options answers what may be done with a resource. What pages of other sites ask in advance was answered by
// the headers that are set already.
func options(r *resource) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Allow", r.allow)
		w.WriteHeader(http.StatusNoContent)
	})
}
