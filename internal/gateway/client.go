package gateway

import (
	"net/http"
	"net/netip"
	"strings"
)

const headerForwardedFor = "X-Forwarded-For"

// clientAddress returns the address a request comes from. What stands in X-Forwarded-For is believed from the right, as far
// as it was written by trusted proxies: the first address that is none of theirs is the client, whatever it
// claims to the left of that.
func (g *Gateway) clientAddress(r *http.Request) netip.Addr {
	client := parseAddress(r.RemoteAddr)
	lines := r.Header[headerForwardedFor]
	for i := len(lines) - 1; i >= 0; i-- {
		for rest, more := lines[i], true; more; {
			if !g.trusted(client) {
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

func (g *Gateway) trusted(address netip.Addr) bool {
	for _, network := range g.options.TrustedProxies {
		if network.Contains(address) {
			return true
		}
	}
	return false
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
