package postgres

import (
	"context"
	"fmt"

	"parkwire/internal/parking"
	"parkwire/internal/parking/internal/storage"
)

// Whoever reads a lot or a zone to change it, or a lot to put something in, goes after the other. References by
// spots and zones are not held up.
const forChange = " for no key update"

func (t *tx) Lot(ctx context.Context, id string) (parking.Lot, error) {
	return storage.Single(read(ctx, t, storage.ScanLot, "select "+storage.LotColumns+" from lots where id = $1"+forChange, id))("lot", id)
}

func (t *tx) AddLot(ctx context.Context, l parking.Lot) error {
	return wrote("adding", "lot", l.ID)(t.affect(ctx, `insert into lots (id, name, time_zone, address, lat, lon, heartbeat_ms, created_at, updated_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, l.ID, l.Name, l.TimeZone, l.Address, storage.Lat(l.Location),
		storage.Lon(l.Location), l.Heartbeat.Milliseconds(), instant(l.CreatedAt), instant(l.UpdatedAt)))
}

func (t *tx) SaveLot(ctx context.Context, l parking.Lot) error {
	return wrote("saving", "lot", l.ID)(t.affect(ctx, `update lots set name = $2, time_zone = $3, address = $4, lat = $5, lon = $6,
		heartbeat_ms = $7, created_at = $8, updated_at = $9 where id = $1`, l.ID, l.Name, l.TimeZone, l.Address, storage.Lat(l.Location),
		storage.Lon(l.Location), l.Heartbeat.Milliseconds(), instant(l.CreatedAt), instant(l.UpdatedAt)))
}

func (t *tx) RemoveLot(ctx context.Context, id string) error {
	return t.remove(ctx, "lot", id, `select 1 from lots where id = $1 for update`,
		`select 1 from spots where lot_id = $1 and status <> 'removed' limit 1`,
		`select 1 from spots where lot_id = $1 order by id for update`, `delete from lots where id = $1`)
}

func (t *tx) Zone(ctx context.Context, id string) (parking.Zone, error) {
	return storage.Single(read(ctx, t, storage.ScanZone, "select "+storage.ZoneColumns+" from zones where id = $1"+forChange, id))("zone", id)
}

func (t *tx) Zones(ctx context.Context, ids []string) (map[string]parking.Zone, error) {
	zones, err := read(ctx, t, storage.ScanZone,
		"select "+storage.ZoneColumns+" from zones where id = any($1) order by id for key share", possible(ids))
	if err != nil {
		return nil, fmt.Errorf("reading zones: %w", err)
	}
	return storage.ZonesByID(zones), nil
}

func (t *tx) ZonesOf(ctx context.Context, lotID string) ([]parking.Zone, error) {
	zones, err := read(ctx, t, storage.ScanZone, "select "+storage.ZoneColumns+" from zones where lot_id = $1 order by id"+forChange, lotID)
	if err != nil {
		return nil, fmt.Errorf("reading the zones of lot %q: %w", lotID, err)
	}
	return zones, nil
}

func (t *tx) AddZone(ctx context.Context, z parking.Zone) error {
	return wrote("adding", "zone", z.ID)(t.affect(ctx, `insert into zones (id, lot_id, name, level) values ($1, $2, $3, $4)`,
		z.ID, z.LotID, z.Name, z.Level))
}

func (t *tx) SaveZone(ctx context.Context, z parking.Zone) error {
	return wrote("saving", "zone", z.ID)(t.affect(ctx, `update zones set lot_id = $2, name = $3, level = $4 where id = $1`,
		z.ID, z.LotID, z.Name, z.Level))
}

func (t *tx) RemoveZone(ctx context.Context, id string) error {
	return t.remove(ctx, "zone", id, `select 1 from zones where id = $1 for update`,
		`select 1 from spots where zone_id = $1 and status <> 'removed' limit 1`,
		`select 1 from spots where zone_id = $1 order by id for update`, `delete from zones where id = $1`)
}

// remove locks first, which keeps new spots out and waits for those that are being added; then it looks whether there are any.
// The removed ones, which lose what they belonged to, are locked in the order in which everybody locks spots.
func (t *tx) remove(ctx context.Context, what, id, lock, inUse, lockRest, remove string) error {
	if n, err := t.affect(ctx, lock, id); err != nil || n == 0 {
		return wrote("removing", what, id)(n, err)
	}
	if n, err := t.affect(ctx, inUse, id); err != nil || n > 0 {
		if err == nil {
			err = parking.ErrInUse
		}
		return fmt.Errorf("removing %s %q: %w", what, id, err)
	}
	if _, err := t.affect(ctx, lockRest, id); err != nil {
		return fmt.Errorf("removing %s %q: %w", what, id, err)
	}
	return wrote("removing", what, id)(t.affect(ctx, remove, id))
}
