package limit_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"go.uber.org/goleak"

	"parkwire/internal/limit"
	"parkwire/internal/redis"
	"parkwire/test/e2e/stack"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestALimiterInThisProcess(t *testing.T) {
	conform(t, func(_ *testing.T, rate limit.Rate) limit.Limiter { return limit.NewLocal(rate, nil) })
}

func TestALimiterInRedis(t *testing.T) {
	url := redisURL(t)
	conform(t, func(t *testing.T, rate limit.Rate) limit.Limiter {
		return share(t, url, rand.Text(), rate, time.Minute)
	})
}

func TestALimiterInACluster(t *testing.T) {
	url := os.Getenv("PARKWIRE_TEST_CLUSTER_URL")
	if url == "" {
		if os.Getenv(stack.EnvDistributed) == "1" {
			t.Fatalf("%s=1, but PARKWIRE_TEST_CLUSTER_URL names no cluster", stack.EnvDistributed)
		}
		t.Skip("PARKWIRE_TEST_CLUSTER_URL names no cluster")
	}
	conform(t, func(t *testing.T, rate limit.Rate) limit.Limiter {
		return share(t, url, rand.Text(), rate, time.Minute)
	})
}

// conform shows what every limiter does.
func conform(t *testing.T, open func(*testing.T, limit.Rate) limit.Limiter) {
	a, b := limit.KeyOf("a", netip.Addr{}), limit.KeyOf("b", netip.Addr{})
	t.Run("the burst passes at once, and then who waits as long as told", func(t *testing.T) {
		l := open(t, limit.Rate{PerSecond: 10, Burst: 5})
		began, passed := time.Now(), 0
		var wait time.Duration
		for wait = l.Take(t.Context(), a); wait == 0; wait = l.Take(t.Context(), a) {
			passed++
		}
		if most := 5 + int(time.Since(began).Seconds()*10) + 1; passed < 5 || passed > most {
			t.Errorf("%d passed before the first that was refused, not 5 to %d", passed, most)
		}
		if wait > 100*time.Millisecond+time.Millisecond {
			t.Errorf("the next has to wait %v, and there is one every 100 ms", wait)
		}
		for range 3 { // where two count, the time between them may be left
			time.Sleep(wait + time.Millisecond)
			if wait = l.Take(t.Context(), a); wait == 0 {
				return
			}
		}
		t.Errorf("who waited as long as told waits %v more", wait)
	})
	t.Run("clients are counted apart", func(t *testing.T) {
		l := open(t, limit.Rate{PerSecond: 0.001, Burst: 1})
		for _, key := range []limit.Key{a, b, limit.KeyOf("", netip.MustParseAddr("192.0.2.1")), limit.KeyOf("", netip.MustParseAddr("192.0.2.2")),
			limit.KeyOf("", netip.MustParseAddr("2001:db8::1")), limit.KeyOf("192.0.2.1", netip.Addr{})} {
			if l.Take(t.Context(), key) != 0 || l.Take(t.Context(), key) == 0 {
				t.Errorf("%v has not a bucket of its own", key)
			}
		}
		if l.Take(t.Context(), limit.KeyOf("", netip.MustParseAddr("2001:db8::2"))) == 0 {
			t.Error("who has one IPv6 network is two clients")
		}
	})
	t.Run("what is refused is not counted", func(t *testing.T) {
		l := open(t, limit.Rate{PerSecond: 20, Burst: 1})
		l.Take(t.Context(), a)
		for range 1000 {
			if wait := l.Take(t.Context(), a); wait > 51*time.Millisecond {
				t.Fatalf("it has to wait %v", wait)
			}
		}
	})
	t.Run("no more pass than the rate allows, however many ask", func(t *testing.T) {
		l := open(t, limit.Rate{PerSecond: 1000, Burst: 100})
		var mu sync.Mutex
		passed, began := 0, time.Now()
		var askers sync.WaitGroup
		for range 8 {
			askers.Go(func() {
				for time.Since(began) < 300*time.Millisecond {
					if l.Take(t.Context(), a) == 0 {
						mu.Lock()
						passed++
						mu.Unlock()
					}
				}
			})
		}
		askers.Wait()
		if most := 100 + int(time.Since(began).Seconds()*1000) + 1; passed > most || passed < 100 {
			t.Errorf("%d passed, not 100 to %d", passed, most)
		}
	})
}

func TestLimitersThatShareCountTogether(t *testing.T) {
	url, prefix := redisURL(t), rand.Text()
	rate := limit.Rate{PerSecond: 0.01, Burst: 100}
	one, other := share(t, url, prefix, rate, time.Minute), share(t, url, prefix, rate, time.Minute)
	key := limit.KeyOf("somebody", netip.Addr{})
	passed := 0
	for range 100 {
		for _, l := range []limit.Limiter{one, other} {
			if l.Take(t.Context(), key) == 0 {
				passed++
			}
		}
	}
	if passed != 100 {
		t.Errorf("%d passed by two limiters, not 100 together", passed)
	}
	if apart := share(t, url, rand.Text(), rate, time.Minute); apart.Take(t.Context(), key) != 0 {
		t.Error("another platform counts the same")
	}
}

// However Redis goes away, nobody waits for it for long, the limit goes on in each process, and together when Redis is back.
func TestWithoutRedisEachCountsAlone(t *testing.T) {
	url := redisURL(t)
	key := func(i int) limit.Key { return limit.KeyOf(string(rune('a'+i)), netip.Addr{}) }
	for name, away := range map[string]func(*stack.Proxy){
		"it refuses": (*stack.Proxy).Cut, "it is silent": (*stack.Proxy).Silence, "it is slow": func(p *stack.Proxy) { p.Delay(5 * time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			proxy, prefix := stack.ProxyTo(t, url), rand.Text()
			proxy.Open(t)
			rate := limit.Rate{PerSecond: 0.001, Burst: 3}
			const patience = 500 * time.Millisecond
			l := share(t, "redis://"+proxy.Addr, prefix, rate, patience)
			other := share(t, url, prefix, rate, time.Minute)
			other.Take(t.Context(), key(0)) // one of three
			l.Take(t.Context(), key(0))
			away(proxy)
			began := time.Now()
			for l.Ready() == nil { // each of these may wait
				l.Take(t.Context(), key(1))
				if time.Since(began) > time.Minute {
					t.Fatal("it is not found out")
				}
			}
			// Of three, one was counted here.
			for i, want := range []bool{true, true, false, false} {
				if passes := l.Take(t.Context(), key(0)) == 0; passes != want {
					t.Errorf("request %d alone: passes is %v", i, passes)
				}
			}
			const several = 20
			began = time.Now()
			for i := range several {
				l.Take(t.Context(), key(100+i))
			}
			if took := time.Since(began); took > several*patience/2 { // had each waited, it were twice that
				t.Errorf("it waited %v for a Redis that is known to be away", took)
			}
			proxy.Open(t)
			began = time.Now()
			for i := 200; ; i++ { // a slow machine may lose its patience now and then
				ready(t, l)
				other.Take(t.Context(), key(i))
				other.Take(t.Context(), key(i))
				if l.Take(t.Context(), key(i)) == 0 && l.Take(t.Context(), key(i)) > 0 {
					break
				}
				if time.Since(began) > time.Minute {
					t.Fatal("back again, it does not count together")
				}
			}
		})
	}
}

func TestAFloodAsksRedisNoMoreThanTheRate(t *testing.T) {
	url, prefix := redisURL(t), rand.Text()
	l := share(t, url, prefix, limit.Rate{PerSecond: 0.001, Burst: 10}, time.Minute)
	other := share(t, url, prefix, limit.Rate{PerSecond: 0.001, Burst: 10}, time.Minute)
	key := limit.KeyOf("flood", netip.Addr{})
	for range 10 {
		other.Take(t.Context(), key)
	}
	if l.Take(t.Context(), key) == 0 {
		t.Fatal("it is not counted together")
	}
	began := time.Now()
	for range 100_000 { // at a network's round trip each, these would take very long
		if l.Take(t.Context(), key) == 0 {
			t.Fatal("it passes")
		}
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("100,000 refusals took %v", took)
	}
}

// A clock that jumps, as after a failover, locks nobody out for longer than a bucket takes to fill.
func TestAClockThatJumpsLocksNobodyOut(t *testing.T) {
	url, prefix := redisURL(t), rand.Text()
	l := share(t, url, prefix, limit.Rate{PerSecond: 0.1, Burst: 10}, time.Minute)
	key := limit.KeyOf("x", netip.Addr{})
	l.Take(t.Context(), key)
	client := raw(t, url)
	keys, err := client.Do(t.Context(), client.B().Keys().Pattern(prefix+"*").Build()).AsStrSlice()
	if err != nil || len(keys) == 0 {
		t.Fatalf("keys %v, %v", keys, err)
	}
	for _, k := range keys { // an hour ahead
		ahead := rueidis.BinaryString([]byte("9999999999999999"))
		if err := client.Do(t.Context(), client.B().Set().Key(k).Value(ahead).Build()).Error(); err != nil {
			t.Fatal(err)
		}
	}
	if wait := l.Take(t.Context(), key); wait == 0 || wait > 10*time.Second+time.Millisecond {
		t.Errorf("it waits %v, not the 10 s in which one comes again", wait)
	}
}

func TestNothingStaysInRedis(t *testing.T) {
	url, prefix := redisURL(t), rand.Text()
	l := share(t, url, prefix, limit.Rate{PerSecond: 100, Burst: 10}, time.Minute)
	for i := range 100 {
		l.Take(t.Context(), limit.KeyOf(string(rune('A'+i)), netip.Addr{}))
	}
	client := raw(t, url)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		keys, err := client.Do(t.Context(), client.B().Keys().Pattern(prefix+"*").Build()).AsStrSlice()
		if err == nil && len(keys) <= 1 { // that of the probes
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d keys stay, %v", len(keys), err)
		}
	}
}

func TestAnAddressThatIsNoneIsRefused(t *testing.T) {
	if _, err := limit.NewShared(limit.SharedOptions{Location: redis.Location{URL: "http://x"}}); err == nil {
		t.Error("it is taken")
	}
}

func redisURL(t testing.TB) string {
	t.Helper()
	url := os.Getenv(stack.EnvRedis)
	if url == "" {
		if os.Getenv(stack.EnvDistributed) == "1" {
			t.Fatalf("%s=1, but %s names no server", stack.EnvDistributed, stack.EnvRedis)
		}
		t.Skipf("%s names no server", stack.EnvRedis)
	}
	return url
}

// share opens a limiter and waits until it is connected.
func share(t testing.TB, url, prefix string, rate limit.Rate, patience time.Duration) *limit.Shared {
	t.Helper()
	l, err := limit.NewShared(limit.SharedOptions{Location: redis.Location{URL: url}, Prefix: prefix, Rate: rate, Patience: patience, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := l.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); running.Wait() })
	ready(t, l)
	return l
}

func ready(t testing.TB, l *limit.Shared) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); l.Ready() != nil; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(l.Ready())
		}
	}
}

func raw(t *testing.T, url string) rueidis.Client {
	t.Helper()
	o, err := rueidis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	o.ForceSingleClient, o.DisableCache = true, true
	client, err := rueidis.NewClient(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}
