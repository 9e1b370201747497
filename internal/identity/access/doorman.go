package access

import (
	"net/http"
	"strings"

	"parkwire/internal/identity"
)

// HeaderKey is the header in which a key may be shown, by programs that cannot set Authorization to what they like. Elsewhere a key
// stands where a token would.
const HeaderKey = "X-Api-Key"

// Doorman says who makes a request, by the API key or the token that it shows, less what was revoked.
type Doorman struct {
	Tokens identity.Tokens
	Set    *Set
}

// Authenticate implements [identity.Authenticator].
func (d Doorman) Authenticate(r *http.Request) (identity.Principal, error) {
	token := identity.Bearer(r, identity.InAddress(r))
	keys := r.Header[HeaderKey]
	switch {
	case len(keys) > 1, len(keys) == 1 && token != "":
		return identity.Principal{}, identity.Refuse("there are several; show one key, or one token")
	case len(keys) == 1:
		return d.Set.Key(keys[0])
	case strings.HasPrefix(token, SecretPrefix):
		return d.Set.Key(token)
	case token == "" || len(d.Tokens) == 0:
		return identity.Principal{}, nil
	}
	p, err := d.Tokens.Verify(r.Context(), token)
	if err != nil {
		return identity.Principal{}, err
	}
	return d.Set.Check(p)
}
