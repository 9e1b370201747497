package parking

import (
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"parkwire/api"
)

// What api/openapi.yaml says of lots, spots and observations is what is served, with the same scopes.
func TestTheDocumentAndTheRoutesAreTheSame(t *testing.T) {
	type operation struct {
		Security []map[string][]string `yaml:"security"`
	}
	var document struct {
		Paths map[string]struct {
			Get, Post, Put, Patch, Delete *operation
		} `yaml:"paths"`
	}
	if err := yaml.Unmarshal([]byte(api.OpenAPI), &document); err != nil {
		t.Fatal(err)
	}
	var documented, served []string
	for path, methods := range document.Paths {
		path, ours := strings.CutPrefix(path, "/api/v1")
		if !ours || path == "/events" || path == "/identity" { // which live and the gateway serve
			continue
		}
		for method, o := range map[string]*operation{
			"GET": methods.Get, "POST": methods.Post, "PUT": methods.Put, "PATCH": methods.Patch, "DELETE": methods.Delete,
		} {
			if o == nil {
				continue
			}
			scope := ""
			for _, s := range o.Security {
				scope = strings.Join(s["bearer"], " ")
			}
			documented = append(documented, method+" "+path+" "+scope)
		}
	}
	for path, methods := range (&Service{}).routes() {
		for method, r := range methods {
			served = append(served, method+" "+path+" "+r.scope)
		}
	}
	slices.Sort(documented)
	slices.Sort(served)
	if !slices.Equal(documented, served) {
		t.Errorf("documented: %q\nserved: %q", documented, served)
	}
}
