package storetest

import (
	"context"
	"testing"
	"time"

	"parkwire/internal/parking"
)

var lotPromises = []promise{
	{"come back as they were, with every field and with none", func(t *testing.T, s parking.Store) {
		full := parking.Lot{
			ID: "a-full", Name: "Zürich Süd 🅿", TimeZone: "Europe/Zurich", Address: "Seestrasse 1\n8002 Zürich",
			Location: &parking.Location{Lat: -47.3769, Lon: 179.99999}, Heartbeat: 90*time.Second + 5*time.Millisecond,
			CreatedAt: time.Date(1999, 12, 31, 23, 59, 59, 999e6, time.UTC), UpdatedAt: noon,
		}
		bare := newLot("b-bare")
		zero := newLot("c-zero")
		zero.Location = &parking.Location{}
		put(t, s, full, bare, zero)
		for _, want := range []parking.Lot{full, bare, zero} {
			equal(t, "the lot", ok(s.Lot(t.Context(), want.ID))(t).Lot, want)
			update(t, s, func(ctx context.Context, tx parking.Tx) error {
				equal(t, "the lot in a transaction", ok(tx.Lot(ctx, want.ID))(t), want)
				return nil
			})
		}
	}},
	{"keep times to the millisecond, in UTC", func(t *testing.T, s parking.Store) {
		lot := newLot("a")
		lot.CreatedAt = time.Date(2026, 1, 1, 1, 0, 0, 987_654_321, time.FixedZone("CET", 3600))
		put(t, s, lot)
		equal(t, "when it was made", ok(s.Lot(t.Context(), "a"))(t).CreatedAt, time.Date(2026, 1, 1, 0, 0, 0, 987e6, time.UTC))
	}},
	{"are saved with every field", func(t *testing.T, s parking.Store) {
		put(t, s, newLot("a"), newLot("b"))
		want := parking.Lot{
			ID: "a", Name: "new", TimeZone: "Asia/Tokyo", Address: "x", Location: &parking.Location{Lat: 1, Lon: 2},
			Heartbeat: time.Minute, CreatedAt: noon, UpdatedAt: noon.Add(time.Hour),
		}
		update(t, s, func(ctx context.Context, tx parking.Tx) error { return tx.SaveLot(ctx, want) })
		equal(t, "the saved lot", ok(s.Lot(t.Context(), "a"))(t).Lot, want)
		equal(t, "another lot", ok(s.Lot(t.Context(), "b"))(t).Lot, newLot("b"))
	}},
	{"are listed by id, page by page", func(t *testing.T, s parking.Store) {
		for _, id := range []string{"b", "B", "a-2", "a", "é", "Z"} {
			put(t, s, newLot(id))
		}
		var got []string
		for after := ""; ; {
			page := ok(s.Lots(t.Context(), parking.LotQuery{After: after, Limit: 2}))(t)
			for _, lot := range page {
				got = append(got, lot.ID)
			}
			if len(page) < 2 {
				break
			}
			after = page[1].ID
		}
		equal(t, "the order", got, []string{"B", "Z", "a", "a-2", "b", "é"})
		for _, c := range []struct {
			q    parking.LotQuery
			want string
		}{
			{parking.LotQuery{IDs: []string{"é", "no", "B", "a"}, Limit: 9}, "Baé"},
			{parking.LotQuery{IDs: []string{"é", "no", "B", "a"}, After: "B", Limit: 1}, "a"},
			{parking.LotQuery{IDs: []string{}, Limit: 9}, ""},
		} {
			ids := ""
			for _, lot := range ok(s.Lots(t.Context(), c.q))(t) {
				ids += lot.ID
			}
			equal(t, "those that are asked for", ids, c.want)
		}
	}},
	{"say when there is none, and when the id is taken", func(t *testing.T, s parking.Store) {
		put(t, s, newLot("a"))
		_, err := s.Lot(t.Context(), "no")
		failsWith(t, "reading", err, parking.ErrNotFound)
		for what, c := range map[string]struct {
			want error
			call func(context.Context, parking.Tx) error
		}{
			"reading in a transaction": {parking.ErrNotFound, func(ctx context.Context, tx parking.Tx) error { _, err := tx.Lot(ctx, "no"); return err }},
			"saving":                   {parking.ErrNotFound, func(ctx context.Context, tx parking.Tx) error { return tx.SaveLot(ctx, newLot("no")) }},
			"removing":                 {parking.ErrNotFound, func(ctx context.Context, tx parking.Tx) error { return tx.RemoveLot(ctx, "no") }},
			"adding again":             {parking.ErrTaken, func(ctx context.Context, tx parking.Tx) error { return tx.AddLot(ctx, newLot("a")) }},
		} {
			failsWith(t, what, s.Update(t.Context(), c.call), c.want)
		}
	}},
	{"go with their zones, but not while they have spots", func(t *testing.T, s parking.Store) {
		spot := newSpot("a", "s")
		spot.ZoneID = "z"
		put(t, s, newLot("a"), parking.Zone{ID: "z", LotID: "a"}, spot)
		remove := func(ctx context.Context, tx parking.Tx) error { return tx.RemoveLot(ctx, "a") }
		failsWith(t, "removing a lot with a spot", s.Update(t.Context(), remove), parking.ErrInUse)

		spot.Removed, spot.Version = true, 2
		save(t, s, spot)
		update(t, s, remove)
		_, err := s.Lot(t.Context(), "a")
		failsWith(t, "reading the removed lot", err, parking.ErrNotFound)

		put(t, s, newLot("b"), parking.Zone{ID: "z", LotID: "b"}) // the zone's id is free again
		update(t, s, func(ctx context.Context, tx parking.Tx) error {
			got := ok(tx.Spots(ctx, []string{"s"}))(t)["s"]
			equal(t, "version of the removed spot of a lot that is gone", got.Version, int64(2))
			again := newSpot("b", "s")
			again.Version = 3
			return tx.SaveSpots(ctx, []parking.Spot{again})
		})
		equal(t, "the lot of the spot that was added again", ok(s.Spot(t.Context(), "s"))(t).LotID, "b")
	}},
}

var zonePromises = []promise{
	{"come back as they were, by id, of their lot only", func(t *testing.T, s parking.Store) {
		street, cellar := 0, -2
		zones := []parking.Zone{{ID: "a", LotID: "l", Name: "A", Level: &cellar}, {ID: "b", LotID: "l", Name: "B", Level: &street}, {ID: "c", LotID: "l"}}
		put(t, s, newLot("l"), newLot("m"), newLot("n"), zones[2], zones[0], parking.Zone{ID: "other", LotID: "m"}, zones[1])
		got := ok(s.Zones(t.Context(), "l"))(t)
		want := make([]parking.ZoneState, len(zones))
		for i, z := range zones {
			want[i].Zone = z
		}
		equal(t, "the zones", got, want)
		equal(t, "zones of a lot without", len(ok(s.Zones(t.Context(), "n"))(t)), 0)
		update(t, s, func(ctx context.Context, tx parking.Tx) error {
			equal(t, "the zones in a transaction", ok(tx.ZonesOf(ctx, "l"))(t), zones)
			equal(t, "zones of a lot without, in a transaction", len(ok(tx.ZonesOf(ctx, "n"))(t)), 0)
			return nil
		})
		_, err := s.Zones(t.Context(), "no")
		failsWith(t, "zones of no lot", err, parking.ErrNotFound)
		update(t, s, func(ctx context.Context, tx parking.Tx) error {
			equal(t, "one zone", ok(tx.Zone(ctx, "a"))(t), zones[0])
			equal(t, "those that exist", ok(tx.Zones(ctx, []string{"c", "no", "b"}))(t), map[string]parking.Zone{"b": zones[1], "c": zones[2]})
			equal(t, "none", len(ok(tx.Zones(ctx, nil))(t)), 0)
			return nil
		})
	}},
	{"are saved, and say when there is none or the id is taken", func(t *testing.T, s parking.Store) {
		put(t, s, newLot("l"), newLot("m"), parking.Zone{ID: "a", LotID: "l", Name: "A"})
		level := 3
		want := parking.Zone{ID: "a", LotID: "l", Name: "new", Level: &level}
		update(t, s, func(ctx context.Context, tx parking.Tx) error { return tx.SaveZone(ctx, want) })
		equal(t, "the saved zone", ok(s.Zones(t.Context(), "l"))(t)[0].Zone, want)
		for what, c := range map[string]struct {
			want error
			call func(context.Context, parking.Tx) error
		}{
			"reading": {parking.ErrNotFound, func(ctx context.Context, tx parking.Tx) error { _, err := tx.Zone(ctx, "no"); return err }},
			"saving": {parking.ErrNotFound, func(ctx context.Context, tx parking.Tx) error {
				return tx.SaveZone(ctx, parking.Zone{ID: "no", LotID: "l"})
			}},
			"removing": {parking.ErrNotFound, func(ctx context.Context, tx parking.Tx) error { return tx.RemoveZone(ctx, "no") }},
			"adding to no lot": {parking.ErrNotFound, func(ctx context.Context, tx parking.Tx) error {
				return tx.AddZone(ctx, parking.Zone{ID: "b", LotID: "no"})
			}},
			"adding in another lot": {parking.ErrTaken, func(ctx context.Context, tx parking.Tx) error {
				return tx.AddZone(ctx, parking.Zone{ID: "a", LotID: "m"})
			}},
			"adding in the same lot": {parking.ErrTaken, func(ctx context.Context, tx parking.Tx) error {
				return tx.AddZone(ctx, parking.Zone{ID: "a", LotID: "l"})
			}},
		} {
			failsWith(t, what, s.Update(t.Context(), c.call), c.want)
		}
	}},
	{"stay while they have spots", func(t *testing.T, s parking.Store) {
		spot := newSpot("l", "s")
		spot.ZoneID = "z"
		put(t, s, newLot("l"), parking.Zone{ID: "z", LotID: "l"}, spot)
		remove := func(ctx context.Context, tx parking.Tx) error { return tx.RemoveZone(ctx, "z") }
		failsWith(t, "removing a zone with a spot", s.Update(t.Context(), remove), parking.ErrInUse)
		spot.Removed = true
		save(t, s, spot)
		update(t, s, remove)
		equal(t, "zones", len(ok(s.Zones(t.Context(), "l"))(t)), 0)
	}},
}
