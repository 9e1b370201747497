package parkwire

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// refreshBefore is how long before it expires a token is no longer used for new connections, and is replaced on the one there is.
const refreshBefore = time.Minute

// tokens keep the token that a source gave until it is needed anew.
type tokens struct {
	source TokenSource

	mu      sync.Mutex // held while the source is asked
	token   string
	expires time.Time
	there   bool
}

// get returns a token that is good for a while, and reports whether it is a fresh one.
func (t *tokens) get(ctx context.Context) (token string, expires time.Time, fresh bool, err error) {
	if t.source == nil {
		return "", time.Time{}, true, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.there && (t.expires.IsZero() || time.Until(t.expires) > refreshBefore) {
		return t.token, t.expires, false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	if token, expires, err = t.source(ctx); err != nil {
		return "", time.Time{}, false, fmt.Errorf("asking for a token: %w", err)
	}
	t.token, t.expires, t.there = token, expires, true
	return token, expires, true, nil
}

// refused makes the next get ask the source.
func (t *tokens) refused() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.there = false
}

// keepAuthenticated gives the connection a new token whenever the old one is about to expire, or the server says so.
func (s *session) keepAuthenticated(ctx context.Context, expires time.Time) {
	for try := 0; ; {
		var due <-chan time.Time // never
		switch {
		case try > 0:
			due = time.After(jittered(try))
		case !expires.IsZero():
			due = time.After(time.Until(expires) - refreshBefore)
		}
		select {
		case <-ctx.Done():
			return
		case <-due:
		case <-s.expiring:
			s.client.tokens.refused()
		}
		token, until, _, err := s.client.tokens.get(ctx)
		if err != nil { // the connection lasts until the old one has expired
			try++
			continue
		}
		try, expires = 0, until
		if !expires.IsZero() && time.Until(expires) <= refreshBefore {
			expires = time.Time{} // the source has no better one now; the server says when it is needed
		}
		s.send(outgoing{Type: "Authenticate", Token: token})
	}
}
