package gateway

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A condition is what is known of an instance; the lower, the better.
type condition int

const (
	ready       condition = iota
	unasked               // nothing is known yet
	notReady              // it answers, and says that it cannot serve
	unreachable           // it does not answer
)

// An instance is one process that serves a part.
type instance struct {
	url       *url.URL
	name      string // as logs call it
	transport *http.Transport
	lost      func() // is called when it is found to be unreachable, and must not block; nil: nothing is to be done

	inFlight atomic.Int64
	opening  atomic.Int64 // those of inFlight that are streams and not answered yet
	answers  atomic.Int64 // that it gave
	breaker  breaker

	mu        sync.Mutex
	condition condition
	reason    error           // why it is not ready
	reach     context.Context // ends when it is found to be unreachable
	lose      context.CancelFunc
}

// newInstance makes one that is reached by its URL or, where the URL's host is a name that several share, at an address.
func newInstance(u *url.URL, address string, answerTimeout time.Duration) *instance {
	i := &instance{url: u, name: cmp.Or(address, u.Host), transport: newTransport(answerTimeout, address), condition: unasked, reason: errUnknown}
	i.reach, i.lose = context.WithCancel(context.Background())
	return i
}

var errUnknown = errors.New("it has not been asked yet")

// set records what was found, and returns the condition before.
func (i *instance) set(c condition, reason error) (before condition) {
	i.mu.Lock()
	defer i.mu.Unlock()
	before = i.condition
	i.condition, i.reason = c, reason
	switch {
	case c == before:
	case c == unreachable:
		i.lose()
		if i.lost != nil {
			i.lost()
		}
	case before == unreachable:
		i.reach, i.lose = context.WithCancel(context.Background())
		i.breaker.forget()
	}
	return before
}

// reached returns a context that ends when the instance is found to be unreachable. Who tries it all the same when it
// is so already gets one that does not end.
func (i *instance) reached() context.Context {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.condition == unreachable {
		return context.Background()
	}
	return i.reach
}

func (i *instance) state() (condition, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.condition, i.reason
}

// A flight is one request on its way through a proxy, by the instances that it was given to.
type flight struct {
	instances []*instance
	current   *instance // the one that has it; nil: none yet
	tried     []*instance
	trial     bool        // it tries whether the instance that has it answers again
	body      *clientBody // as the client sends it; nil: it is in memory, or there is none

	stream  *stream // nil: the request is none
	opening bool    // a stream that is not answered yet
	most    int64   // streams to be opened at one instance, while another one has room
}

// next moves the request to the instance that is best of those that did not have it: of those in the best
// condition, and for a stream with room for another handshake, the one with the fewest requests under way. turn decides between
// equals. One that rests comes last for a stream, which a page could not be refused, and not at all for others. next reports false where
// none is left, or, for onlyReady, none that may be ready.
func (f *flight) next(turn uint64, onlyReady bool) bool {
	var best *instance
	bestRank, bestLoad := 0, int64(0)
	n, now := len(f.instances), time.Now()
	for k := range n {
		in := f.instances[(k+int(turn%uint64(n)))%n]
		if slices.Contains(f.tried, in) {
			continue
		}
		c, _ := in.state()
		if onlyReady && c > unasked {
			continue
		}
		rank, load := 2*int(c), in.inFlight.Load()
		if !in.breaker.lets(now) {
			if f.stream == nil {
				continue
			}
			rank += 2 * int(unreachable+1)
		}
		if f.stream != nil && in.opening.Load() >= f.most {
			rank++
		}
		if best == nil || rank < bestRank || rank == bestRank && load < bestLoad {
			best, bestRank, bestLoad = in, rank, load
		}
	}
	if best == nil {
		return false
	}
	f.leave()
	f.current = best
	f.tried = append(f.tried, best)
	best.inFlight.Add(1)
	f.trial = best.breaker.begin(now)
	if f.opening = f.stream != nil; f.opening {
		best.opening.Add(1)
	}
	return true
}

// nobody is why next found none.
func (f *flight) nobody() error {
	if len(f.instances) == 0 {
		return errNobody
	}
	return errResting
}

// clientFailed reports whether the client did not send its body.
func (f *flight) clientFailed() bool { return f.body != nil && f.body.failed.Load() }

// opened says that the stream is answered.
func (f *flight) opened() {
	if f.opening {
		f.current.opening.Add(-1)
		f.opening = false
	}
}

// leave takes the request off the instance that has it.
func (f *flight) leave() {
	if f.current != nil {
		f.opened()
		f.current.inFlight.Add(-1)
		f.current = nil
	}
}
