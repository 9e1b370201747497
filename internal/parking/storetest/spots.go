package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/parking"
)

var spotPromises = []promise{
	{"come back as they were, with every field and with none", func(t *testing.T, s parking.Store) {
		full := parking.Spot{
			ID: "full", LotID: "l", ZoneID: "z", Name: "Nr. 5 «Ost»", Category: parking.Accessible,
			Location: &parking.Location{Lat: 47.123456789, Lon: -0.5}, Heartbeat: time.Hour,
			Occupancy: parking.NotKnown, SignalLost: true, Closed: true, Faulted: true,
			Reservation: &parking.Reservation{Reference: "R-1", ReservedAt: noon, Until: noon.Add(time.Hour)},
			Version:     1 << 40, LastObservedAt: noon.Add(-time.Minute), LastSequence: 1 << 50, SensorID: "sensor-1", LastHeardAt: noon.Add(time.Millisecond),
			AddedAt: noon.Add(-time.Hour), ChangedAt: noon.Add(time.Millisecond),
		}
		bare := newSpot("l", "bare")
		zero := newSpot("l", "zero")
		zero.Location, zero.Reservation = &parking.Location{}, &parking.Reservation{ReservedAt: noon}
		put(t, s, newLot("l"), parking.Zone{ID: "z", LotID: "l"}, full, bare, zero)
		check := func(when string, all ...parking.Spot) {
			t.Helper()
			for _, want := range all {
				equal(t, when, ok(s.Spot(t.Context(), want.ID))(t), want)
				update(t, s, func(ctx context.Context, tx parking.Tx) error {
					equal(t, when+", in a transaction", ok(tx.Spots(ctx, []string{want.ID}))(t), map[string]parking.Spot{want.ID: want})
					return nil
				})
			}
		}
		check("a spot that was added", full, bare, zero)
		full.ID, bare.ID = bare.ID, full.ID
		save(t, s, full, bare)
		check("a spot that was saved", full, bare)
	}},
	{"tell times before 2001 and before 1970", func(t *testing.T, s parking.Store) {
		spot := newSpot("l", "s")
		spot.ChangedAt, spot.AddedAt = time.Date(2001, 1, 1, 0, 0, 0, 1e6, time.UTC), time.Date(1969, 12, 31, 23, 59, 59, 999e6, time.UTC)
		spot.LastObservedAt = time.UnixMilli(0).UTC()
		put(t, s, newLot("l"), spot)
		equal(t, "the spot", ok(s.Spot(t.Context(), "s"))(t), spot)
	}},
	{"are invisible when removed, but not to transactions", func(t *testing.T, s parking.Store) {
		spot := newSpot("l", "s")
		put(t, s, newLot("l"), parking.Zone{ID: "z", LotID: "l"}, with(spot, func(s *parking.Spot) { s.ZoneID = "z" }))
		removed := with(spot, func(s *parking.Spot) { s.ZoneID, s.Removed, s.Version = "z", true, 7 })
		save(t, s, removed)
		_, err := s.Spot(t.Context(), "s")
		failsWith(t, "reading a removed spot", err, parking.ErrNotFound)
		equal(t, "spots listed", len(ok(s.Spots(t.Context(), parking.SpotQuery{Limit: 10}))(t)), 0)
		equal(t, "spots of the status", len(ok(s.Spots(t.Context(), parking.SpotQuery{Statuses: []event.Status{event.Removed}, Limit: 10}))(t)), 0)
		equal(t, "counts of the lot", ok(s.Lot(t.Context(), "l"))(t).Counts, parking.Counts{})
		equal(t, "counts of the zone", ok(s.Zones(t.Context(), "l"))(t)[0].Counts, parking.Counts{})
		update(t, s, func(ctx context.Context, tx parking.Tx) error {
			equal(t, "the spot in a transaction", ok(tx.Spots(ctx, []string{"s"}))(t)["s"], removed)
			return nil
		})
	}},
	{"that are removed lose a lot or zone that is removed, and nothing else of them changes", func(t *testing.T, s parking.Store) {
		gone := with(newSpot("l", "s"), func(s *parking.Spot) { s.ZoneID, s.Removed = "l", true }) // a lot and a zone may have the same id
		put(t, s, newLot("l"), newLot("z"), parking.Zone{ID: "l", LotID: "l"}, parking.Zone{ID: "x", LotID: "z"}, gone)
		other := with(newSpot("z", "o"), func(s *parking.Spot) { s.ZoneID = "x" })
		put(t, s, other)
		check := func(when, lot, zone string) {
			t.Helper()
			update(t, s, func(ctx context.Context, tx parking.Tx) error {
				want := with(gone, func(s *parking.Spot) { s.LotID, s.ZoneID = lot, zone })
				equal(t, when, ok(tx.Spots(ctx, []string{"s", "o"}))(t), map[string]parking.Spot{"s": want, "o": other})
				return nil
			})
		}
		remove := func(do func(ctx context.Context, tx parking.Tx) error) {
			update(t, s, func(ctx context.Context, tx parking.Tx) error {
				if _, err := tx.Spots(ctx, []string{"s", "o"}); err != nil {
					return err
				}
				return do(ctx, tx)
			})
		}
		check("before", "l", "l")
		remove(func(ctx context.Context, tx parking.Tx) error { return tx.RemoveZone(ctx, "l") })
		check("without its zone", "l", "")
		remove(func(ctx context.Context, tx parking.Tx) error { return tx.RemoveLot(ctx, "l") })
		check("without its lot", "", "")
	}},
	{"have what was changed of them, however little that is", func(t *testing.T, s parking.Store) {
		spot := newSpot("l", "s")
		put(t, s, newLot("l"), newLot("m"), parking.Zone{ID: "z", LotID: "m"}, spot)
		for what, change := range map[string]func(*parking.Spot){
			"nothing": func(*parking.Spot) {},
			"a reading": func(s *parking.Spot) {
				s.LastObservedAt, s.LastSequence, s.SensorID = noon.Add(time.Second), 7, "sensor"
			},
			"a sign of life": func(s *parking.Spot) { s.LastHeardAt = noon.Add(time.Minute) },
			"an event":       func(s *parking.Spot) { s.Occupancy, s.Version, s.ChangedAt = parking.Taken, 2, noon.Add(time.Second) },
			"a lost signal":  func(s *parking.Spot) { s.Occupancy, s.SignalLost, s.Version = parking.NotKnown, true, 3 },
			"its closing":    func(s *parking.Spot) { s.Closed, s.Version = true, 4 },
			"a reservation": func(s *parking.Spot) {
				s.Reservation, s.Version = &parking.Reservation{Reference: "r", ReservedAt: noon}, 5
			},
			"its place": func(s *parking.Spot) {
				s.LotID, s.ZoneID, s.Location, s.Version = "m", "z", &parking.Location{Lat: 1}, 6
			},
			"its removal": func(s *parking.Spot) { s.Removed, s.Version = true, 7 },
		} {
			for range 2 { // and back
				spot = with(spot, change)
				save(t, s, spot)
				update(t, s, func(ctx context.Context, tx parking.Tx) error {
					equal(t, what, ok(tx.Spots(ctx, []string{"s"}))(t), map[string]parking.Spot{"s": spot})
					return nil
				})
				if !spot.Removed {
					equal(t, what+", read", ok(s.Spot(t.Context(), "s"))(t), spot)
					equal(t, what+", counted", len(ok(s.Spots(t.Context(), parking.SpotQuery{Lots: []string{spot.LotID}, Statuses: []event.Status{spot.Status()}, Limit: 9}))(t)), 1)
				}
				change = func(s *parking.Spot) { *s = newSpot("l", "s") }
			}
		}
	}},
	{"say when there is none, or no lot or zone for them", func(t *testing.T, s parking.Store) {
		put(t, s, newLot("l"))
		_, err := s.Spot(t.Context(), "no")
		failsWith(t, "reading", err, parking.ErrNotFound)
		update(t, s, func(ctx context.Context, tx parking.Tx) error {
			equal(t, "in a transaction", len(ok(tx.Spots(ctx, []string{"no"}))(t)), 0)
			equal(t, "no spots at all", len(ok(tx.Spots(ctx, nil))(t)), 0)
			return tx.SaveSpots(ctx, nil)
		})
		for what, spot := range map[string]parking.Spot{
			"no such lot": newSpot("no", "s"), "no such zone": with(newSpot("l", "s"), func(s *parking.Spot) { s.ZoneID = "no" }),
		} {
			err := s.Update(t.Context(), func(ctx context.Context, tx parking.Tx) error { return tx.SaveSpots(ctx, []parking.Spot{spot}) })
			failsWith(t, what, err, parking.ErrNotFound)
		}
	}},
	{"are not found under ids that nothing can have, which do no harm to others", func(t *testing.T, s parking.Store) {
		put(t, s, newLot("l"), parking.Zone{ID: "z", LotID: "l"}, newSpot("l", "s"))
		for _, id := range []string{"a\x00b", "\xff", "\xed\xa0\x80"} {
			_, err := s.Spot(t.Context(), id)
			failsWith(t, "a spot", err, parking.ErrNotFound)
			_, err = s.Lot(t.Context(), id)
			failsWith(t, "a lot", err, parking.ErrNotFound)
			_, err = s.Zones(t.Context(), id)
			failsWith(t, "zones of a lot", err, parking.ErrNotFound)
			update(t, s, func(ctx context.Context, tx parking.Tx) error {
				equal(t, "spots beside it", len(ok(tx.Spots(ctx, []string{id, "s"}))(t)), 1)
				equal(t, "zones beside it", len(ok(tx.Zones(ctx, []string{id, "z"}))(t)), 1)
				return nil
			})
		}
	}},
	{"are not added over those of others", func(t *testing.T, s parking.Store) {
		spot := newSpot("l", "s")
		put(t, s, newLot("l"), spot)
		err := s.Update(t.Context(), func(ctx context.Context, tx parking.Tx) error {
			return tx.SaveSpots(ctx, []parking.Spot{newSpot("l", "new"), with(spot, func(s *parking.Spot) { s.Version = 9 })})
		})
		failsWith(t, "adding a spot that nobody read", err, parking.ErrTaken)
		equal(t, "the spot", ok(s.Spot(t.Context(), "s"))(t), spot)
		_, err = s.Spot(t.Context(), "new")
		failsWith(t, "the other spot of the refused transaction", err, parking.ErrNotFound)
	}},
	{"may be added and saved in one transaction", func(t *testing.T, s parking.Store) {
		put(t, s, newLot("l"))
		update(t, s, func(ctx context.Context, tx parking.Tx) error {
			for v := int64(1); v <= 3; v++ {
				spot := with(newSpot("l", "s"), func(s *parking.Spot) { s.Version = v })
				if err := tx.SaveSpots(ctx, []parking.Spot{spot}); err != nil {
					return err
				}
			}
			equal(t, "the spot in its transaction", ok(tx.Spots(ctx, []string{"s"}))(t)["s"].Version, int64(3))
			return nil
		})
		equal(t, "the spot", ok(s.Spot(t.Context(), "s"))(t).Version, int64(3))
	}},
	{"are as they were last said to be, where one call says it twice", func(t *testing.T, s parking.Store) {
		put(t, s, newLot("l"))
		for v := int64(1); v < 5; v += 2 {
			save(t, s, with(newSpot("l", "s"), func(s *parking.Spot) { s.Version = v }), newSpot("l", "other"),
				with(newSpot("l", "s"), func(s *parking.Spot) { s.Version = v + 1 }))
			equal(t, "the version", ok(s.Spot(t.Context(), "s"))(t).Version, v+1)
		}
	}},
	{"go in and out by thousands at once", func(t *testing.T, s parking.Store) {
		spots := make([]parking.Spot, 5000)
		for i := range spots {
			spots[i] = newSpot("l", fmt.Sprintf("s-%05d", (i*7919)%5000))
		}
		put(t, s, newLot("l"), spots)
		update(t, s, func(ctx context.Context, tx parking.Tx) error {
			found := ok(tx.Spots(ctx, spotIDs(spots)))(t)
			equal(t, "spots found", len(found), len(spots))
			for i := range spots {
				spots[i].Version = 2
			}
			return tx.SaveSpots(ctx, spots)
		})
		got := ok(s.Spots(t.Context(), parking.SpotQuery{Limit: 10_000}))(t)
		slices.SortFunc(spots, func(a, b parking.Spot) int {
			if a.ID < b.ID {
				return -1
			}
			return 1
		})
		equal(t, "the spots", got, spots)
	}},
}

// counted are spots of every status, and what they add up to.
func counted() []parking.Spot {
	changes := []func(*parking.Spot){
		func(s *parking.Spot) {}, func(s *parking.Spot) { s.Occupancy = parking.Taken },
		func(s *parking.Spot) { s.Reservation = &parking.Reservation{ReservedAt: noon} },
		func(s *parking.Spot) { s.Closed = true }, func(s *parking.Spot) { s.Faulted = true },
		func(s *parking.Spot) { s.Occupancy = parking.NotKnown }, func(s *parking.Spot) { s.Removed = true },
	}
	var spots []parking.Spot
	for i, change := range changes {
		for n := range i + 1 {
			spots = append(spots, with(newSpot("l", fmt.Sprintf("%d-%d", i, n)), change, func(s *parking.Spot) {
				if n == 0 {
					s.ZoneID = "z"
				}
			}))
		}
	}
	return spots
}

var countPromises = []promise{
	{"add up for lots and for zones", func(t *testing.T, s parking.Store) {
		put(t, s, newLot("l"), newLot("empty"), parking.Zone{ID: "z", LotID: "l"}, parking.Zone{ID: "y", LotID: "l"}, counted())
		want := parking.Counts{Total: 21, Free: 1, Occupied: 2, Reserved: 3, Closed: 4, OutOfService: 5, Unknown: 6}
		equal(t, "one lot", ok(s.Lot(t.Context(), "l"))(t).Counts, want)
		lots := ok(s.Lots(t.Context(), parking.LotQuery{Limit: 10}))(t)
		equal(t, "an empty lot", lots[0].Counts, parking.Counts{})
		equal(t, "the lot in the list", lots[1].Counts, want)
		zones := ok(s.Zones(t.Context(), "l"))(t)
		equal(t, "an empty zone", zones[0].Counts, parking.Counts{})
		equal(t, "a zone", zones[1].Counts, parking.Counts{Total: 6, Free: 1, Occupied: 1, Reserved: 1, Closed: 1, OutOfService: 1, Unknown: 1})
	}},
	{"follow every change at once", func(t *testing.T, s parking.Store) {
		spot := newSpot("l", "s")
		put(t, s, newLot("l"), spot)
		spot.Occupancy = parking.Taken
		save(t, s, spot)
		equal(t, "after it was occupied", ok(s.Lot(t.Context(), "l"))(t).Counts, parking.Counts{Total: 1, Occupied: 1})
		spot.Removed = true
		save(t, s, spot)
		equal(t, "after it was removed", ok(s.Lot(t.Context(), "l"))(t).Counts, parking.Counts{})
	}},
}
