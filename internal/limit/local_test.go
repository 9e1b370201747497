package limit

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
	l := NewLocal(Rate{10, 3}, c.now)
	a, b := KeyOf("a", netip.Addr{}), KeyOf("b", netip.Addr{})
	for i := range 3 {
		if wait := l.Take(t.Context(), a); wait != 0 {
			t.Fatalf("request %d of the burst waits %v", i, wait)
		}
	}
	if wait := l.Take(t.Context(), a); wait != 100*time.Millisecond {
		t.Errorf("the request after the burst waits %v, not 100 ms", wait)
	}
	if wait := l.Take(t.Context(), b); wait != 0 {
		t.Errorf("another client waits %v for it", wait)
	}
	c.t = c.t.Add(100 * time.Millisecond)
	if l.Take(t.Context(), a) != 0 || l.Take(t.Context(), a) == 0 {
		t.Error("after 100 ms there is not exactly one more")
	}
	c.t = c.t.Add(time.Hour)
	taken := 0
	for l.Take(t.Context(), a) == 0 {
		taken++
	}
	if taken != 3 {
		t.Errorf("after an hour the burst is %d", taken)
	}
}

func TestHowLongAClientMustWaitIsToldWithoutCounting(t *testing.T) {
	c := &clock{time.Unix(1_000_000, 0)}
	l := NewLocal(Rate{10, 2}, c.now)
	a := KeyOf("a", netip.Addr{})
	for i := range 2 {
		for range 5 {
			if wait := l.Wait(a); wait != 0 {
				t.Errorf("before request %d it waits %v", i, wait)
			}
		}
		if l.Take(t.Context(), a) != 0 {
			t.Errorf("request %d is refused", i)
		}
	}
	for range 5 {
		if wait := l.Wait(a); wait != 100*time.Millisecond {
			t.Errorf("after the burst it waits %v", wait)
		}
	}
	c.t = c.t.Add(100 * time.Millisecond)
	if wait := l.Wait(a); wait != 0 {
		t.Errorf("after 100 ms it waits %v", wait)
	}
}

func TestEachRateLetsThroughWhatItSays(t *testing.T) {
	for _, c := range []struct {
		rate  float64
		burst int
	}{{500, 2000}, {2.5, 1}, {1e9, 5}, {0.001, 2}, {7, 0}} {
		clk := &clock{time.Unix(1_000_000, 0)}
		l := NewLocal(Rate{c.rate, c.burst}, clk.now)
		const steps = 100_000
		step := time.Duration(float64(time.Second) / c.rate / 2) // twice as often as allowed
		if step == 0 {
			step = 1
		}
		passed := 0
		for range steps {
			if l.Take(t.Context(), Key{subject: "x"}) == 0 {
				passed++
			}
			clk.t = clk.t.Add(step)
		}
		want := min(float64(steps), float64(max(c.burst, 1))+step.Seconds()*steps*c.rate)
		if diff := float64(passed) - want; diff > want/100+2 || diff < -want/100-2 {
			t.Errorf("at %v/s and a burst of %d: %d of %d passed, want %.0f", c.rate, c.burst, passed, steps, want)
		}
	}
}

func TestIdleClientsAreForgottenAndOthersAreNot(t *testing.T) {
	c := &clock{time.Unix(1_000_000, 0)}
	l := NewLocal(Rate{1, 10}, c.now)
	busy := Key{subject: "busy"}
	for range 10 {
		l.Take(t.Context(), busy)
	}
	for i := range 3 * maxGeneration {
		if i%1000 == 0 && l.Take(t.Context(), busy) == 0 {
			t.Fatalf("a client that goes on asking was forgiven after %d others", i)
		}
		l.Take(t.Context(), Key{subject: fmt.Sprint(i)})
	}
	if n := len(l.present) + len(l.previous); n > 2*maxGeneration {
		t.Errorf("%d clients are kept", n)
	}
	c.t = c.t.Add(11 * time.Second)
	l.Take(t.Context(), busy)
	c.t = c.t.Add(11 * time.Second)
	l.Take(t.Context(), busy)
	if n := len(l.present) + len(l.previous); n > 2 {
		t.Errorf("%d clients are kept, of whom one did not idle", n)
	}
}

func TestWhoHasANetworkIsOneClient(t *testing.T) {
	key := func(text string) Key { return KeyOf("", netip.MustParseAddr(text)) }
	if key("2001:db8::1") != key("2001:db8::ffff") || key("2001:db8::1") == key("2001:db8:0:1::1") {
		t.Error("IPv6 clients are not told apart by /64")
	}
	if key("192.0.2.1") == key("192.0.2.2") {
		t.Error("two IPv4 clients are one")
	}
	if KeyOf("x", netip.MustParseAddr("192.0.2.1")) != KeyOf("x", netip.MustParseAddr("192.0.2.2")) {
		t.Error("a token counts by address")
	}
}
