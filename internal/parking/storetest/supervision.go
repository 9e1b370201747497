package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"parkwire/internal/parking"
)

// due returns the ids of what is overdue at a time.
func due(t *testing.T, s parking.Store, now time.Time, limit int) (ids string) {
	t.Helper()
	update(t, s, func(ctx context.Context, tx parking.Tx) error {
		ids = ""
		for _, spot := range ok(tx.Overdue(ctx, now, limit))(t) {
			equal(t, "an overdue spot", spot, ok(tx.Spots(ctx, []string{spot.ID}))(t)[spot.ID])
			ids += spot.ID
		}
		return nil
	})
	return ids
}

var supervisionPromises = []promise{
	{"finds the spots whose sensor is silent and whose reservation has ended, and no others", func(t *testing.T, s parking.Store) {
		watched := newLot("watched")
		watched.Heartbeat = time.Minute
		seen := func(ago time.Duration) func(*parking.Spot) {
			return func(s *parking.Spot) { s.LastObservedAt = noon.Add(-ago) }
		}
		every := func(d time.Duration) func(*parking.Spot) { return func(s *parking.Spot) { s.Heartbeat = d } }
		unknown := func(s *parking.Spot) { s.Occupancy = parking.NotKnown }
		removed := func(s *parking.Spot) { s.Removed = true }
		added := func(ago time.Duration) func(*parking.Spot) {
			return func(s *parking.Spot) { s.AddedAt = noon.Add(-ago) }
		}
		reserved := func(until time.Time) func(*parking.Spot) {
			return func(s *parking.Spot) { s.Reservation = &parking.Reservation{ReservedAt: noon, Until: until} }
		}
		heard := func(ago time.Duration) func(*parking.Spot) {
			return func(s *parking.Spot) { s.LastHeardAt = noon.Add(-ago) }
		}
		long := time.Hour
		put(t, s, watched, newLot("free"),
			// Of a lot with supervision:
			with(newSpot("watched", "a"), seen(time.Minute+time.Millisecond)),                                // due
			with(newSpot("watched", "b"), seen(time.Minute)),                                                 // just in time
			with(newSpot("watched", "c"), added(long)),                                                       // due: never observed
			with(newSpot("watched", "d"), added(time.Second)),                                                // new
			with(newSpot("watched", "e"), seen(long), unknown),                                               // known to be unknown
			with(newSpot("watched", "f"), seen(long), every(2*long)),                                         // its own interval is longer
			with(newSpot("watched", "g"), seen(long), removed),                                               // gone
			with(newSpot("watched", "h"), seen(long), func(s *parking.Spot) { s.Occupancy = parking.Taken }), // due
			// Of one without:
			with(newSpot("free", "i"), seen(long), every(time.Minute)),                               // due
			with(newSpot("free", "j"), seen(long)),                                                   // nobody watches it
			with(newSpot("free", "k"), reserved(noon)),                                               // due
			with(newSpot("free", "l"), reserved(noon.Add(time.Millisecond))),                         // not yet
			with(newSpot("free", "m"), reserved(time.Time{})),                                        // until it is ended
			with(newSpot("free", "n"), reserved(noon), unknown),                                      // due
			with(newSpot("free", "o"), reserved(noon), removed),                                      // gone
			with(newSpot("watched", "q"), seen(long), heard(time.Minute)),                            // it lives
			with(newSpot("watched", "r"), seen(time.Second), heard(long)),                            // it was seen since
			with(newSpot("watched", "s"), added(long), heard(2*time.Minute)),                         // due: never observed, and silent
			with(newSpot("free", "t"), seen(long), every(time.Minute), heard(time.Second)),           // it lives
			with(newSpot("free", "u"), seen(long), every(time.Minute), heard(2*time.Minute)),         // due
			with(newSpot("watched", "p"), reserved(noon.Add(-long)), seen(long), every(time.Minute)), // due twice
		)
		equal(t, "overdue", due(t, s, noon, 100), "achiknpsu")
		equal(t, "of these three", len(due(t, s, noon, 3)), 3)
		equal(t, "long before", due(t, s, noon.Add(-2*long), 100), "")
	}},
	{"follows the lot's interval and new readings", func(t *testing.T, s parking.Store) {
		lot := newLot("l")
		spot := with(newSpot("l", "s"), func(s *parking.Spot) { s.LastObservedAt = noon })
		put(t, s, lot, spot)
		later := noon.Add(time.Hour)
		equal(t, "without interval", due(t, s, later, 9), "")
		lot.Heartbeat = time.Minute
		update(t, s, func(ctx context.Context, tx parking.Tx) error { return tx.SaveLot(ctx, lot) })
		equal(t, "with one", due(t, s, later, 9), "s")
		spot.LastObservedAt = later
		save(t, s, spot)
		equal(t, "after a reading", due(t, s, later, 9), "")
	}},
	{"gets on by its limit", func(t *testing.T, s parking.Store) {
		lot := newLot("l")
		lot.Heartbeat = time.Second
		put(t, s, lot)
		for i := range 25 {
			put(t, s, newSpot("l", fmt.Sprintf("s%02d", i)))
		}
		found := 0
		for range 4 {
			update(t, s, func(ctx context.Context, tx parking.Tx) error {
				spots := ok(tx.Overdue(ctx, noon.Add(time.Hour), 10))(t)
				found += len(spots)
				for i := range spots {
					spots[i].Occupancy, spots[i].SignalLost = parking.NotKnown, true
				}
				return tx.SaveSpots(ctx, spots)
			})
		}
		equal(t, "spots found over all rounds", found, 25)
	}},
}
