package live

import "sync/atomic"

// full are the clients of a loop whose sockets took no more, so that something waits for them. It is looked at now and then how much that is: nothing is
// counted for those that take what they get.
type full struct {
	clients map[*client]struct{} // of the loop alone
	bytes   atomic.Int64         // that waited for all of them when that was looked at last
}

func (f *full) add(c *client) {
	if f.clients == nil {
		f.clients = map[*client]struct{}{}
	}
	f.clients[c] = struct{}{}
}

// look sums up, and forgets those that have taken everything, or are gone.
func (f *full) look() {
	var sum int64
	for c := range f.clients {
		c.mu.Lock()
		waits := c.waiting()
		if !c.busy || c.gone {
			delete(f.clients, c)
			waits = 0
		}
		c.mu.Unlock()
		sum += waits
	}
	f.bytes.Store(sum)
}

// waiting is how many bytes are still to be sent. The caller holds mu.
func (c *client) waiting() int64 {
	if c.ending { // the frame that is half sent, and the end
		return int64(len(c.at.begun()) + len(c.control()))
	}
	then := c.then()
	return c.at.behind() + then.behind() + int64(len(c.control()))
}

func (s *Service) waitingBytes() (sum float64) {
	for _, l := range s.loops {
		sum += float64(l.full.bytes.Load())
	}
	return sum
}
