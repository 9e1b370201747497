package live

import (
	"context"
	"errors"
	"sync"
	"time"

	"parkwire/internal/identity"
)

// Access knows what became of what clients showed; [access.Set] provides it.
type Access interface {
	// Check returns the principal as it is by now. The error has [identity.ErrToken] in its chain where what it showed is taken no more.
	Check(identity.Principal) (identity.Principal, error)
	// Changed returns a channel that is closed when something is said of any.
	Changed() <-chan struct{}
}

// nothingRevoked is the Access of an instance that is told of none.
type nothingRevoked struct{}

func (nothingRevoked) Check(p identity.Principal) (identity.Principal, error) { return p, nil }
func (nothingRevoked) Changed() <-chan struct{}                               { return nil }

// bearers are the clients that showed something which may be taken no more one day, by what that was. Those that showed nothing are not here.
type bearers struct {
	mu    sync.Mutex // comes after client.mu
	shown map[showing]*bearer
	by    map[*client]*bearer
}

// showing is what tells one token or key from another.
type showing struct {
	subject, tokenID string
	issuedAt         time.Time
}

// A bearer is what is known of a token or a key, for all clients that showed it.
type bearer struct {
	who     identity.Principal // but for scopes and lots, which never change
	clients int
}

func newBearers() *bearers {
	return &bearers{shown: map[showing]*bearer{}, by: map[*client]*bearer{}}
}

// enter takes a client in by what it has shown now.
func (b *bearers) enter(c *client, who identity.Principal) {
	b.leave(c)
	if who.Anonymous() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	key := showing{who.Subject, who.TokenID, who.IssuedAt}
	known := b.shown[key]
	if known == nil {
		who.Scopes, who.Lots = nil, nil
		known = &bearer{who: who}
		b.shown[key] = known
	}
	known.clients++
	b.by[c] = known
}

func (b *bearers) leave(c *client) {
	b.mu.Lock()
	defer b.mu.Unlock()
	known := b.by[c]
	if known == nil {
		return
	}
	delete(b.by, c)
	if known.clients--; known.clients == 0 {
		delete(b.shown, showing{known.who.Subject, known.who.TokenID, known.who.IssuedAt})
	}
}

// A verdict is what became of what a client showed.
type verdict struct {
	of      *bearer
	expires time.Time
	revoked bool
}

// judge returns the clients for which something is otherwise than before. It asks once for each token and key, however many clients showed it.
func (b *bearers) judge(access Access) map[*client]verdict {
	b.mu.Lock()
	defer b.mu.Unlock()
	others := map[*bearer]verdict{}
	for _, known := range b.shown {
		now, err := access.Check(known.who)
		switch {
		case errors.Is(err, identity.ErrToken):
			others[known] = verdict{of: known, revoked: true}
		case err == nil && !now.Expires.Equal(known.who.Expires):
			known.who.Expires = now.Expires
			others[known] = verdict{of: known, expires: now.Expires}
		}
	}
	if len(others) == 0 {
		return nil
	}
	concerned := map[*client]verdict{}
	for c, known := range b.by {
		if v, ok := others[known]; ok {
			concerned[c] = v
		}
	}
	return concerned
}

// watchAccess ends the clients whose tokens or keys are taken no more, until ctx ends.
func (s *Service) watchAccess(ctx context.Context) {
	for {
		changed := s.options.Access.Changed() // before it is asked, so that nothing is missed
		ended := 0
		for c, v := range s.bearers.judge(s.options.Access) {
			if c.judged(v) {
				ended++
			}
		}
		if ended > 0 {
			s.metrics.revoked.Add(float64(ended))
			s.options.Logger.Info("clients are closed whose tokens or keys were revoked", "clients", ended)
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

// judged does what a verdict means for a client, unless it has shown something else since, and reports whether that ends it.
func (c *client) judged(v verdict) (ended bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !c.loop.service.bearers.isOf(c, v.of):
		return false
	case v.revoked:
		c.end(revoked)
		c.loop.attend(c)
	default:
		c.expire(v.expires)
	}
	return v.revoked
}

// isOf reports whether what a client showed last is that.
func (b *bearers) isOf(c *client, shown *bearer) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.by[c] == shown
}

// revoked is for a client whose token is taken no more.
var revoked = farewell{code: closeTokenExpired, reason: "the token was revoked: reconnect with another one"}
