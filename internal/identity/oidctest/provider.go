// Package oidctest is an OpenID Connect provider for tests: discovery, keys that rotate, login by authorization code with PKCE, refresh tokens
// that rotate, revocation, logout. It knows a few users without passwords, keeps everything in memory, and is part of no program that is run
// in earnest. It is strict where a real provider is, so that a client that gets on with it has done its part.
package oidctest

import (
	"crypto"
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Options configure a [Provider]. All have defaults but Issuer.
type Options struct {
	// Issuer is where the provider is served, such as http://127.0.0.1:5555.
	Issuer string
	// ClientID names the one client, which is public. Default: dashboard.
	ClientID string
	// Redirects are the addresses to which the client may have people sent back, after login and after logout.
	Redirects []string
	// Audience is what the tokens are for, and the one resource that may be asked for. Default: https://parking.test/api.
	Audience string
	// Lifetime is that of access tokens. Default: 5 minutes.
	Lifetime time.Duration
	// Users are who can log in. Default: [Users].
	Users []User
	// Algorithm signs until another is asked for with Rotate. Default: RS256.
	Algorithm string
}

// A User can log in by name.
type User struct {
	Name   string
	Scopes []string // which the access token gets
	Lots   []string // likewise; nil: none is said
}

// Users are those of a provider that is given no others.
var Users = []User{
	{Name: "reader", Scopes: []string{"read"}},
	{Name: "operator", Scopes: []string{"operate"}},
	{Name: "admin", Scopes: []string{"admin"}},
	{Name: "lot-operator", Scopes: []string{"operate"}, Lots: []string{"central"}},
	{Name: "guest"},
}

// Provider is the provider, as the handler of its addresses.
type Provider struct {
	options Options
	mux     *http.ServeMux

	mu        sync.Mutex
	away      bool
	asked     map[string]int // requests, by path
	keys      []key          // the last one signs
	codes     map[string]grant
	refreshes map[string]*family
}

// grant is what somebody has allowed the client.
type grant struct {
	user                       User
	scopes                     []string
	resource, nonce, challenge string
	redirect                   string
	at                         time.Time
}

// family are the refresh tokens of a grant, one after the other. One that is shown twice ends all of them.
type family struct {
	grant
	current string
}

// New returns a provider with one key.
func New(o Options) *Provider {
	if o.ClientID == "" {
		o.ClientID = "dashboard"
	}
	if o.Audience == "" {
		o.Audience = "https://parking.test/api"
	}
	if o.Lifetime == 0 {
		o.Lifetime = 5 * time.Minute
	}
	if o.Users == nil {
		o.Users = Users
	}
	if o.Algorithm == "" {
		o.Algorithm = "RS256"
	}
	p := &Provider{options: o, mux: http.NewServeMux(), asked: map[string]int{}, codes: map[string]grant{}, refreshes: map[string]*family{}}
	p.Rotate(o.Algorithm)
	p.mux.HandleFunc("GET /.well-known/openid-configuration", p.getDiscovery)
	p.mux.HandleFunc("GET /jwks", p.getKeys)
	p.mux.HandleFunc("GET /authorize", p.getAuthorize)
	p.mux.HandleFunc("POST /authorize", p.postAuthorize)
	p.mux.HandleFunc("POST /token", p.postToken)
	p.mux.HandleFunc("POST /revoke", p.postRevoke)
	p.mux.HandleFunc("GET /logout", p.getLogout)
	return p
}

// ServeHTTP answers as a provider does; while it is away, as its proxy does.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked[r.URL.Path]++
	away := p.away
	p.mu.Unlock()
	if away {
		http.Error(w, "the provider is away", http.StatusBadGateway)
		return
	}
	// Pages of any origin may ask: nothing here depends on a cookie.
	w.Header().Set("Access-Control-Allow-Origin", "*")
	if r.Method == http.MethodOptions {
		w.Header().Set("Access-Control-Allow-Headers", "Content-Type")
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	p.mux.ServeHTTP(w, r)
}

// Away makes the provider fail, or come back.
func (p *Provider) Away(away bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.away = away
}

// Asked returns how many requests there were for a path.
func (p *Provider) Asked(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked[path]
}

// Rotate signs with a new key from now on. The keys of before are published no longer, but for those in keep, by their ids. It returns
// the id of the new one.
func (p *Provider) Rotate(algorithm string, keep ...string) string {
	k := newKey(algorithm)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = append(slices.DeleteFunc(p.keys, func(k key) bool { return !slices.Contains(keep, k.id) }), k)
	return k.id
}

// Claims are those of an access token for a user, valid from now on.
func (p *Provider) Claims(u User) jwt.MapClaims {
	now := time.Now()
	c := jwt.MapClaims{
		"iss": p.options.Issuer, "sub": u.Name, "aud": p.options.Audience, "client_id": p.options.ClientID,
		"iat": now.Unix(), "exp": now.Add(p.options.Lifetime).Unix(), "jti": rand.Text(), "scope": strings.Join(u.Scopes, " "),
	}
	if u.Lots != nil {
		c["lots"] = u.Lots
	}
	return c
}

// Token returns an access token for the user of a name, and whether there is one.
func (p *Provider) Token(name string) (string, bool) {
	u, ok := p.user(name)
	if !ok {
		return "", false
	}
	return p.Sign(p.Claims(u), nil), true
}

// Sign makes a token of any claims, with more fields in its header where those are given, signed with the newest key.
func (p *Provider) Sign(c jwt.MapClaims, header map[string]any) string {
	p.mu.Lock()
	k := p.keys[len(p.keys)-1]
	p.mu.Unlock()
	t := jwt.NewWithClaims(jwt.GetSigningMethod(k.algorithm), c)
	t.Header["kid"] = k.id
	t.Header["typ"] = "at+jwt"
	maps.Copy(t.Header, header)
	text, err := t.SignedString(k.private)
	if err != nil {
		panic(fmt.Sprintf("oidctest: signing: %v", err))
	}
	return text
}

// Public returns the newest key's public part.
func (p *Provider) Public() crypto.PublicKey {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.keys[len(p.keys)-1].private.Public()
}

// user returns the user of a name.
func (p *Provider) user(name string) (User, bool) {
	i := slices.IndexFunc(p.options.Users, func(u User) bool { return u.Name == name })
	if i < 0 {
		return User{}, false
	}
	return p.options.Users[i], true
}
