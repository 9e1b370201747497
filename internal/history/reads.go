package history

import (
	"context"
	"time"

	"parkwire/internal/event"
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

// EachStay calls fn with every stay in a lot that began or ended within a time, in the order of their ends; then with those that go on. fn must not
// use tx.
func EachStay(ctx context.Context, tx *sqldb.Tx, lotID string, from, to time.Time, fn func(Stay) error) error {
	err := sqldb.Each(ctx, tx, func(r sqldb.Row) error {
		stay, err := scanStay(r)
		if err != nil {
			return err
		}
		return fn(stay)
	}, `
		select spot_id, lot_id, zone_id, began, ended, status_before, status_after, completed from stays
		where lot_id = ? and ended >= ? and (ended < ? or began >= ? and began < ?) order by ended, spot_id`,
		lotID, from.UnixMilli(), to.UnixMilli(), from.UnixMilli(), to.UnixMilli())
	if err != nil {
		return err
	}
	open, err := OpenStays(ctx, tx, Scope{Lot: lotID})
	for _, stay := range open {
		if err == nil && !stay.Began.Before(from) && stay.Began.Before(to) {
			err = fn(stay)
		}
	}
	return err
}

// endOfTime lies behind everything that is kept.
var endOfTime = time.Date(9999, time.January, 1, 0, 0, 0, 0, time.UTC)

// readAtOnce is how many rows are read at once where many are asked for.
const readAtOnce = 2000

// EachSilence calls fn with the intervals of a lot that overlap a time and in which nobody knew what a spot was; ended is zero while it goes on. fn
// must not use tx.
func EachSilence(ctx context.Context, tx *sqldb.Tx, lotID string, from, to time.Time, fn func(spotID, zoneID string, began, ended time.Time) error) error {
	scan := func(r sqldb.Row) error {
		var spotID, zoneID string
		var began, ended int64
		if err := r.Scan(&spotID, &zoneID, &began, &ended); err != nil {
			return err
		}
		end := time.Time{}
		if ended != 0 {
			end = time.UnixMilli(ended).UTC()
		}
		return fn(spotID, zoneID, time.UnixMilli(began).UTC(), end)
	}
	unknown := string(event.Unknown)
	err := sqldb.Each(ctx, tx, scan, `
		select spot_id, zone_id, began, ended from intervals
		where lot_id = ? and status = ? and began < ? and ended > ? order by began, spot_id`, lotID, unknown, to.UnixMilli(), from.UnixMilli())
	if err != nil {
		return err
	}
	return sqldb.Each(ctx, tx, scan, `
		select spot_id, zone_id, since, 0 from spots
		where lot_id = ? and status = ? and since < ? order by since, spot_id`, lotID, unknown, to.UnixMilli())
}
