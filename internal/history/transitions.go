package history

import (
	"context"
	"fmt"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/sqldb"
)

// Hole is what a spot is while the log says nothing of it because it had a hole: nobody knows, and no sensor was silent.
const Hole event.Status = "hole"

// Transition is a moment at which a spot became something else.
type Transition struct {
	SpotID, ZoneID string
	At             time.Time
	To             event.Status // [Hole] where nobody knows because the log had one
	// From is what it was until then; "" where that is not known: it was heard of for the first time, or what was before is not kept any more.
	From event.Status
	// FromSince is since when it was that, and RecordedAt when the record that told of the transition was written. Zero where From is "".
	FromSince, RecordedAt time.Time
}

// TransitionQuery asks for the transitions in a lot from From on and before To, newest first.
type TransitionQuery struct {
	LotID          string
	ZoneID, SpotID string // only there; "": anywhere in the lot
	From, To       time.Time
	Offset, Limit  int
}

// Transitions returns them.
func Transitions(ctx context.Context, tx *sqldb.Tx, q TransitionQuery) ([]Transition, error) {
	ended, args := q.part("intervals", "began")
	open, more := q.part("spots", "since")
	args = append(append(args, more...), q.Limit, q.Offset)
	all, err := sqldb.All(ctx, tx, scanTransition, ended+" union all "+open+" order by 3 desc, 1 limit ? offset ?", args...)
	if err != nil {
		return nil, fmt.Errorf("reading the transitions of lot %q: %w", q.LotID, err)
	}
	return all, nil
}

// part selects what the intervals in a table began with. The one before is found by its key: of those of the spot it is the last that began
// before, and ends where this one begins.
func (q TransitionQuery) part(table, began string) (query string, args []any) {
	query = `
		select i.spot_id, i.zone_id, i.` + began + `, case when i.hole then 'hole' else i.status end,
			case when p.hole then 'hole' else coalesce(p.status, '') end, coalesce(p.began, 0), coalesce(p.recorded_at, 0)
		from ` + table + ` as i left join intervals as p on p.spot_id = i.spot_id and p.ended = i.` + began + `
			and p.began = (select max(b.began) from intervals as b where b.spot_id = i.spot_id and b.began < i.` + began + `)
		where i.lot_id = ? and i.` + began + ` >= ? and i.` + began + ` < ?`
	args = []any{q.LotID, q.From.UnixMilli(), q.To.UnixMilli()}
	if q.ZoneID != "" {
		query, args = query+" and i.zone_id = ?", append(args, q.ZoneID)
	}
	if q.SpotID != "" {
		query, args = query+" and i.spot_id = ?", append(args, q.SpotID)
	}
	return query, args
}

func scanTransition(r sqldb.Row) (t Transition, err error) {
	var at, since, recorded int64
	if err := r.Scan(&t.SpotID, &t.ZoneID, &at, &t.To, &t.From, &since, &recorded); err != nil {
		return t, err
	}
	t.At = time.UnixMilli(at).UTC()
	if t.From != "" {
		t.FromSince, t.RecordedAt = time.UnixMilli(since).UTC(), time.UnixMilli(recorded).UTC()
	}
	return t, nil
}
