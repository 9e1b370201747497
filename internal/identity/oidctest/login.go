package oidctest

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const codeLifetime = time.Minute

func (p *Provider) getDiscovery(w http.ResponseWriter, _ *http.Request) {
	at := func(path string) string { return strings.TrimSuffix(p.options.Issuer, "/") + path }
	answer(w, http.StatusOK, map[string]any{
		"issuer": p.options.Issuer, "jwks_uri": at("/jwks"), "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
		"revocation_endpoint": at("/revoke"), "end_session_endpoint": at("/logout"),
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"}, "grant_types_supported": []string{"authorization_code", "refresh_token"},
		"id_token_signing_alg_values_supported": Algorithms, "code_challenge_methods_supported": []string{"S256"},
		"token_endpoint_auth_methods_supported": []string{"none"}, "authorization_response_iss_parameter_supported": true,
	})
}

var loginPage = template.Must(template.New("").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Log in</title>
<h1>Log in</h1>
<form method="post" action="/authorize?{{.Query}}">
{{range .Users}}<p><button name="user" value="{{.Name}}">{{.Name}}</button></p>
{{end}}<p><button name="user" value="">Cancel</button></p>
</form>
</html>
`))

// getAuthorize shows who can log in. With the parameter login_hint the named user does at once.
func (p *Provider) getAuthorize(w http.ResponseWriter, r *http.Request) {
	if hint := r.URL.Query().Get("login_hint"); hint != "" {
		p.authorize(w, r, hint)
		return
	}
	if _, ok := p.checkClient(w, r.URL.Query()); !ok {
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	_ = loginPage.Execute(w, struct {
		Query template.URL
		Users []User
	}{template.URL(r.URL.Query().Encode()), p.options.Users})
}

func (p *Provider) postAuthorize(w http.ResponseWriter, r *http.Request) {
	p.authorize(w, r, r.PostFormValue("user"))
}

// checkClient shows an error itself where there is nobody whom it may be told by redirection.
func (p *Provider) checkClient(w http.ResponseWriter, q url.Values) (*url.URL, bool) {
	back, err := url.Parse(q.Get("redirect_uri"))
	if q.Get("client_id") != p.options.ClientID || err != nil || !slices.Contains(p.options.Redirects, q.Get("redirect_uri")) {
		http.Error(w, "there is no such client, or it may not have people sent there", http.StatusBadRequest)
		return nil, false
	}
	return back, true
}

// authorize sends the browser back with a code, or with what is wrong.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request, name string) {
	q := r.URL.Query()
	back, ok := p.checkClient(w, q)
	if !ok {
		return
	}
	sent := back.Query()
	sent.Set("iss", p.options.Issuer)
	if state := q.Get("state"); state != "" {
		sent.Set("state", state)
	}
	user, known := p.user(name)
	scopes := strings.Fields(q.Get("scope"))
	switch {
	case q.Get("response_type") != "code":
		sent.Set("error", "unsupported_response_type")
	case q.Get("code_challenge_method") != "S256", len(q.Get("code_challenge")) != 43, !slices.Contains(scopes, "openid"):
		sent.Set("error", "invalid_request")
	case q.Get("resource") != "" && q.Get("resource") != p.options.Audience:
		sent.Set("error", "invalid_target")
	case q.Get("prompt") == "none":
		sent.Set("error", "login_required")
	case !known:
		sent.Set("error", "access_denied")
	default:
		sent.Set("code", p.remember(grant{
			user: user, scopes: p.granted(user, scopes), resource: q.Get("resource"), nonce: q.Get("nonce"), challenge: q.Get("code_challenge"),
			redirect: q.Get("redirect_uri"), at: time.Now(),
		}))
	}
	back.RawQuery = sent.Encode()
	http.Redirect(w, r, back.String(), http.StatusSeeOther)
}

// granted are the scopes that the user has of those that were asked for; all that the user has where none of those was.
func (p *Provider) granted(u User, asked []string) []string {
	var scopes, ours []string
	for _, s := range asked {
		switch {
		case s == "openid", s == "profile", s == "offline_access":
			scopes = append(scopes, s)
		case slices.Contains(u.Scopes, s):
			ours = append(ours, s)
		}
	}
	if len(ours) == 0 {
		ours = u.Scopes
	}
	return append(scopes, ours...)
}

func (p *Provider) remember(g grant) string {
	code := rand.Text()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.codes[code] = g
	return code
}

func (p *Provider) postToken(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.PostFormValue("client_id") != p.options.ClientID || r.PostFormValue("client_secret") != "" || r.Header.Get("Authorization") != "":
		refuse(w, http.StatusUnauthorized, "invalid_client")
	case r.PostFormValue("grant_type") == "authorization_code":
		p.exchange(w, r)
	case r.PostFormValue("grant_type") == "refresh_token":
		p.refresh(w, r)
	default:
		refuse(w, http.StatusBadRequest, "unsupported_grant_type")
	}
}

// exchange gives tokens for a code, which is good once.
func (p *Provider) exchange(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	g, ok := p.codes[r.PostFormValue("code")]
	delete(p.codes, r.PostFormValue("code"))
	p.mu.Unlock()
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	if !ok || time.Since(g.at) > codeLifetime || g.redirect != r.PostFormValue("redirect_uri") || subtle.ConstantTimeCompare([]byte(challenge), []byte(g.challenge)) != 1 {
		refuse(w, http.StatusBadRequest, "invalid_grant")
		return
	}
	refreshToken := ""
	if slices.Contains(g.scopes, "offline_access") {
		refreshToken = rand.Text()
		p.mu.Lock()
		p.refreshes[refreshToken] = &family{g, refreshToken}
		p.mu.Unlock()
	}
	p.give(w, g, refreshToken)
}

// refresh gives new tokens for a refresh token, which is good once.
func (p *Provider) refresh(w http.ResponseWriter, r *http.Request) {
	shown, next := r.PostFormValue("refresh_token"), rand.Text()
	p.mu.Lock()
	f, ok := p.refreshes[shown]
	good := ok && f.current == shown
	if good {
		f.current = next
		p.refreshes[next] = f
	} else if ok {
		f.current = "" // somebody has stolen one
	}
	p.mu.Unlock()
	if !good {
		refuse(w, http.StatusBadRequest, "invalid_grant")
		return
	}
	p.give(w, f.grant, next)
}

func (p *Provider) give(w http.ResponseWriter, g grant, refreshToken string) {
	c := p.Claims(g.user)
	c["scope"] = strings.Join(g.scopes, " ")
	access := p.Sign(c, nil)
	hash := sha256.Sum256([]byte(access)) // as long as ID tokens are signed with an algorithm of SHA-256
	idToken := p.Sign(jwt.MapClaims{
		"iss": p.options.Issuer, "sub": g.user.Name, "aud": p.options.ClientID, "iat": c["iat"], "exp": c["exp"], "auth_time": g.at.Unix(), "nonce": g.nonce,
		"name": g.user.Name, "preferred_username": g.user.Name, "at_hash": base64.RawURLEncoding.EncodeToString(hash[:16]),
	}, map[string]any{"typ": "JWT"})
	tokens := map[string]any{
		"access_token": access, "id_token": idToken, "token_type": "Bearer", "expires_in": int(p.options.Lifetime.Seconds()), "scope": c["scope"],
	}
	if refreshToken != "" {
		tokens["refresh_token"] = refreshToken
	}
	answer(w, http.StatusOK, tokens)
}

// postRevoke ends the refresh tokens of a grant (RFC 7009).
func (p *Provider) postRevoke(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	if f, ok := p.refreshes[r.PostFormValue("token")]; ok {
		f.current = ""
	}
	p.mu.Unlock()
	w.WriteHeader(http.StatusOK)
}

// getLogout sends the browser back. There is no session that could end: each login asks anew.
func (p *Provider) getLogout(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back, err := url.Parse(q.Get("post_logout_redirect_uri"))
	if err != nil || !slices.Contains(p.options.Redirects, q.Get("post_logout_redirect_uri")) {
		http.Error(w, "logged out", http.StatusOK)
		return
	}
	if state := q.Get("state"); state != "" {
		back.RawQuery = url.Values{"state": {state}}.Encode()
	}
	http.Redirect(w, r, back.String(), http.StatusSeeOther)
}

func refuse(w http.ResponseWriter, status int, code string) {
	answer(w, status, map[string]string{"error": code})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // who is gone needs no answer
}
