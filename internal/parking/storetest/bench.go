package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/parking"
	"parkwire/internal/relay"
)

const (
	benchLots  = 100
	benchSpots = 1000 // of each lot
)

// Benchmark measures what the platform does most, with 100,000 spots in 100 lots. Before it measures queries it
// calls settle, which does what the database would soon do by itself.
func Benchmark(b *testing.B, s parking.Store, settle func()) {
	b.Helper()
	ids := fill(b, s)
	must := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	for _, c := range []struct {
		name    string
		spots   int
		changes bool
	}{{"1 change", 1, true}, {"1000 changes", 1000, true}, {"1000 readings that change nothing", 1000, false}} {
		b.Run(c.name, func(b *testing.B) {
			from := 0
			for b.Loop() {
				from = (from + c.spots) % (len(ids) - c.spots)
				must(s.Update(b.Context(), observe(ids[from:from+c.spots], c.changes)))
				b.StopTimer()
				for {
					rows, err := s.Pending(b.Context(), 10_000)
					must(err)
					if len(rows) == 0 {
						break
					}
					must(s.Done(b.Context(), rowIDs(rows), event.Cursor{}))
				}
				b.StartTimer()
			}
		})
	}
	settle()
	for name, read := range map[string]func(ctx context.Context) error{
		"counts of 1 lot":    func(ctx context.Context) error { _, err := s.Lot(ctx, "lot-07"); return err },
		"counts of 100 lots": func(ctx context.Context) error { _, err := s.Lots(ctx, parking.LotQuery{Limit: 1000}); return err },
		"500 spots of a lot": func(ctx context.Context) error {
			_, err := s.Spots(ctx, parking.SpotQuery{Lots: []string{"lot-07"}, Limit: 500})
			return err
		},
		"500 spots by status": func(ctx context.Context) error {
			_, err := s.Spots(ctx, parking.SpotQuery{Statuses: []event.Status{event.Free}, Limit: 500})
			return err
		},
		"spots by box": func(ctx context.Context) error {
			_, err := s.Spots(ctx, parking.SpotQuery{Within: &parking.Box{West: 7, East: 8, South: 0, North: 0.1}, Limit: 500})
			return err
		},
		"overdue, none, all supervised": func(ctx context.Context) error {
			return s.Update(ctx, func(ctx context.Context, tx parking.Tx) error {
				_, err := tx.Overdue(ctx, noon, 100)
				return err
			})
		},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				must(read(b.Context()))
			}
		})
	}
}

func fill(b *testing.B, s parking.Store) (ids []string) {
	b.Helper()
	for l := range benchLots {
		lot := newLot(fmt.Sprintf("lot-%02d", l))
		lot.Heartbeat = time.Hour
		spots := make([]parking.Spot, benchSpots)
		for i := range spots {
			spots[i] = newSpot(lot.ID, fmt.Sprintf("%s-%04d", lot.ID, i))
			spots[i].Location = &parking.Location{Lat: float64(i) / benchSpots, Lon: float64(l)}
			ids = append(ids, spots[i].ID)
		}
		if err := s.Update(b.Context(), func(ctx context.Context, tx parking.Tx) error {
			if err := tx.AddLot(ctx, lot); err != nil {
				return err
			}
			return tx.SaveSpots(ctx, spots)
		}); err != nil {
			b.Fatal(err)
		}
	}
	return ids
}

// observe is what a group of readings does.
func observe(ids []string, changes bool) func(context.Context, parking.Tx) error {
	return func(ctx context.Context, tx parking.Tx) error {
		found, err := tx.Spots(ctx, ids)
		if err != nil {
			return err
		}
		var spots []parking.Spot
		var rows []relay.OutboxRow
		var entries []parking.HistoryEntry
		for _, id := range ids {
			spot := found[id]
			spot.LastObservedAt = noon
			if changes {
				spot.Version++
				spot.Occupancy = map[parking.Occupancy]parking.Occupancy{parking.Vacant: parking.Taken, parking.Taken: parking.Vacant}[spot.Occupancy]
				spot.ChangedAt = spot.ChangedAt.Add(time.Second)
				rows = append(rows, relay.OutboxRow{SpotID: id, EventID: "019aa4a5-0000-7000-8000-000000000000", Value: make([]byte, 300)})
				entries = append(entries, parking.HistoryEntry{SpotID: id, Change: event.ChangeOccupied, Version: spot.Version, RecordedAt: noon})
			}
			spots = append(spots, spot)
		}
		if err := tx.SaveSpots(ctx, spots); err != nil {
			return err
		}
		return tx.Append(ctx, rows, entries)
	}
}
