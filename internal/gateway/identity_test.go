package gateway_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"parkwire/internal/gateway"
)

func TestWhoAsksIsToldWhoTheyAreAndHowToSignIn(t *testing.T) {
	reached := false
	b := newBench(t, func(o *gateway.Options) {
		o.ReadPublic = false
		o.Login = &gateway.Login{ClientID: "dashboard", Scope: "openid", Resource: "https://parking.example/api", Endpoints: func() (gateway.Endpoints, bool) {
			if !reached {
				return gateway.Endpoints{}, false
			}
			return gateway.Endpoints{Issuer: "https://id.example", Authorization: "https://id.example/auth", Token: "https://id.example:8443/token"}, true
		}}
	})
	login := map[string]any{"clientId": "dashboard", "scope": "openid", "resource": "https://parking.example/api"}
	check := func(what string, want map[string]any, headers ...string) {
		t.Helper()
		a := b.do("GET", "/api/v1/identity", nil, headers...)
		var got map[string]any
		if err := json.Unmarshal([]byte(a.body), &got); err != nil || a.status != 200 || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %d %s, not %v", what, a.status, a.body, want)
		}
		if a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: it may be kept: %q", what, a.header.Get("Cache-Control"))
		}
	}
	check("before the provider was reached", map[string]any{"readPublic": false, "login": login})
	reached = true
	login["endpoints"] = map[string]any{"issuer": "https://id.example", "authorization": "https://id.example/auth", "token": "https://id.example:8443/token"}
	check("without a token", map[string]any{"readPublic": false, "login": login}, "X-Parkwire-Subject", "root")
	check("with a token", map[string]any{"readPublic": false, "login": login, "principal": map[string]any{"subject": "tester", "scopes": []any{"operate"}}},
		"Authorization", "Bearer "+b.token("operate"))
	b.refused(b.do("GET", "/api/v1/identity", nil, "Authorization", "Bearer bad"), 401, "token-invalid")
	b.refused(b.do("GET", "/api/v1/identity?access_token=x", nil), 400, "unknown-parameter")
}

func TestWithoutAProviderThereIsNothingToSignInWith(t *testing.T) {
	b := newBench(t, func(o *gateway.Options) { o.ReadPublic = true })
	if a := b.do("GET", "/api/v1/identity", nil); a.body != `{"readPublic":true}`+"\n" {
		t.Errorf("the answer is %s", a.body)
	}
}

func TestThePageMayReachTheTokenEndpointAlone(t *testing.T) {
	for token, want := range map[string]string{
		"https://id.example:8443/realm/token?x=1": "https://id.example:8443", "": "", "::": "",
	} {
		l := &gateway.Login{Endpoints: func() (gateway.Endpoints, bool) { return gateway.Endpoints{Token: token}, token != "" }}
		if got := l.TokenOrigin(); got != want {
			t.Errorf("of %q the page may reach %q, not %q", token, got, want)
		}
	}
	if got := (*gateway.Login)(nil).TokenOrigin(); got != "" {
		t.Errorf("without a login the page may reach %q", got)
	}
}
