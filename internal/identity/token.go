package identity

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	// Issuer is the claim "iss" of every token; tokens of other issuers are refused.
	Issuer = "parkwire"
	// MinKeyBytes is the shortest key for HS256 that RFC 7518 allows.
	MinKeyBytes = 32

	leeway     = 30 * time.Second // for clocks that differ between machines
	maxSubject = 200              // bytes; the subject is logged and stored with changes
)

// ErrToken is in the chain of every error of [Verifier.Verify]. The message before it
// says what is wrong, in words that may be shown to whoever sent the token.
var ErrToken = errors.New("the token is refused")

// Options configure a [Verifier].
type Options struct {
	// Audience, where set, must be among the token's audiences, and is put into issued tokens.
	Audience string
	// Clock tells the time; nil: time.Now.
	Clock func() time.Time
}

// Verifier checks and issues tokens with one key.
type Verifier struct {
	key     []byte
	options Options
	parser  *jwt.Parser
}

type claims struct {
	jwt.RegisteredClaims
	Scope string `json:"scope"` // space separated, as in RFC 8693
}

// NewHS256 returns a verifier for tokens that are signed with HMAC-SHA-256.
// The key must have at least [MinKeyBytes].
func NewHS256(key []byte, o Options) (*Verifier, error) {
	if len(key) < MinKeyBytes {
		return nil, fmt.Errorf("the key has %d bytes and needs at least %d", len(key), MinKeyBytes)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	checks := []jwt.ParserOption{
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), // whatever the token's own header asks for
		jwt.WithIssuer(Issuer),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(leeway),
		jwt.WithTimeFunc(o.Clock),
	}
	if o.Audience != "" {
		checks = append(checks, jwt.WithAudience(o.Audience))
	}
	return &Verifier{key: slices.Clone(key), options: o, parser: jwt.NewParser(checks...)}, nil
}

// Verify returns whom the token speaks for. Scopes that do not exist are left out.
func (v *Verifier) Verify(token string) (Principal, error) {
	var c claims
	_, err := v.parser.ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return v.key, nil })
	if err != nil {
		return Principal{}, fmt.Errorf("%s: %w", reason(err), ErrToken)
	}
	if c.Subject == "" || len(c.Subject) > maxSubject || strings.ContainsFunc(c.Subject, isControl) {
		return Principal{}, fmt.Errorf("it names no usable subject: %w", ErrToken)
	}
	scopes := slices.DeleteFunc(strings.Fields(c.Scope), func(s string) bool { return !slices.Contains(Scopes, s) })
	return Principal{Subject: c.Subject, Scopes: scopes, Expires: c.ExpiresAt.Add(leeway)}, nil
}

// reason names the first failed check without repeating what the token holds.
func reason(err error) string {
	for _, known := range []struct {
		err  error
		text string
	}{
		{jwt.ErrTokenMalformed, "it is no JSON Web Token"},
		{jwt.ErrTokenSignatureInvalid, "its signature is not by this platform's key"},
		{jwt.ErrTokenExpired, "it has expired"},
		{jwt.ErrTokenNotValidYet, "it is not valid yet"},
		{jwt.ErrTokenUsedBeforeIssued, "it was issued in the future"},
		{jwt.ErrTokenInvalidIssuer, "it was issued by somebody else"},
		{jwt.ErrTokenInvalidAudience, "it is for another audience"},
		{jwt.ErrTokenRequiredClaimMissing, "it never expires, or lacks another required claim"},
	} {
		if errors.Is(err, known.err) {
			return known.text
		}
	}
	return "it cannot be verified"
}

// Issue returns a token for p that is valid for ttl from now.
func (v *Verifier) Issue(p Principal, ttl time.Duration) (string, error) {
	switch {
	case p.Subject == "" || len(p.Subject) > maxSubject || strings.ContainsFunc(p.Subject, isControl):
		return "", fmt.Errorf("the subject %q must have 1 to %d bytes and no control characters", p.Subject, maxSubject)
	case len(p.Scopes) == 0:
		return "", errors.New("a token needs at least one scope")
	case ttl < time.Second:
		return "", fmt.Errorf("a token must be valid for at least a second, not %v", ttl)
	}
	for _, scope := range p.Scopes {
		if !slices.Contains(Scopes, scope) {
			return "", fmt.Errorf("there is no scope %q; the scopes are %s", scope, strings.Join(Scopes, ", "))
		}
	}
	now := v.options.Clock()
	c := claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: Issuer, Subject: p.Subject, IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(ttl)),
		},
		Scope: strings.Join(p.Scopes, " "),
	}
	if v.options.Audience != "" {
		c.Audience = jwt.ClaimStrings{v.options.Audience}
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString(v.key)
	if err != nil {
		return "", fmt.Errorf("signing a token: %w", err)
	}
	return token, nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }
