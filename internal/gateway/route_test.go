package gateway

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"parkwire/api"
)

// The table of routes and the description of the REST interface say the same, scopes included.
func TestTheTableAndItsDescriptionAgree(t *testing.T) {
	type operation struct {
		Security  []map[string][]string
		Responses map[string]any
	}
	var document struct {
		OpenAPI  string `yaml:"openapi"`
		Security []map[string][]string
		Paths    map[string]map[string]any
	}
	if err := yaml.Unmarshal([]byte(api.OpenAPI), &document); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(document.OpenAPI, "3.1") {
		t.Errorf("OpenAPI %q", document.OpenAPI)
	}
	described := map[string]string{}
	for path, item := range document.Paths {
		for method, body := range item {
			if method == "parameters" {
				continue
			}
			text, err := yaml.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			o := operation{Security: document.Security}
			if err := yaml.Unmarshal(text, &o); err != nil {
				t.Fatalf("%s %s: %v", method, path, err)
			}
			for _, way := range o.Security {
				for _, scope := range way["bearer"] {
					described[strings.ToUpper(method)+" "+path] = scope
				}
			}
			if len(o.Responses) == 0 {
				t.Errorf("%s %s has no answers", method, path)
			}
		}
	}
	served := map[string]string{}
	for _, r := range routes {
		if r.to == toDashboard || r.to == toPages { // for people
			continue
		}
		scope := r.scope
		if scope == "" {
			scope = "read" // the document says of all that needs no other one that it may be public
		}
		served[r.method+" "+r.pattern] = scope
	}
	for _, key := range slices.Sorted(maps.Keys(served)) {
		if described[key] != served[key] {
			t.Errorf("%s is served for scope %q and described for %q", key, served[key], described[key])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(described)) {
		if _, ok := served[key]; !ok {
			t.Errorf("%s is described and not served", key)
		}
	}
}

// Every reference inside the two documents leads somewhere.
func TestTheDescriptionsAreComplete(t *testing.T) {
	for name, text := range map[string]string{"openapi.yaml": api.OpenAPI, "asyncapi.yaml": api.AsyncAPI} {
		var document map[string]any
		if err := yaml.Unmarshal([]byte(text), &document); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		references := 0
		var check func(node any, at string)
		check = func(node any, at string) {
			switch node := node.(type) {
			case []any:
				for _, v := range node {
					check(v, at)
				}
			case map[string]any:
				if to, ok := node["$ref"].(string); ok {
					references++
					if !leads(document, to) {
						t.Errorf("%s: %s refers to %s, which is not there", name, at, to)
					}
				}
				for k, v := range node {
					check(v, at+"/"+k)
				}
			}
		}
		check(document, "#")
		if references == 0 {
			t.Errorf("%s has no references: it was not read as it is meant", name)
		}
	}
}

func leads(document map[string]any, to string) bool {
	var node any = document
	for _, step := range strings.Split(strings.TrimPrefix(to, "#/"), "/") {
		fields, ok := node.(map[string]any)
		if !ok || fields[step] == nil {
			return false
		}
		node = fields[step]
	}
	return true
}
