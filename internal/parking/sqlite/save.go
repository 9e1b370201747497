package sqlite

import (
	"context"
	"fmt"
	"strings"

	"parkwire/internal/parking"
	"parkwire/internal/parking/internal/storage"
	"parkwire/internal/relay"
)

// SQLite writes every index of which a statement names a column, whether that changes or not. So there is a statement for what a reading
// changes, which names none, and one for what an event changes.
const (
	insertSpot = `insert into spots (lot_id, zone_id, name, category, lat, lon, heartbeat_ms, closed, faulted,
		reservation_reference, reserved_at, reserved_until, added_at,
		occupancy, signal_lost, status, version, changed_at, last_observed_at, last_sequence, sensor_id, last_heard_at, id)
		values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	updateSpot = `update spots set lot_id = ?, zone_id = ?, name = ?, category = ?, lat = ?, lon = ?, heartbeat_ms = ?, closed = ?, faulted = ?,
		reservation_reference = ?, reserved_at = ?, reserved_until = ?, added_at = ?, occupancy = ?, signal_lost = ?, status = ?, version = ?, changed_at = ?,
		last_observed_at = ?, last_sequence = ?, sensor_id = ?, last_heard_at = ? where id = ?`
	updateChanged = `update spots set occupancy = ?, signal_lost = ?, status = ?, version = ?, changed_at = ?,
		last_observed_at = ?, last_sequence = ?, sensor_id = ?, last_heard_at = ? where id = ?`
	updateObserved = `update spots set last_observed_at = ?, last_sequence = ?, sensor_id = ?, last_heard_at = ? where id = ?`
)

func (t *tx) SaveSpots(ctx context.Context, spots []parking.Spot) error {
	for _, s := range spots {
		if err := ctx.Err(); err != nil {
			return err
		}
		before, known := t.w.memory.known[s.ID]
		doing, query, values := "saving", updateSpot, []any(nil)
		switch extent := storage.Difference(before, s); {
		case !known:
			doing, query, values = "adding", insertSpot, append(described(s), changed(s)...)
		case extent == storage.Nothing:
			continue
		case extent == storage.Observed:
			query, values = updateObserved, observed(s)
		case extent == storage.Changed:
			query, values = updateChanged, changed(s)
		default:
			values = append(described(s), changed(s)...)
		}
		if err := wrote(doing, "spot", s.ID)(t.w.affect(query, append(values, s.ID)...)); err != nil {
			return err
		}
		t.w.memory.known[s.ID] = s
	}
	return nil
}

func described(s parking.Spot) []any {
	r := storage.Reservation(s)
	return []any{storage.Null(s.LotID), storage.Null(s.ZoneID), s.Name, string(s.Category), storage.Lat(s.Location), storage.Lon(s.Location),
		s.Heartbeat.Milliseconds(), s.Closed, s.Faulted, r.Reference, millis(r.ReservedAt), millis(r.Until), s.AddedAt.UnixMilli()}
}

func changed(s parking.Spot) []any {
	return append([]any{string(s.Occupancy), s.SignalLost, string(s.Status()), s.Version, s.ChangedAt.UnixMilli()}, observed(s)...)
}

func observed(s parking.Spot) []any {
	return []any{millis(s.LastObservedAt), s.LastSequence, s.SensorID, millis(s.LastHeardAt)}
}

const (
	insertOutbox  = `insert into outbox (spot_id, event_id, value, tombstone, traceparent) values `
	insertHistory = `insert into history (spot_id, change, status, previous_status, version, event_id, observed_at, recorded_at, source, subject) values `
)

// rowsAtOnce is how many rows a statement inserts where there are so many. More gain nothing.
const rowsAtOnce = 20

func (t *tx) Append(ctx context.Context, rows []relay.OutboxRow, entries []parking.HistoryEntry) error {
	err := insert(ctx, t.w, insertOutbox, rows, func(r relay.OutboxRow) []any {
		return []any{r.SpotID, r.EventID, r.Value, r.Tombstone, r.Traceparent}
	})
	if err != nil {
		return fmt.Errorf("adding to the outbox: %w", err)
	}
	t.appended = t.appended || len(rows) > 0
	err = insert(ctx, t.w, insertHistory, entries, func(e parking.HistoryEntry) []any {
		return []any{e.SpotID, string(e.Change), string(e.Status), string(e.PreviousStatus), e.Version, e.EventID,
			millis(e.ObservedAt), e.RecordedAt.UnixMilli(), string(e.Source), e.By}
	})
	if err != nil {
		return fmt.Errorf("adding to the history: %w", err)
	}
	return nil
}

// insert adds rows in their order, several by a statement.
func insert[T any](ctx context.Context, w *writer, query string, all []T, values func(T) []any) error {
	for len(all) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := 1
		if len(all) >= rowsAtOnce {
			n = rowsAtOnce
		}
		var args []any
		for _, one := range all[:n] {
			args = append(args, values(one)...)
		}
		row := "(?" + strings.Repeat(", ?", len(args)/n-1) + ")"
		if err := w.exec(query+row+strings.Repeat(", "+row, n-1), args...); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}
