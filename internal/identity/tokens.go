package identity

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
)

// ErrUnavailable is in the chain of every error that says that a token cannot be checked at present. The message before it may be
// shown to whoever sent the token.
var ErrUnavailable = errors.New("it cannot be checked now")

// A TokenVerifier checks the tokens of one issuer.
type TokenVerifier interface {
	// Verify returns whom the token speaks for. The error has [ErrToken] in its chain where the token is no good, and
	// [ErrUnavailable] where that cannot be told at present.
	Verify(ctx context.Context, token string) (Principal, error)
}

// Tokens are the verifiers by the issuers of the tokens that they check. Without one, tokens are not looked at.
type Tokens map[string]TokenVerifier

// Verify has the token checked by the verifier of its issuer. The issuer is read before anything is checked, so a verifier
// checks it again with all the rest.
func (t Tokens) Verify(ctx context.Context, token string) (Principal, error) {
	if v, ok := t[issuer(token)]; ok {
		return v.Verify(ctx, token)
	}
	return Principal{}, Refuse("it was issued by nobody whose tokens are taken here")
}

// issuer is what a token says of its issuer; "" where that cannot be read.
func issuer(token string) string {
	_, rest, _ := strings.Cut(token, ".")
	payload, _, _ := strings.Cut(rest, ".")
	text, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return ""
	}
	var c struct {
		Issuer string `json:"iss"`
	}
	if json.Unmarshal(text, &c) != nil {
		return ""
	}
	return c.Issuer
}

// Authenticate verifies the request's token.
func (t Tokens) Authenticate(r *http.Request) (Principal, error) {
	if len(t) == 0 {
		return Principal{}, nil
	}
	return authenticate(t, r)
}

// Authenticate verifies the request's token.
func (v *Verifier) Authenticate(r *http.Request) (Principal, error) { return authenticate(v, r) }

func authenticate(v TokenVerifier, r *http.Request) (Principal, error) {
	token := Bearer(r, InAddress(r))
	if token == "" {
		return Principal{}, nil
	}
	return v.Verify(r.Context(), token)
}
