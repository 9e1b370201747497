package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// dnsPrefix stands before the URL of instances that share a name.
const dnsPrefix = "dns+"

// mostNamed is how many instances are taken of one name; an answer with more addresses is cut there, in their order.
const mostNamed = 256

// A roster is the instances that requests may be given to. Each reader has it as it was when it asked.
type roster struct {
	mu      sync.Mutex // of those who change it
	current atomic.Pointer[[]*instance]
}

func (r *roster) all() []*instance {
	if all := r.current.Load(); all != nil {
		return *all
	}
	return nil
}

func (r *roster) add(in ...*instance) {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := slices.Concat(r.all(), in)
	r.current.Store(&all)
}

func (r *roster) remove(gone *instance) {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := slices.DeleteFunc(slices.Clone(r.all()), func(in *instance) bool { return in == gone })
	r.current.Store(&all)
}

// A name stands for as many instances as it has addresses.
type name struct {
	url *url.URL

	members map[netip.Addr]*member // known to who looks it up alone
	hurry   chan struct{}          // one of the instances is away: perhaps others are there
	first   chan struct{}          // closed when it was looked up once, with whatever result

	mu  sync.Mutex
	err error // why there is no instance, or the newest ones are not known; nil: neither
}

// A member is an instance at one address of a name. It is watched until nothing is under way to it any more, also when the name does not
// lead to it any longer.
type member struct {
	*instance
	listed bool // in the roster
	stop   context.CancelFunc
}

func newName(u *url.URL) *name {
	return &name{
		url: u, members: map[netip.Addr]*member{}, hurry: make(chan struct{}, 1), first: make(chan struct{}), err: errors.New("it has not been looked up yet"),
	}
}

func (n *name) trouble() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.err
}

// is records how a lookup ended, and reports whether that is news.
func (n *name) is(err error) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	news := (n.err == nil) != (err == nil) || err != nil && n.err.Error() != err.Error()
	n.err = err
	return news
}

// lookAgain asks for a lookup soon.
func (n *name) lookAgain() {
	select {
	case n.hurry <- struct{}{}:
	default: // it is asked for
	}
}

// known returns the instances. At the start it waits until every name was looked up, though not for long.
func (p *Proxy) known(ctx context.Context) []*instance {
	for _, n := range p.names {
		select {
		case <-n.first:
			continue
		default:
		}
		timer := time.NewTimer(lookupTimeout)
		select {
		case <-n.first:
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
	return p.roster.all()
}

const (
	lookupTimeout = 2 * time.Second
	// leastLookup is how soon a name is looked up again where an instance of it is away.
	leastLookup = time.Second
)

// keepLookingUp keeps the instances those that a name leads to, until ctx ends. While nobody answers what the name means, it means what it did.
func (p *Proxy) keepLookingUp(ctx context.Context, n *name) {
	var watching sync.WaitGroup
	defer watching.Wait()
	for {
		addresses, err := p.lookUp(ctx, n)
		if ctx.Err() != nil {
			return
		}
		if n.is(err) && err != nil {
			p.options.Logger.Warn("a name does not lead to instances", "to", p.options.Name, "name", n.url.Host, "reason", err)
		}
		if err == nil || errors.Is(err, errNoAddress) {
			p.adopt(ctx, n, addresses, &watching)
		}
		if !closed(n.first) {
			close(n.first)
		}
		if !n.pause(ctx, p.options.LookupInterval) {
			return
		}
	}
}

// pause waits for the next lookup, and reports whether there is to be one.
func (n *name) pause(ctx context.Context, interval time.Duration) bool {
	least := time.NewTimer(min(leastLookup, interval))
	defer least.Stop()
	regular := time.NewTimer(interval)
	defer regular.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-least.C:
	}
	select {
	case <-ctx.Done():
		return false
	case <-regular.C:
	case <-n.hurry:
	}
	return true
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// errNoAddress is the answer that there is none.
var errNoAddress = errors.New("the name has no address")

// Dial reaches a name server; nil: as the machine does.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// LookUp returns the addresses of instances that share a name, in order. An instance is commonly reached by IPv4 and by IPv6, and is not to be taken for two:
// IPv6 is asked for where there is no address of IPv4. A name is asked for with each ending of the search list; while one of these is not answered it is not
// known what the name means, whatever the others are answered.
func LookUp(ctx context.Context, host string, dial Dial) ([]netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	resolver := net.Resolver{PreferGo: true, StrictErrors: true, Dial: dial}
	for _, network := range []string{"ip4", "ip6"} {
		found, err := resolver.LookupNetIP(ctx, network, host)
		if err == nil {
			for i := range found {
				found[i] = found[i].Unmap()
			}
			slices.SortFunc(found, netip.Addr.Compare)
			return slices.Compact(found), nil
		}
		missing, other := new(net.DNSError), new(net.AddrError) // other: the host is an address of the other kind
		if !errors.As(err, &other) && !(errors.As(err, &missing) && missing.IsNotFound) {
			return nil, fmt.Errorf("it cannot be looked up: %w", err)
		}
	}
	return nil, errNoAddress
}

// lookUp returns the addresses of a name, not too many.
func (p *Proxy) lookUp(ctx context.Context, n *name) ([]netip.Addr, error) {
	found, err := LookUp(ctx, n.url.Hostname(), p.options.DialNames)
	if len(found) > mostNamed {
		p.options.Logger.Warn("a name has more addresses than are used", "to", p.options.Name, "name", n.url.Host, "addresses", len(found), "used", mostNamed)
		found = found[:mostNamed]
	}
	return found, err
}

// At is where the instance is that a URL has at an address of its name.
func At(u *url.URL, address netip.Addr) string {
	port := cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[strings.ToLower(u.Scheme)])
	return net.JoinHostPort(address.String(), port)
}

// adopt takes in the addresses that a name has now. Streams that come from an instance at one that it has no more go on: it may be that the instance is
// leaving, and sends them away itself.
func (p *Proxy) adopt(ctx context.Context, n *name, addresses []netip.Addr, watching *sync.WaitGroup) {
	for _, address := range addresses {
		m := n.members[address]
		if m == nil {
			m = p.join(ctx, n, address, watching)
			n.members[address] = m
		}
		if !m.listed {
			m.listed = true
			p.roster.add(m.instance)
			p.opening.widen()
			p.options.Logger.Info("an instance was found", "to", p.options.Name, "name", n.url.Host, "instance", m.name)
		}
	}
	for address, m := range n.members {
		if slices.Contains(addresses, address) {
			continue
		}
		if m.listed {
			m.listed = false
			p.roster.remove(m.instance)
			p.options.Logger.Info("an instance is gone", "to", p.options.Name, "name", n.url.Host, "instance", m.name)
		}
		if m.inFlight.Load() == 0 {
			m.stop()
			delete(n.members, address)
		}
	}
}

// join begins to watch an instance at an address.
func (p *Proxy) join(ctx context.Context, n *name, address netip.Addr, watching *sync.WaitGroup) *member {
	in := newInstance(n.url, At(n.url, address), p.options.AnswerTimeout)
	in.lost = n.lookAgain
	ctx, stop := context.WithCancel(ctx)
	watching.Go(func() {
		p.watch(ctx, in)
		in.transport.CloseIdleConnections()
	})
	return &member{instance: in, stop: stop}
}
