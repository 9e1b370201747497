package gateway

import (
	"fmt"
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
