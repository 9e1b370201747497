package rest_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"parkwire/internal/identity"
	"parkwire/internal/problem"
	"parkwire/internal/rest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errAway = errors.New("the database is away")

// echo answers who asks, and what for.
func echo(_ http.ResponseWriter, r *http.Request, by rest.Caller) (rest.Answer, error) {
	return rest.Answer{Body: map[string]any{"subject": by.Who.Subject, "request": by.Request, "trace": by.Traceparent, "lot": r.PathValue("lotId")}}, nil
}

func failing(err error) rest.Endpoint {
	return func(http.ResponseWriter, *http.Request, rest.Caller) (rest.Answer, error) { return rest.Answer{}, err }
}

// serve answers one request. headers come in pairs.
func serve(t *testing.T, routes rest.Routes, o rest.Options, method, target string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	problem.Identified(rest.Handler(routes, o)).ServeHTTP(w, r)
	return w
}

func slug(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	var p problem.Problem
	if w.Header().Get("Content-Type") != problem.ContentType || json.Unmarshal(w.Body.Bytes(), &p) != nil {
		t.Fatalf("%d is no problem: %s", w.Code, w.Body)
	}
	return strings.TrimPrefix(p.Type, "urn:parkwire:problem:")
}

func TestWhoMayDoWhatIsLookedAtForEveryRoute(t *testing.T) {
	routes := rest.Routes{
		"/lots":             {"GET": {Serve: echo}, "POST": {Scope: identity.ScopeOperate, Serve: echo}},
		"/lots/{lotId}":     {"GET": {Serve: echo}},
		"/lots/{lotId}/all": {"GET": {Scope: identity.ScopeAdmin, Serve: echo}},
	}
	with := func(scopes, lots string) []string {
		headers := []string{identity.HeaderSubject, "ada", identity.HeaderScopes, scopes}
		if lots != "" {
			headers = append(headers, identity.HeaderLots, lots)
		}
		return headers
	}
	for name, c := range map[string]struct {
		method, path string
		headers      []string
		status       int
		slug         string
	}{
		"reading by anybody":           {"GET", "/lots", nil, 200, ""},
		"writing by nobody":            {"POST", "/lots", nil, 401, "token-required"},
		"writing without the scope":    {"POST", "/lots", with("read", ""), 403, "scope-missing"},
		"writing":                      {"POST", "/lots", with("operate", ""), 200, ""},
		"a lot of the token":           {"GET", "/lots/a%20b", with("read", "c a%20b"), 200, ""},
		"a lot of somebody else":       {"GET", "/lots/x", with("read", "a%20b"), 403, "lot-not-allowed"},
		"everything, limited to lots":  {"GET", "/lots/a/all", with("admin", "a"), 403, "lot-not-allowed"},
		"everything":                   {"GET", "/lots/a/all", with("admin", ""), 200, ""},
		"lots that cannot be read":     {"GET", "/lots", with("read", "%zz"), 401, "token-invalid"},
		"an id that cannot be":         {"GET", "/lots/a%00b", nil, 404, "route-not-found"},
		"an id that is too long":       {"GET", "/lots/" + strings.Repeat("x", 129), nil, 404, "route-not-found"},
		"a path that is none":          {"GET", "/spots", nil, 404, "route-not-found"},
		"a method that is none":        {"DELETE", "/lots", with("admin", ""), 405, "method-not-allowed"},
		"a lot of somebody else, void": {"PUT", "/lots/x", with("read", "a"), 403, "lot-not-allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			w := serve(t, routes, rest.Options{}, c.method, "/api/v1"+c.path, c.headers...)
			if w.Code != c.status {
				t.Fatalf("%d: %s", w.Code, w.Body)
			}
			if c.slug != "" && slug(t, w) != c.slug {
				t.Errorf("%s", w.Body)
			}
		})
	}
	if w := serve(t, routes, rest.Options{}, "OPTIONS", "/api/v1/lots"); w.Header().Get("Allow") != "GET, POST, HEAD" {
		t.Errorf("Allow %q", w.Header().Get("Allow"))
	}
}

func TestAnEndpointIsToldWhoAsksAndByWhich(t *testing.T) {
	const trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	routes := rest.Routes{"/lots/{lotId}": {"GET": {Serve: echo}}}
	w := serve(t, routes, rest.Options{}, "GET", "/api/v1/lots/a", identity.HeaderSubject, "ada", identity.HeaderForwardedFor, "203.0.113.7", "Traceparent", trace, "X-Request-Id", "r-1")
	want := `{"lot":"a","request":{"client":"203.0.113.7","method":"GET","route":"/api/v1/lots/{lotId}","requestId":"r-1"},"subject":"ada","trace":"` + trace + `"}` + "\n"
	if w.Body.String() != want {
		t.Errorf("it is told %s, not %s", w.Body, want)
	}
	for _, wrong := range []string{"", "00", strings.ToUpper(trace), trace + "0", strings.Replace(trace, "-01", "_01", 1)} {
		if w := serve(t, routes, rest.Options{}, "GET", "/api/v1/lots/a", "Traceparent", wrong); !strings.Contains(w.Body.String(), `"trace":""`) {
			t.Errorf("%q is taken for a trace: %s", wrong, w.Body)
		}
	}
}

func TestOtherPrefixesAndRoutesForTheInside(t *testing.T) {
	o := rest.Options{Prefix: "/feeds", Inside: rest.Routes{"/internal/feed": {"GET": {Serve: echo}}}}
	for path, status := range map[string]int{"/feeds/x": 200, "/api/v1/x": 404, "/x": 404, "/internal/feed": 200, "/feeds/internal/feed": 404} {
		if w := serve(t, rest.Routes{"/x": {"GET": {Serve: echo}}}, o, "GET", path); w.Code != status {
			t.Errorf("%s: %d instead of %d", path, w.Code, status)
		}
	}
}

func TestErrorsBecomeProblems(t *testing.T) {
	var log bytes.Buffer
	o := rest.Options{Unavailable: errAway, Logger: slog.New(slog.NewTextHandler(&log, nil))}
	for name, c := range map[string]struct {
		err    error
		status int
		slug   string
		retry  string
		logged bool
	}{
		"a problem":                     {problem.New(409, "taken", "It is taken."), 409, "taken", "", false},
		"a database that is away":       {errors.Join(errors.New("reading"), errAway), 503, "database-unavailable", "2", false},
		"a client that is gone":         {io.ErrUnexpectedEOF, 500, "internal", "", true},
		"what nobody should hear about": {errors.New("hunter2"), 500, "internal", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			log.Reset()
			w := serve(t, rest.Routes{"/x": {"GET": {Serve: failing(c.err)}}}, o, "GET", "/api/v1/x")
			if w.Code != c.status || slug(t, w) != c.slug || w.Header().Get("Retry-After") != c.retry || (log.Len() > 0) != c.logged {
				t.Errorf("%d %v: %s, logged %q", w.Code, w.Header(), w.Body, log.String())
			}
			if strings.Contains(w.Body.String(), "hunter2") {
				t.Error("the client is told about the inside")
			}
		})
	}
}

func TestAnswersSayWhatTheyAre(t *testing.T) {
	stream := func(w io.Writer) error { _, err := io.WriteString(w, "a,b\r\n"); return err }
	for name, c := range map[string]struct {
		answer  rest.Answer
		status  int
		body    string
		headers map[string]string
	}{
		"JSON":    {rest.Answer{Body: 1, ETag: `"1"`}, 200, "1\n", map[string]string{"Content-Type": "application/json", "ETag": `"1"`, "Cache-Control": "no-cache", "Vary": ""}},
		"made":    {rest.Answer{Status: 201, Body: 1, Location: "/x"}, 201, "1\n", map[string]string{"Location": "/x"}},
		"nothing": {rest.Answer{Status: 204}, 204, "", map[string]string{"Content-Type": ""}},
		"once":    {rest.Answer{Body: 1, Once: 2, Replayed: true}, 200, "2\n", map[string]string{"Idempotent-Replayed": "true"}},
		"text": {rest.Answer{Text: []byte("x"), Kind: "text/plain", Cache: "public, max-age=5"}, 200, "x",
			map[string]string{"Content-Type": "text/plain", "Cache-Control": "public, max-age=5", "Vary": "Accept", "Content-Disposition": ""}},
		"a file": {rest.Answer{Stream: stream, Kind: "text/csv", File: "ä.csv"}, 200, "a,b\r\n",
			map[string]string{"Content-Type": "text/csv", "Content-Disposition": "attachment; filename*=utf-8''%C3%A4.csv"}},
		"the same as before": {rest.NotModified(`"1"`, "no-store"), 304, "", map[string]string{"ETag": `"1"`, "Cache-Control": "no-store"}},
	} {
		t.Run(name, func(t *testing.T) {
			serves := func(http.ResponseWriter, *http.Request, rest.Caller) (rest.Answer, error) { return c.answer, nil }
			w := serve(t, rest.Routes{"/x": {"GET": {Serve: serves}}}, rest.Options{}, "GET", "/api/v1/x")
			if w.Code != c.status || w.Body.String() != c.body {
				t.Errorf("%d %q", w.Code, w.Body)
			}
			for name, want := range c.headers {
				if got := w.Header().Get(name); got != want {
					t.Errorf("%s: %q instead of %q", name, got, want)
				}
			}
		})
	}
}

func TestLargeAnswersAreCompressedForWhoTakesIt(t *testing.T) {
	long := strings.Repeat("spot ", 10_000)
	for name, c := range map[string]struct {
		answer         rest.Answer
		accept         string
		encoding, vary string
	}{
		"a large one":                      {rest.Answer{Body: long}, "gzip, deflate, br", "gzip", "Accept-Encoding"},
		"again, by a compressor used once": {rest.Answer{Body: long + "!"}, "gzip", "gzip", "Accept-Encoding"},
		"for who does not say":             {rest.Answer{Body: long}, "", "", "Accept-Encoding"},
		"for who refuses":                  {rest.Answer{Body: long}, "gzip;q=0", "", "Accept-Encoding"},
		"a small one":                      {rest.Answer{Body: "spot"}, "gzip", "", ""},
		"one whose bytes have a tag":       {rest.Answer{Body: long, ETag: `"1"`}, "gzip", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			serves := func(http.ResponseWriter, *http.Request, rest.Caller) (rest.Answer, error) { return c.answer, nil }
			w := serve(t, rest.Routes{"/x": {"GET": {Serve: serves}}}, rest.Options{}, "GET", "/api/v1/x", "Accept-Encoding", c.accept)
			if encoding, vary := w.Header().Get("Content-Encoding"), w.Header().Get("Vary"); encoding != c.encoding || vary != c.vary {
				t.Fatalf("Content-Encoding %q and Vary %q", encoding, vary)
			}
			body := io.Reader(w.Body)
			if c.encoding != "" {
				if w.Body.Len() > len(long)/20 {
					t.Errorf("%d bytes of %d", w.Body.Len(), len(long))
				}
				unzipped, err := gzip.NewReader(body)
				if err != nil {
					t.Fatal(err)
				}
				body = unzipped
			}
			var got string
			if err := json.NewDecoder(body).Decode(&got); err != nil || got != c.answer.Body {
				t.Errorf("what was sent is not what came: %v", err)
			}
		})
	}
}

func TestAnAnswerThatCannotBeEncodedIsNone(t *testing.T) {
	serves := func(http.ResponseWriter, *http.Request, rest.Caller) (rest.Answer, error) {
		return rest.Answer{Status: 201, Body: make(chan int), Location: "/x"}, nil
	}
	if w := serve(t, rest.Routes{"/x": {"GET": {Serve: serves}}}, rest.Options{Logger: slog.New(slog.DiscardHandler)}, "GET", "/api/v1/x"); w.Code != 500 || w.Header().Get("Location") != "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

func TestHalfAnAnswerIsNotTakenForAWholeOne(t *testing.T) {
	broken := errors.New("the database went away")
	serves := func(http.ResponseWriter, *http.Request, rest.Caller) (rest.Answer, error) {
		return rest.Answer{Kind: "text/csv", Stream: func(w io.Writer) error { _, _ = io.WriteString(w, "half"); return broken }}, nil
	}
	server := httptest.NewServer(rest.Handler(rest.Routes{"/x": {"GET": {Serve: serves}}}, rest.Options{Logger: slog.New(slog.DiscardHandler)}))
	defer server.Close()
	client := server.Client()
	defer client.CloseIdleConnections()
	response, err := client.Get(server.URL + "/api/v1/x")
	if err != nil {
		return // cut off before anything came
	}
	defer response.Body.Close()
	if text, err := io.ReadAll(response.Body); err == nil {
		t.Errorf("%q is taken for all", text)
	}
}

func TestConditionsOnTags(t *testing.T) {
	r := httptest.NewRequest("GET", "/", nil)
	if !rest.IfMatch(r).Holds(`"1"`) || rest.IfNoneMatch(r, `"1"`) {
		t.Error("without a condition")
	}
	for tags, holds := range map[string]bool{`"1"`: true, `"2", "1"`: true, "*": true, `"2"`: false, `1`: false} {
		r.Header.Set("If-Match", tags)
		r.Header.Set("If-None-Match", tags)
		if rest.IfMatch(r).Holds(`"1"`) != holds || rest.IfNoneMatch(r, `"1"`) != holds {
			t.Errorf("%s: %v, %v", tags, rest.IfMatch(r).Holds(`"1"`), rest.IfNoneMatch(r, `"1"`))
		}
	}
	r.Header.Set("If-None-Match", `W/"1"`)
	if !rest.IfNoneMatch(r, `"1"`) {
		t.Error("who has it, weakly, is sent it again")
	}
	if a, b := rest.Digest([]int{1}), rest.Digest([]int{2}); a == b || rest.Digest([]int{1}) != a || a[0] != '"' {
		t.Errorf("%s, %s", a, b)
	}
}
