package gateway

import (
	"net/http"
	"slices"
	"strings"

	"parkwire/internal/identity/access"
	"parkwire/internal/problem"
)

// cors says which pages of other sites may read answers. Access rests on tokens that a page sends itself, never on
// cookies, so that credentials are not allowed, and allowing all sites gives nothing away.
type cors struct {
	all     bool
	origins []string
}

func newCORS(origins []string) cors {
	return cors{all: slices.Contains(origins, "*"), origins: origins}
}

var (
	corsRequestHeaders = strings.Join([]string{
		"Accept", "Authorization", "Content-Type", "Idempotency-Key", "If-Match", "Last-Event-ID", "Traceparent", access.HeaderKey, problem.HeaderRequestID}, ", ")
	corsAnswerHeaders = strings.Join([]string{"Content-Disposition", "ETag", "Idempotent-Replayed", "Location", "Retry-After", problem.HeaderRequestID}, ", ")
)

// allow sets the headers by which a browser hands the answer to the page. Where the origin is not
// allowed it sets none, and the browser keeps it back.
func (c cors) allow(h http.Header, r *http.Request, methods string) {
	if len(c.origins) == 0 {
		return
	}
	origin := r.Header.Get("Origin")
	if !c.all {
		h.Add("Vary", "Origin")
	}
	switch {
	case origin == "":
		return
	case c.all:
		h.Set("Access-Control-Allow-Origin", "*")
	case slices.Contains(c.origins, origin):
		h.Set("Access-Control-Allow-Origin", origin)
	default:
		return
	}
	h.Set("Access-Control-Expose-Headers", corsAnswerHeaders)
	if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
		h.Set("Access-Control-Allow-Methods", methods)
		h.Set("Access-Control-Allow-Headers", corsRequestHeaders)
		h.Set("Access-Control-Max-Age", "600")
	}
}
