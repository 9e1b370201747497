package live

import (
	"errors"
	"time"

	"parkwire/internal/identity"
)

// tokenWarning is how long before its end a client of parkwire.v1 is told that it needs another token.
const tokenWarning = time.Minute

// watchToken lets the connection end when the token of who it is for does, or is revoked.
func (c *client) watchToken(who identity.Principal) {
	s := c.loop.service
	c.mu.Lock()
	if !c.gone {
		s.bearers.enter(c, who)
	}
	c.mu.Unlock()
	for expires := who.Expires; ; { // until it is what holds by now: it may have changed since the client was admitted
		c.expireAt(expires)
		now, err := s.options.Access.Check(who)
		switch {
		case errors.Is(err, identity.ErrToken):
			c.close(revoked)
			return
		case err != nil || now.Expires.Equal(expires):
			return
		}
		expires = now.Expires
	}
}

// expireAt lets the connection end at a time; zero: never.
func (c *client) expireAt(expires time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expire(expires)
}

// expire is [client.expireAt] for who holds mu.
func (c *client) expire(expires time.Time) {
	c.expiry = 0
	if expires.IsZero() || c.gone {
		return
	}
	first := expires
	if v := c.session(); v != nil {
		v.expires, first = expires, first.Add(-tokenWarning)
	}
	c.expiry = c.loop.wheel.at(first)
	c.loop.attend(c)
}

// tokenTurns warns of the end of a token, or is the end. The caller holds mu.
func (c *client) tokenTurns() {
	c.expiry = 0
	if v := c.session(); v != nil && time.Now().Before(v.expires) {
		c.expiry = c.loop.wheel.at(v.expires)
		c.say(c.encoding.appendMessage(nil, message{Type: "Error", Code: codeTokenExpiring, Field: "token",
			Message: "The token expires at " + timestamp(v.expires) + ". Send another one with Authenticate."}))
		return
	}
	c.end(farewell{code: closeTokenExpired, reason: "the token has expired: reconnect with another one"})
}
