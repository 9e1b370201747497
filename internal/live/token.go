package live

import (
	"time"

	"parkwire/internal/identity"
)

// tokenWarning is how long before its end a client of parkwire.v1 is told that it needs another token.
const tokenWarning = time.Minute

// A token is what a client showed of itself. It is guarded by client.mu.
type token struct {
	expires time.Time
	timer   *time.Timer // nil where it never expires
}

func (t *token) forget() {
	if t.timer != nil {
		t.timer.Stop()
	}
	*t = token{}
}

// watchToken lets the connection end when the token of who it is for does.
func (c *client) watchToken(who identity.Principal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.token.forget()
	if who.Expires.IsZero() || c.gone {
		return
	}
	left := time.Until(who.Expires)
	if c.v1 != nil {
		left = max(0, left-tokenWarning)
	}
	c.token.expires = who.Expires
	c.token.timer = time.AfterFunc(left, func() { c.tokenTurns(who.Expires) })
}

// tokenTurns warns of the end of a token, or is the end.
func (c *client) tokenTurns(expires time.Time) {
	c.mu.Lock()
	if c.gone || c.ending || !c.token.expires.Equal(expires) { // there is another one
		c.mu.Unlock()
		return
	}
	if left := time.Until(expires); left > 0 {
		c.token.timer.Reset(left)
		if c.v1 != nil {
			c.say(c.encoding.appendMessage(nil, message{Type: "Error", Code: codeTokenExpiring, Field: "token",
				Message: "The token expires at " + timestamp(expires) + ". Send another one with Authenticate."}))
		}
	} else {
		c.end(farewell{code: closeTokenExpired, reason: "the token has expired: reconnect with another one"})
	}
	c.mu.Unlock()
	c.flush()
}
