package history

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/identity"
	"parkwire/internal/rest"
	"parkwire/internal/sqldb"
)

// intervalRow is a time in which a spot did not change, as it is answered and as it stands in a file. The one that goes on has no end.
type intervalRow struct {
	SpotID           string     `json:"-" parquet:"spotId,dict"`
	LotID            string     `json:"lotId,omitempty" parquet:"lotId,dict"`
	ZoneID           *string    `json:"zoneId,omitempty" parquet:"zoneId,dict"`
	Status           string     `json:"status" parquet:"status,dict"`
	Begin            time.Time  `json:"begin" parquet:"begin,timestamp(millisecond)"`
	End              *time.Time `json:"end,omitempty" parquet:"end,timestamp(millisecond)"`
	UTCOffsetMinutes int32      `json:"-" parquet:"utcOffsetMinutes"` // at its begin
	LengthSeconds    *float64   `json:"lengthSeconds,omitempty" parquet:"lengthSeconds"`
}

func viewInterval(i SpotInterval, clock *time.Location) intervalRow {
	begin := i.Began.In(clock)
	_, offset := begin.Zone()
	row := intervalRow{
		SpotID: i.SpotID, LotID: i.LotID, ZoneID: orAbsent(i.ZoneID), Status: string(i.Status), Begin: begin, UTCOffsetMinutes: int32(offset / 60),
	}
	if !i.Ended.IsZero() {
		end, length := i.Ended.In(clock), i.Ended.Sub(i.Began).Seconds()
		row.End, row.LengthSeconds = &end, &length
	}
	return row
}

// intervalsView is a page of intervals.
type intervalsView struct {
	Items    []intervalRow `json:"items"`
	Next     string        `json:"next,omitempty"`
	SpotID   string        `json:"spotId"`
	TimeZone string        `json:"timeZone"`
	From     time.Time     `json:"from"`
	To       time.Time     `json:"to"`
	AsOf     event.Time    `json:"asOf"`
	KeptFrom event.Time    `json:"keptFrom,omitzero"` // as of stays
}

// intervalsAsked is what intervals are asked for.
type intervalsAsked struct {
	period
	spotID   string
	who      identity.Principal
	clock    *time.Location
	from, to time.Time
	after    time.Time // the end of the last one of the page before
}

func (s *Service) getIntervals(w http.ResponseWriter, r *http.Request, by rest.Caller) (rest.Answer, error) {
	p := rest.ParseParams(r.URL.RawQuery)
	q := intervalsAsked{spotID: r.PathValue("spotId"), who: by.Who, period: readPeriod(p)}
	format := p.Format(r, offers...)
	var page rest.Page
	if format == formatJSON {
		page = p.Page("intervals")
		if page.After != "" {
			ended, err := strconv.ParseInt(page.Note, 10, 64)
			if err != nil {
				p.FailCursor(page.Note)
			}
			q.after = time.UnixMilli(ended)
		}
	}
	if err := p.End(); err != nil {
		return rest.Answer{}, err
	}
	v := intervalsView{Items: []intervalRow{}, SpotID: q.spotID}
	until, err := s.knownUntil()
	if err != nil {
		return rest.Answer{}, err
	}
	err = s.db.View(r.Context(), func(ctx context.Context, tx *sqldb.Tx) (err error) {
		if q.clock, err = clockOfSpot(ctx, tx, q.who, q.spotID); err != nil {
			return err
		}
		if q.from, q.to, err = q.resolve(q.clock, s.clock(), usualStays); err != nil || format != formatJSON {
			return err
		}
		v.TimeZone, v.From, v.To, v.AsOf, v.KeptFrom = q.clock.String(), q.from, q.to, event.At(until), event.At(s.wholeFrom())
		for end := false; !end && len(v.Items) <= page.Limit; {
			if v.Items, end, err = q.part(ctx, tx, v.Items); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return rest.Answer{}, err
	}
	if format == formatJSON {
		if len(v.Items) > page.Limit {
			v.Items = v.Items[:page.Limit]
			v.Next = rest.Next("intervals", strconv.FormatInt(v.Items[page.Limit-1].End.UnixMilli(), 10), q.spotID)
		}
		return answered(w, v, q.to, until), nil
	}
	end := false
	a, err := download(format, "intervals-"+q.spotID, func() (rows []intervalRow, err error) {
		for len(rows) == 0 && !end {
			err := s.db.View(r.Context(), func(ctx context.Context, tx *sqldb.Tx) (err error) {
				rows, end, err = q.part(ctx, tx, rows)
				return err
			})
			if err != nil {
				return nil, err
			}
		}
		return rows, nil
	})
	return a, err
}

// part reads on, and appends what the caller may see to rows; end says that there is no more. Intervals of a spot do not overlap: those behind the
// last one are those that overlap the time from its end on.
func (q *intervalsAsked) part(ctx context.Context, tx *sqldb.Tx, rows []intervalRow) (_ []intervalRow, end bool, err error) {
	from := q.from
	if q.after.After(from) {
		from = q.after
	}
	read, err := Intervals(ctx, tx, q.spotID, from, q.to, readAtOnce)
	if err != nil {
		return nil, true, err
	}
	for _, i := range read {
		if q.after = i.Ended; q.who.Reaches(i.LotID) {
			rows = append(rows, viewInterval(i, q.clock))
		}
	}
	return rows, len(read) < readAtOnce || q.after.IsZero(), nil // behind the one that goes on there is none
}
