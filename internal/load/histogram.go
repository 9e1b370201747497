package load

import (
	"math/bits"
	"time"
)

// fine is how many buckets each power of two has: a quantile is at most 3 % too high.
const fine = 32

// A histogram counts durations, in microseconds, up to some hours.
type histogram struct {
	Buckets []uint64 `json:"buckets"`
	N       uint64   `json:"n"`
	Max     int64    `json:"max"` // microseconds
}

func newHistogram() *histogram { return &histogram{Buckets: make([]uint64, bucketOf(1<<35))} }

// add counts a duration of so many nanoseconds. Clocks that differ a little make it negative, which is none.
func (h *histogram) add(nanos int64) {
	us := max(0, nanos/1000)
	h.Buckets[min(bucketOf(us), len(h.Buckets)-1)]++
	h.N++
	h.Max = max(h.Max, us)
}

func (h *histogram) include(other *histogram) {
	for i, n := range other.Buckets {
		h.Buckets[min(i, len(h.Buckets)-1)] += n
	}
	h.N += other.N
	h.Max = max(h.Max, other.Max)
}

func (h *histogram) reset() {
	clear(h.Buckets)
	h.N, h.Max = 0, 0
}

// quantile is a duration that the share q of all does not exceed; 0 where there is none.
func (h *histogram) quantile(q float64) time.Duration {
	rank, seen := min(uint64(q*float64(h.N))+1, h.N), uint64(0)
	for i, n := range h.Buckets {
		if seen += n; seen >= rank && h.N > 0 {
			return time.Duration(min(longest(i), h.Max)) * time.Microsecond
		}
	}
	return time.Duration(h.Max) * time.Microsecond
}

func bucketOf(us int64) int {
	if us < 2*fine {
		return int(us)
	}
	shift := bits.Len64(uint64(us)) - bits.Len(2*fine-1)
	return 2*fine + (shift-1)*fine + int(us>>shift) - fine
}

// longest is the longest duration of a bucket, in microseconds.
func longest(i int) int64 {
	if i < 2*fine {
		return int64(i)
	}
	i -= 2 * fine
	shift := i/fine + 1
	return int64(fine+i%fine+1)<<shift - 1
}
