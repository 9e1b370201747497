// Package oidc checks the tokens of an OpenID Connect provider: JSON Web Tokens that are signed with one of the keys that the provider
// publishes. It finds those keys by itself, follows their rotation, and goes on with the ones it knows while the provider is away.
package oidc

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"github.com/golang-jwt/jwt/v5"
	"github.com/prometheus/client_golang/prometheus"

	"parkwire/internal/identity"
)

// Options configure a [Provider]. Issuer and Audience are required.
type Options struct {
	// Issuer is the provider as it names itself, to the letter.
	Issuer string
	// Audience must be among those of each token. Providers give tokens for many programs, and those for others are not for us.
	Audience string
	// ScopesClaims are the claims that hold scopes, roles or groups: each a text with spaces between them, or a list. A dot leads into an
	// object. Default: scope and scp.
	ScopesClaims []string
	// Scopes says which scope each name in those claims allows. nil: names are those of our scopes, and others allow nothing.
	Scopes map[string]string
	// LotsClaim is the claim with the ids of the lots that a token is limited to, written like ScopesClaims. Default: lots.
	LotsClaim string
	// Transport makes the requests to the provider; nil: that of [NewTransport].
	Transport  http.RoundTripper
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// Provider is an OpenID Connect provider, and an [identity.TokenVerifier].
type Provider struct {
	options Options
	parser  *jwt.Parser
	keys    *keySource
}

// New returns a provider whose keys are not known before [Provider.Run] runs.
func New(o Options) *Provider {
	if len(o.ScopesClaims) == 0 {
		o.ScopesClaims = []string{"scope", "scp"}
	}
	if o.LotsClaim == "" {
		o.LotsClaim = "lots"
	}
	if o.Transport == nil {
		o.Transport = NewTransport()
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return &Provider{options: o, keys: newKeySource(o), parser: jwt.NewParser(
		jwt.WithValidMethods(algorithms), // whatever the token's own header asks for
		jwt.WithIssuer(o.Issuer),
		jwt.WithAudience(o.Audience),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(identity.Leeway),
	)}
}

// Run keeps the keys as the provider has them until ctx ends.
func (p *Provider) Run(ctx context.Context) { p.keys.run(ctx) }

// Ready returns nil, or why the keys may not be those that the provider has. Tokens by keys that are known are taken all the same.
func (p *Provider) Ready() error { return p.keys.ready() }

// Endpoints are where people log in and get tokens, as the provider says. Only the first two always are.
type Endpoints struct {
	Issuer        string
	Authorization string
	Token         string
	EndSession    string
	Revocation    string
}

// Endpoints returns where people log in, and false before the provider has answered for the first time. It does not wait.
func (p *Provider) Endpoints() (Endpoints, bool) {
	known := p.keys.known.Load()
	if known == nil {
		return Endpoints{}, false
	}
	return known.endpoints, true
}

// Verify returns whom the token speaks for. It asks the provider where the token is by a key that is not known yet, and waits for the
// answer for a moment.
func (p *Provider) Verify(ctx context.Context, token string) (identity.Principal, error) {
	c := jwt.MapClaims{}
	_, err := p.parser.ParseWithClaims(token, c, func(t *jwt.Token) (any, error) {
		if err := accessToken(t.Header, c); err != nil {
			return nil, err
		}
		return p.keys.find(ctx, t)
	})
	if err != nil {
		return identity.Principal{}, identity.Refusal(err)
	}
	return p.principal(c)
}

// accessToken refuses what providers sign with the same keys and is meant for other things.
func accessToken(header map[string]any, c jwt.MapClaims) error {
	if stated, ok := header["typ"]; ok {
		kind, _ := stated.(string)
		kind = strings.TrimPrefix(strings.ToLower(kind), "application/")
		if kind != "jwt" && kind != "at+jwt" { // RFC 9068 asks for the second; most providers still write the first
			return identity.Refuse("it is no access token, by its type")
		}
	}
	for _, claim := range []string{"at_hash", "c_hash"} { // OpenID Connect Core, section 3.1.3.6: they bind an ID token to what came with it
		if _, ok := c[claim]; ok {
			return identity.Refuse("it is an ID token, which tells a program who logged in; an access token is needed")
		}
	}
	if _, bound := c["cnf"]; bound { // RFC 7800: whoever shows it must prove to have a key, which nobody can here
		return identity.Refuse("it is bound to a key of its holder, of which no proof is taken here")
	}
	return nil
}

// principal reads the claims of a token that is good.
func (p *Provider) principal(c jwt.MapClaims) (identity.Principal, error) {
	subject, _ := c["sub"].(string)
	tokenID, _ := c["jti"].(string)
	if subject != "" {
		subject = identity.PrefixOIDC + subject
	}
	if err := identity.CheckNames(subject, tokenID); err != nil {
		return identity.Principal{}, err
	}
	scopes, err := p.scopes(c)
	if err != nil {
		return identity.Principal{}, err
	}
	lots, err := p.lots(c)
	if err != nil {
		return identity.Principal{}, err
	}
	who := identity.Principal{Subject: subject, Scopes: scopes, Lots: lots, TokenID: tokenID}
	if expires, err := c.GetExpirationTime(); err == nil && expires != nil {
		who.Expires = expires.Add(identity.Leeway)
	}
	if issued, err := c.GetIssuedAt(); err == nil && issued != nil {
		who.IssuedAt = issued.Time
	}
	return who, nil
}
