package gateway

import (
	"fmt"
	"net/http"
	"net/netip"
	"testing"
	"time"
)

type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func TestABucketHoldsTheBurstAndFillsAtTheRate(t *testing.T) {
	c := &clock{time.Unix(1_000_000, 0)}
	l := newLimiter(10, 3, c.now)
	a, b := keyOf("a", netip.Addr{}), keyOf("b", netip.Addr{})
	for i := range 3 {
		if wait := l.take(a); wait != 0 {
			t.Fatalf("request %d of the burst waits %v", i, wait)
		}
	}
	if wait := l.take(a); wait != 100*time.Millisecond {
		t.Errorf("the request after the burst waits %v, not 100 ms", wait)
	}
	if wait := l.take(b); wait != 0 {
		t.Errorf("another client waits %v for it", wait)
	}
	c.t = c.t.Add(100 * time.Millisecond)
	if l.take(a) != 0 || l.take(a) == 0 {
		t.Error("after 100 ms there is not exactly one more")
	}
	c.t = c.t.Add(time.Hour)
	taken := 0
	for l.take(a) == 0 {
		taken++
	}
	if taken != 3 {
		t.Errorf("after an hour the burst is %d", taken)
	}
}

func TestEachRateLetsThroughWhatItSays(t *testing.T) {
	for _, c := range []struct {
		rate  float64
		burst int
	}{{500, 2000}, {2.5, 1}, {1e9, 5}, {0.001, 2}, {7, 0}} {
		clk := &clock{time.Unix(1_000_000, 0)}
		l := newLimiter(c.rate, c.burst, clk.now)
		const steps = 100_000
		step := time.Duration(float64(time.Second) / c.rate / 2) // twice as often as allowed
		if step == 0 {
			step = 1
		}
		passed := 0
		for range steps {
			if l.take(clientKey{subject: "x"}) == 0 {
				passed++
			}
			clk.t = clk.t.Add(step)
		}
		want := min(float64(steps), float64(max(c.burst, 1))+step.Seconds()*steps*c.rate)
		if diff := float64(passed) - want; diff > want/100+2 || diff < -want/100-2 {
			t.Errorf("at %v/s and a burst of %d: %d of %d passed, want %.0f", c.rate, c.burst, passed, steps, want)
		}
	}
	if l := newLimiter(0, 5, time.Now); l.take(clientKey{}) != 0 {
		t.Error("0 is a limit")
	}
}

func TestIdleClientsAreForgottenAndOthersAreNot(t *testing.T) {
	c := &clock{time.Unix(1_000_000, 0)}
	l := newLimiter(1, 10, c.now)
	busy := clientKey{subject: "busy"}
	for range 10 {
		l.take(busy)
	}
	for i := range 3 * maxGeneration {
		if i%1000 == 0 && l.take(busy) == 0 {
			t.Fatalf("a client that goes on asking was forgiven after %d others", i)
		}
		l.take(clientKey{subject: fmt.Sprint(i)})
	}
	if n := len(l.present) + len(l.previous); n > 2*maxGeneration {
		t.Errorf("%d clients are kept", n)
	}
	c.t = c.t.Add(11 * time.Second)
	l.take(busy)
	c.t = c.t.Add(11 * time.Second)
	l.take(busy)
	if n := len(l.present) + len(l.previous); n > 2 {
		t.Errorf("%d clients are kept, of whom one did not idle", n)
	}
}

func TestWhoHasANetworkIsOneClient(t *testing.T) {
	key := func(text string) clientKey { return keyOf("", netip.MustParseAddr(text)) }
	if key("2001:db8::1") != key("2001:db8::ffff") || key("2001:db8::1") == key("2001:db8:0:1::1") {
		t.Error("IPv6 clients are not told apart by /64")
	}
	if key("192.0.2.1") == key("192.0.2.2") {
		t.Error("two IPv4 clients are one")
	}
	if keyOf("x", netip.MustParseAddr("192.0.2.1")) != keyOf("x", netip.MustParseAddr("192.0.2.2")) {
		t.Error("a token counts by address")
	}
}

func TestTheClientIsWhomTrustedProxiesName(t *testing.T) {
	g := New(Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}})
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
		if got := g.clientAddress(r).String(); got != c.want {
			t.Errorf("%s with %q is taken for %s, not %s", c.peer, c.lines, got, c.want)
		}
	}
}
