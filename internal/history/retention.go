package history

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"parkwire/internal/sqldb"
)

// Retention is how long what is kept. 0: for ever.
type Retention struct {
	// Minutes and Intervals, which is stays too, count from when the log took what they tell of: a recording of years ago that is replayed today is
	// kept like any other.
	Minutes, Intervals time.Duration
	// Rollups is of those by quarters of an hour, of which hours and days are made. It counts from the time that they tell of, so that everybody knows what is
	// complete.
	Rollups time.Duration
}

// DefaultRetention is what the settings say where nobody says otherwise.
var DefaultRetention = Retention{Minutes: 8 * 24 * time.Hour, Intervals: 400 * 24 * time.Hour}

// rollupsFrom returns since when rollups are complete; zero: since ever.
func (r Retention) rollupsFrom(now time.Time) time.Time {
	if r.Rollups == 0 {
		return time.Time{}
	}
	return time.UnixMilli(floor(now.Add(-r.Rollups).UnixMilli(), spanMillis)).UTC()
}

// KeptFrom returns since when rollups are complete; zero: since ever.
func (s *Service) KeptFrom() time.Time { return s.retention.rollupsFrom(s.clock()) }

// wholeFrom returns since when there are all intervals and stays that ended; zero: since ever. Of what ended earlier there is what was recorded later.
func (s *Service) wholeFrom() time.Time {
	if s.retention.Intervals == 0 {
		return time.Time{}
	}
	const day = 24 * time.Hour
	return s.clock().Add(-s.retention.Intervals).UTC().Truncate(day).Add(day) // by days, so that the same answer is the same to the byte
}

const (
	pruneInterval = time.Hour
	pruneRows     = 5000 // a transaction: short enough for the consumer not to wait long
	pruneSpots    = 500
)

// prune removes what need not be kept any longer, until ctx ends.
func (s *Service) prune(ctx context.Context) {
	failing := false
	for first := true; ; first = false {
		wait := pruneInterval
		if first {
			wait = rand.N(time.Minute) // instances that start together need not do it together
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		rows, err := s.Prune(ctx, s.clock())
		s.metrics.pruned.Add(float64(rows))
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !failing:
			s.logger.Warn("what is older than the retention of the history is not removed", "error", err)
		case err == nil && failing:
			s.logger.Info("what is older than the retention of the history is removed again")
		}
		failing = err != nil
	}
}

// Prune removes what need not be kept any longer at a time, and returns how many rows that were.
func (s *Service) Prune(ctx context.Context, now time.Time) (rows int64, err error) {
	p := pruning{db: s.db}
	r := s.retention
	if r.Minutes > 0 {
		p.places(ctx, "minutes", "minute", "minute < ? and recorded_at < ?", floor(now.Add(-r.Minutes).UnixMilli(), quarterMillis))
	}
	if r.Intervals > 0 {
		before := now.Add(-r.Intervals).UnixMilli()
		p.spots(ctx, "intervals", "began", before)
		p.spots(ctx, "stays", "ended", before)
	}
	if r.Rollups > 0 {
		// Spans stay: what was before is still part of how many spots there are now.
		before := r.rollupsFrom(now).UnixMilli()
		p.places(ctx, "quarters", "quarter", "quarter < ? and quarter < ?", before)
		p.places(ctx, "quarter_changes", "quarter", "quarter < ? and quarter < ?", before)
	}
	if len(p.errs) > 0 {
		return p.rows, fmt.Errorf("removing what is old: %w", errors.Join(p.errs...))
	}
	return p.rows, nil
}

// pruning removes rows in many short transactions. It goes by places and by spots, whose rows are in the order of time: no index has to be
// kept for it, and what is young is not read.
type pruning struct {
	db   *sqldb.DB
	rows int64
	errs []error
}

// places removes rows of a table by lot and zone. The condition gets the time twice.
func (p *pruning) places(ctx context.Context, table, key, condition string, before int64) {
	var all []place
	p.note(p.db.View(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		all, err = sqldb.All(ctx, tx, func(r sqldb.Row) (one place, err error) { return one, r.Scan(&one.lot, &one.zone) },
			"select distinct lot_id, zone_id from spans order by lot_id, zone_id")
		return err
	}))
	chosen := "select " + key + " from " + table + " where lot_id = ? and zone_id = ? and " + condition + " order by " + key
	query := "delete from " + table + " where lot_id = ? and zone_id = ? and " + key + " in (select " + key + " from (" + chosen + " limit ?) as chosen)"
	for _, one := range all {
		p.repeat(ctx, query, one.lot, one.zone, one.lot, one.zone, before, before, pruneRows)
	}
}

// spots removes the rows of a table that were recorded before a time, by ids.
func (p *pruning) spots(ctx context.Context, table, key string, before int64) {
	query := "delete from " + table + " where (spot_id, " + key + ") in (select spot_id, " + key + " from " + table +
		" where spot_id in (select spot_id from spots where spot_id > ? order by spot_id limit ?) and " + key + " < ? and recorded_at < ? limit ?)"
	after := ""
	for more := true; more && len(p.errs) == 0; {
		p.repeat(ctx, query, after, pruneSpots, before, before, pruneRows)
		p.note(p.db.View(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
			after, more, err = sqldb.One(ctx, tx, scanString, "select spot_id from spots where spot_id > ? order by spot_id limit 1 offset ?", after, pruneSpots-1)
			return err
		}))
	}
}

// repeat runs a statement until it finds less than it may remove.
func (p *pruning) repeat(ctx context.Context, query string, args ...any) {
	for len(p.errs) == 0 {
		var n int64
		p.note(p.db.Update(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
			n, err = tx.Exec(ctx, query, args...)
			return err
		}))
		p.rows += n
		if n < pruneRows {
			return
		}
	}
}

func (p *pruning) note(err error) {
	if err != nil {
		p.errs = append(p.errs, err)
	}
}
