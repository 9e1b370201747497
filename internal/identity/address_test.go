package identity

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

var trusted = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}

func TestTheClientIsWhomTrustedProxiesName(t *testing.T) {
	for _, c := range []struct {
		peer  string
		lines []string
		want  string
	}{
		{"192.0.2.1:80", nil, "192.0.2.1"},
		{"192.0.2.1:80", []string{"198.51.100.1"}, "192.0.2.1"}, // no proxy of ours: not believed
		{"10.0.0.1:80", []string{"198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.1:80", []string{"203.0.113.9, 198.51.100.1"}, "198.51.100.1"}, // forged to the left
		{"10.0.0.1:80", []string{"203.0.113.9", "198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.1:80", []string{"203.0.113.9, 198.51.100.1, 10.0.0.7"}, "198.51.100.1"},
		{"10.0.0.1:80", []string{"203.0.113.9,198.51.100.1", "10.0.0.7,10.0.0.8"}, "198.51.100.1"},
		{"10.0.0.1:80", []string{"10.0.0.7"}, "10.0.0.7"},
		{"10.0.0.1:80", []string{"unknown"}, "10.0.0.1"},
		{"10.0.0.1:80", []string{"198.51.100.1, "}, "10.0.0.1"},
		{"10.0.0.1:80", []string{"198.51.100.1:4711"}, "198.51.100.1"},
		{"[::1]:80", []string{"[2001:db8::1]:4711"}, "2001:db8::1"},
		{"[::1]:80", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"[::ffff:10.0.0.1]:80", []string{"198.51.100.1"}, "198.51.100.1"},
		{"@", []string{"198.51.100.1"}, "invalid IP"},
	} {
		r := &http.Request{RemoteAddr: c.peer, Header: http.Header{"X-Forwarded-For": c.lines}}
		if got := ClientAddress(r, trusted).String(); got != c.want {
			t.Errorf("%s with %q is taken for %s, not %s", c.peer, c.lines, got, c.want)
		}
	}
}

// Whatever stands in X-Forwarded-For, a client is its peer, or one whom an unbroken row of trusted proxies names; and all
// addresses that one client may choose are counted together.
func FuzzClientAddress(f *testing.F) {
	for _, c := range [][3]string{
		{"192.0.2.1:80", "198.51.100.1", ""}, {"10.0.0.1:80", "203.0.113.9, 198.51.100.1", "10.0.0.7"}, {"10.0.0.1:80", "unknown", ","}, {"[::1]:80", "[2001:db8::1]:4711", "::ffff:10.0.0.1"},
		{"[::ffff:10.0.0.1%eth0]:80", "fe80::1%lo", "1.2.3.4:99999"}, {"@", "10.0.0.1", "10.0.0.1"}, {"10.0.0.1", strings.Repeat("10.0.0.1,", 100), "\x00"},
	} {
		f.Add(c[0], c[1], c[2])
	}
	f.Fuzz(func(t *testing.T, peer, one, two string) {
		r := &http.Request{RemoteAddr: peer, Header: http.Header{"X-Forwarded-For": {one, two}}}
		got := ClientAddress(r, trusted)
		// The model: all hops from the peer backwards, as long as each was named by one that is trusted.
		want := parseAddress(peer)
		hops := strings.Split(one+","+two, ",")
		for i := len(hops) - 1; i >= 0 && slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(want) }); i-- {
			hop := parseAddress(strings.TrimSpace(hops[i]))
			if !hop.IsValid() {
				break
			}
			want = hop
		}
		if got != want || got.Is4In6() || got.Zone() != "" {
			t.Fatalf("%q with %q and %q is taken for %v, not %v", peer, one, two, got, want)
		}
		household := Household(got)
		if got.Is4() && household != got {
			t.Fatalf("%v is counted as %v", got, household)
		}
		if got.Is6() {
			bytes := got.As16()
			bytes[15] ^= 0xff
			bytes[8] ^= 0xff
			if Household(netip.AddrFrom16(bytes)) != household && !netip.AddrFrom16(bytes).Is4In6() {
				t.Fatalf("%v and its neighbour are two clients", got)
			}
		}
	})
}
