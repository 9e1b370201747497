package consumer

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"parkwire/internal/kafkalog"
	"parkwire/internal/kafkalog/logtest"
	"parkwire/internal/sqldb"
	"parkwire/internal/sqldb/sqldbtest"
)

// benchmarked runs a benchmark on each database, with the embedded broker.
func benchmarked(b *testing.B, run func(b *testing.B, w *world)) {
	for name, options := range map[string]func(testing.TB, []sqldb.Set) sqldb.Options{"sqlite": sqldbtest.SQLite, "postgres": sqldbtest.Postgres} {
		b.Run(name, func(b *testing.B) {
			o := options(b, testSets)
			run(b, newWorld(b, []string{logtest.Broker(b, "").Addr()}, func() *sqldb.DB { return sqldbtest.Open(b, o) }))
		})
	}
}

// BenchmarkLive is one event after the other: the time from Kafka's acknowledgement to the commit.
func BenchmarkLive(b *testing.B) {
	benchmarked(b, func(b *testing.B, w *world) {
		var committed atomic.Int64
		told := make(chan struct{}, 1)
		c := w.consumer(&chain{name: testName}, func(o *Options) {
			o.Committed = func() {
				committed.Add(1)
				select {
				case told <- struct{}{}:
				default:
				}
			}
		})
		w.running(c)
		<-told
		client := logtest.Client(b, w.brokers)
		defer client.Close()
		var took []time.Duration
		for i := range b.N {
			before := w.lengthOf(c)
			if err := client.ProduceSync(b.Context(), &kgo.Record{Topic: w.log.Topic(), Value: fmt.Appendf(nil, "record %d", i)}).FirstErr(); err != nil {
				b.Fatal(err)
			}
			acknowledged := time.Now()
			for w.lengthOf(c) == before {
				<-told
			}
			took = append(took, time.Since(acknowledged))
		}
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	})
}

// lengthOf is how many records a consumer has committed.
func (w *world) lengthOf(c *Consumer) (n int64) {
	c.watch.mu.Lock()
	defer c.watch.mu.Unlock()
	for _, next := range c.watch.at.next {
		n += next
	}
	return n
}

// BenchmarkCatchUp is a log of 300,000 records that is read at once: what the frame costs, with an effect that does nothing.
func BenchmarkCatchUp(b *testing.B) {
	benchmarked(b, func(b *testing.B, w *world) {
		const n = 100_000
		for range 10 {
			w.write(n / 10)
		}
		for b.Loop() {
			if err := w.consumer(idle{}).Rebuild(b.Context(), nil); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(3*n*float64(b.N)/b.Elapsed().Seconds(), "records/s")
	})
}

// idle is an effect that does nothing.
type idle struct{}

func (idle) Load(context.Context, *sqldb.Tx) error                     { return nil }
func (idle) Apply(context.Context, *sqldb.Tx, []kafkalog.Record) error { return nil }
func (idle) Reset(context.Context, *sqldb.Tx) error                    { return nil }
