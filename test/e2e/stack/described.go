package stack

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"parkwire/api"
)

// Described returns an error unless api/openapi.yaml says that a request may be answered so. target may have a query.
func Described(method, target string, a Answer) error {
	d, err := described()
	if err != nil {
		return fmt.Errorf("reading openapi.yaml: %w", err)
	}
	if err := d.judge(method, target, a); err != nil {
		return fmt.Errorf("%s %s: the answer %d is not as openapi.yaml says: %w", method, target, a.Status, err)
	}
	return nil
}

// A description is openapi.yaml.
type description struct {
	root  any
	paths map[string]any

	mu       sync.Mutex
	compiler *jsonschema.Compiler
	schemas  map[string]*jsonschema.Schema // by where they stand
}

const document = "file:///openapi.json"

var described = sync.OnceValues(func() (*description, error) {
	text, err := yaml.YAMLToJSON([]byte(api.OpenAPI))
	if err != nil {
		return nil, err
	}
	root, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	d := &description{root: root, compiler: jsonschema.NewCompiler(), schemas: map[string]*jsonschema.Schema{}}
	d.compiler.AssertFormat()
	d.paths, _ = d.at("paths").value.(map[string]any)
	return d, d.compiler.AddResource(document, root)
})

// anywhere are the problems with which any request may be answered.
var anywhere = map[int][]string{
	400: {"unknown-parameter"}, 401: {"token-required", "token-invalid"}, 403: {"scope-missing"}, 404: {"route-not-found"}, 405: {"method-not-allowed"},
	413: {"body-too-large"}, 429: {"rate-limited"}, 500: {"internal"}, 503: {"unavailable", "database-unavailable", "identity-unavailable", "service-not-configured"}, 504: {"timeout"},
}

func (d *description) judge(method, target string, a Answer) error {
	path, _, _ := strings.Cut(target, "?")
	response := d.operation(method, path).at("responses", strconv.Itoa(a.Status))
	if response.value == nil {
		return d.general(a)
	}
	contents, _ := response.at("content").value.(map[string]any)
	if len(contents) == 0 {
		if len(a.Body) > 0 && a.Status != 101 {
			return fmt.Errorf("it has a body: %s", tail(string(a.Body)))
		}
		return nil
	}
	kind, _, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
	if err != nil || contents[kind] == nil {
		return fmt.Errorf("its Content-Type is %q", a.Header.Get("Content-Type"))
	}
	if method == "HEAD" || !strings.HasSuffix(kind, "json") {
		return nil
	}
	schema := response.at("content", kind, "schema")
	if !strings.HasSuffix(kind, "ndjson") {
		return d.validate(schema, a.Body)
	}
	for line := range bytes.Lines(a.Body) { // each of which is as the schema says
		if err := d.validate(schema, line); err != nil {
			return err
		}
	}
	return nil
}

// general judges a problem that the operation does not list.
func (d *description) general(a Answer) error {
	var p Problem
	if err := json.Unmarshal(a.Body, &p); err != nil || !slices.Contains(anywhere[a.Status], strings.TrimPrefix(p.Type, "urn:parkwire:problem:")) {
		return fmt.Errorf("it is not listed: %s", tail(string(a.Body)))
	}
	return d.validate(d.at("components", "schemas", "Problem"), a.Body)
}

func (d *description) validate(schema place, body []byte) error {
	compiled, err := d.schema(schema.pointer)
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err == nil {
		err = compiled.Validate(value)
	}
	if err != nil {
		return fmt.Errorf("%w in %s", err, tail(string(body)))
	}
	return nil
}

func (d *description) schema(pointer string) (*jsonschema.Schema, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if known := d.schemas[pointer]; known != nil {
		return known, nil
	}
	compiled, err := d.compiler.Compile(document + "#" + pointer)
	if err != nil {
		return nil, errors.Join(errors.New("the schema "+pointer+" cannot be used"), err)
	}
	d.schemas[pointer] = compiled
	return compiled, nil
}

// operation finds what a request asks for: of several paths that match, the one with the most segments of its own.
func (d *description) operation(method, path string) place {
	if method == "HEAD" {
		method = "GET"
	}
	segments, best, most := strings.Split(path, "/"), "", -1
	for template := range d.paths {
		parts, own := strings.Split(template, "/"), 0
		if len(parts) != len(segments) {
			continue
		}
		for i, part := range parts {
			switch {
			case part == segments[i]:
				own++
			case !strings.HasPrefix(part, "{"):
				own = -1000
			}
		}
		if own > most {
			best, most = template, own
		}
	}
	return d.at("paths", best, strings.ToLower(method))
}

// A place is a value in the document; nil where there is none.
type place struct {
	of      *description
	value   any
	pointer string
}

func (d *description) at(keys ...string) place { return place{of: d, value: d.root}.at(keys...) }

// at goes on from a place, through references.
func (p place) at(keys ...string) place {
	for _, key := range keys {
		fields, _ := p.value.(map[string]any)
		p = place{p.of, fields[key], p.pointer + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)}
		if fields, ok := p.value.(map[string]any); ok {
			if ref, ok := fields["$ref"].(string); ok {
				p = p.of.at(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
			}
		}
	}
	return p
}
