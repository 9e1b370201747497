// Package identity says who makes a request and what they may do: principals,
// their scopes, and the tokens that prove both.
package identity

import (
	"context"
	"slices"
	"time"
)

// The scopes, each allowing what it names and what it includes.
const (
	ScopeRead    = "read"    // see lots, spots and notifications
	ScopeIngest  = "ingest"  // send observations; includes read
	ScopeOperate = "operate" // change lots and spots; includes ingest
	ScopeAdmin   = "admin"   // everything
)

// Scopes lists the scopes that exist, weakest first.
var Scopes = []string{ScopeRead, ScopeIngest, ScopeOperate, ScopeAdmin}

// Principal is who makes a request. The zero Principal is somebody without a token.
type Principal struct {
	Subject string
	Scopes  []string
	// Lots are the lots to which it is limited; nil: it is not limited, and without any it reaches none.
	Lots []string
	// TokenID is the token's own id ("jti"), or that of the key; "" where it has none.
	TokenID string
	// IssuedAt is when the token was issued; zero where that is not known, which counts as long ago.
	IssuedAt time.Time
	// Expires is until when the token is taken; zero where there was none, or it is not known.
	Expires time.Time
}

// Can reports whether the principal holds scope or one that includes it. A scope
// that does not exist is held by nobody.
func (p Principal) Can(scope string) bool {
	need := slices.Index(Scopes, scope)
	if need < 0 {
		return false
	}
	return slices.ContainsFunc(p.Scopes, func(held string) bool { return slices.Index(Scopes, held) >= need })
}

// Reaches reports whether the principal may see and change what is in the lot, as far as its scopes go.
func (p Principal) Reaches(lotID string) bool { return p.Lots == nil || slices.Contains(p.Lots, lotID) }

// Anonymous reports whether nobody showed a token.
func (p Principal) Anonymous() bool { return p.Subject == "" }

type principalKey struct{}

// NewContext returns a context that carries the principal.
func NewContext(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// FromContext returns the principal that [NewContext] put into ctx.
func FromContext(ctx context.Context) (Principal, bool) {
	p, ok := ctx.Value(principalKey{}).(Principal)
	return p, ok
}
