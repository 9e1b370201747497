package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parkwire/internal/identity"
)

// asks sends a request by what somebody shows, and returns the status.
func (p *platform) asks(header, shown, method, path, body string) int {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.url+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set(header, shown)
	r.Header.Set("Content-Type", "application/json")
	response, err := p.client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}

// makeKey makes an API key and returns its id and its secret.
func (p *platform) makeKey(body string) (id, secret string) {
	p.t.Helper()
	status, answer := p.do("POST", "/api/v1/keys", body)
	var key struct{ ID, Secret string }
	if err := json.Unmarshal([]byte(answer), &key); err != nil || status != 201 {
		p.t.Fatalf("making a key: %d %s", status, answer)
	}
	return key.ID, key.Secret
}

// closedWith waits for the end of a stream and returns its code.
func closedWith(t *testing.T, conn *websocket.Conn) websocket.StatusCode {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		if _, _, err := conn.Read(ctx); err != nil {
			return websocket.CloseStatus(err)
		}
	}
}

// startForAdmins starts a platform where reading needs a token, and the tests have one that allows everything.
func startForAdmins(t *testing.T) (p *platform, issue func(identity.Principal) string) {
	t.Helper()
	const key = "a key for tests that has enough bytes"
	p = start(t, "--read-public=false", "--jwt-key="+key)
	verifier, err := identity.NewHS256([]byte(key), identity.Options{})
	if err != nil {
		t.Fatal(err)
	}
	issue = func(who identity.Principal) string {
		token, err := verifier.Issue(who, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	p.token = issue(identity.Principal{Subject: "root", Scopes: []string{identity.ScopeAdmin}})
	p.eventually("readiness", func() bool { return p.app.Ready() == nil })
	return p, issue
}

func TestAKeyWorksWhereATokenWouldUntilItIsRevoked(t *testing.T) {
	p, _ := startForAdmins(t)
	p.add("a", "a1")
	p.add("b", "b1")
	id, secret := p.makeKey(`{"name":"gate","scopes":["ingest"],"lots":["a"]}`)
	p.eventually("the key is known to the gateway", func() bool { return p.asks("Authorization", "Bearer "+secret, "GET", "/api/v1/lots/a", "") == 200 })
	if status := p.asks("X-API-Key", secret, "GET", "/api/v1/spots/a1", ""); status != 200 {
		t.Errorf("in the header for keys it is answered with %d", status)
	}
	for path, want := range map[string]int{"/api/v1/lots/b": 403, "/api/v1/spots/b1": 404, "/api/v1/keys": 403, "/api/v1/events": 200, "/api/v1/events?lot=b": 403} {
		p.eventually(fmt.Sprintf("GET %s is answered with %d", path, want), func() bool { return p.asks("X-API-Key", secret, "GET", path, "") == want })
	}
	if status := p.asks("X-API-Key", secret+"x", "GET", "/api/v1/lots", ""); status != 401 {
		t.Errorf("what is no key is answered with %d", status)
	}
	conn := p.listen("?access_token=" + secret)
	if status, answer := p.do("DELETE", "/api/v1/keys/"+id, ""); status != 204 {
		t.Fatalf("revoking it: %d %s", status, answer)
	}
	began := time.Now()
	if code := closedWith(t, conn); code != 4401 {
		t.Errorf("the stream is closed with %d", code)
	}
	p.eventually("the key is refused", func() bool { return p.asks("X-API-Key", secret, "GET", "/api/v1/lots/a", "") == 401 })
	t.Logf("it took %v until it held nowhere", time.Since(began))
}

func TestARevokedTokenHoldsNowhereWithinASecondOrSo(t *testing.T) {
	p, issue := startForAdmins(t)
	old := issue(identity.Principal{Subject: "anna", Scopes: []string{"operate"}})
	other := issue(identity.Principal{Subject: "bert", Scopes: []string{"read"}})
	gone, stays := p.listen("?access_token="+old), p.listen("?access_token="+other)
	if status := p.asks("Authorization", "Bearer "+old, "GET", "/api/v1/lots", ""); status != 200 {
		t.Fatalf("before, it is answered with %d", status)
	}
	if status, answer := p.do("POST", "/api/v1/revocations", `{"subject":"anna"}`); status != 201 {
		t.Fatalf("revoking: %d %s", status, answer)
	}
	if code := closedWith(t, gone); code != 4401 {
		t.Errorf("the stream is closed with %d", code)
	}
	p.eventually("the token is refused", func() bool { return p.asks("Authorization", "Bearer "+old, "GET", "/api/v1/lots", "") == 401 })
	if status := p.asks("Authorization", "Bearer "+other, "GET", "/api/v1/lots", ""); status != 200 {
		t.Errorf("the token of another is answered with %d", status)
	}
	p.add("a", "a1") // root's
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, message, err := stays.Read(ctx); err != nil || !strings.Contains(string(message), `"a1"`) {
		t.Errorf("the stream of another got %s, %v", message, err)
	}
}
