package problem

import (
	"context"
	"net/http"

	"github.com/google/uuid"
)

// HeaderRequestID carries the id of a request: from a client that has one already, to the parts
// behind the gateway, and in every answer.
const HeaderRequestID = "X-Request-Id"

const maxRequestID = 100 // bytes

type requestIDKey struct{}

// WithRequestID returns a context that carries the id of the request being served.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// RequestID returns the id that [WithRequestID] put into ctx, or "".
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// Identify gives a request an id, in its context and in its header: the one in the header where
// that may be written into a log as it is, and else a new UUIDv7.
func Identify(r *http.Request) *http.Request {
	id := r.Header.Get(HeaderRequestID)
	if !sane(id) {
		id = uuid.Must(uuid.NewV7()).String() // fails only where the system has no randomness
	}
	r.Header.Set(HeaderRequestID, id)
	return r.WithContext(WithRequestID(r.Context(), id))
}

// Identified gives each request of next its id and answers it. It is for parts that are reached
// through a gateway or a balancer in another process.
func Identified(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = Identify(r)
		w.Header().Set(HeaderRequestID, RequestID(r.Context()))
		next.ServeHTTP(w, r)
	})
}

func sane(id string) bool {
	if id == "" || len(id) > maxRequestID {
		return false
	}
	for _, c := range []byte(id) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '-', c == '_', c == '.', c == ':', c == '/', c == '=', c == '+':
		default:
			return false
		}
	}
	return true
}
