package gateway_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"parkwire/internal/gateway"
	"parkwire/internal/limit"
	"parkwire/internal/reference"
)

func TestRequestsReachThePartThatServesThem(t *testing.T) {
	b := newBench(t, nil)
	operate := "Bearer " + b.token("operate")
	for _, c := range []struct{ method, path, part string }{
		{"GET", "/api/v1/lots", "parking"},
		{"POST", "/api/v1/lots", "parking"},
		{"PATCH", "/api/v1/lots/a/zones/b", "parking"},
		{"POST", "/api/v1/spots/a%2Fb/occupy", "parking"},
		{"PUT", "/api/v1/spots/a/reservation", "parking"},
		{"POST", "/api/v1/observations", "parking"},
		{"GET", "/api/v1/events?after=x", "live"},
		{"GET", "/notifications?lot=a", "live"},
		{"GET", "/", "dashboard"},
		{"GET", "/assets/index.js", "dashboard"},
	} {
		a := b.do(c.method, c.path, nil, "Authorization", operate)
		if a.status != 200 || a.body != c.part {
			t.Errorf("%s %s reached %q (%d), not %s", c.method, c.path, a.body, a.status, c.part)
		}
	}
	if a := b.do("HEAD", "/api/v1/lots", nil); a.status != 200 {
		t.Errorf("HEAD, which goes with GET, is answered %d", a.status)
	}
	if last := b.parking.requests()[3]; last.uri != "/api/v1/spots/a%2Fb/occupy" {
		t.Errorf("the path arrived as %q", last.uri)
	}
	for _, name := range []string{"openapi", "asyncapi"} {
		a := b.do("GET", "/api/"+name+".yaml", nil)
		if a.status != 200 || !strings.HasPrefix(a.body, name+": ") || a.header.Get("Content-Type") != "application/yaml; charset=utf-8" {
			t.Errorf("%s: %d %v", name, a.status, a.header)
		}
		if a := b.do("GET", "/api/"+name+".yaml", nil, "If-None-Match", a.header.Get("ETag")); a.status != 304 {
			t.Errorf("%s again: %d", name, a.status)
		}
	}
}

func TestTheDescriptionsAreServedAsPages(t *testing.T) {
	b := newBench(t, nil)
	for _, path := range reference.Paths {
		a := b.do("GET", path, nil)
		if a.status != 200 || a.header.Get("Content-Security-Policy") == "" || len(a.body) < 1000 {
			t.Errorf("%s: %d %v", path, a.status, a.header)
		}
	}
}

func TestWhatIsNotServedIsRefusedAsAProblem(t *testing.T) {
	b := newBench(t, nil)
	operate := "Bearer " + b.token("operate")
	for _, path := range []string{"/api", "/api/", "/api/v9/lots", "/api/v1", "/api/v1/lots/", "/api/v1/spots/x/explode", "/api/v1//lots", "/api/v1/../../api/v1/lots"} {
		p := b.refused(b.do("GET", path, nil), 404, "route-not-found")
		if p.Instance != path {
			t.Errorf("the problem of %s is about %s", path, p.Instance)
		}
	}
	for _, c := range []struct{ method, path, allow string }{
		{"PUT", "/api/v1/lots", "GET, HEAD, OPTIONS, POST"},
		{"GET", "/api/v1/observations", "OPTIONS, POST"},
		{"POST", "/notifications", "GET, HEAD, OPTIONS"},
		{"DELETE", "/index.html", "GET, HEAD, OPTIONS"},
		{"BREW", "/api/v1/spots/x/reservation", "DELETE, OPTIONS, PUT"},
	} {
		a := b.do(c.method, c.path, nil, "Authorization", operate)
		b.refused(a, 405, "method-not-allowed")
		if a.header.Get("Allow") != c.allow {
			t.Errorf("%s %s: Allow %q, want %q", c.method, c.path, a.header.Get("Allow"), c.allow)
		}
	}
	if a := b.do("OPTIONS", "/api/v1/lots", nil); a.status != 204 || a.header.Get("Allow") != "GET, HEAD, OPTIONS, POST" {
		t.Errorf("OPTIONS: %d %v", a.status, a.header)
	}
	if n := len(b.parking.requests()) + len(b.live.requests()) + len(b.dashboard.requests()); n > 0 {
		t.Errorf("%d of these requests reached a part", n)
	}
}

func TestEveryRouteAsksForItsScope(t *testing.T) {
	const none, bad = "", "Bearer bad"
	for _, c := range []struct {
		public             bool
		method, path, auth string
		status             int
		slug, challenge    string
	}{
		{true, "GET", "/api/v1/lots", none, 200, "", ""},
		{true, "GET", "/api/v1/lots", bad, 401, "token-invalid", `Bearer realm="parkwire", error="invalid_token"`},
		{true, "GET", "/", bad, 401, "token-invalid", `Bearer realm="parkwire", error="invalid_token"`},
		{true, "GET", "/notifications?access_token=bad", none, 401, "token-invalid", `Bearer realm="parkwire", error="invalid_token"`},
		{true, "GET", "/api/v1/lots?access_token=bad", none, 200, "", ""},
		{true, "POST", "/api/v1/lots", none, 401, "token-required", `Bearer realm="parkwire"`},
		{true, "POST", "/api/v1/lots", "ingest", 403, "scope-missing", `Bearer realm="parkwire", error="insufficient_scope", scope="operate"`},
		{true, "POST", "/api/v1/lots", "operate", 200, "", ""},
		{true, "POST", "/api/v1/observations", "read", 403, "scope-missing", `Bearer realm="parkwire", error="insufficient_scope", scope="ingest"`},
		{true, "POST", "/api/v1/observations", "ingest", 200, "", ""},
		{true, "DELETE", "/api/v1/spots/x", "admin", 200, "", ""},
		{false, "GET", "/api/v1/lots", none, 401, "token-required", `Bearer realm="parkwire"`},
		{false, "GET", "/api/v1/events", none, 401, "token-required", `Bearer realm="parkwire"`},
		{false, "GET", "/notifications", none, 401, "token-required", `Bearer realm="parkwire"`},
		{false, "GET", "/notifications", "read", 200, "", ""},
		{false, "GET", "/", none, 200, "", ""},
		{false, "GET", "/api/openapi.yaml", none, 200, "", ""},
	} {
		b := newBench(t, func(o *gateway.Options) { o.ReadPublic = c.public })
		var headers []string
		switch c.auth {
		case none:
		case bad:
			headers = []string{"Authorization", bad}
		default:
			headers = []string{"Authorization", "Bearer " + b.token(c.auth)}
		}
		a := b.do(c.method, c.path, nil, headers...)
		if c.status == 200 {
			if a.status != 200 {
				t.Errorf("%+v: got %d %s", c, a.status, a.body)
			}
			continue
		}
		b.refused(a, c.status, c.slug)
		if got := a.header.Get("WWW-Authenticate"); got != c.challenge {
			t.Errorf("%+v: the challenge is %q", c, got)
		}
	}
}

func TestPartsAreToldWhoAsksByTheGatewayAlone(t *testing.T) {
	b := newBench(t, nil)
	forged := []string{"X-Parkwire-Subject", "root", "x-parkwire-scopes", "admin", "X-Parkwire-Else", "1", "Traceparent", followed, "X-Request-Id", "my-id.1"}
	a := b.do("GET", "/api/v1/lots", nil, forged...)
	token := "Bearer " + b.token("operate", "read")
	b.do("GET", "/api/v1/lots", nil, append(forged, "Authorization", token)...)
	for i, want := range []map[string]string{
		{"X-Parkwire-Subject": "", "X-Parkwire-Scopes": "", "X-Parkwire-Else": "", "Authorization": "", "Traceparent": unfollowed, "X-Request-Id": "my-id.1"},
		{"X-Parkwire-Subject": "tester", "X-Parkwire-Scopes": "operate read", "X-Parkwire-Else": "", "Authorization": token},
	} {
		for name, value := range want {
			if got := b.parking.requests()[i].header.Get(name); got != value {
				t.Errorf("request %d: %s arrived as %q, not %q", i, name, got, value)
			}
		}
	}
	b.do("GET", "/api/v1/lots", nil, "Traceparent", "00-aa-bb-01")
	if got := b.parking.requests()[2].header.Values("Traceparent"); len(got) > 0 {
		t.Errorf("a traceparent that is none arrived as %q", got)
	}
	if a.header.Get("X-Request-Id") != "my-id.1" {
		t.Errorf("the request id is answered as %q", a.header.Get("X-Request-Id"))
	}
	for _, insane := range []string{"", strings.Repeat("x", 101), "a b", "a\"b", "ü"} {
		if id := b.do("GET", "/api/v1/lots", nil, "X-Request-Id", insane).header.Get("X-Request-Id"); len(id) != 36 {
			t.Errorf("for the id %q the gateway took %q", insane, id)
		}
	}
}

func TestAPanicIsAnsweredOrCutsTheAnswerAndIsLoggedOnce(t *testing.T) {
	b := newBench(t, nil)
	b.parking.answer = func(w http.ResponseWriter, _ *http.Request) { panic("secret reason") }
	a := b.do("GET", "/api/v1/lots", nil)
	if p := b.refused(a, 500, "internal"); strings.Contains(a.body, "secret") {
		t.Errorf("the answer tells of the inside: %+v", p)
	}
	if n := strings.Count(b.log.String(), "secret reason"); n != 1 {
		t.Errorf("the panic is logged %d times:\n%s", n, b.log)
	}
	b.parking.answer = func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, strings.Repeat("half", 1000))
		http.NewResponseController(w).Flush()
		panic("in the middle")
	}
	response, err := b.client.Get(b.server.URL + "/api/v1/lots")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.ReadAll(response.Body); err == nil {
		t.Error("half an answer was taken for a whole one")
	}
}

func TestTheLogSaysWhatWasAskedButNoTokens(t *testing.T) {
	b := newBench(t, nil)
	token := b.token("operate")
	b.do("GET", "/notifications?access_token="+token, nil)
	b.do("POST", "/api/v1/lots?x=secret", nil, "Authorization", "Bearer "+token, "X-Request-Id", "write-1")
	b.do("GET", "/api/v1/nothing", nil)
	eventually(t, "three lines", func() bool { return strings.Count(b.log.String(), "msg=request") == 3 })
	text := b.log.String()
	if strings.Contains(text, token) || strings.Contains(text, "secret") {
		t.Errorf("the log has what it must not:\n%s", text)
	}
	for _, want := range []string{
		"level=DEBUG msg=request method=GET path=/notifications status=200",
		"level=DEBUG msg=request method=POST path=/api/v1/lots status=200",
		"subject=tester requestId=write-1",
		"level=INFO msg=request method=GET path=/api/v1/nothing status=404",
		"client=127.0.0.1",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the log lacks %q:\n%s", want, text)
		}
	}
}

func TestAnswersForProgramsAreNeitherSniffedNorStored(t *testing.T) {
	b := newBench(t, nil)
	a := b.do("GET", "/api/v1/lots", nil)
	if a.header.Get("X-Content-Type-Options") != "nosniff" || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("got %v", a.header)
	}
	b.parking.answer = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "private")
		w.WriteHeader(http.StatusNoContent)
	}
	if a := b.do("GET", "/api/v1/lots", nil); a.header.Get("Cache-Control") != "private" {
		t.Errorf("what the part said of storing became %q", a.header.Get("Cache-Control"))
	}
	if a := b.do("GET", "/", nil); a.header.Get("Cache-Control") != "" {
		t.Errorf("the dashboard's files got %v", a.header)
	}
}

func TestRequestsAreCountedByRouteAndNotByWhatClientsInvent(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	b := newBench(t, func(o *gateway.Options) { o.Registerer = registry })
	b.do("GET", "/api/v1/spots/a", nil)
	b.do("GET", "/api/v1/spots/b", nil)
	b.do("GET", "/api/v1/lots/c", nil, "Authorization", "Bearer bad")
	b.do("BREW", "/api/v1/spots/b", nil)
	b.do("GET", "/api/nothing/at/all", nil)
	const want = `# HELP parkwire_gateway_requests_total Requests by route, method and class of status; "stream" for connections that were taken over, "aborted" for answers that were cut off.
# TYPE parkwire_gateway_requests_total counter
parkwire_gateway_requests_total{method="GET",route="/api/",status="4xx"} 1
parkwire_gateway_requests_total{method="GET",route="/api/v1/lots/{lotId}",status="4xx"} 1
parkwire_gateway_requests_total{method="GET",route="/api/v1/spots/{spotId}",status="2xx"} 2
parkwire_gateway_requests_total{method="other",route="/api/v1/spots/{spotId}",status="4xx"} 1
`
	eventually(t, "every request counted", func() bool {
		return testutil.GatherAndCompare(registry, strings.NewReader(want), "parkwire_gateway_requests_total") == nil
	})
}

func TestAFloodIsNotOneOfTheLog(t *testing.T) {
	b := newBench(t, func(o *gateway.Options) { o.Limiter = limit.NewLocal(limit.Rate{PerSecond: 0.001, Burst: 1}, nil) })
	began := time.Now()
	for range 300 {
		b.do("GET", "/api/v1/lots", nil)
	}
	most := 5 + int(time.Since(began).Seconds()) + 1
	if n := strings.Count(b.log.String(), "level=INFO msg=request method=GET path=/api/v1/lots status=429"); n == 0 || n > most {
		t.Errorf("299 refusals are %d lines, not 1 to %d", n, most)
	}
}

func TestWhoAsksTooMuchWaitsToBeToldSo(t *testing.T) {
	b := newBench(t, func(o *gateway.Options) {
		o.Limiter, o.RefusalDelay = limit.NewLocal(limit.Rate{PerSecond: 0.001, Burst: 1}, nil), 50*time.Millisecond
	})
	b.do("GET", "/api/v1/lots", nil)
	began := time.Now()
	b.refused(b.do("GET", "/api/v1/lots", nil), 429, "rate-limited")
	if took := time.Since(began); took < 50*time.Millisecond {
		t.Errorf("it is told after %v", took)
	}
}
