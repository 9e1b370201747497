package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"parkwire/internal/parking"
	"parkwire/internal/parking/sqlite"
)

// spots reads spots in a transaction, as whoever changes them does.
func spots(t *testing.T, s *sqlite.Store, ids ...string) (found map[string]parking.Spot) {
	t.Helper()
	if err := s.Update(t.Context(), func(ctx context.Context, tx parking.Tx) (err error) {
		found, err = tx.Spots(ctx, ids)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return found
}

func withSpots(t *testing.T, s *sqlite.Store, ids ...string) {
	t.Helper()
	at := time.UnixMilli(1_764_000_000_000).UTC()
	if err := s.Update(t.Context(), func(ctx context.Context, tx parking.Tx) error {
		if err := tx.AddLot(ctx, parking.Lot{ID: "l", Name: "l", CreatedAt: at, UpdatedAt: at}); err != nil {
			return err
		}
		var all []parking.Spot
		for _, id := range ids {
			all = append(all, parking.Spot{ID: id, LotID: "l", Category: parking.Standard, Occupancy: parking.Vacant, Version: 1, AddedAt: at, ChangedAt: at})
		}
		return tx.SaveSpots(ctx, all)
	}); err != nil {
		t.Fatal(err)
	}
}

func TestWhatAnotherProgramWritesIsSeen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "parkwire.db")
	s := started(t, path)
	withSpots(t, s, "A", "B")
	if found := spots(t, s, "A", "B"); len(found) != 2 || found["A"].Version != 1 {
		t.Fatalf("the spots are %+v", found)
	}
	other, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.Exec(`update spots set version = 7 where id = 'A'; delete from spots where id = 'B'`); err != nil {
		t.Fatal(err)
	}
	if found := spots(t, s, "A", "B"); len(found) != 1 || found["A"].Version != 7 {
		t.Errorf("after another program wrote the spots are %+v", found)
	}
}

func TestWhatIsRolledBackIsNotRemembered(t *testing.T) {
	s := started(t, filepath.Join(t.TempDir(), "parkwire.db"))
	withSpots(t, s, "A")
	refused := errors.New("refused")
	for range 2 {
		if err := s.Update(t.Context(), func(ctx context.Context, tx parking.Tx) error {
			found, err := tx.Spots(ctx, []string{"A"})
			if err != nil {
				return err
			}
			spot := found["A"]
			if spot.Version != 1 {
				t.Errorf("a transaction finds version %d", spot.Version)
			}
			spot.Version++
			if err := tx.SaveSpots(ctx, []parking.Spot{spot}); err != nil {
				return err
			}
			if found, err := tx.Spots(ctx, []string{"A"}); err != nil || found["A"].Version != 2 {
				t.Errorf("a transaction does not see its own change: %+v, %v", found, err)
			}
			return refused
		}); !errors.Is(err, refused) {
			t.Fatal(err)
		}
	}
	if v := spots(t, s, "A")["A"].Version; v != 1 {
		t.Errorf("version %d stands there", v)
	}
}

func TestOnlySoManySpotsAreRemembered(t *testing.T) {
	t.Parallel()
	const many = 120_000 // more than are
	s := started(t, filepath.Join(t.TempDir(), "parkwire.db"))
	var ids []string
	for i := range many {
		ids = append(ids, fmt.Sprint(i))
	}
	withSpots(t, s, ids...)
	for range 2 {
		if found := spots(t, s, ids...); len(found) != many {
			t.Fatalf("%d spots are found", len(found))
		}
	}
}
