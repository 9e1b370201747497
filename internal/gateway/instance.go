package gateway

import (
	"errors"
	"net/url"
	"sync"
	"sync/atomic"
)

// A condition is what is known of an instance; the lower, the better.
type condition int

const (
	ready       condition = iota // or nothing is known yet
	notReady                     // it answers, and says that it cannot serve
	unreachable                  // it does not answer
)

// An instance is one process that serves a part.
type instance struct {
	url      *url.URL
	inFlight atomic.Int64

	mu        sync.Mutex
	condition condition
	reason    error // why it is not ready; also while nothing is known
}

var errUnknown = errors.New("it has not been asked yet")

// set records what was found, and reports whether the condition changed.
func (i *instance) set(c condition, reason error) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	changed := i.condition != c
	i.condition, i.reason = c, reason
	return changed
}

func (i *instance) state() (condition, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.condition, i.reason
}

// A flight is one request on its way through a proxy, by the instances that it was given to.
type flight struct {
	instances []*instance
	current   int // index of the one that has it; -1: none yet
	tried     uint64
}

// next moves the request to the instance that is best of those that did not have it: of those in the best
// condition, the one with the fewest requests under way. turn decides between equals. It reports false where none is left,
// or, for onlyReady, none that is ready.
func (f *flight) next(turn uint64, onlyReady bool) bool {
	best, bestCondition, bestLoad := -1, unreachable, int64(0)
	n := len(f.instances)
	for k := range n {
		i := (k + int(turn%uint64(n))) % n
		if f.tried&(1<<i) != 0 {
			continue
		}
		c, _ := f.instances[i].state()
		load := f.instances[i].inFlight.Load()
		if best < 0 || c < bestCondition || c == bestCondition && load < bestLoad {
			best, bestCondition, bestLoad = i, c, load
		}
	}
	if best < 0 || onlyReady && bestCondition != ready {
		return false
	}
	f.leave()
	f.current = best
	f.tried |= 1 << best
	f.instances[best].inFlight.Add(1)
	return true
}

// leave takes the request off the instance that has it.
func (f *flight) leave() {
	if f.current >= 0 {
		f.instances[f.current].inFlight.Add(-1)
		f.current = -1
	}
}
