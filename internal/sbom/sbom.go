// Package sbom lists what the binary is made of, as a bill of materials in CycloneDX 1.6: Go's standard library, every Go module, and every
// package of npm that is in the dashboard. The same binary always gives the same bytes: nothing in it is of the time or the machine.
package sbom

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// Options say what is listed. All are required but Revision.
type Options struct {
	Version, Revision string
	Build             *debug.BuildInfo
	// Lock is the package-lock.json (version 3) of the dashboard.
	Lock []byte
}

type bom struct {
	Format       string       `json:"bomFormat"`
	Spec         string       `json:"specVersion"`
	Serial       string       `json:"serialNumber"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Component component `json:"component"`
}

type component struct {
	Type     string    `json:"type"`
	Ref      string    `json:"bom-ref"`
	Group    string    `json:"group,omitempty"`
	Name     string    `json:"name"`
	Version  string    `json:"version"`
	Hashes   []hash    `json:"hashes,omitempty"`
	Licenses []license `json:"licenses,omitempty"`
	PURL     string    `json:"purl,omitempty"`
	// Properties are names of our own.
	Properties []property `json:"properties,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

// A license is one of SPDX by its name, or an expression of several.
type license struct {
	License    *named `json:"license,omitempty"`
	Expression string `json:"expression,omitempty"`
}

type named struct {
	ID string `json:"id"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn"`
}

const root = "parkwire"

// Write writes the bill of materials.
func Write(w io.Writer, o Options) error {
	modules, err := goModules(o.Build)
	if err != nil {
		return err
	}
	packages, err := npmPackages(o.Lock)
	if err != nil {
		return err
	}
	b := bom{
		Format: "CycloneDX", Spec: "1.6", Version: 1,
		Metadata:   metadata{component{Type: "application", Ref: root, Name: root, Version: o.Version, Licenses: licenses("Apache-2.0")}},
		Components: slices.Concat(modules, packages),
	}
	if o.Revision != "" {
		b.Metadata.Component.Properties = []property{{"parkwire:revision", o.Revision}}
	}
	all := dependency{Ref: root}
	for _, c := range b.Components {
		all.DependsOn = append(all.DependsOn, c.Ref)
	}
	b.Dependencies = []dependency{all}
	content, err := json.Marshal(b)
	if err != nil {
		return fmt.Errorf("writing the bill of materials: %w", err)
	}
	sum := sha256.Sum256(content)
	b.Serial = uuid.NewHash(sha256.New(), uuid.NameSpaceURL, sum[:], 8).URN() // of what is in it: the same for the same
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(b)
}

// goModules lists the standard library and what the build says of modules.
func goModules(build *debug.BuildInfo) ([]component, error) {
	if build == nil {
		return nil, errors.New("the binary does not know what it was built of")
	}
	version := strings.TrimPrefix(strings.Fields(build.GoVersion + " ")[0], "go")
	all := []component{{Type: "library", Ref: "pkg:golang/std@" + version, Name: "std", Version: version, PURL: "pkg:golang/std@" + version, Licenses: licenses("BSD-3-Clause")}}
	for _, m := range build.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		purl := "pkg:golang/" + m.Path + "@" + strings.ReplaceAll(m.Version, "+", "%2B")
		c := component{Type: "library", Ref: purl, Name: m.Path, Version: m.Version, PURL: purl}
		if sum, ok := strings.CutPrefix(m.Sum, "h1:"); ok { // of all files of the module, as go.sum has it
			h, err := hashOf("SHA-256", sum)
			if err != nil {
				return nil, fmt.Errorf("the sum of %s: %w", m.Path, err)
			}
			c.Hashes = []hash{h}
		}
		all = append(all, c)
	}
	return all, nil
}

// npmPackages lists what the dashboard is built of, without what it is built with.
func npmPackages(lock []byte) ([]component, error) {
	var l struct {
		Packages map[string]struct {
			Version, Integrity, License string
			Dev, Link                   bool
		}
	}
	if err := json.Unmarshal(lock, &l); err != nil {
		return nil, fmt.Errorf("the dashboard's package-lock.json: %w", err)
	}
	var all []component
	for _, path := range slices.Sorted(maps.Keys(l.Packages)) {
		p := l.Packages[path]
		_, name, installed := cutLast(path, "node_modules/")
		if !installed || p.Dev || p.Link {
			continue
		}
		c := component{Type: "library", Name: name, Version: p.Version, Licenses: licenses(p.License)}
		if group, bare, scoped := strings.Cut(name, "/"); scoped {
			c.Group, c.Name = group, bare
		}
		c.PURL = "pkg:npm/" + strings.Replace(name, "@", url.QueryEscape("@"), 1) + "@" + p.Version
		c.Ref = c.PURL
		if sum, ok := strings.CutPrefix(p.Integrity, "sha512-"); ok {
			h, err := hashOf("SHA-512", sum)
			if err != nil {
				return nil, fmt.Errorf("the sum of %s: %w", name, err)
			}
			c.Hashes = []hash{h}
		}
		all = append(all, c)
	}
	// One that is there twice, under two others, is listed once.
	slices.SortFunc(all, func(a, b component) int { return strings.Compare(a.Ref, b.Ref) })
	return slices.CompactFunc(all, func(a, b component) bool { return a.Ref == b.Ref }), nil
}

func cutLast(text, separator string) (before, after string, found bool) {
	if i := strings.LastIndex(text, separator); i >= 0 {
		return text[:i], text[i+len(separator):], true
	}
	return text, "", false
}

func hashOf(algorithm, sum string) (hash, error) {
	raw, err := base64.StdEncoding.DecodeString(sum)
	return hash{algorithm, hex.EncodeToString(raw)}, err
}

func licenses(name string) []license {
	switch {
	case name == "":
		return nil
	case strings.ContainsAny(name, " ("):
		return []license{{Expression: name}}
	}
	return []license{{License: &named{name}}}
}
