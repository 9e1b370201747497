package gateway_test

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"

	"parkwire/internal/gateway"
	"parkwire/internal/identity"
	"parkwire/internal/limit"
)

// What each of the further services serves, by its name.
var furtherPaths = map[string][]string{
	"history": {"/api/v1/lots/a/metrics", "/api/v1/spots/a/intervals", "/feeds/signs/lots/a"},
	"audit":   {"/api/v1/audit", "/api/v1/audit/7", "/api/v1/audit/head"},
	"alerts":  {"/api/v1/alerts/rules", "/api/v1/alerts/stream"},
}

func TestAServiceThatIsNotThereIsSaidToBeNot(t *testing.T) {
	b := newBench(t, nil)
	for name, paths := range furtherPaths {
		for _, path := range paths {
			p := b.refused(b.do("GET", path, nil, "Authorization", "Bearer "+b.token("admin")), 503, "service-not-configured")
			if p.Extras["part"] != name || !strings.Contains(p.Detail, name+"-urls") {
				t.Errorf("%s: %+v", path, p)
			}
		}
	}
	if a := b.do("GET", "/api/v1/lots", nil); a.status != 200 {
		t.Errorf("and lots are answered with %d", a.status)
	}
}

func TestEachServiceGetsItsRequestsWithWhoMakesThem(t *testing.T) {
	fakes := map[string]*fake{"history": {name: "history"}, "audit": {name: "audit"}, "alerts": {name: "alerts"}}
	b := newBench(t, func(o *gateway.Options) {
		o.History, o.Audit = gateway.Local(fakes["history"], nil), gateway.Local(fakes["audit"], nil)
		o.Alerts = runProxy(t, gateway.ProxyOptions{URLs: []string{serve(t, fakes["alerts"]).URL}, Name: "alerts", NoKeys: true})
	})
	token := b.tokenOf(identity.Principal{Subject: "ada", Scopes: []string{"admin"}, Lots: []string{"a", "b c"}})
	for name, paths := range furtherPaths {
		for _, path := range paths {
			if a := b.do("GET", path+"?x=1", nil, "Authorization", "Bearer "+token, identity.HeaderSubject, "mallory", "Connection", identity.HeaderSubject); a.status != 200 || a.body != name {
				t.Errorf("%s is answered with %d %q", path, a.status, a.body)
			}
		}
		for i, r := range fakes[name].requests() {
			if h := r.header; r.uri != paths[i]+"?x=1" || h.Get(identity.HeaderSubject) != "ada" || h.Get(identity.HeaderLots) != "a b%20c" || h.Get(identity.HeaderScopes) != "admin" ||
				h.Get(identity.HeaderForwardedFor) != "127.0.0.1" || h.Get("X-Request-Id") == "" {
				t.Errorf("%s hears %s with %v", name, r.uri, h)
			}
		}
	}
}

// What is sent again under a key must be done once, or not be taken for something that is.
func TestAKeyThatNobodyKeepsIsRefused(t *testing.T) {
	alerts := &fake{name: "alerts"}
	b := newBench(t, func(o *gateway.Options) { o.Alerts = gateway.Local(alerts, nil) })
	for _, request := range []struct{ method, path string }{
		{"POST", "/api/v1/alerts/rules"}, {"POST", "/api/v1/alerts/channels/a/rotate"}, {"PATCH", "/api/v1/alerts/rules/a"},
	} {
		p := b.refused(b.do(request.method, request.path, strings.NewReader("{}"), "Authorization", "Bearer "+b.token("read"), "Idempotency-Key", "k"), 400, "idempotency-key-not-kept")
		if p.Field != "Idempotency-Key" {
			t.Errorf("%s: %+v", request.path, p)
		}
	}
	if n := len(alerts.requests()); n > 0 {
		t.Errorf("the service hears of %d of them", n)
	}
	for _, method := range []string{"GET", "DELETE"} { // which may be repeated
		if a := b.do(method, "/api/v1/alerts/rules/a", nil, "Authorization", "Bearer "+b.token("read"), "Idempotency-Key", "k"); a.status != 200 {
			t.Errorf("%s is answered with %d %s", method, a.status, a.body)
		}
	}
	if a := b.do("POST", "/api/v1/lots", strings.NewReader("{}"), "Authorization", "Bearer "+b.token("operate"), "Idempotency-Key", "k"); a.status != 200 {
		t.Errorf("where keys are kept it is answered with %d %s", a.status, a.body)
	}
}

func TestStreamsOfAlertsAreCountedBySubject(t *testing.T) {
	b := newBench(t, func(o *gateway.Options) {
		o.Limiter = limit.NewLocal(limit.Rate{PerSecond: 0.001, Burst: 2}, nil)
		o.Alerts = gateway.Local(&fake{name: "alerts"}, nil)
	})
	token := func(subject string) string {
		return b.tokenOf(identity.Principal{Subject: subject, Scopes: []string{"read"}})
	}
	ada, bob := token("ada"), token("bob") // behind one address
	for range 2 {
		if a := b.do("GET", identity.AlertsPath, nil, "Authorization", "Bearer "+ada); a.status != 200 {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	b.refused(b.do("GET", identity.AlertsPath, nil, "Authorization", "Bearer "+ada), 429, "rate-limited")
	if a := b.do("GET", identity.AlertsPath, nil, "Authorization", "Bearer "+bob); a.status != 200 {
		t.Errorf("another one behind the same address is answered with %d %s", a.status, a.body)
	}
	for range 5 {
		if a := b.do("GET", identity.NotificationsPath, nil, "Authorization", "Bearer "+ada, "Accept", "text/event-stream"); a.status != 200 {
			t.Errorf("a stream of notifications is answered with %d %s", a.status, a.body)
		}
	}
}

func TestScopesOfTheFurtherServices(t *testing.T) {
	b := newBench(t, func(o *gateway.Options) {
		o.ReadPublic = false
		o.History, o.Audit, o.Alerts = gateway.Local(&fake{}, nil), gateway.Local(&fake{}, nil), gateway.Local(&fake{}, nil)
	})
	for name, paths := range furtherPaths {
		for _, path := range paths {
			b.refused(b.do("GET", path, nil), 401, "token-required")
			want := 200
			if name == "audit" {
				want = 403
			}
			if a := b.do("GET", path, nil, "Authorization", "Bearer "+b.token("operate")); a.status != want {
				t.Errorf("%s is answered with %d to an operator", path, a.status)
			}
		}
	}
}

func TestThePlatformIsReadyWithoutItsFurtherServices(t *testing.T) {
	gone := serve(t, http.NotFoundHandler()).URL
	history := newProxy(t, "history", gone)
	b := newBench(t, func(o *gateway.Options) { o.History = history })
	eventually(t, "the service is found not to be ready", func() bool { return history.Ready() != nil && b.gateway.FurtherReady() != nil })
	if err := b.gateway.Ready(); err != nil {
		t.Errorf("the gateway is not ready: %v", err)
	}
	if err := b.gateway.FurtherReady(); !strings.Contains(err.Error(), "history: ") {
		t.Errorf("what troubles it is said so: %v", err)
	}
}

func TestAlertsStreamAndEndBetweenTwoOfThem(t *testing.T) {
	b := newBench(t, func(o *gateway.Options) {
		o.Alerts = runProxy(t, gateway.ProxyOptions{Name: "alerts", URLs: []string{serve(t, echoing(t)).URL}, FinishWait: forEver})
	})
	r, _ := http.NewRequestWithContext(t.Context(), "GET", b.server.URL+identity.AlertsPath+"?access_token="+b.token("read"), nil) // as an EventSource has it
	response, err := b.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	lines := bufio.NewReader(response.Body)
	if first, err := lines.ReadString('\n'); err != nil || first != "id: 0\n" {
		t.Fatalf("it begins with %q, %v", first, err)
	}
	wait := b.drain()
	rest, err := io.ReadAll(lines)
	if err != nil {
		t.Errorf("it is cut off: %v", err)
	}
	if text := "id: 0\n" + string(rest); !strings.Contains(text, "\n\n: ") || !strings.Contains(text, "\nretry: ") || !strings.HasSuffix(text, "\n\n") {
		t.Errorf("it ends with %q", text)
	}
	wait()
	if a := b.do("GET", identity.AlertsPath, nil, "Authorization", "Bearer "+b.token("read")); a.status != 503 {
		t.Errorf("after draining a stream is answered with %d", a.status)
	}
}

func TestATokenStandsInTheAddressOfStreamsAlone(t *testing.T) {
	b := newBench(t, func(o *gateway.Options) {
		o.ReadPublic = false
		o.Alerts = gateway.Local(&fake{name: "alerts"}, nil)
	})
	if a := b.do("GET", identity.AlertsPath+"?access_token="+b.token("read"), nil); a.status != 200 {
		t.Errorf("%d %s", a.status, a.body)
	}
	b.refused(b.do("GET", "/api/v1/alerts/rules?access_token="+b.token("read"), nil), 401, "token-required")
}

// What is asked for under /feeds and is not there is no page of the dashboard.
func TestFeedsThatAreNoneAreProblems(t *testing.T) {
	b := newBench(t, func(o *gateway.Options) { o.History = gateway.Local(&fake{}, nil) })
	b.refused(b.do("GET", "/feeds/unheard/of", nil), 404, "route-not-found")
	b.refused(b.do("POST", "/feeds/signs/lots/a", nil), 405, "method-not-allowed")
}
