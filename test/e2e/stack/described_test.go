package stack_test

import (
	"net/http"
	"strings"
	"testing"

	"parkwire/test/e2e/stack"
)

func TestAnAnswerThatTheDescriptionDoesNotSayIsFound(t *testing.T) {
	const lot = `{"id":"a","name":"A","timeZone":"UTC","counts":{"total":0,"free":0,"occupied":0,"reserved":0,"closed":0,"out_of_service":0,"unknown":0},"createdAt":"2026-11-01T08:00:00.000Z","updatedAt":"2026-11-01T08:00:00.000Z"}`
	for name, c := range map[string]struct {
		method, target string
		status         int
		kind, body     string
		wrong          string // what is said of it; "": it is right
	}{
		"a lot":                         {"GET", "/api/v1/lots/a", 200, "application/json", lot, ""},
		"a lot, asked for by HEAD":      {"HEAD", "/api/v1/lots/a", 200, "application/json", "", ""},
		"a page of lots, with a query":  {"GET", "/api/v1/lots?limit=1", 200, "application/json", `{"items":[` + lot + `]}`, ""},
		"nothing, after a removal":      {"DELETE", "/api/v1/lots/a", 204, "", "", ""},
		"a problem that is listed":      {"GET", "/api/v1/lots/a", 404, "application/problem+json", `{"type":"urn:parkwire:problem:lot-not-found","title":"Not Found","status":404}`, ""},
		"a problem of any request":      {"GET", "/api/v1/lots/a", 429, "application/problem+json", `{"type":"urn:parkwire:problem:rate-limited","title":"Too Many Requests","status":429}`, ""},
		"a lot without a name":          {"GET", "/api/v1/lots/a", 200, "application/json", strings.Replace(lot, `"name":"A",`, "", 1), "name"},
		"a lot whose time is none":      {"GET", "/api/v1/lots/a", 200, "application/json", strings.Replace(lot, "2026-11-01T", "yesterday ", 1), "createdAt"},
		"a bad lot within a page":       {"GET", "/api/v1/lots", 200, "application/json", `{"items":[{"id":"a"}]}`, "items/0"},
		"a status that is not listed":   {"GET", "/api/v1/lots/a", 202, "application/json", lot, "not listed"},
		"another problem of any status": {"GET", "/api/v1/lots/a", 503, "application/problem+json", `{"type":"urn:parkwire:problem:tired","title":"Tired","status":503}`, "not listed"},
		"another kind of body":          {"GET", "/api/v1/lots/a", 200, "text/html", "<p>", "Content-Type"},
		"a body where there is none":    {"DELETE", "/api/v1/lots/a", 204, "application/json", "{}", "body"},
		"an address that is none":       {"GET", "/api/v1/lot", 200, "application/json", "{}", "not listed"},
	} {
		t.Run(name, func(t *testing.T) {
			header := http.Header{}
			header.Set("Content-Type", c.kind)
			err := stack.Described(c.method, c.target, stack.Answer{Status: c.status, Header: header, Body: []byte(c.body)})
			switch {
			case c.wrong == "" && err != nil:
				t.Error(err)
			case c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)):
				t.Errorf("it was judged %v; %q was to be found", err, c.wrong)
			}
		})
	}
}
