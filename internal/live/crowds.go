package live

import (
	"net/http"
	"net/netip"
	"sync"

	"parkwire/internal/identity"
)

// crowds bound how many clients there are of one address, an IPv6 network counting as one, and of one subject, whose tokens may be many.
// Where there is no bound they count nobody.
type crowds struct {
	perAddress, perSubject int // 0: no bound
	trusted                []netip.Prefix

	mu    sync.Mutex
	sizes map[crowd]int
	homes map[*client][]crowd
}

// A crowd is the clients of an address, or of a subject.
type crowd struct {
	address netip.Addr
	subject string
}

func newCrowds(o Options) *crowds {
	return &crowds{
		perAddress: o.ClientsPerAddress, perSubject: o.ClientsPerPrincipal, trusted: o.TrustedProxies,
		sizes: map[crowd]int{}, homes: map[*client][]crowd{},
	}
}

// A seat is kept for somebody whose handshake is under way, lest very many come in together.
type seat struct {
	crowds *crowds
	of     []crowd
	client *client // whose it has become
}

// seat returns one for who makes a request, or says of what there are too many clients. A client that shows another token later keeps it.
func (x *crowds) seat(r *http.Request, who identity.Principal) (s seat, tooMany string) {
	s.crowds = x
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.perAddress > 0 {
		c := crowd{address: identity.Household(identity.ClientAddress(r, x.trusted))}
		switch {
		case !c.address.IsValid(): // of no network: who may connect to a socket of this machine
		case x.sizes[c] >= x.perAddress:
			return seat{}, "this address"
		default:
			s.of = append(s.of, c)
		}
	}
	if x.perSubject > 0 && !who.Anonymous() {
		c := crowd{subject: who.Subject}
		if x.sizes[c] >= x.perSubject {
			return seat{}, "the subject of this token"
		}
		s.of = append(s.of, c)
	}
	for _, c := range s.of {
		x.sizes[c]++
	}
	return s, ""
}

// take makes it the client's, until that leaves.
func (s *seat) take(c *client) {
	if len(s.of) == 0 {
		return
	}
	s.crowds.mu.Lock()
	defer s.crowds.mu.Unlock()
	s.client, s.crowds.homes[c] = c, s.of
}

// giveUp gives it back, unless it is somebody's.
func (s *seat) giveUp() {
	if len(s.of) == 0 || s.client != nil {
		return
	}
	s.crowds.mu.Lock()
	defer s.crowds.mu.Unlock()
	s.crowds.empty(s.of)
}

// leave gives back the seat of a client.
func (x *crowds) leave(c *client) {
	if x.perAddress == 0 && x.perSubject == 0 {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.empty(x.homes[c])
	delete(x.homes, c)
}

// empty is called with mu held.
func (x *crowds) empty(of []crowd) {
	for _, c := range of {
		if x.sizes[c]--; x.sizes[c] == 0 {
			delete(x.sizes, c)
		}
	}
}
