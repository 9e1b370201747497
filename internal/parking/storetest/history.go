package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/parking"
)

func record(t *testing.T, s parking.Store, entries ...parking.HistoryEntry) {
	t.Helper()
	update(t, s, func(ctx context.Context, tx parking.Tx) error { return tx.Append(ctx, nil, entries) })
}

var historyPromises = []promise{
	{"comes back as it was, with every field and with none", func(t *testing.T, s parking.Store) {
		full := parking.HistoryEntry{
			SpotID: "s", Change: event.ChangeOccupied, Status: event.Occupied, PreviousStatus: event.Free, Version: 2, EventID: "e-2",
			ObservedAt: noon.Add(-time.Second), RecordedAt: noon, Source: parking.SourceOperator, By: "anna",
		}
		bare := parking.HistoryEntry{SpotID: "s", RecordedAt: noon}
		record(t, s, full, bare)
		got := ok(s.History(t.Context(), "s", 0, 10))(t)
		if len(got) != 2 || got[0].ID <= got[1].ID || got[1].ID <= 0 {
			t.Fatalf("the history is %+v", got)
		}
		bare.ID, full.ID = got[0].ID, got[1].ID
		equal(t, "the history", got, []parking.HistoryEntry{bare, full})
	}},
	{"is paged from the newest, each spot by itself", func(t *testing.T, s parking.Store) {
		for i := range 10 {
			record(t, s, parking.HistoryEntry{SpotID: "s", Version: int64(i), RecordedAt: noon}, parking.HistoryEntry{SpotID: "other", RecordedAt: noon})
		}
		got, before := "", int64(0)
		for {
			page := ok(s.History(t.Context(), "s", before, 4))(t)
			for _, e := range page {
				got, before = got+fmt.Sprint(e.Version), e.ID
			}
			if len(page) < 4 {
				break
			}
		}
		equal(t, "versions", got, "9876543210")
		equal(t, "the history of a spot without", len(ok(s.History(t.Context(), "no", 0, 10))(t)), 0)
	}},
	{"is pruned in batches, the old and no more", func(t *testing.T, s parking.Store) {
		for i := range 25 {
			record(t, s, parking.HistoryEntry{SpotID: "s", Version: int64(i), RecordedAt: noon.Add(time.Duration(i) * time.Second)})
		}
		limit := noon.Add(22 * time.Second)
		for i, want := range []int{10, 10, 2, 0} {
			equal(t, fmt.Sprintf("removed by batch %d", i), ok(s.PruneHistory(t.Context(), limit, 10))(t), want)
		}
		got := ok(s.History(t.Context(), "s", 0, 100))(t)
		equal(t, "entries left", len(got), 3)
		equal(t, "the oldest of them", got[2].RecordedAt, limit)
	}},
}
