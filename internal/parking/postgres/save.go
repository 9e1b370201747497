package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"parkwire/internal/parking"
	"parkwire/internal/parking/internal/storage"
	"parkwire/internal/relay"
)

func (t *tx) SaveSpots(ctx context.Context, spots []parking.Spot) error {
	latest := make(map[string]parking.Spot, len(spots)) // of a spot that is there twice the last counts
	for _, spot := range spots {
		latest[spot.ID] = spot
	}
	var added []parking.Spot
	var changed [storage.Anything + 1][]parking.Spot // by how much of them
	for _, first := range spots {
		spot, there := latest[first.ID]
		if !there {
			continue // it is saved already
		}
		delete(latest, spot.ID)
		if before, known := t.known[spot.ID]; known {
			extent := storage.Difference(before, spot)
			changed[extent] = append(changed[extent], spot)
		} else {
			added = append(added, spot)
		}
	}
	if len(added) > 0 {
		n, err := t.affect(ctx, insertSpots, arrays(added, allColumns)...)
		if err == nil && n < len(added) {
			err = parking.ErrTaken
		}
		if err != nil {
			return wrote("adding", fmt.Sprintf("%d spots, the first", len(added)), added[0].ID)(n, err)
		}
	}
	for extent := storage.Observed; extent <= storage.Anything; extent++ {
		some := changed[extent]
		if len(some) == 0 {
			continue
		}
		n, err := t.affect(ctx, updateSpots[extent], arrays(some, columnsOf(extent))...)
		if err = wrote("saving", fmt.Sprintf("%d spots, the first", len(some)), some[0].ID)(n, err); err != nil {
			return err
		}
	}
	for _, spot := range spots {
		t.know(spot)
	}
	return nil
}

// A spotColumn is a column of the table, its type, and the values of spots in it.
type spotColumn struct {
	name, kind string
	array      func([]parking.Spot) any
}

func columnOf[V any](name, kind string, get func(parking.Spot) V) spotColumn {
	return spotColumn{name, kind, func(all []parking.Spot) any { return column(all, get) }}
}

// allColumns begin with the id. Then come those that a reading changes, those that its event changes, and all others. A statement with few of them is
// less to send, to parse and to compare; which indexes are written PostgreSQL finds out by itself.
var allColumns = func() []spotColumn {
	type S = parking.Spot
	return []spotColumn{
		columnOf("id", "text", func(s S) string { return s.ID }),
		columnOf("last_observed_at", "timestamptz", func(s S) *time.Time { return instant(s.LastObservedAt) }),
		columnOf("last_sequence", "bigint", func(s S) int64 { return s.LastSequence }),
		columnOf("sensor_id", "text", func(s S) string { return s.SensorID }),
		columnOf("last_heard_at", "timestamptz", func(s S) *time.Time { return instant(s.LastHeardAt) }),
		columnOf("occupancy", "text", func(s S) string { return string(s.Occupancy) }),
		columnOf("signal_lost", "bool", func(s S) bool { return s.SignalLost }),
		columnOf("status", "text", func(s S) string { return string(s.Status()) }),
		columnOf("version", "bigint", func(s S) int64 { return s.Version }),
		columnOf("changed_at", "timestamptz", func(s S) *time.Time { return instant(s.ChangedAt) }),
		columnOf("lot_id", "text", func(s S) *string { return storage.Null(s.LotID) }),
		columnOf("zone_id", "text", func(s S) *string { return storage.Null(s.ZoneID) }),
		columnOf("name", "text", func(s S) string { return s.Name }),
		columnOf("category", "text", func(s S) string { return string(s.Category) }),
		columnOf("lat", "float8", func(s S) *float64 { return storage.Lat(s.Location) }),
		columnOf("lon", "float8", func(s S) *float64 { return storage.Lon(s.Location) }),
		columnOf("heartbeat_ms", "bigint", func(s S) int64 { return s.Heartbeat.Milliseconds() }),
		columnOf("closed", "bool", func(s S) bool { return s.Closed }),
		columnOf("faulted", "bool", func(s S) bool { return s.Faulted }),
		columnOf("reservation_reference", "text", func(s S) string { return storage.Reservation(s).Reference }),
		columnOf("reserved_at", "timestamptz", func(s S) *time.Time { return instant(storage.Reservation(s).ReservedAt) }),
		columnOf("reserved_until", "timestamptz", func(s S) *time.Time { return instant(storage.Reservation(s).Until) }),
		columnOf("added_at", "timestamptz", func(s S) *time.Time { return instant(s.AddedAt) }),
	}
}()

// columnsOf are the id and what a change of an extent may change.
func columnsOf(extent storage.Extent) []spotColumn {
	switch extent {
	case storage.Observed:
		return allColumns[:5]
	case storage.Changed:
		return allColumns[:10]
	}
	return allColumns
}

var (
	// In the order of ids, so that two that add the same spots do not wait for each other.
	insertSpots = `insert into spots (` + names(allColumns, "") + `) select * from ` + rowsOf(allColumns) + ` order by r.id collate "C" on conflict (id) do nothing`
	updateSpots = map[storage.Extent]string{
		storage.Observed: updateOf(columnsOf(storage.Observed)), storage.Changed: updateOf(columnsOf(storage.Changed)), storage.Anything: updateOf(allColumns),
	}
)

func updateOf(columns []spotColumn) string {
	return `update spots s set ` + assignments(names(columns, "")) + ` from ` + rowsOf(columns) + ` where s.id = r.id`
}

func names(columns []spotColumn, prefix string) string {
	var all []string
	for _, c := range columns {
		all = append(all, prefix+c.name)
	}
	return strings.Join(all, ", ")
}

// rowsOf makes rows of one array a column, however many spots.
func rowsOf(columns []spotColumn) string {
	var parameters []string
	for i, c := range columns {
		parameters = append(parameters, fmt.Sprintf("$%d::%s[]", i+1, c.kind))
	}
	return "unnest(" + strings.Join(parameters, ", ") + ") as r (" + names(columns, "") + ")"
}

func arrays(spots []parking.Spot, columns []spotColumn) []any {
	all := make([]any, len(columns))
	for i, c := range columns {
		all[i] = c.array(spots)
	}
	return all
}

// assignments makes "b = r.b, c = r.c" of the columns after the first.
func assignments(columns string) string {
	var all []string
	for _, name := range strings.Split(columns, ",")[1:] {
		name = strings.TrimSpace(name)
		all = append(all, name+" = r."+name)
	}
	return strings.Join(all, ", ")
}

func column[T, V any](all []T, get func(T) V) []V {
	values := make([]V, len(all))
	for i, one := range all {
		values[i] = get(one)
	}
	return values
}

// instant returns a time as it is stored; nil for the zero time.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Millisecond)
	return &t
}

const (
	// The order by gives the ids in the order of the rows.
	insertOutbox = `insert into outbox (spot_id, event_id, value, tombstone, traceparent)
		select spot_id, event_id, value, tombstone, traceparent
		from unnest($1::text[], $2::text[], $3::bytea[], $4::bool[], $5::text[])
			with ordinality as r (spot_id, event_id, value, tombstone, traceparent, n) order by n`
	insertHistory = `insert into history (spot_id, change, status, previous_status, version, event_id, observed_at, recorded_at, source, subject)
		select spot_id, change, status, previous_status, version, event_id, observed_at, recorded_at, source, subject
		from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::timestamptz[], $8::timestamptz[], $9::text[], $10::text[])
			with ordinality as r (spot_id, change, status, previous_status, version, event_id, observed_at, recorded_at, source, subject, n) order by n`
)

func (t *tx) Append(ctx context.Context, rows []relay.OutboxRow, entries []parking.HistoryEntry) error {
	type R = relay.OutboxRow
	type H = parking.HistoryEntry
	var batch pgx.Batch
	if len(rows) > 0 {
		batch.Queue(insertOutbox, column(rows, func(r R) string { return r.SpotID }), column(rows, func(r R) string { return r.EventID }),
			column(rows, func(r R) []byte { return r.Value }), column(rows, func(r R) bool { return r.Tombstone }),
			column(rows, func(r R) string { return r.Traceparent }))
	}
	if len(entries) > 0 {
		batch.Queue(insertHistory, column(entries, func(e H) string { return e.SpotID }), column(entries, func(e H) string { return string(e.Change) }),
			column(entries, func(e H) string { return string(e.Status) }), column(entries, func(e H) string { return string(e.PreviousStatus) }),
			column(entries, func(e H) int64 { return e.Version }), column(entries, func(e H) string { return e.EventID }),
			column(entries, func(e H) *time.Time { return instant(e.ObservedAt) }), column(entries, func(e H) *time.Time { return instant(e.RecordedAt) }),
			column(entries, func(e H) string { return string(e.Source) }), column(entries, func(e H) string { return e.By }))
	}
	if err := t.check(t.conn.SendBatch(ctx, &batch).Close()); err != nil {
		return fmt.Errorf("adding to the outbox and the history: %w", err)
	}
	t.appended = t.appended || len(rows) > 0
	return nil
}
