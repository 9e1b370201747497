package directory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"parkwire/internal/sqldb"
)

// atOnce bounds how many ids one statement names.
const atOnce = 500

// table is how one of the three is stored. The columns begin with id and end with removed, record_id and revision, which the table
// handles itself.
type table[T described] struct {
	name    string
	columns []string
	row     func(T) []any
	into    func(*T) []any
	// whole sets what is not the description.
	whole func(v *T, o outside)
}

func (t table[T]) all() string { return strings.Join(append(slices.Clone(t.columns), own...), ", ") }

var own = []string{"removed", "record_id", "revision"}

// stored is one row.
type stored[T described] struct {
	entry[T]
	revision int64
}

// outside is what is known of a thing beside its description.
type outside struct {
	removed   bool
	changedAt time.Time
	revision  int64
}

func (t table[T]) value(s stored[T]) T {
	t.whole(&s.value, outside{s.removed, madeAt(s.record), s.revision})
	return s.value
}

func (t table[T]) scan(row sqldb.Row) (stored[T], error) {
	var s stored[T]
	err := row.Scan(append(t.into(&s.value), &s.removed, &s.record, &s.revision)...)
	return s, err
}

// known reads what is known of the things with these ids, by id; nothing of those of which nothing is.
func (t table[T]) known(ctx context.Context, tx *sqldb.Tx, ids []string) (map[string]entry[T], error) {
	rows, err := t.withIDs(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	known := make(map[string]entry[T], len(ids))
	for id, row := range rows {
		known[id] = row.entry
	}
	return known, nil
}

func (t table[T]) withIDs(ctx context.Context, tx *sqldb.Tx, ids []string) (map[string]stored[T], error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	found := make(map[string]stored[T], len(ids))
	for some := range slices.Chunk(ids, atOnce) {
		args := make([]any, len(some))
		for i, id := range some {
			args[i] = id
		}
		rows, err := t.where(ctx, tx, "where id in ("+strings.TrimSuffix(strings.Repeat("?, ", len(some)), ", ")+")", args...)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			found[t.id(row.value)] = row
		}
	}
	return found, nil
}

// id is the first column.
func (t table[T]) id(v T) string { return t.row(v)[0].(string) }

func (t table[T]) where(ctx context.Context, tx *sqldb.Tx, condition string, args ...any) ([]stored[T], error) {
	rows, err := sqldb.All(ctx, tx, t.scan, "select "+t.all()+" from "+t.name+" "+condition, args...)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", t.name, err)
	}
	return rows, nil
}

// read is where, for callers of this package.
func (t table[T]) read(ctx context.Context, tx *sqldb.Tx, condition string, args ...any) ([]T, error) {
	rows, err := t.where(ctx, tx, condition, args...)
	if err != nil {
		return nil, err
	}
	values := make([]T, len(rows))
	for i, row := range rows {
		values[i] = t.value(row)
	}
	return values, nil
}

func (t table[T]) one(ctx context.Context, tx *sqldb.Tx, id string) (v T, ok bool, err error) {
	found, err := t.read(ctx, tx, "where id = ?", id)
	if err != nil || len(found) == 0 {
		return v, false, err
	}
	return found[0], true, nil
}

// save writes the entries that changed.
func (t table[T]) save(ctx context.Context, tx *sqldb.Tx, entries map[string]entry[T], revision int64) error {
	var rows [][]any
	for _, id := range slices.Sorted(maps.Keys(entries)) { // an order, so that two writers do not block each other
		if e := entries[id]; e.changed {
			rows = append(rows, append(t.row(e.value), e.removed, e.record, revision))
		}
	}
	if len(rows) == 0 {
		return nil
	}
	var sets []string
	for _, column := range append(slices.Clone(t.columns[1:]), own...) {
		sets = append(sets, column+" = excluded."+column)
	}
	err := tx.Insert(ctx, t.name+" ("+t.all()+")", rows, "on conflict (id) do update set "+strings.Join(sets, ", "))
	if err != nil {
		return fmt.Errorf("writing %s: %w", t.name, err)
	}
	return nil
}

var lotTable = table[Lot]{
	name:    "dir_lots",
	columns: []string{"id", "name", "time_zone", "address", "lat", "lon", "heartbeat_s", "created_ms", "updated_ms"},
	row: func(l Lot) []any {
		lat, lon := degrees(l.Location)
		return []any{l.ID, l.Name, l.TimeZone, l.Address, lat, lon, l.HeartbeatSeconds, l.CreatedAt.UnixMilli(), l.UpdatedAt.UnixMilli()}
	},
	into: func(l *Lot) []any {
		lat, lon := placed(&l.Location)
		return []any{&l.ID, &l.Name, &l.TimeZone, &l.Address, lat, lon, &l.HeartbeatSeconds, (*millis)(&l.CreatedAt), (*millis)(&l.UpdatedAt)}
	},
	whole: func(l *Lot, o outside) { l.Removed, l.ChangedAt, l.Revision = o.removed, o.changedAt, o.revision },
}

var zoneTable = table[Zone]{
	name:    "dir_zones",
	columns: []string{"id", "lot_id", "name", "level"},
	row: func(z Zone) []any {
		var level any
		if z.Level != nil {
			level = int64(*z.Level)
		}
		return []any{z.ID, z.LotID, z.Name, level}
	},
	into:  func(z *Zone) []any { return []any{&z.ID, &z.LotID, &z.Name, &z.Level} },
	whole: func(z *Zone, o outside) { z.Removed, z.ChangedAt, z.Revision = o.removed, o.changedAt, o.revision },
}

var spotTable = table[Spot]{
	name:    "dir_spots",
	columns: []string{"id", "lot_id", "zone_id", "name", "category", "lat", "lon", "heartbeat_s", "sensor_id"},
	row: func(s Spot) []any {
		lat, lon := degrees(s.Location)
		return []any{s.ID, s.LotID, s.ZoneID, s.Name, s.Category, lat, lon, s.HeartbeatSeconds, s.SensorID}
	},
	into: func(s *Spot) []any {
		lat, lon := placed(&s.Location)
		return []any{&s.ID, &s.LotID, &s.ZoneID, &s.Name, &s.Category, lat, lon, &s.HeartbeatSeconds, &s.SensorID}
	},
	whole: func(s *Spot, o outside) { s.Removed, s.ChangedAt, s.Revision = o.removed, o.changedAt, o.revision },
}

func degrees(l *Location) (lat, lon any) {
	if l == nil {
		return nil, nil
	}
	return l.Lat, l.Lon
}

// millis reads Unix milliseconds into a time.
type millis time.Time

func (m *millis) Scan(value any) error {
	ms, ok := value.(int64)
	if !ok {
		return fmt.Errorf("%v is no time", value)
	}
	*m = millis(time.UnixMilli(ms).UTC())
	return nil
}

// placed are two targets that make a location of what is read into them, or none of two nulls.
func placed(to **Location) (lat, lon *degree) {
	return &degree{to: to, set: func(l *Location, v float64) { l.Lat = v }}, &degree{to: to, set: func(l *Location, v float64) { l.Lon = v }}
}

type degree struct {
	to  **Location
	set func(*Location, float64)
}

func (d *degree) Scan(value any) error {
	switch v := value.(type) {
	case nil:
		return nil
	case float64:
		if *d.to == nil {
			*d.to = &Location{}
		}
		d.set(*d.to, v)
		return nil
	}
	return fmt.Errorf("%v is no number of degrees", value)
}
