package outward_test

import (
	"errors"
	"net/netip"
	"testing"

	"go.uber.org/goleak"

	"parkwire/internal/outward"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWhichAddressesArePublic(t *testing.T) {
	public := []string{
		"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1", "169.253.255.255", "169.255.0.0",
		"172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
		"2001:4860:4860::8888", "2606:4700::1111", "2a00:1450::1", "2001:200::1", "::ffff:1.1.1.1", "64:ff9b::101:101",
	}
	inward := map[string][]string{
		"unspecified": {"0.0.0.0", "::", "0.1.2.3"},
		"loopback":    {"127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "::127.0.0.1"},
		"private": {"10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "::ffff:10.0.0.1", "::ffff:192.168.0.1", "64:ff9b::a00:1", "64:ff9b::c0a8:1",
			"fc00::1", "fd12:3456:789a::1", "64:ff9b:1::a00:1"},
		"of a provider's NAT": {"100.64.0.1", "100.127.255.255", "64:ff9b::6440:1"},
		"link local":          {"169.254.1.1", "fe80::1", "fe80::1%eth0", "fec0::1", "::ffff:169.254.1.1"},
		"metadata":            {"169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"},
		"multicast":           {"224.0.0.1", "239.255.255.255", "ff02::1"},
		"reserved":            {"240.0.0.1", "255.255.255.255", "192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "2001:db8::1", "3fff::1", "4000::1", "5f00::1", "100::1"},
		"a tunnel":            {"2002:7f00:1::1", "2002:a00:1::1", "2001::1", "192.88.99.1"},
	}
	for _, text := range public {
		if !outward.Public(netip.MustParseAddr(text)) {
			t.Errorf("%s is taken for one that is not public", text)
		}
	}
	for what, texts := range inward {
		for _, text := range texts {
			if outward.Public(netip.MustParseAddr(text)) {
				t.Errorf("%s (%s) is taken for a public one", text, what)
			}
		}
	}
	if outward.Public(netip.Addr{}) {
		t.Error("no address is taken for a public one")
	}
}

func TestWhatAGateLetsPass(t *testing.T) {
	ours := []netip.Prefix{netip.MustParsePrefix("10.20.0.0/16")}
	for _, c := range []struct {
		gate outward.Gate
		to   string
		lets bool
	}{
		{outward.Gate{}, "1.1.1.1:443", true},
		{outward.Gate{}, "1.1.1.1:8443", true},
		{outward.Gate{}, "1.1.1.1:25", false},
		{outward.Gate{}, "1.1.1.1:80", false},
		{outward.Gate{}, "10.20.0.1:443", false},
		{outward.Gate{Allow: ours}, "10.20.0.1:443", true},
		{outward.Gate{Allow: ours}, "[::ffff:10.20.0.1]:80", true},
		{outward.Gate{Allow: ours}, "[64:ff9b::a14:1]:80", true},
		{outward.Gate{Allow: ours}, "10.21.0.1:443", false},
		{outward.Gate{Allow: ours, Inward: true}, "10.20.0.1:8080", true},
		{outward.Gate{Allow: ours, Inward: true}, "1.1.1.1:8080", false},
	} {
		err := c.gate.Check(netip.MustParseAddrPort(c.to))
		var refused *outward.RefusedError
		if (err == nil) != c.lets || err != nil && !errors.As(err, &refused) {
			t.Errorf("%s through %+v: %v", c.to, c.gate, err)
		}
	}
}

func TestAddressesAreChecked(t *testing.T) {
	ours := []netip.Prefix{netip.MustParsePrefix("10.20.0.0/16")}
	for _, c := range []struct {
		address string
		allow   []netip.Prefix
		good    bool
	}{
		{"https://example.org/hook?a=b", nil, true},
		{"https://example.org:8443/", nil, true},
		{"https://[2606:4700::1111]/", nil, true},
		{"http://example.org/", nil, false},
		{"http://hooks.internal/", ours, true},
		{"http://10.20.0.7:8080/", ours, true},
		{"http://10.21.0.7:8080/", ours, false},
		{"https://10.0.0.1/", nil, false},
		{"https://[::1]/", nil, false},
		{"https://[::ffff:127.0.0.1]/", nil, false},
		{"https://169.254.169.254/latest/meta-data/", nil, false},
		{"https://user:secret@example.org/", nil, false},
		{"https://example.org/#part", nil, false},
		{"https:example.org", nil, false},
		{"https://", nil, false},
		{"https://example.org:99999/", nil, false},
		{"ftp://example.org/", nil, false},
		{"file:///etc/passwd", nil, false},
		{"//example.org/", nil, false},
		{"https://example.org/\r\nHost: x", nil, false},
		{"", nil, false},
	} {
		if wrong := outward.CheckURL(c.address, c.allow); (wrong == "") != c.good {
			t.Errorf("%q: %q", c.address, wrong)
		}
	}
}
