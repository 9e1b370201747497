package history

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/sqldb"
)

// SpotInterval is a time in which a spot was one thing in one place.
type SpotInterval struct {
	SpotID, LotID, ZoneID string
	Status                event.Status
	Hole                  bool      // it is unknown because the log had a hole, and not because a sensor was silent
	Began, Ended          time.Time // Ended is zero while it goes on
}

// Intervals returns the intervals of a spot that overlap a time, in order, up to a limit. Times in which the spot was removed are in none.
func Intervals(ctx context.Context, tx *sqldb.Tx, spotID string, from, to time.Time, limit int) ([]SpotInterval, error) {
	// The first is the last that began before; so what is older is not read.
	all, err := sqldb.All(ctx, tx, scanInterval, `
		select spot_id, lot_id, zone_id, status, hole, began, ended from intervals where spot_id = ? and began < ? and ended > ?
			and began >= coalesce((select max(began) from intervals where spot_id = ? and began <= ?), 0)
		union all
		select spot_id, lot_id, zone_id, status, hole, since, cast(null as bigint) from spots
			where spot_id = ? and since < ? and status <> 'removed' and status <> ''
		order by began limit ?`, spotID, to.UnixMilli(), from.UnixMilli(), spotID, from.UnixMilli(), spotID, to.UnixMilli(), limit)
	if err != nil {
		return nil, fmt.Errorf("reading the intervals of spot %q: %w", spotID, err)
	}
	return all, nil
}

func scanInterval(r sqldb.Row) (i SpotInterval, err error) {
	var began int64
	var ended sql.NullInt64
	err = r.Scan(&i.SpotID, &i.LotID, &i.ZoneID, &i.Status, &i.Hole, &began, &ended)
	i.Began = time.UnixMilli(began).UTC()
	if ended.Valid {
		i.Ended = time.UnixMilli(ended.Int64).UTC()
	}
	return i, err
}

// Stay is a time in which a spot was occupied without an interruption, in the lot and zone in which it ended, or goes on.
type Stay struct {
	SpotID, LotID, ZoneID string
	Began, Ended          time.Time // Ended is zero while it goes on
	// Before and After are the status before and after it; "hole" where the log had one. Before is "" where the spot was occupied when it was first heard of.
	Before, After string
	Completed     bool // it ended, and neither of them is unknown or a hole
}

// BeganKnown reports whether its begin is known.
func (s Stay) BeganKnown() bool { return !uncertain(s.Before) }

// EndedKnown reports whether it ended, and its end is known.
func (s Stay) EndedKnown() bool { return !s.Ended.IsZero() && !uncertain(s.After) }

// StayQuery asks for stays that ended from From on and before To, in the order of their ends and then of their spots.
type StayQuery struct {
	Scope     Scope  // of one lot or zone, or
	SpotID    string // of one spot, wherever it was; with both: of that spot there
	From, To  time.Time
	After     *Stay // those behind it
	Limit     int
	Completed bool // only those
}

// Stays returns them.
func Stays(ctx context.Context, tx *sqldb.Tx, q StayQuery) ([]Stay, error) {
	var where []string
	var args []any
	and := func(condition string, values ...any) { where, args = append(where, condition), append(args, values...) }
	if q.Scope.Lot != "" {
		condition, values := narrow(q.Scope)
		and(condition, values...)
	}
	if q.SpotID != "" {
		and("spot_id = ?", q.SpotID)
	}
	and("ended >= ? and ended < ?", q.From.UnixMilli(), q.To.UnixMilli())
	if q.After != nil {
		at := q.After.Ended.UnixMilli()
		and("ended >= ? and (ended > ? or spot_id > ?)", at, at, q.After.SpotID)
	}
	if q.Completed {
		and("completed")
	}
	all, err := sqldb.All(ctx, tx, scanStay, "select spot_id, lot_id, zone_id, began, ended, status_before, status_after, completed from stays where "+
		strings.Join(where, " and ")+" order by ended, spot_id limit ?", append(args, q.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("reading stays: %w", err)
	}
	return all, nil
}

func scanStay(r sqldb.Row) (s Stay, err error) {
	var began int64
	var ended sql.NullInt64
	err = r.Scan(&s.SpotID, &s.LotID, &s.ZoneID, &began, &ended, &s.Before, &s.After, &s.Completed)
	s.Began = time.UnixMilli(began).UTC()
	if ended.Valid {
		s.Ended = time.UnixMilli(ended.Int64).UTC()
	}
	return s, err
}

// OpenStay returns the stay that goes on on a spot, if there is one.
func OpenStay(ctx context.Context, tx *sqldb.Tx, spotID string) (stay Stay, stands bool, err error) {
	all, err := openStays(ctx, tx, "spot_id = ?", spotID)
	if err != nil || len(all) == 0 {
		return Stay{}, false, err
	}
	return all[0], true, nil
}

func openStays(ctx context.Context, tx *sqldb.Tx, where string, args ...any) ([]Stay, error) {
	all, err := sqldb.All(ctx, tx, scanStay, "select spot_id, lot_id, zone_id, stay_began, cast(null as bigint), stay_before, '', false from spots where "+where+
		" and stay_began is not null order by spot_id", args...)
	if err != nil {
		return nil, fmt.Errorf("reading the stays that go on: %w", err)
	}
	return all, nil
}

// Present is what a spot is.
type Present struct {
	SpotID, LotID, ZoneID string
	Status                event.Status
	Since, ObservedAt     time.Time // ObservedAt is of the newest event
	Version               int64     // 0: no event had one
}

// Presents returns the present of the spots of some lots (nil: of all spots), in the order of lots and spots. Removed ones are left out.
func Presents(ctx context.Context, tx *sqldb.Tx, lotIDs []string) ([]Present, error) {
	where, args := "", []any{}
	if lotIDs != nil {
		if len(lotIDs) == 0 {
			return nil, nil
		}
		where = " and lot_id in (?" + strings.Repeat(", ?", len(lotIDs)-1) + ")"
		for _, id := range lotIDs {
			args = append(args, id)
		}
	}
	all, err := sqldb.All(ctx, tx, func(r sqldb.Row) (p Present, err error) {
		var since, last int64
		err = r.Scan(&p.SpotID, &p.LotID, &p.ZoneID, &p.Status, &since, &last, &p.Version)
		p.Since, p.ObservedAt = time.UnixMilli(since).UTC(), time.UnixMilli(last).UTC()
		return p, err
	}, "select spot_id, lot_id, zone_id, status, since, last_at, version from spots where status <> 'removed' and status <> ''"+where, args...)
	if err != nil {
		return nil, fmt.Errorf("reading what the spots are: %w", err)
	}
	// In the order of bytes, whatever the database's own is.
	slices.SortFunc(all, func(x, y Present) int {
		if c := strings.Compare(x.LotID, y.LotID); c != 0 {
			return c
		}
		return strings.Compare(x.SpotID, y.SpotID)
	})
	return all, nil
}
