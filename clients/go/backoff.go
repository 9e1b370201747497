package parkwire

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"
)

const (
	backoffBase = time.Second
	backoffCap  = 15 * time.Second
	maxHint     = time.Minute // of what a server asks to wait, that is believed
)

// jittered is random from zero on, so that the clients of a server that died do not come back together. try counts from 0.
func jittered(try int) time.Duration { return rand.N(min(backoffBase<<min(try, 10), backoffCap)) }

// retryAfter is how long a server asks to wait.
type retryAfter struct {
	after time.Duration
	given bool
}

func (r retryAfter) hint() (time.Duration, bool) { return r.after, r.given }

// retryError is a connection that ended with a Retry.
type retryError struct {
	error
	retryAfter
}

func (e retryError) Unwrap() error { return e.error }

// hint is how long a server asks to wait before the next try, which it made random itself, if it does.
func hint(err error) (wait time.Duration, given bool) {
	var asked interface{ hint() (time.Duration, bool) }
	var closed websocket.CloseError
	if errors.As(err, &asked) {
		wait, given = asked.hint()
	} else if errors.As(err, &closed) {
		wait, given = closeHint(closed.Reason)
	}
	return min(wait, maxHint), given
}

// closeHint reads the end of a close reason, " retry-after-ms=N".
func closeHint(reason string) (time.Duration, bool) {
	_, text, ok := strings.Cut(reason, "retry-after-ms=")
	ms, err := strconv.ParseUint(text, 10, 31)
	return time.Duration(ms) * time.Millisecond, ok && err == nil
}

// headerHint reads Retry-After, in seconds. It says the same to all, so a part of up to a second is added.
func headerHint(h http.Header) retryAfter {
	seconds, err := strconv.ParseUint(h.Get("Retry-After"), 10, 31)
	if err != nil {
		return retryAfter{}
	}
	return retryAfter{time.Duration(seconds)*time.Second + rand.N(backoffBase), true}
}
