package app_test

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parkwire/internal/identity"
	"parkwire/internal/identity/oidctest"
	"parkwire/test/e2e/stack"
)

const (
	audience   = "https://parking.test/api"
	redirectTo = "http://localhost:5000/signed-in"
)

// provide runs an OpenID Connect provider and returns it with the settings of a platform that takes its tokens.
func provide(t *testing.T) (*oidctest.Provider, string, []string) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	issuer := "http://" + server.Listener.Addr().String()
	p := oidctest.New(oidctest.Options{Issuer: issuer, Audience: audience, Redirects: []string{redirectTo}})
	server.Config.Handler = p
	server.Start()
	t.Cleanup(server.Close)
	return p, issuer, []string{"--oidc-issuer=" + issuer, "--oidc-audience=" + audience, "--oidc-client-id=dashboard", "--oidc-login-resource=" + audience}
}

// logIn gets tokens as the dashboard does: by authorization code with PKCE.
func logIn(t *testing.T, p *platform, user string) (accessToken, refreshToken string) {
	t.Helper()
	var said struct {
		Login struct {
			ClientID  string `json:"clientId"`
			Scope     string `json:"scope"`
			Resource  string `json:"resource"`
			Endpoints struct{ Authorization, Token string }
		}
	}
	status, answer := p.do("GET", "/api/v1/identity", "")
	if err := json.Unmarshal([]byte(answer), &said); err != nil || status != http.StatusOK || said.Login.Endpoints.Token == "" {
		t.Fatalf("how to log in: %d %s", status, answer)
	}
	login := said.Login
	verifier := rand.Text() + rand.Text()
	challenge := sha256.Sum256([]byte(verifier))
	q := url.Values{
		"response_type": {"code"}, "client_id": {login.ClientID}, "redirect_uri": {redirectTo}, "scope": {login.Scope}, "resource": {login.Resource}, "state": {"s"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"}, "login_hint": {user},
	}
	browser := &http.Client{Transport: p.client.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	back := get(t, browser, login.Endpoints.Authorization+"?"+q.Encode())
	at, err := url.Parse(back.Header.Get("Location"))
	if err != nil || at.Query().Get("code") == "" || at.Query().Get("state") != "s" {
		t.Fatalf("sent back to %v: %v", at, err)
	}
	return redeem(t, p, login.Endpoints.Token, url.Values{
		"grant_type": {"authorization_code"}, "client_id": {login.ClientID}, "code": {at.Query().Get("code")}, "redirect_uri": {redirectTo}, "code_verifier": {verifier},
	})
}

func redeem(t *testing.T, p *platform, at string, form url.Values) (accessToken, refreshToken string) {
	t.Helper()
	response, err := p.client.PostForm(at, form)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var tokens struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
		Error   string `json:"error"`
	}
	if err := json.NewDecoder(response.Body).Decode(&tokens); err != nil || tokens.Access == "" || tokens.Refresh == "" {
		t.Fatalf("tokens: %d %s %v", response.StatusCode, tokens.Error, err)
	}
	return tokens.Access, tokens.Refresh
}

func get(t *testing.T, client *http.Client, address string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response
}

// as is the platform as somebody with another token sees it.
func (p *platform) as(token string) *platform {
	other := *p
	other.token = token
	return &other
}

func TestWhoLogsInAtTheProviderDoesWhatTheirScopesAndLotsAllow(t *testing.T) {
	provider, issuer, settings := provide(t)
	p := start(t, append(settings, "--kafka-listen="+stack.Address(stack.Port(t)), "--read-public=false")...)
	p.eventually("the provider has answered", func() bool {
		_, answer := p.do("GET", "/api/v1/identity", "")
		return strings.Contains(answer, issuer)
	})
	p.eventually("the platform is ready", func() bool { return p.app.Ready() == nil })
	p.add("north", "N-1")
	p.add("central", "C-1")

	token, refresh := logIn(t, p, "reader")
	reader := p.as(token)
	if status, answer := reader.do("GET", "/api/v1/lots", ""); status != http.StatusOK || !strings.Contains(answer, "north") {
		t.Errorf("a reader reads: %d %s", status, answer)
	}
	if status, answer := reader.do("POST", "/api/v1/spots/N-1/occupy", ""); status != http.StatusForbidden || !strings.Contains(answer, "oidc:reader") {
		t.Errorf("a reader writes: %d %s", status, answer)
	}
	limited, _ := logIn(t, p, "lot-operator")
	if status, answer := p.as(limited).do("GET", "/api/v1/lots", ""); status != http.StatusOK || strings.Contains(answer, "north") || !strings.Contains(answer, "central") {
		t.Errorf("who is limited to one lot reads: %d %s", status, answer)
	}
	if status, answer := p.as(limited).do("POST", "/api/v1/spots/N-1/occupy", ""); status != http.StatusNotFound {
		t.Errorf("who is limited to one lot writes in another: %d %s", status, answer)
	}
	guest, _ := logIn(t, p, "guest")
	if status, _ := p.as(guest).do("GET", "/api/v1/lots", ""); status != http.StatusForbidden {
		t.Errorf("who has no scope reads: %d", status)
	}

	// The notifications take the same tokens, and new ones while they are connected.
	c, _, err := websocket.Dial(t.Context(), p.url+"/notifications?access_token="+token, &websocket.DialOptions{
		Subprotocols: []string{"parkwire.v1"}, HTTPClient: &http.Client{Transport: p.client.Transport},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	token, _ = redeem(t, p, issuer+"/token", url.Values{"grant_type": {"refresh_token"}, "client_id": {"dashboard"}, "refresh_token": {refresh}})
	if err := c.Write(t.Context(), websocket.MessageText, []byte(`{"type":"Authenticate","token":"`+token+`"}`)); err != nil {
		t.Fatal(err)
	}
	for said := ""; !strings.Contains(said, "Authenticated"); {
		_, text, err := c.Read(t.Context())
		if said = string(text); err != nil || strings.Contains(said, "Error") {
			t.Fatalf("the new token: %s %v", said, err)
		}
	}

	// While the provider is away, nothing is lost but what nobody can know.
	provider.Away(true)
	if status, answer := p.as(token).do("GET", "/api/v1/lots", ""); status != http.StatusOK {
		t.Errorf("a token by a known key: %d %s", status, answer)
	}
	provider.Rotate("ES256")
	fresh, _ := provider.Token("operator")
	p.eventually("a token by a key that may be new waits for the provider", func() bool {
		status, answer := p.as(fresh).do("GET", "/api/v1/lots", "")
		return status == http.StatusServiceUnavailable && strings.Contains(answer, "identity-unavailable")
	})
	if err := p.app.Ready(); err != nil {
		t.Errorf("the platform is not ready without the provider: %v", err)
	}
	provider.Away(false)
	p.eventually("the new key is taken", func() bool {
		status, _ := p.as(fresh).do("POST", "/api/v1/spots/N-1/occupy", "")
		return status == http.StatusOK
	})
	if status, _ := p.as(token).do("GET", "/api/v1/lots", ""); status != http.StatusUnauthorized {
		t.Errorf("a token by a key that the provider has withdrawn: %d", status)
	}
	if status, _ := p.do("GET", "/api/v1/lots", ""); status != http.StatusOK {
		t.Errorf("a token by the platform's own key: %d", status)
	}
}

func TestTheKeyOfThePlatformChangesWhileItRuns(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	p := start(t, "--data-dir="+dir, "--kafka-listen="+stack.Address(stack.Port(t)))
	path := filepath.Join(dir, "jwt.key")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	after := strings.Repeat("n", 32)
	replace := func(text string) {
		t.Helper()
		if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	verifier, err := identity.NewHS256([]byte(after), identity.Options{})
	if err != nil {
		t.Fatal(err)
	}
	token, err := verifier.Issue(identity.Principal{Subject: "new", Scopes: []string{"operate"}}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	taken := func(by *platform) bool {
		status, _ := by.do("GET", "/api/v1/identity", "")
		return status == http.StatusOK
	}
	if taken(p.as(token)) {
		t.Error("a token by a key that is not in the file is taken")
	}
	replace(after + "\n" + string(before))
	p.eventually("the new key is taken", func() bool { return taken(p.as(token)) })
	if !taken(p) {
		t.Error("a token by the key in the second line is refused")
	}
	replace(after)
	p.eventually("the old key is not taken any more", func() bool { return !taken(p) })
}
