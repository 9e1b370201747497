// Package reference shows the descriptions in api/ as pages that people read: what may be asked, what is answered, and how to
// begin. The pages are made here, from the same text that programs get, and need no script and no other host.
package reference

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/http"
	"sync"
	"time"

	"parkwire/api"
)

//go:embed pages
var pages embed.FS

// Paths are where the pages are.
var Paths = []string{"/docs", "/docs/rest", "/docs/events", "/docs/style.css"}

// policy allows the one style sheet and nothing else.
const policy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

type page struct {
	kind, etag string
	body       []byte
}

// Handler serves the pages. They are made when the first of them is asked for, since most platforms are never asked.
func Handler() http.Handler {
	made := sync.OnceValues(render)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		all, err := made()
		p, ok := all[r.URL.Path]
		if err != nil || !ok {
			http.Error(w, "There is no such page.", http.StatusNotFound) // a test makes sure that there is no error
			return
		}
		h := w.Header()
		h.Set("Content-Type", p.kind)
		h.Set("Content-Security-Policy", policy)
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-cache")
		h.Set("ETag", p.etag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(p.body))
	})
}

// render makes all pages.
func render() (map[string]page, error) {
	templates, err := template.New("").ParseFS(pages, "pages/*.html")
	if err != nil {
		return nil, err
	}
	rest, err := newREST(api.OpenAPI)
	if err != nil {
		return nil, fmt.Errorf("reading openapi.yaml: %w", err)
	}
	events, err := newEvents(api.AsyncAPI)
	if err != nil {
		return nil, fmt.Errorf("reading asyncapi.yaml: %w", err)
	}
	tasks, err := readTasks()
	if err != nil {
		return nil, fmt.Errorf("reading the examples: %w", err)
	}
	all := map[string]page{}
	add := func(path, kind string, body []byte) {
		sum := sha256.Sum256(body)
		all[path] = page{kind: kind, etag: `"` + hex.EncodeToString(sum[:8]) + `"`, body: body}
	}
	for path, of := range map[string]struct {
		template string
		data     any
	}{
		"/docs": {"start.html", tasks}, "/docs/rest": {"rest.html", rest}, "/docs/events": {"events.html", events},
	} {
		var text bytes.Buffer
		if err := templates.ExecuteTemplate(&text, of.template, of.data); err != nil {
			return nil, err
		}
		add(path, "text/html; charset=utf-8", text.Bytes())
	}
	style, err := pages.ReadFile("pages/style.css")
	add("/docs/style.css", "text/css; charset=utf-8", style)
	return all, err
}
