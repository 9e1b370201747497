package delivery

import (
	"sync"
	"time"
)

const (
	opensAfter  = 5     // failures one after the other
	maxCircuits = 10000 // that are remembered; beyond that the oldest news is forgotten
)

// circuits remember which hosts and channels fail. After some failures one after the other nothing goes there for a while; then one attempt tries
// it, and what becomes of that decides. They are forgotten when the process ends, which costs a few attempts.
type circuits struct {
	rest, longest time.Duration

	mu  sync.Mutex
	all map[string]*circuit // none: nothing is wrong
}

type circuit struct {
	failures int
	until    time.Time // rests until then, or longer while it is tried; zero: it is closed
	pause    time.Duration
	trying   bool
	news     time.Time
}

func newCircuits(rest, longest time.Duration) *circuits {
	return &circuits{rest: rest, longest: longest, all: map[string]*circuit{}}
}

// lets reports whether attempts may be made, and whether there may be more than one at a time.
func (c *circuits) lets(key string, now time.Time) (any, several bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	one := c.all[key]
	switch {
	case one == nil:
		return true, true
	case one.until.IsZero():
		return true, false
	}
	return !now.Before(one.until) && !one.trying, false
}

// begin is called when an attempt begins that [circuits.lets] let.
func (c *circuits) begin(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if one := c.all[key]; one != nil && !one.until.IsZero() {
		one.trying = true
	}
}

// end takes in what became of an attempt, and reports whether the circuit opened.
func (c *circuits) end(key string, ok bool, now time.Time) (opened bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	one := c.all[key]
	if ok {
		delete(c.all, key)
		return false
	}
	if one == nil {
		if len(c.all) >= maxCircuits {
			c.forgetOldest()
		}
		one = &circuit{}
		c.all[key] = one
	}
	one.failures++
	one.news = now
	switch {
	case one.trying:
		one.trying, one.pause = false, min(2*one.pause, c.longest)
	case one.until.IsZero() && one.failures >= opensAfter:
		one.pause, opened = c.rest, true
	default: // counted, or begun before it opened
		return false
	}
	one.until = now.Add(one.pause)
	return opened
}

// unclear is for an attempt that says nothing: it was not made.
func (c *circuits) unclear(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if one := c.all[key]; one != nil {
		one.trying = false
	}
}

func (c *circuits) forgetOldest() {
	oldest := ""
	for key, one := range c.all {
		if !one.trying && (oldest == "" || one.news.Before(c.all[oldest].news)) {
			oldest = key
		}
	}
	delete(c.all, oldest)
}

// open counts those that rest.
func (c *circuits) open() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, one := range c.all {
		if !one.until.IsZero() {
			n++
		}
	}
	return n
}

// slots bound how many attempts are under way.
type slots struct {
	bounds Sending

	mu    sync.Mutex
	all   int
	taken map[string]int // by "host ", "subject " and "channel " with a name behind
}

func newSlots(bounds Sending) *slots { return &slots{bounds: bounds, taken: map[string]int{}} }

func (l lane) keys() [3]string {
	return [3]string{"host " + l.host, "subject " + l.subject, "channel " + l.channel}
}

// take takes up to most slots for a channel. several says whether it may have more than one.
func (s *slots) take(l lane, most int, several bool) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	perHost, perChannel := s.bounds.PerHost, s.bounds.PerChannel
	switch l.kind {
	case kindPush:
		perHost *= 2
	case kindMail:
		perHost = max(perHost/4, 1)
	}
	if !several {
		perChannel = 1
	}
	keys := l.keys()
	n := min(most, s.bounds.All-s.all, perHost-s.taken[keys[0]], s.bounds.PerSubject-s.taken[keys[1]], perChannel-s.taken[keys[2]])
	if n <= 0 {
		return 0
	}
	s.add(keys, n)
	return n
}

// give gives slots back.
func (s *slots) give(l lane, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(l.keys(), -n)
}

// add is called with mu held.
func (s *slots) add(keys [3]string, n int) {
	s.all += n
	for _, key := range keys {
		if s.taken[key] += n; s.taken[key] == 0 {
			delete(s.taken, key)
		}
	}
}

func (s *slots) free() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bounds.All - s.all
}

func (s *slots) busy() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all
}

// leave keeps from something that asks to be left alone until then. Afterwards one attempt tries it.
func (c *circuits) leave(key string, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	one := c.all[key]
	if one == nil {
		one = &circuit{pause: c.rest, news: until}
		c.all[key] = one
	}
	if until.After(one.until) {
		one.until, one.trying = until, false
		one.pause = max(one.pause, c.rest/2)
	}
}

// forget is for what was mended.
func (c *circuits) forget(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if one := c.all[key]; one != nil && !one.trying {
		delete(c.all, key)
	}
}
