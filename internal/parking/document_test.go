package parking

import (
	"testing"

	"parkwire/internal/rest"
	"parkwire/internal/rest/resttest"
)

// What api/openapi.yaml says of lots, spots, observations and the like is what is served, with the same scopes.
func TestTheDocumentAndTheRoutesAreTheSame(t *testing.T) {
	s, routes := &Service{}, rest.Routes{}
	for path, methods := range s.routes() {
		routes[path] = map[string]rest.Route{}
		for method, to := range methods {
			routes[path][method] = s.route(to)
		}
	}
	resttest.Documented(t, rest.Prefix, routes, "lots", "zones", "spots", "actions", "observations", "sensors", "access")
}
