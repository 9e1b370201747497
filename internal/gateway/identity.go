package gateway

import (
	"encoding/json"
	"net/http"
	"net/url"

	"parkwire/internal/identity"
	"parkwire/internal/problem"
)

// Login is how people sign in on the dashboard's page: it runs the authorization code flow with PKCE (RFC 6749, 7636) with an OpenID
// provider, as a client without a secret.
type Login struct {
	ClientID string
	Scope    string // asked of the provider, space separated
	Resource string // the parameter of RFC 8707; "": it is not sent
	// Endpoints returns the provider's addresses, or false while it was never reached. It never blocks.
	Endpoints func() (Endpoints, bool)
}

// Endpoints are addresses of a provider, as its discovery document names them. The last two may be empty.
type Endpoints struct{ Issuer, Authorization, Token, EndSession, Revocation string }

// TokenOrigin returns the one origin besides its own that the page must be allowed to reach, for its content security policy: that of the
// token endpoint. It is empty where nobody can sign in. To the authorization endpoint the browser goes itself.
func (l *Login) TokenOrigin() string {
	if l == nil {
		return ""
	}
	endpoints, _ := l.Endpoints()
	u, err := url.Parse(endpoints.Token)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// identityAnswer is the body of GET /api/v1/identity.
type identityAnswer struct {
	ReadPublic bool             `json:"readPublic"`
	Login      *loginAnswer     `json:"login,omitempty"`
	Principal  *principalAnswer `json:"principal,omitempty"`
}

type loginAnswer struct {
	ClientID  string           `json:"clientId"`
	Scope     string           `json:"scope"`
	Resource  string           `json:"resource,omitempty"`
	Endpoints *endpointsAnswer `json:"endpoints,omitempty"`
}

type endpointsAnswer struct {
	Issuer        string `json:"issuer"`
	Authorization string `json:"authorization"`
	Token         string `json:"token"`
	EndSession    string `json:"endSession,omitempty"`
	Revocation    string `json:"revocation,omitempty"`
}

type principalAnswer struct {
	Subject string   `json:"subject"`
	Scopes  []string `json:"scopes"`
	Lots    []string `json:"lots,omitzero"` // nil: all
}

// serveIdentity says who asks, and how people sign in. Everybody may ask: it is how the page learns that there is something to sign in for.
func (g *Gateway) serveIdentity(w http.ResponseWriter, r *http.Request) {
	if r.URL.RawQuery != "" {
		problem.Write(w, r, problem.New(http.StatusBadRequest, "unknown-parameter", "There are no parameters here."))
		return
	}
	answer := identityAnswer{ReadPublic: g.options.ReadPublic}
	if l := g.options.Login; l != nil {
		answer.Login = &loginAnswer{ClientID: l.ClientID, Scope: l.Scope, Resource: l.Resource}
		if e, known := l.Endpoints(); known {
			answer.Login.Endpoints = (*endpointsAnswer)(&e)
		}
	}
	// The gateway forwards requests to itself as to any part: who asks stands in the header.
	if p, _ := (identity.Behind{}).Authenticate(r); !p.Anonymous() {
		answer.Principal = &principalAnswer{Subject: p.Subject, Scopes: p.Scopes, Lots: p.Lots}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // the client is gone: nobody is left to tell
}
