// Package storetest is what every store of the parking part must do: one suite that both are run through.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/parking"
	"parkwire/internal/relay"
)

// Run runs the suite. open returns a started store on an empty database, which it closes and
// clears away at the end of the test.
func Run(t *testing.T, open func(t *testing.T) parking.Store) {
	for _, group := range []struct {
		name  string
		tests []promise
	}{
		{"lots", lotPromises}, {"zones", zonePromises}, {"spots", spotPromises}, {"queries", queryPromises}, {"counts", countPromises},
		{"transactions", transactionPromises}, {"concurrency", concurrencyPromises}, {"supervision", supervisionPromises},
		{"history", historyPromises}, {"answers", answerPromises}, {"sensors", sensorPromises}, {"outbox", outboxPromises}, {"records", recordPromises}, {"access", accessPromises}, {"leadership", leadershipPromises},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, p := range group.tests {
				t.Run(p.name, func(t *testing.T) { p.test(t, open(t)) })
			}
		})
	}
}

// promise is one test and what it shows.
type promise struct {
	name string
	test func(*testing.T, parking.Store)
}

// noon is when everything happens in the tests, if nothing else is said.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 123e6, time.UTC)

func newLot(id string) parking.Lot {
	return parking.Lot{ID: id, Name: "Lot " + id, TimeZone: "UTC", CreatedAt: noon, UpdatedAt: noon}
}

func newSpot(lot, id string) parking.Spot {
	return parking.Spot{
		ID: id, LotID: lot, Category: parking.Standard, Occupancy: parking.Vacant, Version: 1, AddedAt: noon, ChangedAt: noon,
	}
}

// with returns the spot after changes to it.
func with(s parking.Spot, changes ...func(*parking.Spot)) parking.Spot {
	for _, change := range changes {
		change(&s)
	}
	return s
}

func row(s parking.Spot) relay.OutboxRow {
	return relay.OutboxRow{SpotID: s.ID, EventID: fmt.Sprintf("%s-%d", s.ID, s.Version), Value: fmt.Append(nil, s.Version)}
}

// update runs a transaction that must succeed.
func update(t *testing.T, s parking.Store, change func(ctx context.Context, tx parking.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), change); err != nil {
		t.Fatalf("the transaction failed: %v", err)
	}
}

// put adds lots, zones, spots and sensors.
func put(t *testing.T, s parking.Store, all ...any) {
	t.Helper()
	update(t, s, func(ctx context.Context, tx parking.Tx) error {
		var errs []error
		var spots []parking.Spot
		var sensors []parking.Sensor
		for _, one := range all {
			switch one := one.(type) {
			case parking.Lot:
				errs = append(errs, tx.AddLot(ctx, one))
			case parking.Zone:
				errs = append(errs, tx.AddZone(ctx, one))
			case parking.Spot:
				spots = append(spots, one)
			case parking.Sensor:
				sensors = append(sensors, one)
			case []parking.Spot:
				spots = append(spots, one...)
			}
		}
		errs = append(errs, tx.SaveSpots(ctx, spots))
		for _, sensor := range sensors {
			errs = append(errs, tx.AddSensor(ctx, sensor))
		}
		return errors.Join(errs...)
	})
}

// save replaces what is stored of spots.
func save(t *testing.T, s parking.Store, spots ...parking.Spot) {
	t.Helper()
	update(t, s, func(ctx context.Context, tx parking.Tx) error {
		if _, err := tx.Spots(ctx, spotIDs(spots)); err != nil {
			return err
		}
		return tx.SaveSpots(ctx, spots)
	})
}

func spotIDs(spots []parking.Spot) []string {
	ids := make([]string, len(spots))
	for i, s := range spots {
		ids[i] = s.ID
	}
	return ids
}

// ok returns what a call returned, without its error, which must be nil.
func ok[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

func failsWith(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got the error %v, want %v in its chain", what, err, want)
	}
}

func offsets(all ...int64) event.Offsets { return all }
