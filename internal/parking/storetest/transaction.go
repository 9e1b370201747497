package storetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"golang.org/x/sync/errgroup"

	"parkwire/internal/parking"
	"parkwire/internal/relay"
)

var transactionPromises = []promise{
	{"leave nothing when they fail", func(t *testing.T, s parking.Store) {
		put(t, s, newLot("l"), newSpot("l", "s"))
		mine := errors.New("mine")
		everything := func(end func() error) func(context.Context, parking.Tx) error {
			return func(ctx context.Context, tx parking.Tx) error {
				spot := ok(tx.Spots(ctx, []string{"s"}))(t)["s"]
				spot.Version++
				return errors.Join(tx.AddLot(ctx, newLot("new")), tx.AddZone(ctx, parking.Zone{ID: "z", LotID: "l"}),
					tx.SaveSpots(ctx, []parking.Spot{spot, newSpot("l", "new")}),
					tx.Append(ctx, []relay.OutboxRow{row(spot)}, []parking.HistoryEntry{{SpotID: "s", RecordedAt: noon}}),
					tx.AppendRecords(ctx, []relay.Record{{Topic: relay.Audit, Key: "spot/s", Value: []byte("{}")}}), end())
			}
		}
		nothing := func(what string) {
			t.Helper()
			equal(t, what+": lots", len(ok(s.Lots(t.Context(), parking.LotQuery{Limit: 10}))(t)), 1)
			equal(t, what+": zones", len(ok(s.Zones(t.Context(), "l"))(t)), 0)
			equal(t, what+": spots", ok(s.Spots(t.Context(), parking.SpotQuery{Limit: 9}))(t), []parking.Spot{newSpot("l", "s")})
			equal(t, what+": outbox", len(ok(s.Pending(t.Context(), 10))(t)), 0)
			equal(t, what+": records", len(ok(s.PendingRecords(t.Context(), 10))(t)), 0)
			equal(t, what+": history", len(ok(s.History(t.Context(), "s", 0, 10))(t)), 0)
			select {
			case <-s.Wake():
				t.Error(what + ": the relay was woken")
			case <-s.RecordsWake():
				t.Error(what + ": the relay was woken for records")
			default:
			}
		}
		failsWith(t, "an error", s.Update(t.Context(), everything(func() error { return mine })), mine)
		nothing("an error")
		refused := errors.New("the same")
		if err := s.Update(t.Context(), func(context.Context, parking.Tx) error { return refused }); err != refused {
			t.Errorf("the error came back as %#v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		failsWith(t, "a context that ends", s.Update(ctx, everything(func() error { cancel(); return nil })), context.Canceled)
		nothing("a context that ended")
		failsWith(t, "a context that ended before", s.Update(ctx, everything(func() error { return nil })), context.Canceled)
		nothing("a context that ended before")
		func() {
			defer func() { _ = recover() }()
			_ = s.Update(t.Context(), everything(func() error { panic("oh") }))
		}()
		nothing("a panic")
		put(t, s, newLot("after")) // and the next one goes through
	}},
	{"are not seen before they are committed, then at once", func(t *testing.T, s parking.Store) {
		put(t, s, newLot("l"))
		spot := newSpot("l", "s")
		update(t, s, func(ctx context.Context, tx parking.Tx) error {
			err := errors.Join(tx.SaveSpots(ctx, []parking.Spot{spot}), tx.Append(ctx, []relay.OutboxRow{row(spot)}, nil))
			equal(t, "rows before the commit", len(ok(s.Pending(ctx, 10))(t)), 0)
			_, missing := s.Spot(ctx, "s")
			failsWith(t, "the spot before the commit", missing, parking.ErrNotFound)
			return err
		})
		equal(t, "rows after it", len(ok(s.Pending(t.Context(), 10))(t)), 1)
		equal(t, "the spot after it", ok(s.Spot(t.Context(), "s"))(t), spot)
	}},
	{"are refused once the store is closed", func(t *testing.T, s parking.Store) {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		failsWith(t, "a transaction", s.Update(t.Context(), func(context.Context, parking.Tx) error { return nil }), parking.ErrUnavailable)
		_, err := s.Lots(t.Context(), parking.LotQuery{Limit: 1})
		failsWith(t, "reading", err, parking.ErrUnavailable)
		_, err = s.Pending(t.Context(), 1)
		failsWith(t, "the outbox", err, parking.ErrUnavailable)
		failsWith(t, "leading", s.Lead(t.Context(), func(context.Context) error { return nil }), parking.ErrUnavailable)
	}},
}

// bump gives each of the spots its next version, with a row for each.
func bump(ids ...string) func(context.Context, parking.Tx) error {
	return func(ctx context.Context, tx parking.Tx) error {
		found, err := tx.Spots(ctx, ids)
		if err != nil {
			return err
		}
		var spots []parking.Spot
		var rows []relay.OutboxRow
		for _, id := range ids {
			spot := found[id]
			spot.Version++
			spots, rows = append(spots, spot), append(rows, row(spot))
		}
		if err := tx.SaveSpots(ctx, spots); err != nil {
			return err
		}
		return tx.Append(ctx, rows, nil)
	}
}

// inOrder checks that the outbox has each spot's versions from 2 on, in order, without hole, and that the state agrees.
func inOrder(t *testing.T, s parking.Store) (versions map[string]int64) {
	t.Helper()
	versions = map[string]int64{}
	for _, r := range ok(s.Pending(t.Context(), 100_000))(t) {
		version, _ := strconv.ParseInt(string(r.Value), 10, 64)
		want := versions[r.SpotID] + 1
		if versions[r.SpotID] == 0 {
			want = 2
		}
		if version != want {
			t.Fatalf("spot %s: version %d where %d was due", r.SpotID, version, want)
		}
		versions[r.SpotID] = version
	}
	for _, spot := range ok(s.Spots(t.Context(), parking.SpotQuery{Limit: 100_000}))(t) {
		equal(t, "the version of "+spot.ID+" in state and outbox", max(versions[spot.ID], 1), spot.Version)
	}
	return versions
}

var concurrencyPromises = []promise{
	{"no change of a spot is lost, and no version, among 16 writers", func(t *testing.T, s parking.Store) {
		const writers, each = 16, 15
		put(t, s, newLot("l"), newSpot("l", "s"))
		var g errgroup.Group
		for range writers {
			g.Go(func() error {
				for range each {
					if err := s.Update(t.Context(), bump("s")); err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		equal(t, "the last version", inOrder(t, s)["s"], int64(1+writers*each))
	}},
	{"groups that overlap, in any order, neither block each other for good nor get out of order", func(t *testing.T, s parking.Store) {
		const spots, writers, each, group = 40, 16, 8, 15
		put(t, s, newLot("l"))
		ids := make([]string, spots)
		for i := range ids {
			ids[i] = fmt.Sprintf("s%02d", i)
			put(t, s, newSpot("l", ids[i]))
		}
		var g errgroup.Group
		for w := range writers {
			random := rand.New(rand.NewPCG(7, uint64(w)))
			g.Go(func() error {
				for range each {
					mine := slices.Clone(ids)
					random.Shuffle(len(mine), func(i, j int) { mine[i], mine[j] = mine[j], mine[i] })
					if err := s.Update(t.Context(), bump(mine[:group]...)); err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		var events int64
		for version := range maps.Values(inOrder(t, s)) {
			events += version - 1
		}
		equal(t, "events", events, int64(writers*each*group))
	}},
	{"of several that add a spot one does, with a version of its own", func(t *testing.T, s parking.Store) {
		put(t, s, newLot("l"))
		there := errors.New("somebody was quicker")
		for round := range 5 {
			id := fmt.Sprint("s", round)
			errs := make([]error, 8)
			var g errgroup.Group
			for i := range errs {
				g.Go(func() error {
					errs[i] = s.Update(t.Context(), func(ctx context.Context, tx parking.Tx) error {
						if found, err := tx.Spots(ctx, []string{id}); err != nil || len(found) > 0 {
							return errors.Join(err, there)
						}
						spot := newSpot("l", id)
						spot.SensorID = fmt.Sprint(i)
						return errors.Join(tx.SaveSpots(ctx, []parking.Spot{spot}), tx.Append(ctx, []relay.OutboxRow{row(spot)}, nil))
					})
					return nil
				})
			}
			_ = g.Wait()
			winner := ""
			for i, err := range errs {
				if err == nil {
					winner += fmt.Sprint(i)
				} else if !errors.Is(err, there) && !errors.Is(err, parking.ErrTaken) {
					t.Error(err)
				}
			}
			equal(t, "who added it", ok(s.Spot(t.Context(), id))(t).SensorID, winner)
			equal(t, "rows", len(ok(s.Pending(t.Context(), 100))(t)), round+1)
		}
	}},
	{"no change of a lot or a zone is lost", func(t *testing.T, s parking.Store) {
		lot := newLot("l")
		lot.Name = "0"
		put(t, s, lot, parking.Zone{ID: "z", LotID: "l", Name: "0"})
		next := func(n string) string { i, _ := strconv.Atoi(n); return strconv.Itoa(i + 1) }
		var g errgroup.Group
		for range 8 {
			g.Go(func() error {
				for range 5 {
					err := s.Update(t.Context(), func(ctx context.Context, tx parking.Tx) error {
						lot, err := tx.Lot(ctx, "l")
						if err != nil {
							return err
						}
						zone, err := tx.Zone(ctx, "z")
						if err != nil {
							return err
						}
						lot.Name, zone.Name = next(lot.Name), next(zone.Name)
						return errors.Join(tx.SaveLot(ctx, lot), tx.SaveZone(ctx, zone))
					})
					if err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		equal(t, "changes of the lot", ok(s.Lot(t.Context(), "l"))(t).Name, "40")
		equal(t, "changes of the zone", ok(s.Zones(t.Context(), "l"))(t)[0].Name, "40")
	}},
	{"no spot is added to a lot or a zone that goes", func(t *testing.T, s parking.Store) {
		for round := range 10 {
			lot, zone, id := fmt.Sprint("l", round), fmt.Sprint("z", round), fmt.Sprint("s", round)
			put(t, s, newLot(lot), parking.Zone{ID: zone, LotID: lot})
			var added, removed error
			var g errgroup.Group
			g.Go(func() error {
				added = s.Update(t.Context(), func(ctx context.Context, tx parking.Tx) error {
					if _, err := tx.Lot(ctx, lot); err != nil {
						return err
					}
					if zones, err := tx.Zones(ctx, []string{zone}); err != nil || len(zones) == 0 {
						return errors.Join(err, parking.ErrNotFound)
					}
					if _, err := tx.Spots(ctx, []string{id}); err != nil {
						return err
					}
					return tx.SaveSpots(ctx, []parking.Spot{with(newSpot(lot, id), func(s *parking.Spot) { s.ZoneID = zone })})
				})
				return nil
			})
			g.Go(func() error {
				removed = s.Update(t.Context(), func(ctx context.Context, tx parking.Tx) error {
					if round%2 == 0 {
						return tx.RemoveZone(ctx, zone)
					}
					return tx.RemoveLot(ctx, lot)
				})
				return nil
			})
			_ = g.Wait()
			if !(added == nil && errors.Is(removed, parking.ErrInUse) || errors.Is(added, parking.ErrNotFound) && removed == nil) {
				t.Errorf("adding: %v; removing: %v", added, removed)
			}
		}
	}},
}
