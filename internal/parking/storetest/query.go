package storetest

import (
	"fmt"
	"testing"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/parking"
)

var queryPromises = []promise{
	{"select by each field and by all together", func(t *testing.T, s parking.Store) {
		at := func(lat, lon float64) func(*parking.Spot) {
			return func(s *parking.Spot) { s.Location = &parking.Location{Lat: lat, Lon: lon} }
		}
		in := func(zone string) func(*parking.Spot) { return func(s *parking.Spot) { s.ZoneID = zone } }
		taken := func(s *parking.Spot) { s.Occupancy = parking.Taken }
		closed := func(s *parking.Spot) { s.Closed = true }
		changed := func(after time.Duration) func(*parking.Spot) {
			return func(s *parking.Spot) { s.ChangedAt = noon.Add(after) }
		}
		put(t, s, newLot("l"), newLot("m"), newLot("n"), parking.Zone{ID: "x", LotID: "l"}, parking.Zone{ID: "y", LotID: "l"}, parking.Zone{ID: "z", LotID: "m"},
			with(newSpot("l", "a"), in("x"), at(10, 20)), with(newSpot("l", "b"), in("y"), taken, at(10, 170), changed(time.Second)),
			with(newSpot("l", "c"), closed, at(10, -170), changed(2*time.Second)), with(newSpot("m", "d"), in("z"), taken, at(-10, 180)),
			with(newSpot("m", "e"), at(0, 0)), newSpot("n", "f"), with(newSpot("n", "g"), changed(-time.Millisecond)))
		for _, c := range []struct {
			name  string
			query parking.SpotQuery
			want  string
		}{
			{"all", parking.SpotQuery{}, "abcdefg"},
			{"one lot", parking.SpotQuery{Lots: []string{"l"}}, "abc"},
			{"two lots and one that is none", parking.SpotQuery{Lots: []string{"n", "m", "no"}}, "defg"},
			{"zones", parking.SpotQuery{Zones: []string{"x", "z"}}, "ad"},
			{"a status", parking.SpotQuery{Statuses: []event.Status{event.Occupied}}, "bd"},
			{"statuses", parking.SpotQuery{Statuses: []event.Status{event.Occupied, event.Closed}}, "bcd"},
			{"a box, its edges included", parking.SpotQuery{Within: &parking.Box{West: 0, South: 0, East: 20, North: 10}}, "ae"},
			{"a box across the 180th meridian", parking.SpotQuery{Within: &parking.Box{West: 170, South: -10, East: -170, North: 10}}, "bcd"},
			{"a narrower box there", parking.SpotQuery{Within: &parking.Box{West: 171, South: -10, East: -171, North: 10}}, "d"},
			{"changed since", parking.SpotQuery{ChangedSince: noon.Add(time.Second)}, "bc"},
			{"changed at this time", parking.SpotQuery{ChangedSince: noon}, "abcdef"},
			{"after", parking.SpotQuery{After: "c"}, "defg"},
			{"after what is no spot", parking.SpotQuery{After: "c0"}, "defg"},
			{"a limit", parking.SpotQuery{Limit: 2}, "ab"},
			{"after and a limit", parking.SpotQuery{After: "b", Limit: 2, Lots: []string{"l", "m"}}, "cd"},
			{"fields together", parking.SpotQuery{Lots: []string{"l", "m"}, Statuses: []event.Status{event.Occupied}, Zones: []string{"y", "z"},
				Within: &parking.Box{West: 100, South: 0, East: 180, North: 90}, ChangedSince: noon, After: "a"}, "b"},
			{"none", parking.SpotQuery{Lots: []string{"no"}}, ""},
			{"no lot at all", parking.SpotQuery{Lots: []string{}}, ""},
		} {
			if c.query.Limit == 0 {
				c.query.Limit = 100
			}
			got := ""
			for _, spot := range ok(s.Spots(t.Context(), c.query))(t) {
				got += spot.ID
			}
			equal(t, c.name, got, c.want)
		}
	}},
	{"miss and repeat nothing from page to page", func(t *testing.T, s parking.Store) {
		const n = 95
		spots := make([]parking.Spot, n)
		for i := range spots {
			spots[i] = newSpot("l", fmt.Sprintf("%c-%d", "aBé"[i%2], i))
		}
		put(t, s, newLot("l"), spots)
		seen, after := map[string]bool{}, ""
		for {
			page := ok(s.Spots(t.Context(), parking.SpotQuery{Lots: []string{"l"}, After: after, Limit: 10}))(t)
			for _, spot := range page {
				if seen[spot.ID] || spot.ID <= after {
					t.Errorf("%q comes after %q", spot.ID, after)
				}
				seen[spot.ID], after = true, spot.ID
			}
			if len(page) < 10 {
				break
			}
		}
		equal(t, "spots seen", len(seen), n)
	}},
}
