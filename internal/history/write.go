package history

import (
	"cmp"
	"context"
	"database/sql"
	"maps"
	"slices"
	"strings"

	"parkwire/internal/event"
	"parkwire/internal/sqldb"
)

// tables are all that are made of the log of events.
var tables = []string{"spots", "intervals", "stays", "partitions", "quarters", "minutes", "spans", "quarter_changes"}

const spotColumns = "spot_id, partition, version, status, hole, lot_id, zone_id, since, counted, last_at, recorded_at, stay_began, stay_before, twin"

// load reads what is remembered.
func (e *effect) load(ctx context.Context, tx *sqldb.Tx) error {
	err := sqldb.Each(ctx, tx, func(r sqldb.Row) error {
		s := &spot{}
		var lot, zone string
		var counted, stayBegan sql.NullInt64
		err := r.Scan(&s.id, &s.partition, &s.version, &s.status, &s.hole, &lot, &zone, &s.since, &counted, &s.last, &s.recorded,
			&stayBegan, &s.stayBefore, &s.twin)
		if err != nil {
			return err
		}
		s.place = e.at(lot, zone)
		s.saved = s.place
		s.counted, s.ended, s.stayBegan = counted.Int64, counted.Valid, stayBegan.Int64
		e.spots[s.id] = s
		return nil
	}, "select "+spotColumns+" from spots")
	if err != nil {
		return err
	}
	return sqldb.Each(ctx, tx, func(r sqldb.Row) error {
		var partition int32
		var reached int64
		err := r.Scan(&partition, &reached)
		e.reached[partition] = reached
		return err
	}, "select partition, reached from partitions")
}

// write puts into the tables what the batch came to. Rows are in the order of their keys, so that neighbours are written together.
func (e *effect) write(ctx context.Context, tx *sqldb.Tx) error {
	b := e.book
	e.tally.intervals += len(b.intervals)
	e.tally.stays += len(b.stays)
	for _, step := range []func(context.Context, *sqldb.Tx) error{
		b.writeSpots, b.writeIntervals, b.writeStays, b.writeRollups, b.writeSpans, b.writeChanges, e.writeReached,
	} {
		if err := step(ctx, tx); err != nil {
			return err
		}
	}
	b.clear()
	clear(e.moved)
	e.hand()
	return nil
}

// writeSpots writes those that are new or have moved apart from the others: SQLite writes every index of which a column is named.
func (b *book) writeSpots(ctx context.Context, tx *sqldb.Tx) error {
	var all, stayed [][]any
	slices.SortFunc(b.spots, func(x, y *spot) int { return cmp.Compare(x.id, y.id) })
	for _, s := range b.spots {
		counted := sql.NullInt64{Int64: s.counted, Valid: s.ended}
		began := sql.NullInt64{Int64: s.stayBegan, Valid: s.status == event.Occupied}
		row := []any{
			s.id, int64(s.partition), s.version, string(s.status), s.hole, s.place.lot, s.place.zone, s.since, null(counted), s.last, s.recorded,
			null(began), s.stayBefore, s.twin,
		}
		if s.saved == s.place {
			stayed = append(stayed, row)
		} else {
			all = append(all, row)
		}
		s.saved = s.place
	}
	columns := strings.Split(spotColumns, ", ")[1:]
	still := slices.DeleteFunc(slices.Clone(columns), func(c string) bool { return c == "lot_id" || c == "zone_id" })
	if err := tx.Insert(ctx, "spots ("+spotColumns+")", all, "on conflict (spot_id) do update set "+replace(columns)); err != nil {
		return err
	}
	return tx.Insert(ctx, "spots ("+spotColumns+")", stayed, "on conflict (spot_id) do update set "+replace(still))
}

func null(n sql.NullInt64) any {
	if !n.Valid {
		return nil
	}
	return n.Int64
}

func replace(columns []string) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = c + " = excluded." + c
	}
	return strings.Join(parts, ", ")
}

func (b *book) writeIntervals(ctx context.Context, tx *sqldb.Tx) error {
	sortByLot(b.intervals, 5, 1)
	return tx.Insert(ctx, "intervals (spot_id, began, ended, status, hole, lot_id, zone_id, recorded_at)", b.intervals, "")
}

func (b *book) writeStays(ctx context.Context, tx *sqldb.Tx) error {
	sortByLot(b.stays, 3, 2)
	return tx.Insert(ctx, "stays (spot_id, began, ended, lot_id, zone_id, status_before, status_after, completed, recorded_at)", b.stays, "")
}

// sortByLot brings rows into the order of their lots, and of a time, which are in some of their columns.
func sortByLot(rows [][]any, lot, at int) {
	slices.SortStableFunc(rows, func(x, y []any) int {
		return cmp.Or(cmp.Compare(x[lot].(string), y[lot].(string)), cmp.Compare(x[at].(int64), y[at].(int64)))
	})
}

// rollupColumns are those of deltas, without the key and recorded_at.
var rollupColumns = func() (names []string) {
	for _, s := range statuses {
		names = append(names, string(s)+"_delta", string(s)+"_ms")
	}
	return append(names, "arrivals", "departures", "sessions", "dwell_ms")
}()

func (b *book) writeRollups(ctx context.Context, tx *sqldb.Tx) error {
	if err := writeDeltas(ctx, tx, "quarters", "quarter", b.quarters); err != nil {
		return err
	}
	return writeDeltas(ctx, tx, "minutes", "minute", b.minutes)
}

func writeDeltas(ctx context.Context, tx *sqldb.Tx, table, key string, all map[cell]*deltas) error {
	rows := make([][]any, 0, len(all))
	values := make([]any, 0, len(all)*(len(rollupColumns)+4))
	for _, c := range sortedCells(all) {
		d, first := all[c], len(values)
		values = append(values, c.place.lot, c.place.zone, c.begin)
		for i := range statuses {
			values = append(values, d.number[i], d.millis[i])
		}
		values = append(values, d.arrivals, d.departures, d.sessions, d.dwell, d.recorded)
		rows = append(rows, values[first:len(values):len(values)])
	}
	into := table + " (lot_id, zone_id, " + key + ", " + strings.Join(rollupColumns, ", ") + ", recorded_at)"
	newest := "recorded_at = case when excluded.recorded_at > " + table + ".recorded_at then excluded.recorded_at else " + table + ".recorded_at end"
	return tx.Insert(ctx, into, rows, "on conflict (lot_id, zone_id, "+key+") do update set "+increase(table, rollupColumns)+", "+newest)
}

func increase(table string, columns []string) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = c + " = " + table + "." + c + " + excluded." + c
	}
	return strings.Join(parts, ", ")
}

func compareCells(x, y cell) int {
	return cmp.Or(cmp.Compare(x.place.lot, y.place.lot), cmp.Compare(x.place.zone, y.place.zone), cmp.Compare(x.begin, y.begin))
}

func sortedCells[V any](of map[cell]V) []cell { return slices.SortedFunc(maps.Keys(of), compareCells) }

// spanColumns are the deltas that spans add up.
var spanColumns = func() (names []string) {
	for _, s := range statuses {
		names = append(names, string(s)+"_delta")
	}
	return names
}()

func (b *book) writeSpans(ctx context.Context, tx *sqldb.Tx) error {
	var rows [][]any
	for _, c := range sortedCells(b.spans) {
		row := []any{c.place.lot, c.place.zone, c.begin}
		for _, n := range b.spans[c] {
			row = append(row, n)
		}
		rows = append(rows, row)
	}
	return tx.Insert(ctx, "spans (lot_id, zone_id, span, "+strings.Join(spanColumns, ", ")+")", rows,
		"on conflict (lot_id, zone_id, span) do update set "+increase("spans", spanColumns))
}

func (b *book) writeChanges(ctx context.Context, tx *sqldb.Tx) error {
	keys := slices.SortedFunc(maps.Keys(b.changes), func(x, y kind) int {
		return cmp.Or(compareCells(x.cell, y.cell), cmp.Compare(x.change, y.change))
	})
	var rows [][]any
	for _, k := range keys {
		rows = append(rows, []any{k.place.lot, k.place.zone, k.begin, string(k.change), b.changes[k]})
	}
	return tx.Insert(ctx, "quarter_changes (lot_id, zone_id, quarter, change, changes)", rows,
		"on conflict (lot_id, zone_id, quarter, change) do update set "+increase("quarter_changes", []string{"changes"}))
}

func (e *effect) writeReached(ctx context.Context, tx *sqldb.Tx) error {
	var rows [][]any
	for _, p := range slices.Sorted(maps.Keys(e.moved)) {
		rows = append(rows, []any{int64(p), e.reached[p]})
	}
	return tx.Insert(ctx, "partitions (partition, reached)", rows, "on conflict (partition) do update set reached = excluded.reached")
}
