package live

import (
	"net/http"
	"net/netip"
	"sync"

	"parkwire/internal/identity"
)

// crowds bound how many clients there are of one address, an IPv6 network counting as one. Where there is no bound they
// count nobody.
type crowds struct {
	most    int // 0: no bound
	trusted []netip.Prefix

	mu    sync.Mutex
	sizes map[netip.Addr]int
	homes map[*client]netip.Addr
}

func newCrowds(most int, trusted []netip.Prefix) *crowds {
	return &crowds{most: most, trusted: trusted, sizes: map[netip.Addr]int{}, homes: map[*client]netip.Addr{}}
}

// A seat is kept for somebody whose handshake is under way, lest very many come in together.
type seat struct {
	crowds *crowds
	home   netip.Addr
	client *client // whose it has become
}

// seat returns one for whoever makes a request; ok says whether there is one left.
func (x *crowds) seat(r *http.Request) (s seat, ok bool) {
	if x.most == 0 {
		return seat{}, true
	}
	home := identity.Household(identity.ClientAddress(r, x.trusted))
	if !home.IsValid() { // of no network: who may connect to a socket of this machine
		return seat{}, true
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.sizes[home] >= x.most {
		return seat{}, false
	}
	x.sizes[home]++
	return seat{crowds: x, home: home}, true
}

// take makes it the client's, until that leaves.
func (s *seat) take(c *client) {
	if s.crowds == nil {
		return
	}
	s.crowds.mu.Lock()
	defer s.crowds.mu.Unlock()
	s.client, s.crowds.homes[c] = c, s.home
}

// giveUp gives it back, unless it is somebody's.
func (s *seat) giveUp() {
	if s.crowds == nil || s.client != nil {
		return
	}
	s.crowds.mu.Lock()
	defer s.crowds.mu.Unlock()
	s.crowds.empty(s.home)
}

// leave gives back the seat of a client.
func (x *crowds) leave(c *client) {
	if x.most == 0 {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if home, ok := x.homes[c]; ok {
		delete(x.homes, c)
		x.empty(home)
	}
}

func (x *crowds) empty(home netip.Addr) {
	if x.sizes[home]--; x.sizes[home] == 0 {
		delete(x.sizes, home)
	}
}
