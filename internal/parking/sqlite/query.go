package sqlite

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
	where, args := "id > ?1", []any{q.After, q.Limit}
	if q.IDs != nil {
		where, args = where+" and id in (select value from json_each(?3))", append(args, list(q.IDs))
	}
	states, err := s.lots(ctx, where+" order by id limit ?2", args...)
	if err != nil {
		return nil, fmt.Errorf("reading lots: %w", err)
	}
	return states, nil
}

// Lot implements [parking.Store].
func (s *Store) Lot(ctx context.Context, id string) (parking.LotState, error) {
	return storage.Single(s.lots(ctx, "id = ?1", id))("lot", id)
}

func (s *Store) lots(ctx context.Context, where string, args ...any) ([]parking.LotState, error) {
	lots, err := look(ctx, s, storage.ScanLot, "select "+storage.LotColumns+" from lots where "+where, args...)
	if err != nil || len(lots) == 0 {
		return nil, err
	}
	ids := make([]string, len(lots))
	for i, lot := range lots {
		ids[i] = lot.ID
	}
	counts, err := look(ctx, s, storage.ScanCount, `select lot_id, status, count(*) from spots
		where lot_id in (select value from json_each(?)) group by lot_id, zone_id, status`, list(ids)) // in the order of the index
	if err != nil {
		return nil, err
	}
	return storage.LotStates(lots, counts), nil
}

// Zones implements [parking.Store].
func (s *Store) Zones(ctx context.Context, lotID string) ([]parking.ZoneState, error) {
	zones, err := look(ctx, s, storage.ScanZone, "select "+storage.ZoneColumns+" from zones where lot_id = ? order by id", lotID)
	if err != nil {
		return nil, fmt.Errorf("reading the zones of lot %q: %w", lotID, err)
	}
	if len(zones) == 0 {
		_, err := s.Lot(ctx, lotID)
		return nil, err
	}
	counts, err := look(ctx, s, storage.ScanCount, `select zone_id, status, count(*) from spots
		where lot_id = ? and zone_id is not null group by zone_id, status`, lotID)
	if err != nil {
		return nil, fmt.Errorf("counting the spots of the zones of lot %q: %w", lotID, err)
	}
	return storage.ZoneStates(zones, counts), nil
}

// Spots implements [parking.Store].
func (s *Store) Spots(ctx context.Context, q parking.SpotQuery) ([]parking.Spot, error) {
	where, args := []string{"s.status <> 'removed'", "s.id > ?"}, []any{q.After}
	add := func(condition string, values ...any) {
		where, args = append(where, condition), append(args, values...)
	}
	if q.Lots != nil {
		add("s.lot_id in (select value from json_each(?))", list(q.Lots))
	}
	if len(q.Zones) > 0 {
		add("s.zone_id in (select value from json_each(?))", list(q.Zones))
	}
	if len(q.Statuses) > 0 {
		add("s.status in (select value from json_each(?))", list(q.Statuses))
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
		add("s.changed_at >= ?", q.ChangedSince.UnixMilli())
	}
	args = append(args, q.Limit)
	spots, err := look(ctx, s, storage.ScanSpot, "select "+storage.SpotColumns+" from spots s where "+strings.Join(where, " and ")+
		" order by s.id limit ?", args...)
	if err != nil {
		return nil, fmt.Errorf("reading spots: %w", err)
	}
	return spots, nil
}

// Spot implements [parking.Store].
func (s *Store) Spot(ctx context.Context, id string) (parking.Spot, error) {
	return storage.Single(look(ctx, s, storage.ScanSpot, "select "+storage.SpotColumns+" from spots s where s.id = ? and s.status <> 'removed'", id))("spot", id)
}

// History implements [parking.Store].
func (s *Store) History(ctx context.Context, spotID string, before int64, limit int) ([]parking.HistoryEntry, error) {
	entries, err := look(ctx, s, storage.ScanHistory, "select "+storage.HistoryColumns+` from history
		where spot_id = ? and id < ? order by id desc limit ?`, spotID, cmp.Or(before, math.MaxInt64), limit)
	if err != nil {
		return nil, fmt.Errorf("reading the history of spot %q: %w", spotID, err)
	}
	return entries, nil
}

// PruneHistory implements [parking.Store].
func (s *Store) PruneHistory(ctx context.Context, t time.Time, limit int) (removed int, err error) {
	err = s.write(ctx, func(w *writer) error {
		removed, err = w.affect(`delete from history where id in
			(select id from history where recorded_at < ? order by recorded_at limit ?)`, t.UnixMilli(), limit)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("pruning the history: %w", err)
	}
	return removed, nil
}
