// Package outward reaches servers whose addresses somebody else gives, over HTTPS, and none that only this network can reach. What is
// checked is the address that is dialled, after the name was resolved: a name that points inward, now or a moment later, leads nowhere.
package outward

import (
	"fmt"
	"net/netip"
	"slices"
)

// notPublic are the networks of IPv4 that are not part of the public internet (IANA's registry of special-purpose addresses), and the
// addresses of metadata services that lie in others.
var notPublic = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
	"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"168.63.129.16/32", // Azure's, within its public addresses
)

// Of IPv6 only what is given to networks is public, but for what lies in it and is not.
var (
	unicast6   = netip.MustParsePrefix("2000::/3")
	notPublic6 = prefixes("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
	nat64      = netip.MustParsePrefix("64:ff9b::/96")
)

func prefixes(texts ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		all[i] = netip.MustParsePrefix(text)
	}
	return all
}

// Public reports whether an address is one of the public internet. An address that stands for one of IPv4, mapped or through NAT64, is as
// public as that; tunnels (6to4, Teredo) are not, since nobody can say where they end.
func Public(a netip.Addr) bool {
	a = plain(a)
	switch {
	case !a.IsValid() || a.Zone() != "":
		return false
	case a.Is4():
		return !within(notPublic, a)
	}
	return unicast6.Contains(a) && !within(notPublic6, a)
}

// plain returns the address of IPv4 that one of IPv6 stands for, and any other as it is.
func plain(a netip.Addr) netip.Addr {
	if nat64.Contains(a) {
		b := a.As16()
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	return a.Unmap()
}

func within(networks []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(a) })
}

// RefusedError says why no connection was tried. Its text does not tell what the name resolved to: that is nobody's business outside.
type RefusedError struct {
	Address   netip.AddrPort // for the log
	Reason    string
	NotPublic bool // the address is not public, and not among those that are allowed
}

func (e *RefusedError) Error() string { return e.Reason }

// A Gate says which addresses may be dialled. The zero Gate lets public ones pass, on ports of HTTPS and those from 1024.
type Gate struct {
	// Allow are networks that are not public, or not all of them, to which connections may lead all the same, on any port.
	Allow []netip.Prefix
	// Inward lets nothing else pass: without TLS nothing may go over the internet.
	Inward bool
}

// Check returns a [*RefusedError] unless the address may be dialled.
func (g Gate) Check(to netip.AddrPort) error {
	address := plain(to.Addr())
	switch {
	case within(g.Allow, address) || within(g.Allow, to.Addr()):
		return nil
	case !Public(address):
		return &RefusedError{to, "its address is not public", true}
	case g.Inward:
		return &RefusedError{to, "it has no TLS (http:), and its address is public", false}
	case to.Port() != 443 && to.Port() < 1024:
		return &RefusedError{to, fmt.Sprintf("port %d belongs to another service: 443, and ports from 1024, are for HTTPS", to.Port()), false}
	}
	return nil
}
