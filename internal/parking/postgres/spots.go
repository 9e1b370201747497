package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"parkwire/internal/parking"
	"parkwire/internal/parking/internal/storage"
)

func (t *tx) Spots(ctx context.Context, ids []string) (map[string]parking.Spot, error) {
	spots, err := read(ctx, t, storage.ScanSpot, "select "+storage.SpotColumns+" from spots s where s.id = any($1) order by s.id for update", possible(ids))
	if err != nil {
		return nil, fmt.Errorf("reading spots: %w", err)
	}
	found := make(map[string]parking.Spot, len(spots))
	for _, spot := range spots {
		found[spot.ID] = spot
		t.know(spot)
	}
	return found, nil
}

// Three queries rather than one, so that each is led by what is supervised at all, through indexes that readings do not
// touch, and so that a row that changed while its lock was taken is judged again by the condition that found it.
var overdue = []string{
	overdueSpot("", "spots s", `s.reserved_until <= $1`),
	overdueSpot("", "spots s", `s.heartbeat_ms > 0 and s.occupancy <> 'unknown'
		and greatest(coalesce(s.last_observed_at, s.added_at), s.last_heard_at) < $1::timestamptz - s.heartbeat_ms * interval '1 ms'`),
	// One subtraction a lot instead of one a spot: they cost more than the rest.
	overdueSpot(`with watched as materialized (select id, $1::timestamptz - heartbeat_ms * interval '1 ms' as since from lots where heartbeat_ms > 0) `,
		"watched w join spots s on s.lot_id = w.id",
		`s.heartbeat_ms = 0 and s.occupancy <> 'unknown' and greatest(coalesce(s.last_observed_at, s.added_at), s.last_heard_at) < w.since`),
}

func overdueSpot(with, from, where string) string {
	return with + "select " + storage.SpotColumns + " from " + from + " where s.status <> 'removed' and " + where + " limit $2 for update of s skip locked"
}

func (t *tx) Overdue(ctx context.Context, now time.Time, limit int) ([]parking.Spot, error) {
	var batch pgx.Batch
	found := map[string]parking.Spot{}
	for _, query := range overdue {
		batch.Queue(query, instant(now), limit).Query(func(rows pgx.Rows) error {
			spots, err := collect(rows, storage.ScanSpot)
			for _, spot := range spots {
				found[spot.ID] = spot
				t.know(spot)
			}
			return err
		})
	}
	if err := t.check(t.conn.SendBatch(ctx, &batch).Close()); err != nil {
		return nil, fmt.Errorf("looking for spots that something is due for: %w", err)
	}
	spots := make([]parking.Spot, 0, len(found))
	for _, spot := range found {
		spots = append(spots, spot)
	}
	slices.SortFunc(spots, func(a, b parking.Spot) int { return cmp.Compare(a.ID, b.ID) })
	return spots[:min(len(spots), limit)], nil
}

func (t *tx) know(spot parking.Spot) {
	if t.known == nil {
		t.known = map[string]parking.Spot{}
	}
	t.known[spot.ID] = spot
}
