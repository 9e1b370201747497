package sbom_test

import (
	"bytes"
	"encoding/json"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"parkwire/internal/sbom"
)

type bom struct {
	SerialNumber string
	Metadata     struct {
		Component struct {
			Version    string
			Properties []struct{ Name, Value string }
		}
	}
	Components []struct {
		PURL, Group, Name, Version string
		Hashes                     []struct{ Alg, Content string }
		Licenses                   []struct {
			License    struct{ ID string }
			Expression string
		}
	}
	Dependencies []struct{ DependsOn []string }
}

func write(t *testing.T, o sbom.Options) (text string, b bom) {
	t.Helper()
	var out bytes.Buffer
	if err := sbom.Write(&out, o); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out.Bytes(), &b); err != nil {
		t.Fatal(err)
	}
	return out.String(), b
}

func example() sbom.Options {
	return sbom.Options{
		Version: "1.2.3", Revision: "abc",
		Build: &debug.BuildInfo{GoVersion: "go1.26.8 X:nothing", Deps: []*debug.Module{
			{Path: "example.org/a", Version: "v1.0.0", Sum: "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
			{Path: "example.org/b", Version: "v1.0.0", Replace: &debug.Module{Path: "example.org/fork", Version: "v2.0.0+incompatible"}},
		}},
		Lock: []byte(`{"packages": {"": {"version": "9"},
			"node_modules/@maps/line": {"version": "3.0.0", "license": "(MIT OR Apache-2.0)", "integrity": "sha512-AAECAw=="},
			"node_modules/plot": {"version": "1.6.0", "license": "MIT"},
			"node_modules/x/node_modules/plot": {"version": "1.6.0", "license": "MIT"},
			"node_modules/x/node_modules/plot2": {"version": "1.7.0"},
			"node_modules/builder": {"version": "8.0.0", "dev": true},
			"node_modules/ours": {"link": true}}}`),
	}
}

func TestWhatTheBinaryIsMadeOfIsListedAndWhatItIsBuiltWithIsNot(t *testing.T) {
	_, b := write(t, example())
	var got []string
	for _, c := range b.Components {
		got = append(got, c.PURL)
	}
	want := []string{
		"pkg:golang/std@1.26.8", "pkg:golang/example.org/a@v1.0.0", "pkg:golang/example.org/fork@v2.0.0%2Bincompatible",
		"pkg:npm/%40maps/line@3.0.0", "pkg:npm/plot2@1.7.0", "pkg:npm/plot@1.6.0",
	}
	if !slices.Equal(got, want) {
		t.Errorf("listed are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(b.Dependencies) != 1 || !slices.Equal(b.Dependencies[0].DependsOn, want) {
		t.Errorf("dependencies: %v", b.Dependencies)
	}
	a, line := b.Components[1], b.Components[3]
	if len(a.Hashes) != 1 || a.Hashes[0].Alg != "SHA-256" || a.Hashes[0].Content != "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" {
		t.Errorf("the sum of a Go module: %v", a.Hashes)
	}
	if line.Group != "@maps" || line.Name != "line" || line.Licenses[0].Expression != "(MIT OR Apache-2.0)" || line.Hashes[0].Content != "00010203" {
		t.Errorf("a package of npm: %+v", line)
	}
	if m := b.Metadata.Component; m.Version != "1.2.3" || len(m.Properties) != 1 || m.Properties[0].Value != "abc" {
		t.Errorf("of itself it says %+v", m)
	}
}

func TestTheSameBinaryGivesTheSameList(t *testing.T) {
	one, b := write(t, example())
	if other, _ := write(t, example()); one != other {
		t.Errorf("two lists of the same differ:\n%s\n%s", one, other)
	}
	changed := example()
	changed.Version = "1.2.4"
	if _, other := write(t, changed); other.SerialNumber == b.SerialNumber {
		t.Errorf("lists of two binaries have one number: %s", b.SerialNumber)
	}
}

func TestABinaryThatKnowsNothingOfItselfHasNoList(t *testing.T) {
	o := example()
	o.Build = nil
	if err := sbom.Write(&bytes.Buffer{}, o); err == nil {
		t.Error("a list was written")
	}
	o = example()
	o.Lock = []byte("{")
	if err := sbom.Write(&bytes.Buffer{}, o); err == nil {
		t.Error("a list was written without what the dashboard is made of")
	}
}
