package verify

import (
	"slices"
	"sync"
)

// A book is what one client has seen of each spot. While all is well that is the newest version alone; of
// what is missing below it the book has a note.
type book struct {
	mu    sync.Mutex
	seen  []uint32 // by spot
	holes []hole
	// beyond counts what is missing and no longer noted: were it to come after all, it would count as repeated.
	beyond int64
}

// hole is a range of versions of a spot that did not come.
type hole struct{ spot, from, to uint32 }

// maxHoles bounds the memory of a client from which very much is missing.
const maxHoles = 1024

type verdict int

const (
	next       verdict = iota // the version that was to come, or one behind a hole
	repeated                  // it came before
	outOfOrder                // a newer one of the spot came before
)

// see notes a version that came.
func (b *book) see(spot int, version uint32) verdict {
	b.mu.Lock()
	defer b.mu.Unlock()
	newest := b.seen[spot]
	if version > newest {
		if version > newest+1 {
			b.miss(hole{uint32(spot), newest + 1, version - 1})
		}
		b.seen[spot] = version
		return next
	}
	i := slices.IndexFunc(b.holes, func(h hole) bool { return h.spot == uint32(spot) && h.from <= version && version <= h.to })
	if i < 0 {
		return repeated
	}
	h := b.holes[i]
	b.holes = slices.Delete(b.holes, i, i+1)
	if h.from < version {
		b.miss(hole{h.spot, h.from, version - 1})
	}
	if version < h.to {
		b.miss(hole{h.spot, version + 1, h.to})
	}
	return outOfOrder
}

// begin begins anew from a snapshot. What was missing before stays so.
func (b *book) begin(state []uint32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	copy(b.seen, state)
}

// miss is called with mu held.
func (b *book) miss(h hole) {
	if len(b.holes) == maxHoles {
		b.beyond += int64(h.to - h.from + 1)
		return
	}
	b.holes = append(b.holes, h)
}

// complete reports whether every acknowledged version has come.
func (b *book) complete(spots []*spot) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.holes) > 0 || b.beyond > 0 {
		return false
	}
	for i, s := range spots {
		if int64(b.seen[i]) < s.acknowledged.Load() {
			return false
		}
	}
	return true
}

// missing calls fn for every range that did not come, up to what is acknowledged. beyond is how many
// versions are missing of which nothing else is known.
func (b *book) missing(spots []*spot, fn func(hole)) (beyond int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, h := range b.holes {
		fn(h)
	}
	for i, s := range spots {
		if last := s.acknowledged.Load(); last > int64(b.seen[i]) {
			fn(hole{uint32(i), b.seen[i] + 1, uint32(last)})
		}
	}
	return b.beyond
}
