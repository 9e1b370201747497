package live

import (
	"math/rand/v2"
	"sync"
	"time"
)

// A hint tells a client that is sent away when to come back. It differs from client to client, lest those who left
// together come back together.
type hint struct {
	after time.Duration
	why   string // of the message Retry
}

const (
	whyRestart  = "restart"
	whyOverload = "overload"
	whyNoLog    = "log-unavailable"
)

// between is a random time.
func between(least, most time.Duration) time.Duration { return least + rand.N(most-least) }

// restartHint is short: another instance answers, or this one soon.
func restartHint() hint { return hint{between(100*time.Millisecond, 2*time.Second), whyRestart} }

// fullHint is long: somebody else has to leave first.
func fullHint() hint { return hint{between(5*time.Second, 15*time.Second), whyOverload} }

func noLogHint() hint { return hint{between(time.Second, 5*time.Second), whyNoLog} }

// A bucket bounds how many handshakes a second are served, with as many at once as in one second. Who finds it
// empty is told when to come back, each a little later than the one before, so that very many come
// one after the other.
type bucket struct {
	perSecond float64

	mu     sync.Mutex
	tokens float64
	filled time.Time
	next   time.Time // when the next one that is turned away may come back
}

// maxHint bounds it: clients go on by themselves after about as long.
const maxHint = 15 * time.Second

func newBucket(perSecond int) *bucket {
	return &bucket{perSecond: float64(perSecond), tokens: float64(perSecond)}
}

// take takes a token, or returns when to come back.
func (b *bucket) take(now time.Time) (h hint, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.filled.IsZero() {
		b.tokens = min(b.perSecond, b.tokens+now.Sub(b.filled).Seconds()*b.perSecond)
	}
	b.filled = now
	if b.tokens >= 1 {
		b.tokens--
		return hint{}, true
	}
	if soonest := now.Add(time.Second); b.next.Before(soonest) {
		b.next = soonest
	}
	if b.next = b.next.Add(time.Duration(float64(time.Second) / b.perSecond)); b.next.Sub(now) > maxHint {
		b.next = now.Add(maxHint / 2)
	}
	return hint{b.next.Sub(now) + between(0, time.Second/2), whyOverload}, false
}
