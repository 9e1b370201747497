package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

const (
	// Issuer is the claim "iss" of every token by the platform's own key.
	Issuer = "parkwire"
	// MinKeyBytes is the shortest key for HS256 that RFC 7518 allows.
	MinKeyBytes = 32
	// MaxLots is to how many lots a token may be limited.
	MaxLots = 1000
	// MaxLotsLength is how many bytes the header may have in which their ids go on to the parts, as [LotsLength] tells.
	MaxLotsLength = 24 << 10
	// Leeway is by how much the clocks of machines may differ.
	Leeway = 30 * time.Second

	maxSubject = 200 // bytes; the subject is logged and stored with changes
	maxTokenID = 200 // bytes
	maxLotID   = 128 // bytes
)

// ErrToken is in the chain of every error with which a token is refused. The message before it
// says what is wrong, in words that may be shown to whoever sent the token.
var ErrToken = errors.New("the token is refused")

// Subjects of one origin begin with its prefix, so that nobody is taken for another whose name is the same elsewhere. Those of
// tokens by the platform's own key have none, and are not issued with one of these.
const (
	PrefixOIDC = "oidc:" // people and programs that an OpenID Connect provider knows
	PrefixKey  = "key:"  // API keys
)

// Options configure a [Verifier].
type Options struct {
	// Audience, where set, must be among the token's audiences, and is put into issued tokens.
	Audience string
	// Clock tells the time; nil: time.Now.
	Clock func() time.Time
}

// Verifier checks tokens with the platform's own keys, and issues them with the first.
type Verifier struct {
	keys    atomic.Pointer[jwt.VerificationKeySet] // of []byte
	options Options
	parser  *jwt.Parser
}

type claims struct {
	jwt.RegisteredClaims
	Scope string    `json:"scope"` // space separated, as in RFC 8693
	Lots  LotsClaim `json:"lots,omitzero"`
}

// LotsClaim is what a token says of the lots to which it is limited: a list of their ids, or one. The zero value is that of a
// token without the claim, which is for all lots; an empty list is for none.
type LotsClaim struct{ ids []string }

// Lots returns the ids; nil: all lots.
func (c LotsClaim) Lots() []string { return c.ids }

// MarshalJSON writes a list.
func (c LotsClaim) MarshalJSON() ([]byte, error) { return json.Marshal(c.ids) }

// UnmarshalJSON reads a list or one id. What is neither, null among it, is an error, lest a token that is meant to be limited be taken for
// one that is not.
func (c *LotsClaim) UnmarshalJSON(text []byte) error {
	var ids []*string
	var one string
	switch {
	case string(text) == "null":
		return errLots
	case json.Unmarshal(text, &one) == nil:
		ids = []*string{&one}
	case json.Unmarshal(text, &ids) != nil, len(ids) > MaxLots:
		return errLots
	}
	c.ids = make([]string, 0, len(ids))
	for _, id := range ids {
		if id == nil || *id == "" || len(*id) > maxLotID {
			return errLots
		}
		c.ids = append(c.ids, *id)
	}
	if LotsLength(c.ids) > MaxLotsLength {
		return errLots
	}
	return nil
}

var errLots = Refuse(fmt.Sprintf("its claim of lots is no list of at most %d ids, which take up to %d bytes together in percent encoding", MaxLots, MaxLotsLength))

// NewHS256 returns a verifier for tokens that are signed with HMAC-SHA-256. It issues tokens by key, and takes those by
// the older ones too. Each must have at least [MinKeyBytes].
func NewHS256(key []byte, o Options, older ...[]byte) (*Verifier, error) {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	checks := []jwt.ParserOption{
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), // whatever the token's own header asks for
		jwt.WithIssuer(Issuer),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(Leeway),
		jwt.WithTimeFunc(o.Clock),
	}
	if o.Audience != "" {
		checks = append(checks, jwt.WithAudience(o.Audience))
	}
	v := &Verifier{options: o, parser: jwt.NewParser(checks...)}
	return v, v.SetKeys(key, older...)
}

// SetKeys replaces the keys, for tokens that are checked or issued from now on.
func (v *Verifier) SetKeys(key []byte, older ...[]byte) error {
	var set jwt.VerificationKeySet
	for _, key := range append([][]byte{key}, older...) {
		if len(key) < MinKeyBytes {
			return fmt.Errorf("the key has %d bytes and needs at least %d", len(key), MinKeyBytes)
		}
		set.Keys = append(set.Keys, slices.Clone(key))
	}
	v.keys.Store(&set)
	return nil
}

// Verify returns whom the token speaks for. Scopes that do not exist are left out.
func (v *Verifier) Verify(_ context.Context, token string) (Principal, error) {
	var c claims
	_, err := v.parser.ParseWithClaims(token, &c, func(t *jwt.Token) (any, error) { return *v.keys.Load(), Understood(t) })
	if err != nil {
		return Principal{}, Refusal(err)
	}
	if err := CheckNames(c.Subject, c.ID); err != nil {
		return Principal{}, err
	}
	p := Principal{Subject: c.Subject, Scopes: Known(strings.Fields(c.Scope)), Lots: c.Lots.Lots(), TokenID: c.ID, Expires: c.ExpiresAt.Add(Leeway)}
	if c.IssuedAt != nil {
		p.IssuedAt = c.IssuedAt.Time
	}
	return p, nil
}

// Understood refuses tokens whose header says that it must be understood for the rest to mean what it seems to (RFC 7515, section 4.1.11).
// Nothing of that kind is known here.
func Understood(t *jwt.Token) error {
	if _, critical := t.Header["crit"]; critical {
		return Refuse("its header has parts that must be understood and are not known here")
	}
	return nil
}

// Known leaves out the scopes that do not exist.
func Known(scopes []string) []string {
	return slices.DeleteFunc(scopes, func(s string) bool { return !slices.Contains(Scopes, s) })
}

// ValidSubject reports whether a subject can stand in logs and histories.
func ValidSubject(subject string) bool {
	return subject != "" && len(subject) <= maxSubject && utf8.ValidString(subject) && !strings.ContainsFunc(subject, isControl)
}

// CheckNames refuses a token that names nobody whom logs and histories could name, or whose id could not be kept among those that are revoked.
func CheckNames(subject, tokenID string) error {
	switch {
	case !ValidSubject(subject):
		return Refuse("it names no usable subject")
	case len(tokenID) > maxTokenID:
		return Refuse(fmt.Sprintf("its id has more than %d bytes", maxTokenID))
	}
	return nil
}

// Refuse returns an error that refuses a token for a reason, in whose chain is [ErrToken].
func Refuse(reason string) error { return refusal(reason) }

type refusal string

func (r refusal) Error() string { return string(r) + ": " + ErrToken.Error() }

func (r refusal) Unwrap() error { return ErrToken }

// Refusal makes of an error of the parser one that says which check failed first, and repeats nothing of the token.
func Refusal(err error) error {
	if known, ok := errors.AsType[refusal](err); ok {
		return known
	}
	if errors.Is(err, ErrUnavailable) {
		return err
	}
	return refusal(reason(err))
}

func reason(err error) string {
	for _, known := range []struct {
		err  error
		text string
	}{
		{jwt.ErrTokenMalformed, "it is no JSON Web Token"},
		{jwt.ErrTokenSignatureInvalid, "its signature is by no key that is taken here"},
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

// Issue returns a token for p that is valid for ttl from now. Each has an id of its own.
func (v *Verifier) Issue(p Principal, ttl time.Duration) (string, error) {
	switch {
	case !ValidSubject(p.Subject):
		return "", fmt.Errorf("the subject %q must have 1 to %d bytes and no control characters", p.Subject, maxSubject)
	case strings.HasPrefix(p.Subject, PrefixOIDC), strings.HasPrefix(p.Subject, PrefixKey):
		return "", fmt.Errorf("the subject %q must not begin with %q or %q: those are of other origins", p.Subject, PrefixOIDC, PrefixKey)
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
	for _, lot := range p.Lots {
		if lot == "" || len(lot) > maxLotID {
			return "", fmt.Errorf("the id %q of a lot must have 1 to %d bytes", lot, maxLotID)
		}
	}
	if len(p.Lots) > MaxLots {
		return "", fmt.Errorf("a token is limited to at most %d lots, not %d", MaxLots, len(p.Lots))
	}
	if length := LotsLength(p.Lots); length > MaxLotsLength {
		return "", fmt.Errorf("the ids of the lots of a token take at most %d bytes together in percent encoding, not %d", MaxLotsLength, length)
	}
	now := v.options.Clock()
	c := claims{
		RegisteredClaims: jwt.RegisteredClaims{
			ID: uuid.NewString(), Issuer: Issuer, Subject: p.Subject, IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(ttl)),
		},
		Scope: strings.Join(p.Scopes, " "), Lots: LotsClaim{p.Lots},
	}
	if v.options.Audience != "" {
		c.Audience = jwt.ClaimStrings{v.options.Audience}
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString(v.keys.Load().Keys[0])
	if err != nil {
		return "", fmt.Errorf("signing a token: %w", err)
	}
	return token, nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }
