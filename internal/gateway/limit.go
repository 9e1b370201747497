package gateway

import (
	"math"
	"net/netip"
	"sync"
	"time"

	"parkwire/internal/identity"
)

// A clientKey is whose requests are counted together: a token's subject, or an address.
type clientKey struct {
	subject string
	address netip.Addr
}

// keyOf returns the key of a client, without a subject by its address.
func keyOf(subject string, address netip.Addr) clientKey {
	if subject != "" {
		return clientKey{subject: subject}
	}
	return clientKey{address: identity.Household(address)}
}

// A limiter is a token bucket for each client, in the form of the generic cell rate algorithm: all that is kept
// of a client is the time at which its bucket will be full again.
//
// It forgets by generations: a client that was idle for as long as it takes to fill a bucket is as one that was never
// seen. When a generation is full before that time it ends early, so that memory is bounded, and clients that were
// idle since are forgiven; those that go on asking stay counted.
type limiter struct {
	interval time.Duration // in which a bucket gains one request
	slack    time.Duration // a full bucket, less the request that is asked for
	now      func() time.Time

	mu       sync.Mutex
	began    time.Time // of the present generation
	present  map[clientKey]time.Time
	previous map[clientKey]time.Time
}

// maxGeneration is how many clients a generation holds: some 10 MB.
const maxGeneration = 100_000

// newLimiter returns nil, which limits nothing, where the rate is 0.
func newLimiter(rate float64, burst int, now func() time.Time) *limiter {
	if rate <= 0 {
		return nil
	}
	const longest = 24 * time.Hour // where a rate is near 0
	interval := time.Duration(min(float64(time.Second)/rate, float64(longest)))
	slack := min(float64(interval)*float64(max(burst, 1)-1), float64(30*longest))
	return &limiter{
		interval: max(interval, 1), slack: time.Duration(slack), now: now,
		began: now(), present: map[clientKey]time.Time{},
	}
}

// take counts a request. It returns 0, or for how long the client must wait.
func (l *limiter) take(key clientKey) time.Duration {
	if l == nil {
		return 0
	}
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.began) > l.interval+l.slack || len(l.present) >= maxGeneration {
		l.began, l.previous, l.present = now, l.present, map[clientKey]time.Time{}
	}
	full, known := l.present[key]
	if !known {
		full = l.previous[key]
	}
	if full.Before(now) {
		full = now
	}
	if wait := full.Sub(now) - l.slack; wait > 0 {
		l.present[key] = full
		return wait
	}
	l.present[key] = full.Add(l.interval)
	return 0
}

// seconds rounds a wait up to what Retry-After can say.
func seconds(wait time.Duration) int { return int(math.Ceil(wait.Seconds())) }
