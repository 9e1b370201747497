// Package resttest is what tests of REST interfaces have in common.
package resttest

import (
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"parkwire/api"
	"parkwire/internal/rest"
)

// Documented makes sure that what api/openapi.yaml says of the operations with one of the tags is what is served, with the same scopes.
// The paths of routes stand behind prefix. A route with the scope "" is described as all that may be public: by no security of its own.
func Documented(t *testing.T, prefix string, routes rest.Routes, tags ...string) {
	t.Helper()
	type operation struct {
		Tags     []string              `yaml:"tags"`
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
		for method, o := range map[string]*operation{
			"GET": methods.Get, "POST": methods.Post, "PUT": methods.Put, "PATCH": methods.Patch, "DELETE": methods.Delete,
		} {
			if o == nil || !slices.ContainsFunc(o.Tags, func(tag string) bool { return slices.Contains(tags, tag) }) {
				continue
			}
			scope := ""
			for _, way := range o.Security {
				if bearer := way["bearer"]; len(bearer) > 0 {
					scope = strings.Join(bearer, " ")
				}
			}
			documented = append(documented, method+" "+path+" "+scope)
		}
	}
	for path, methods := range routes {
		for method, route := range methods {
			served = append(served, method+" "+prefix+path+" "+route.Scope)
		}
	}
	for _, one := range documented {
		if !slices.Contains(served, one) {
			t.Errorf("it is described and not served so: %s", one)
		}
	}
	for _, one := range served {
		if !slices.Contains(documented, one) {
			t.Errorf("it is served and not described so: %s", one)
		}
	}
	if len(served) == 0 {
		t.Error("there are no routes")
	}
}
