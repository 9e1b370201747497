package outward_test

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"parkwire/internal/outward"
)

// Whatever is written, an address that is taken is one of HTTPS, and none that names something inside.
func FuzzAddresses(f *testing.F) {
	for _, seed := range []string{
		"https://example.org/hook", "http://example.org", "https://127.0.0.1/", "https://[::ffff:10.0.0.1]:443/", "https://0x7f.1/", "https://a@b/", "https://例え.jp/", "https:///x", "https://[fe80::1%25eth0]/",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, address string) {
		if outward.CheckURL(address, nil) != "" {
			return
		}
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "https" || u.User != nil || strings.ContainsAny(address, "\r\n") {
			t.Fatalf("%q is taken", address)
		}
		if literal, err := netip.ParseAddr(u.Hostname()); err == nil && !outward.Public(literal) {
			t.Fatalf("%q is taken, and leads to %s", address, literal)
		}
	})
}
