package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"parkwire/internal/parking"
	"parkwire/internal/parking/internal/storage"
)

// tx implements [parking.Tx]. It holds the one lock there is for writing.
type tx struct {
	w        *writer
	appended bool // to the outbox
	recorded bool // something in the records
}

func (t *tx) Lot(ctx context.Context, id string) (parking.Lot, error) {
	return storage.Single(read(ctx, t.w, storage.ScanLot, "select "+storage.LotColumns+" from lots where id = ?", id))("lot", id)
}

func (t *tx) AddLot(ctx context.Context, l parking.Lot) error {
	err := t.w.exec(`insert into lots (id, name, time_zone, address, lat, lon, heartbeat_ms, created_at, updated_at)
		values (?, ?, ?, ?, ?, ?, ?, ?, ?)`, l.ID, l.Name, l.TimeZone, l.Address, storage.Lat(l.Location), storage.Lon(l.Location),
		l.Heartbeat.Milliseconds(), l.CreatedAt.UnixMilli(), l.UpdatedAt.UnixMilli())
	return wrote("adding", "lot", l.ID)(1, err)
}

func (t *tx) SaveLot(ctx context.Context, l parking.Lot) error {
	return wrote("saving", "lot", l.ID)(t.w.affect(`update lots set name = ?, time_zone = ?, address = ?, lat = ?, lon = ?,
		heartbeat_ms = ?, created_at = ?, updated_at = ? where id = ?`, l.Name, l.TimeZone, l.Address, storage.Lat(l.Location),
		storage.Lon(l.Location), l.Heartbeat.Milliseconds(), l.CreatedAt.UnixMilli(), l.UpdatedAt.UnixMilli(), l.ID))
}

func (t *tx) RemoveLot(ctx context.Context, id string) error {
	return t.remove(ctx, "lot", id, `select 1 from spots where lot_id = ? and status <> 'removed' limit 1`, `delete from lots where id = ?`)
}

func (t *tx) Zone(ctx context.Context, id string) (parking.Zone, error) {
	return storage.Single(read(ctx, t.w, storage.ScanZone, "select "+storage.ZoneColumns+" from zones where id = ?", id))("zone", id)
}

func (t *tx) Zones(ctx context.Context, ids []string) (map[string]parking.Zone, error) {
	zones, err := read(ctx, t.w, storage.ScanZone,
		"select "+storage.ZoneColumns+" from zones where id in (select value from json_each(?))", list(ids))
	if err != nil {
		return nil, fmt.Errorf("reading zones: %w", err)
	}
	return storage.ZonesByID(zones), nil
}

func (t *tx) ZonesOf(ctx context.Context, lotID string) ([]parking.Zone, error) {
	zones, err := read(ctx, t.w, storage.ScanZone, "select "+storage.ZoneColumns+" from zones where lot_id = ? order by id", lotID)
	if err != nil {
		return nil, fmt.Errorf("reading the zones of lot %q: %w", lotID, err)
	}
	return zones, nil
}

func (t *tx) AddZone(ctx context.Context, z parking.Zone) error {
	err := t.w.exec(`insert into zones (id, lot_id, name, level) values (?, ?, ?, ?)`, z.ID, z.LotID, z.Name, z.Level)
	return wrote("adding", "zone", z.ID)(1, err)
}

func (t *tx) SaveZone(ctx context.Context, z parking.Zone) error {
	return wrote("saving", "zone", z.ID)(t.w.affect(`update zones set lot_id = ?, name = ?, level = ? where id = ?`, z.LotID, z.Name, z.Level, z.ID))
}

func (t *tx) RemoveZone(ctx context.Context, id string) error {
	return t.remove(ctx, "zone", id, `select 1 from spots where zone_id = ? and status <> 'removed' limit 1`, `delete from zones where id = ?`)
}

func (t *tx) remove(ctx context.Context, what, id, inUse, remove string) error {
	used, err := read(ctx, t.w, func(r storage.Row) (any, error) { return nil, nil }, inUse, id)
	if err == nil && len(used) > 0 {
		err = parking.ErrInUse
	}
	if err != nil {
		return fmt.Errorf("removing %s %q: %w", what, id, err)
	}
	if err := wrote("removing", what, id)(t.w.affect(remove, id)); err != nil {
		return err
	}
	t.w.memory.left(func(s parking.Spot) (lot, zone bool) {
		return what == "lot" && s.LotID == id, what == "zone" && s.ZoneID == id
	})
	return nil
}

// Each of the three kinds is found by an index that readings do not touch; only the spots of lots and those
// with an interval are looked at.
const overdue = `select ` + storage.SpotColumns + ` from spots s where s.status <> 'removed' and s.id in (
	select id from spots where reserved_until <= ?1
	union select id from spots where heartbeat_ms > 0 and occupancy <> 'unknown'
		and max(coalesce(last_observed_at, added_at), coalesce(last_heard_at, 0)) < ?1 - heartbeat_ms
	union select s.id from lots l join spots s on s.lot_id = l.id where l.heartbeat_ms > 0 and s.heartbeat_ms = 0
		and s.occupancy <> 'unknown' and max(coalesce(s.last_observed_at, s.added_at), coalesce(s.last_heard_at, 0)) < ?1 - l.heartbeat_ms)
	order by s.id limit ?2`

func (t *tx) Overdue(ctx context.Context, now time.Time, limit int) ([]parking.Spot, error) {
	spots, err := read(ctx, t.w, storage.ScanSpot, overdue, now.UnixMilli(), limit)
	if err != nil {
		return nil, fmt.Errorf("looking for spots that something is due for: %w", err)
	}
	for _, spot := range spots {
		t.w.memory.known[spot.ID] = spot
	}
	return spots, nil
}

// wrote says what became of a statement that was to write one row.
func wrote(doing, what, id string) func(n int, err error) error {
	return func(n int, err error) error {
		switch {
		case constraint(err, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY):
			err = parking.ErrTaken
		case constraint(err, sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY):
			err = fmt.Errorf("what it belongs to: %w", parking.ErrNotFound)
		case err == nil && n == 0:
			err = parking.ErrNotFound
		}
		if err != nil {
			return fmt.Errorf("%s %s %q: %w", doing, what, id, err)
		}
		return nil
	}
}

// millis returns a time as it is stored; nil for the zero time.
func millis(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	ms := t.UnixMilli()
	return &ms
}

// list returns ids as a JSON array, in order, for json_each.
func list[T ~string](ids []T) string {
	ids = slices.Sorted(slices.Values(ids))
	b, _ := json.Marshal(ids) // strings always marshal
	return string(b)
}
