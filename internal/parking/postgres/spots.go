package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"parkwire/internal/parking"
	"parkwire/internal/parking/internal/storage"
	"parkwire/internal/relay"
)

func (t *tx) Spots(ctx context.Context, ids []string) (map[string]parking.Spot, error) {
	spots, err := read(ctx, t, storage.ScanSpot, "select "+storage.SpotColumns+" from spots s where s.id = any($1) order by s.id for update", possible(ids))
	if err != nil {
		return nil, fmt.Errorf("reading spots: %w", err)
	}
	found := make(map[string]parking.Spot, len(spots))
	for _, spot := range spots {
		found[spot.ID] = spot
		t.know(spot.ID)
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
				t.know(spot.ID)
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

func (t *tx) know(id string) {
	if t.known == nil {
		t.known = make(map[string]bool)
	}
	t.known[id] = true
}

func (t *tx) SaveSpots(ctx context.Context, spots []parking.Spot) error {
	var added, changed []parking.Spot
	at := make(map[string]int, len(spots)) // of a spot that is there twice the last counts
	for _, spot := range spots {
		to := &added
		if t.known[spot.ID] {
			to = &changed
		}
		if i, twice := at[spot.ID]; twice {
			(*to)[i] = spot
			continue
		}
		at[spot.ID] = len(*to)
		*to = append(*to, spot)
	}
	if len(added) > 0 {
		n, err := t.affect(ctx, insertSpots, spotArrays(added)...)
		if err == nil && n < len(added) {
			err = parking.ErrTaken
		}
		if err != nil {
			return wrote("adding", fmt.Sprintf("%d spots, the first", len(added)), added[0].ID)(n, err)
		}
	}
	if len(changed) > 0 {
		n, err := t.affect(ctx, updateSpots, spotArrays(changed)...)
		if err = wrote("saving", fmt.Sprintf("%d spots, the first", len(changed)), changed[0].ID)(n, err); err != nil {
			return err
		}
	}
	for _, spot := range added {
		t.know(spot.ID)
	}
	return nil
}

// spotArrays are the columns of the statements below: one array a column, however many spots.
func spotArrays(spots []parking.Spot) []any {
	type S = parking.Spot
	return []any{
		column(spots, func(s S) string { return s.ID }), column(spots, func(s S) *string { return storage.Null(s.LotID) }),
		column(spots, func(s S) *string { return storage.Null(s.ZoneID) }), column(spots, func(s S) string { return s.Name }),
		column(spots, func(s S) string { return string(s.Category) }), column(spots, func(s S) *float64 { return storage.Lat(s.Location) }),
		column(spots, func(s S) *float64 { return storage.Lon(s.Location) }), column(spots, func(s S) int64 { return s.Heartbeat.Milliseconds() }),
		column(spots, func(s S) string { return string(s.Occupancy) }), column(spots, func(s S) bool { return s.SignalLost }),
		column(spots, func(s S) bool { return s.Closed }), column(spots, func(s S) bool { return s.Faulted }),
		column(spots, func(s S) string { return string(s.Status()) }), column(spots, func(s S) string { return storage.Reservation(s).Reference }),
		column(spots, func(s S) *time.Time { return instant(storage.Reservation(s).ReservedAt) }),
		column(spots, func(s S) *time.Time { return instant(storage.Reservation(s).Until) }), column(spots, func(s S) int64 { return s.Version }),
		column(spots, func(s S) *time.Time { return instant(s.LastObservedAt) }), column(spots, func(s S) int64 { return s.LastSequence }),
		column(spots, func(s S) string { return s.SensorID }), column(spots, func(s S) *time.Time { return instant(s.AddedAt) }),
		column(spots, func(s S) *time.Time { return instant(s.ChangedAt) }), column(spots, func(s S) *time.Time { return instant(s.LastHeardAt) }),
	}
}

const spotColumns = `id, lot_id, zone_id, name, category, lat, lon, heartbeat_ms, occupancy, signal_lost, closed, faulted, status,
	reservation_reference, reserved_at, reserved_until, version, last_observed_at, last_sequence, sensor_id, added_at, changed_at, last_heard_at`

const spotRows = `unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::float8[], $7::float8[], $8::bigint[], $9::text[],
	$10::bool[], $11::bool[], $12::bool[], $13::text[], $14::text[], $15::timestamptz[], $16::timestamptz[], $17::bigint[],
	$18::timestamptz[], $19::bigint[], $20::text[], $21::timestamptz[], $22::timestamptz[], $23::timestamptz[]) as r (` + spotColumns + `)`

var (
	// In the order of ids, so that two that add the same spots do not wait for each other.
	insertSpots = `insert into spots (` + spotColumns + `) select * from ` + spotRows + ` order by r.id collate "C" on conflict (id) do nothing`
	updateSpots = `update spots s set ` + assignments(spotColumns) + ` from ` + spotRows + ` where s.id = r.id`
)

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
