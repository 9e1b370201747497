package gateway

import (
	"math/bits"
	"sync"
	"time"
)

// Bounds of a breaker.
const (
	breakerSpan  = 20              // outcomes that are remembered
	breakerLeast = 10              // of them before they mean anything
	firstPause   = 5 * time.Second // of an instance that does not answer
	longestPause = time.Minute     // twice as long each time that it still does not
)

// An outcome is what became of a request at an instance.
type outcome int

const (
	answered outcome = iota
	failed           // it took the request and did not answer it
	unclear          // it had no chance to, or the client left
)

// A breaker keeps requests from an instance that takes them and does not answer, though it says that it is ready: when half of its
// last outcomes are failures it rests. Then one request tries it, and what becomes of that decides. What an instance answers is
// none of the breaker's concern, or else a client could close the platform for others by requests that fail.
type breaker struct {
	mu       sync.Mutex
	outcomes uint32 // bit 0 is the newest; 1: failed
	known    int
	until    time.Time // rests until then, or longer while it is tried; zero: nothing is wrong
	pause    time.Duration
	trying   bool
}

// lets reports whether the instance may have a request.
func (b *breaker) lets(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.until.IsZero() || !now.Before(b.until) && !b.trying
}

// begin gives it one and reports whether that tries it. Its outcome is reported in any case.
func (b *breaker) begin(now time.Time) (trial bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	trial = !b.until.IsZero() && !now.Before(b.until) && !b.trying
	b.trying = b.trying || trial
	return trial
}

// report takes in an outcome, and returns for how long the instance rests, where it begins to.
func (b *breaker) report(now time.Time, what outcome, trial bool) (rests time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case trial && what == failed:
		return b.rest(now, min(2*b.pause, longestPause))
	case trial && what == answered:
		b.until, b.trying, b.known, b.outcomes = time.Time{}, false, 0, 0
		return 0
	case trial:
		b.trying = false
		return 0
	case what == unclear || !b.until.IsZero(): // what began before it rested
		return 0
	}
	b.outcomes = b.outcomes << 1 & (1<<breakerSpan - 1)
	if what == failed {
		b.outcomes |= 1
	}
	b.known = min(b.known+1, breakerSpan)
	if b.known >= breakerLeast && 2*bits.OnesCount32(b.outcomes) >= b.known {
		return b.rest(now, firstPause)
	}
	return 0
}

// rest is called with mu held.
func (b *breaker) rest(now time.Time, pause time.Duration) time.Duration {
	b.until, b.pause, b.trying = now.Add(pause), pause, false
	return pause
}

// rests reports whether it does, or is tried.
func (b *breaker) rests() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.until.IsZero()
}

// forget is for an instance that was away and is another process now.
func (b *breaker) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.until, b.trying, b.known, b.outcomes = time.Time{}, false, 0, 0
}

// An allowance bounds how many requests are asked a second time: one in five, and some more now and then. While everything fails, twice as many
// requests would only make it worse.
type allowance struct {
	mu    sync.Mutex
	saved float64
}

const (
	allowedShare = 0.2
	mostAllowed  = 50
)

func newAllowance() *allowance { return &allowance{saved: mostAllowed} }

func (a *allowance) earn() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.saved = min(a.saved+allowedShare, mostAllowed)
}

func (a *allowance) spend() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.saved < 1 {
		return false
	}
	a.saved--
	return true
}
