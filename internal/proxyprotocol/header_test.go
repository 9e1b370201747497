package proxyprotocol

import (
	"io"
	"net/netip"
	"strings"
	"testing"
)

const binary4 = magic2 + "\x21\x11\x00\x0c" + "\xc0\x00\x02\x07" + "\x0a\x00\x00\x01" + "\x30\x39" + "\x13\x89"

func TestAHeaderIsReadAndNotOneByteMore(t *testing.T) {
	for name, c := range map[string]struct{ header, want string }{
		"TCP4":                   {"PROXY TCP4 192.0.2.7 10.0.0.1 12345 5001\r\n", "192.0.2.7:12345"},
		"TCP6":                   {"PROXY TCP6 2001:db8::7 2001:db8::1 12345 5001\r\n", "[2001:db8::7]:12345"},
		"unknown":                {"PROXY UNKNOWN\r\n", ""},
		"unknown with addresses": {"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", ""},
		"mapped":                 {"PROXY TCP6 ::ffff:192.0.2.7 ::ffff:10.0.0.1 1 2\r\n", "192.0.2.7:1"},
		"binary IPv4":            {binary4, "192.0.2.7:12345"},
		"binary IPv6": {magic2 + "\x21\x21\x00\x24" + "\x20\x01\x0d\xb8" + strings.Repeat("\x00", 11) + "\x07" + strings.Repeat("\x00", 16) + "\x30\x39\x13\x89",
			"[2001:db8::7]:12345"},
		"binary with more behind": {magic2 + "\x21\x11\x00\x10" + "\xc0\x00\x02\x07\x0a\x00\x00\x01\x30\x39\x13\x89" + "\x04\x00\x01x", "192.0.2.7:12345"},
		"binary local":            {magic2 + "\x20\x00\x00\x00", ""},
		"binary UDP":              {magic2 + "\x21\x12\x00\x0c" + strings.Repeat("\x01", 12), ""},
	} {
		t.Run(name, func(t *testing.T) {
			from := strings.NewReader(c.header + "GET /")
			address, err := readHeader(from)
			want := netip.AddrPort{}
			if c.want != "" {
				want = netip.MustParseAddrPort(c.want)
			}
			if err != nil || address != want {
				t.Errorf("%v, %v instead of %v", address, err, want)
			}
			if rest, _ := io.ReadAll(from); string(rest) != "GET /" {
				t.Errorf("%q is left instead of what followed the header", rest)
			}
		})
	}
}

func TestWhatIsNoHeaderIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":          "",
		"a request":        "GET /notifications HTTP/1.1\r\nHost: x\r\n\r\n",
		"cut short":        "PROXY TCP4 192.0.2.7",
		"no end":           "PROXY TCP4 " + strings.Repeat("1", 200),
		"fields missing":   "PROXY TCP4 192.0.2.7 10.0.0.1\r\n",
		"no address":       "PROXY TCP4 example.org 10.0.0.1 1 2\r\n",
		"no port":          "PROXY TCP4 192.0.2.7 10.0.0.1 70000 2\r\n",
		"a zone":           "PROXY TCP6 fe80::1%eth0 fe80::2 1 2\r\n",
		"another protocol": "PROXY UDP4 192.0.2.7 10.0.0.1 1 2\r\n",
		"binary version 3": strings.Replace(binary4, "\x21\x11", "\x31\x11", 1),
		"binary command":   strings.Replace(binary4, "\x21\x11", "\x22\x11", 1),
		"binary too short": magic2 + "\x21\x11\x00\x04\xc0\x00\x02\x07",
		"binary too long":  magic2 + "\x21\x11\xff\xff" + strings.Repeat("x", 1<<16),
		"binary cut short": binary4[:20],
	} {
		if address, err := readHeader(strings.NewReader(text)); err == nil || address.IsValid() {
			t.Errorf("%s: %v, %v", name, address, err)
		}
	}
}

func FuzzHeader(f *testing.F) {
	for _, seed := range []string{binary4, "PROXY TCP4 192.0.2.7 10.0.0.1 12345 5001\r\n", "PROXY UNKNOWN\r\n", "GET / HTTP/1.1\r\n\r\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if address, err := readHeader(strings.NewReader(text)); err != nil && address.IsValid() {
			t.Errorf("%v with the error %v", address, err)
		}
	})
}
