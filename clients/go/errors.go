package parkwire

import (
	"errors"
	"fmt"
)

var (
	// ErrClosed is returned after [Client.Close].
	ErrClosed = errors.New("the client is closed")
	// ErrFilter is a filter that cannot be used, or one too many: see [Filter] for the bounds.
	ErrFilter = errors.New("the filter cannot be used")
	// ErrCursorExpired ends a subscription whose cursor is older than what the log keeps: what came between is not
	// known. Subscribe anew; a subscription with [WithState] gets a [State] instead.
	ErrCursorExpired = errors.New("the log no longer has what came after the cursor")
	// ErrProtocol is a server that answers, and does not speak parkwire.v1.
	ErrProtocol = errors.New("the server does not speak parkwire.v1")
)

// RefusedError is an HTTP answer instead of a connection. A status of 4xx at the first connection ends [Connect], and 401 and 403 for a
// fresh token end the client at any time; all others are tried again.
type RefusedError struct {
	URL        string
	StatusCode int
	Code       string // of the platform, such as "unauthorized"; empty where the answer is not its own
	Message    string
	retryAfter
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("%s: %s (%d)", e.URL, e.Message, e.StatusCode)
}

// SubscriptionError ends one subscription; the others of the client go on.
type SubscriptionError struct {
	Code    string // such as "invalid-filter", "invalid-cursor", "forbidden"
	Message string
	Field   string // what it is about, where it is one
}

func (e *SubscriptionError) Error() string {
	if e.Field != "" {
		return fmt.Sprintf("%s: %s: %s", e.Code, e.Field, e.Message)
	}
	return e.Code + ": " + e.Message
}

// Is makes errors.Is(err, ErrCursorExpired) hold for the code of that.
func (e *SubscriptionError) Is(target error) bool {
	return target == ErrCursorExpired && e.Code == codeCursorExpired || target == ErrFilter && e.Code == "invalid-filter"
}

// finalError is one after which trying again is of no use.
type finalError struct{ error }

func (e finalError) Unwrap() error { return e.error }
