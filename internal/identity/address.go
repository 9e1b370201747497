package identity

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// HeaderForwardedFor names the addresses that a request passed.
const HeaderForwardedFor = "X-Forwarded-For"

// ClientAddress returns the address a request comes from, which is invalid where it comes from none. What stands in X-Forwarded-For is
// believed from the right, as far as it was written by trusted proxies: the first address that is none of theirs is the client, whatever it
// claims to the left of that.
func ClientAddress(r *http.Request, trusted []netip.Prefix) netip.Addr {
	client := parseAddress(r.RemoteAddr)
	lines := r.Header[HeaderForwardedFor]
	for i := len(lines) - 1; i >= 0; i-- {
		for rest, more := lines[i], true; more; {
			if !slices.ContainsFunc(trusted, func(network netip.Prefix) bool { return network.Contains(client) }) {
				return client
			}
			var hop string
			if comma := strings.LastIndexByte(rest, ','); comma >= 0 {
				rest, hop = rest[:comma], rest[comma+1:]
			} else {
				hop, more = rest, false
			}
			address := parseAddress(strings.TrimSpace(hop))
			if !address.IsValid() { // what no proxy of ours wrote
				return client
			}
			client = address
		}
	}
	return client
}

// Client returns the address a request comes from, which the gateway in front has found out, and made the only one that is named. A request that
// passed no gateway comes from its sender.
func (Behind) Client(r *http.Request) netip.Addr {
	if named := r.Header.Get(HeaderForwardedFor); named != "" {
		return parseAddress(named)
	}
	return parseAddress(r.RemoteAddr)
}

// Household returns what counts as one client by its address: who has one IPv6 address has 2^64 of them.
func Household(address netip.Addr) netip.Addr {
	if address.Is6() {
		if network, err := address.Prefix(64); err == nil {
			return network.Addr()
		}
	}
	return address
}

// parseAddress reads an address with or without a port. It is invalid where it is none.
func parseAddress(text string) netip.Addr {
	address, err := netip.ParseAddr(text)
	if err != nil {
		withPort, err := netip.ParseAddrPort(text)
		if err != nil {
			return netip.Addr{}
		}
		address = withPort.Addr()
	}
	return address.Unmap().WithZone("")
}
