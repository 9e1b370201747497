package identity

import (
	"fmt"
	"net/http"
	"strings"

	"parkwire/internal/problem"
)

// The headers by which the gateway tells the parts behind it who makes a request.
const (
	HeaderSubject = "X-Parkwire-Subject"
	HeaderScopes  = "X-Parkwire-Scopes" // space separated
)

// Bearer returns the token that r carries: from the Authorization header, or, where
// inQuery allows it, from the parameter access_token. A browser's WebSocket and
// EventSource can set no header, so that notifications take it from the address; other
// routes do not, because addresses end up in logs and histories.
func Bearer(r *http.Request, inQuery bool) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	if inQuery && r.Header.Get("Authorization") == "" {
		return r.URL.Query().Get("access_token")
	}
	return ""
}

// An Authenticator says who makes a request: the zero Principal where nobody shows a
// token, an error in whose chain is [ErrToken] where the token is no good.
type Authenticator interface {
	Authenticate(*http.Request) (Principal, error)
}

// NotificationsPath is where tokens are accepted in the address.
const NotificationsPath = "/notifications"

// Authenticate verifies the request's token.
func (v *Verifier) Authenticate(r *http.Request) (Principal, error) {
	token := Bearer(r, r.URL.Path == NotificationsPath)
	if token == "" {
		return Principal{}, nil
	}
	return v.Verify(token)
}

// Behind takes the word of the gateway in front. It is for parts whose address only
// gateways can reach.
type Behind struct{}

// Authenticate reads the headers that the gateway set.
func (Behind) Authenticate(r *http.Request) (Principal, error) {
	return Principal{Subject: r.Header.Get(HeaderSubject), Scopes: strings.Fields(r.Header.Get(HeaderScopes))}, nil
}

// Forward puts p into the headers of a request that goes on to a part, and takes out
// whatever headers of that family the client sent.
func Forward(h http.Header, p Principal) {
	for name := range h {
		if strings.HasPrefix(name, "X-Parkwire-") {
			delete(h, name)
		}
	}
	if !p.Anonymous() {
		h.Set(HeaderSubject, p.Subject)
		h.Set(HeaderScopes, strings.Join(p.Scopes, " "))
	}
}

// Authorize returns a problem unless p may do what needs scope; "" needs nothing. It is 401
// for somebody without a token and 403 for one whose token does not reach so far.
func Authorize(p Principal, scope string) error {
	switch {
	case scope == "" || p.Can(scope):
		return nil
	case p.Anonymous():
		return problem.New(http.StatusUnauthorized, "token-required",
			fmt.Sprintf("This needs a token with the scope %q in the header \"Authorization: Bearer TOKEN\".", scope))
	}
	return problem.New(http.StatusForbidden, "scope-missing",
		fmt.Sprintf("The token of %q does not have the scope %q.", p.Subject, scope)).With("scope", scope)
}

// Refused returns the problem with which a token that is no good is answered.
func Refused(err error) problem.Problem {
	return problem.New(http.StatusUnauthorized, "token-invalid", "The token is refused: "+
		strings.TrimSuffix(err.Error(), ": "+ErrToken.Error())+".")
}

// Challenge sets the header that goes with a 401 or 403 (RFC 6750, section 3).
func Challenge(h http.Header, p problem.Problem) {
	switch {
	case strings.HasSuffix(p.Type, ":token-invalid"):
		h.Set("WWW-Authenticate", `Bearer realm="parkwire", error="invalid_token"`)
	case strings.HasSuffix(p.Type, ":scope-missing"):
		h.Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="parkwire", error="insufficient_scope", scope="%v"`, p.Extras["scope"]))
	case p.Status == http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="parkwire"`)
	}
}
