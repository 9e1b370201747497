package history

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
	"parkwire/internal/sqldb"
	"parkwire/internal/sqldb/sqldbtest"
)

// city makes the log of a city, as busy as one at midday: 10,000 spots in 20 lots of 4 zones, 3 changes a second, of which nearly all are vehicles that
// come and go.
type city struct {
	random *rand.Rand
	spots  []*told
	at     time.Time
	added  int
}

func newCity() *city {
	c := &city{random: rand.New(rand.NewPCG(1, 2)), at: clock("2026-11-02T00:00:00Z")}
	for i := range 10_000 {
		c.spots = append(c.spots, &told{id: fmt.Sprintf("lot-%02d-%04d", i%20, i), lot: fmt.Sprintf("lot-%02d", i%20), zone: fmt.Sprintf("lot-%02d-L%d", i%20, i/20%4)})
	}
	return c
}

func (c *city) batch(n int) []kafkalog.Record {
	records := make([]kafkalog.Record, n)
	for i := range records {
		s, status, change := c.spots[c.random.IntN(len(c.spots))], event.Occupied, event.ChangeOccupied
		switch {
		case c.added < len(c.spots):
			s, status, change = c.spots[c.added], event.Free, event.ChangeAdded
			c.added++
		case s.was == event.Occupied:
			status, change = event.Free, event.ChangeReleased
		case c.random.IntN(50) == 0:
			status, change = event.Reserved, event.ChangeReserved
			if s.was == event.Reserved {
				status, change = event.Free, event.ChangeReservationEnded
			}
		}
		c.at = c.at.Add(time.Duration(c.random.IntN(667)) * time.Millisecond)
		s.version++
		e := event.Event{
			SpotID: s.id, Status: status, Timestamp: event.At(c.at), Change: change, PreviousStatus: s.was, Version: s.version, LotID: s.lot, ZoneID: s.zone,
			EventID: "0193592e-9a3c-7c52-8f5b-0e2b6f7a1c11", ObservedAt: event.At(c.at.Add(-2 * time.Second)), Source: "sensor",
		}
		s.was = status
		records[i] = record(int32(c.random.IntN(6)), c.at, e)
	}
	return records
}

// BenchmarkApply is one event, in batches as large as the frame makes them in a rebuild, with the commit.
func BenchmarkApply(b *testing.B) {
	for name, options := range map[string]func(testing.TB, []sqldb.Set) sqldb.Options{"sqlite": sqldbtest.SQLite, "postgres": sqldbtest.Postgres} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b, sqldbtest.Open(b, options(b, coreSets())))
			c := newCity()
			w.apply(c.batch(len(c.spots))...)
			b.ReportAllocs()
			for left := b.N; left > 0; {
				b.StopTimer()
				records := c.batch(min(left, 25_000))
				left -= len(records)
				b.StartTimer()
				w.apply(records...)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// BenchmarkLoad is what a restart costs: 10,000 spots.
func BenchmarkLoad(b *testing.B) {
	w := newWorld(b, sqldbtest.Open(b, sqldbtest.SQLite(b, coreSets())))
	c := newCity()
	w.apply(c.batch(len(c.spots))...)
	b.ReportAllocs()
	for b.Loop() {
		w.restart()
	}
}

// BenchmarkYear reads the days of a year of a lot in which something changed in each quarter of an hour.
func BenchmarkYear(b *testing.B) {
	w := newWorld(b, sqldbtest.Open(b, sqldbtest.SQLite(b, coreSets())))
	a := spotOf("A")
	at := clock("2025-01-01T00:00:00Z")
	log := []kafkalog.Record{a.becomes(at.Format(time.RFC3339), event.Free, event.ChangeAdded)}
	for range 365 * 48 {
		log = append(log, a.becomes(at.Add(5*time.Minute).Format(time.RFC3339), event.Occupied, event.ChangeOccupied),
			a.becomes(at.Add(20*time.Minute).Format(time.RFC3339), event.Free, event.ChangeReleased))
		at = at.Add(30 * time.Minute)
	}
	w.apply(log...)
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		b.Fatal(err)
	}
	borders, _ := Day.Borders(clock("2025-01-01T00:00:00Z"), clock("2026-01-01T00:00:00Z"), zone, 1000)
	b.ReportAllocs()
	for b.Loop() {
		w.view(func(ctx context.Context, tx *sqldb.Tx) error {
			all, err := readRollups(ctx, tx, Scope{Lot: "L"}, borders, false, endOfTime)
			if len(all) < 365 {
				b.Fatalf("%d days", len(all))
			}
			return err
		})
	}
}
