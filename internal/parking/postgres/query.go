package postgres

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"parkwire/internal/parking"
	"parkwire/internal/parking/internal/storage"
)

// Lots implements [parking.Store].
func (s *Store) Lots(ctx context.Context, q parking.LotQuery) ([]parking.LotState, error) {
	where, args := "id > $1", []any{q.After, q.Limit}
	if q.IDs != nil {
		where, args = where+" and id = any($3)", append(args, possible(q.IDs))
	}
	states, err := s.lots(ctx, where+" order by id limit $2", args...)
	if err != nil {
		return nil, fmt.Errorf("reading lots: %w", err)
	}
	return states, nil
}

// Lot implements [parking.Store].
func (s *Store) Lot(ctx context.Context, id string) (parking.LotState, error) {
	return storage.Single(s.lots(ctx, "id = $1", id))("lot", id)
}

func (s *Store) lots(ctx context.Context, where string, args ...any) ([]parking.LotState, error) {
	lots, err := look(ctx, s, storage.ScanLot, "select "+storage.LotColumns+" from lots where "+where, args...)
	if err != nil || len(lots) == 0 {
		return nil, err
	}
	counts, err := look(ctx, s, storage.ScanCount, `select lot_id, status, count(*) from spots where lot_id = any($1) group by lot_id, status`,
		column(lots, func(l parking.Lot) string { return l.ID }))
	if err != nil {
		return nil, err
	}
	return storage.LotStates(lots, counts), nil
}

// Zones implements [parking.Store].
func (s *Store) Zones(ctx context.Context, lotID string) ([]parking.ZoneState, error) {
	zones, err := look(ctx, s, storage.ScanZone, "select "+storage.ZoneColumns+" from zones where lot_id = $1 order by id", lotID)
	if err != nil {
		return nil, fmt.Errorf("reading the zones of lot %q: %w", lotID, err)
	}
	if len(zones) == 0 {
		_, err := s.Lot(ctx, lotID)
		return nil, err
	}
	counts, err := look(ctx, s, storage.ScanCount, `select zone_id, status, count(*) from spots where zone_id = any($1) group by zone_id, status`,
		column(zones, func(z parking.Zone) string { return z.ID }))
	if err != nil {
		return nil, fmt.Errorf("counting the spots of the zones of lot %q: %w", lotID, err)
	}
	return storage.ZoneStates(zones, counts), nil
}

// Spots implements [parking.Store].
func (s *Store) Spots(ctx context.Context, q parking.SpotQuery) ([]parking.Spot, error) {
	var where strings.Builder
	var args []any
	add := func(condition string, values ...any) { // each ? of the condition is the next of the values
		for _, value := range values {
			args = append(args, value)
			condition = strings.Replace(condition, "?", fmt.Sprintf("$%d", len(args)), 1)
		}
		where.WriteString(" and " + condition)
	}
	add("s.id > ?", q.After)
	if q.Lots != nil {
		add("s.lot_id = any(?)", possible(q.Lots))
	}
	if len(q.Zones) > 0 {
		add("s.zone_id = any(?)", q.Zones)
	}
	if len(q.Statuses) > 0 {
		add("s.status = any(?)", q.Statuses)
	}
	if b := q.Within; b != nil {
		add("s.lat between ? and ?", b.South, b.North)
		if b.West <= b.East {
			add("s.lon between ? and ?", b.West, b.East)
		} else {
			add("(s.lon >= ? or s.lon <= ?)", b.West, b.East)
		}
	}
	if !q.ChangedSince.IsZero() {
		add("s.changed_at >= ?", instant(q.ChangedSince))
	}
	args = append(args, q.Limit)
	spots, err := look(ctx, s, storage.ScanSpot, fmt.Sprintf("select %s from spots s where s.status <> 'removed'%s order by s.id limit $%d",
		storage.SpotColumns, &where, len(args)), args...)
	if err != nil {
		return nil, fmt.Errorf("reading spots: %w", err)
	}
	return spots, nil
}

// Spot implements [parking.Store].
func (s *Store) Spot(ctx context.Context, id string) (parking.Spot, error) {
	return storage.Single(look(ctx, s, storage.ScanSpot, "select "+storage.SpotColumns+" from spots s where s.id = $1 and s.status <> 'removed'", id))("spot", id)
}

// History implements [parking.Store].
func (s *Store) History(ctx context.Context, spotID string, before int64, limit int) ([]parking.HistoryEntry, error) {
	entries, err := look(ctx, s, storage.ScanHistory, "select "+storage.HistoryColumns+` from history
		where spot_id = $1 and id < $2 order by id desc limit $3`, spotID, cmp.Or(before, math.MaxInt64), limit)
	if err != nil {
		return nil, fmt.Errorf("reading the history of spot %q: %w", spotID, err)
	}
	return entries, nil
}

// PruneHistory implements [parking.Store]. Processes that prune at the same time take different entries.
func (s *Store) PruneHistory(ctx context.Context, t time.Time, limit int) (int, error) {
	bound, cancel := s.bound(ctx)
	defer cancel()
	tag, err := s.pool.Exec(bound, `delete from history where id in
		(select id from history where recorded_at < $1 order by recorded_at limit $2 for update skip locked)`, instant(t), limit)
	if err != nil {
		return 0, fmt.Errorf("pruning the history: %w", s.classify(ctx, err))
	}
	return int(tag.RowsAffected()), nil
}
