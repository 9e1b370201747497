package history

import (
	"context"
	"time"

	"parkwire/internal/sqldb"
)

// heardOf reports whether anything is kept of a lot, for lots that nobody described.
func heardOf(ctx context.Context, tx *sqldb.Tx, lotID string) (bool, error) {
	_, found, err := sqldb.One(ctx, tx, scanString, "select lot_id from quarters where lot_id = ? limit 1", lotID)
	return found, err
}

// heardOfZone is [heardOf] of a zone.
func heardOfZone(ctx context.Context, tx *sqldb.Tx, s Scope) (bool, error) {
	_, found, err := sqldb.One(ctx, tx, scanString, "select zone_id from quarters where lot_id = ? and zone_id = ? limit 1", s.Lot, s.Zone)
	return found, err
}

// whereabouts are the lots in which a spot was, as far as that is kept; the present one comes first.
func whereabouts(ctx context.Context, tx *sqldb.Tx, spotID string) ([]string, error) {
	return sqldb.All(ctx, tx, scanString, `
		select lot_id from (
			select 0 as rank, lot_id from spots where spot_id = ?
			union select 1, lot_id from intervals where spot_id = ?
			union select 1, lot_id from stays where spot_id = ?
		) as places order by rank, lot_id`, spotID, spotID, spotID)
}

func scanString(r sqldb.Row) (text string, err error) { return text, r.Scan(&text) }

// endOfTime lies behind everything that is kept.
var endOfTime = time.Date(9999, time.January, 1, 0, 0, 0, 0, time.UTC)

// readAtOnce is how many rows are read at once where many are asked for.
const readAtOnce = 2000
