// Package limit counts what clients ask for, so that none takes what belongs to all.
package limit

import (
	"context"
	"net/netip"
	"time"

	"parkwire/internal/identity"
)

// Limiter is a bucket for each client. [Local] counts in this process, [Shared] with others.
type Limiter interface {
	// Take counts one request. It returns 0, or for how long the client must wait; a request that was refused is not counted.
	Take(ctx context.Context, key Key) time.Duration
}

// Rate is how many requests a second a client may make, and how many at once before that holds. The rate is above 0.
type Rate struct {
	PerSecond float64
	Burst     int
}

// interval is in which a bucket gains one request, and slack what a full one has besides the request that is asked for.
func (r Rate) interval() time.Duration {
	return max(time.Duration(min(float64(time.Second)/r.PerSecond, float64(longest))), 1)
}

func (r Rate) slack() time.Duration {
	return time.Duration(min(float64(r.interval())*float64(max(r.Burst, 1)-1), 30*float64(longest)))
}

const longest = 24 * time.Hour // where a rate is near 0

// A Key is whose requests are counted together: a token's subject, or an address.
type Key struct {
	subject string
	address netip.Addr
}

// KeyOf returns the key of a client: its subject or, without one, its address, an IPv6 network (/64) counting as one.
func KeyOf(subject string, address netip.Addr) Key {
	if subject != "" {
		return Key{subject: subject}
	}
	return Key{address: identity.Household(address)}
}
