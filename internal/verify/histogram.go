package verify

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// A histogram counts durations in buckets that grow with them, so that every quantile is known to 1/32 of itself, from a
// microsecond to a day, in 8 KB. Many goroutines may add to it.
type histogram struct {
	buckets [buckets]atomic.Uint64
	n       atomic.Uint64
	max     atomic.Int64 // microseconds
}

const (
	fine    = 32 // buckets to each power of two
	longest = 24 * time.Hour
	buckets = 2*fine + 31*fine // 64 of one microsecond, and 31 powers of two
)

func (h *histogram) add(d time.Duration) {
	us := min(max(d, 0), longest).Microseconds()
	h.buckets[bucket(us)].Add(1)
	h.n.Add(1)
	atLeast(&h.max, us)
}

// include adds everything that other has.
func (h *histogram) include(other *histogram) {
	for i := range other.buckets {
		h.buckets[i].Add(other.buckets[i].Load())
	}
	h.n.Add(other.n.Load())
	atLeast(&h.max, other.max.Load())
}

// quantile is a duration that the share q of all does not exceed; 0 where there is none.
func (h *histogram) quantile(q float64) time.Duration {
	n := h.n.Load()
	rank := min(uint64(q*float64(n))+1, n)
	seen := uint64(0)
	for i := range h.buckets {
		if seen += h.buckets[i].Load(); seen >= rank && n > 0 {
			return time.Duration(min(upper(i), h.max.Load())) * time.Microsecond
		}
	}
	return time.Duration(h.max.Load()) * time.Microsecond
}

func bucket(us int64) int {
	if us < 2*fine {
		return int(us)
	}
	shift := bits.Len64(uint64(us)) - bits.Len(2*fine-1)
	return 2*fine + (shift-1)*fine + int(us>>shift) - fine
}

// upper is the longest of a bucket, in microseconds.
func upper(i int) int64 {
	if i < 2*fine {
		return int64(i)
	}
	i -= 2 * fine
	shift := i/fine + 1
	return int64(fine+i%fine+1)<<shift - 1
}

// atLeast raises a to v.
func atLeast(a *atomic.Int64, v int64) {
	for old := a.Load(); v > old && !a.CompareAndSwap(old, v); old = a.Load() {
	}
}
