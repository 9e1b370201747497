package feeds

import (
	"bytes"
	"mime"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"parkwire/api"
	"parkwire/internal/rest"
	"parkwire/internal/rest/resttest"
)

// What api/openapi.yaml says of the feeds is what is served.
func TestTheDocumentAndTheRoutesAreTheSame(t *testing.T) {
	routes := rest.Routes{}
	for path := range New(Options{}).routes() {
		routes[path] = map[string]rest.Route{"GET": {}}
	}
	resttest.Documented(t, Prefix, routes, "feeds")
}

const openapi = "file:///openapi.json"

// description is api/openapi.yaml, whose schemas of the feeds are strict: they take no field that is not there, and no other word.
var description = sync.OnceValues(func() (*jsonschema.Compiler, error) {
	root, err := fromYAML([]byte(api.OpenAPI))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	return c, c.AddResource(openapi, root)
})

func fromYAML(text []byte) (any, error) {
	text, err := yaml.YAMLToJSON(text)
	if err != nil {
		return nil, err
	}
	return jsonschema.UnmarshalJSON(bytes.NewReader(text))
}

// fits makes sure that a JSON answer is as the document describes it, for the path as it stands there.
func (w *world) fits(path string, answer *httptest.ResponseRecorder) {
	w.Helper()
	c, err := description()
	if err != nil {
		w.Fatal(err)
	}
	kind, _, err := mime.ParseMediaType(answer.Header().Get("Content-Type"))
	if err != nil {
		w.Fatal(err)
	}
	pointer := strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(path)
	schema, err := c.Compile(openapi + "#/paths/" + pointer + "/get/responses/200/content/" + strings.NewReplacer("~", "~0", "/", "~1", "+", "%2B").Replace(kind) + "/schema")
	if err != nil {
		w.Fatal(err)
	}
	judge(w, schema, path, answer.Body.Bytes())
}

func judge(w *world, schema *jsonschema.Schema, what string, body []byte) {
	w.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err == nil {
		err = schema.Validate(value)
	}
	if err != nil {
		w.Errorf("%s is not as it is described: %v\n%s", what, err, body)
	}
}

const envPublished = "PARKWIRE_TEST_PUBLISHED_SCHEMAS"

// published are the schemas that the authors of the forms have published, in a folder with checkouts of their repositories: dataModel.Parking and
// data-models (github.com/smart-data-models), cds-openapi (github.com/openmobilityfoundation).
type published struct {
	*testing.T
	folder   string
	compiler *jsonschema.Compiler
}

func publishedSchemas(t *testing.T) published {
	folder := os.Getenv(envPublished)
	if folder == "" {
		t.Skip(envPublished + " names no folder with the published schemas; docs/feeds.md says what it holds")
	}
	p := published{t, folder, jsonschema.NewCompiler()}
	p.compiler.AssertFormat()
	p.add("https://smart-data-models.github.io/data-models/common-schema.json", "data-models/common-schema.json")
	for _, model := range entityTypes {
		p.add(p.model(model), "dataModel.Parking/"+model+"/schema.json")
	}
	files, err := filepath.Glob(filepath.Join(folder, "cds-openapi", "Shared Data Models", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("cds-openapi is not in %s: %v", folder, err)
	}
	for _, file := range files {
		p.add(p.shared(strings.TrimSuffix(filepath.Base(file), ".yaml")), "cds-openapi/Shared Data Models/"+filepath.Base(file))
	}
	return p
}

func (published) model(name string) string {
	return "https://smart-data-models.github.io/dataModel.Parking/" + name + "/schema.json"
}

func (published) shared(name string) string { return "file:///cds/" + name + ".yaml" }

func (p published) add(address, file string) {
	p.Helper()
	text, err := os.ReadFile(filepath.Join(p.folder, filepath.FromSlash(file)))
	if err != nil {
		p.Fatal(err)
	}
	value, err := fromYAML(text) // JSON is YAML
	if err == nil {
		err = p.compiler.AddResource(address, value)
	}
	if err != nil {
		p.Fatalf("%s: %v", file, err)
	}
}

func (p published) schema(address string) *jsonschema.Schema {
	p.Helper()
	s, err := p.compiler.Compile(address)
	if err != nil {
		p.Fatal(err)
	}
	return s
}
