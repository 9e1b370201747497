package limit_test

import (
	"crypto/rand"
	"net/netip"
	"testing"
	"time"

	"parkwire/internal/limit"
)

func BenchmarkTake(b *testing.B) {
	key, rate := limit.KeyOf("somebody", netip.Addr{}), limit.Rate{PerSecond: 1e6, Burst: 1e6}
	measure := func(l limit.Limiter) func(*testing.B) {
		return func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					l.Take(b.Context(), key)
				}
			})
		}
	}
	b.Run("here", measure(limit.NewLocal(rate, nil)))
	b.Run("in Redis", func(b *testing.B) { measure(share(b, redisURL(b), rand.Text(), rate, time.Minute))(b) })
}
