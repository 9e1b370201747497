package limit

import (
	"context"
	"sync"
	"time"
)

// Local counts in this process. A bucket is kept in the form of the generic cell rate algorithm: all that is kept
// of a client is the time at which its bucket will be full again.
//
// It forgets by generations: a client that was idle for as long as it takes to fill a bucket is as one that was never
// seen. When a generation is full before that time it ends early, so that memory is bounded, and clients that were
// idle since are forgiven; those that go on asking stay counted.
type Local struct {
	interval time.Duration // in which a bucket gains one request
	slack    time.Duration // a full bucket, less the request that is asked for
	now      func() time.Time

	mu       sync.Mutex
	began    time.Time // of the present generation
	present  map[Key]time.Time
	previous map[Key]time.Time
}

// maxGeneration is how many clients a generation holds: some 10 MB.
const maxGeneration = 100_000

// NewLocal makes one in which every bucket is full. now tells the time; nil: time.Now.
func NewLocal(rate Rate, now func() time.Time) *Local {
	if now == nil {
		now = time.Now
	}
	return &Local{interval: rate.interval(), slack: rate.slack(), now: now, began: now(), present: map[Key]time.Time{}}
}

// Take implements [Limiter].
func (l *Local) Take(_ context.Context, key Key) time.Duration {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.began) > l.interval+l.slack || len(l.present) >= maxGeneration {
		l.began, l.previous, l.present = now, l.present, map[Key]time.Time{}
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

// Wait returns for how long the client must wait, and counts nothing.
func (l *Local) Wait(key Key) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	full, known := l.present[key]
	if !known {
		full = l.previous[key]
	}
	return max(full.Add(-l.slack).Sub(l.now()), 0) // a client that was never seen has the year 1
}

// hold makes the client wait for so long: others have counted what it asked elsewhere.
func (l *Local) hold(key Key, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if full := l.now().Add(l.slack + wait); full.After(l.present[key]) {
		l.present[key] = full
	}
}
