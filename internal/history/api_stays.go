package history

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/identity"
	"parkwire/internal/rest"
	"parkwire/internal/sqldb"
)

const usualStays = 7 * 24 * time.Hour

// stayRow is a stay as it is answered, and as it stands in a file.
type stayRow struct {
	SpotID           string    `json:"spotId" parquet:"spotId,dict"`
	LotID            string    `json:"lotId,omitempty" parquet:"lotId,dict"`
	ZoneID           *string   `json:"zoneId,omitempty" parquet:"zoneId,dict"`
	Begin            time.Time `json:"begin" parquet:"begin,timestamp(millisecond)"`
	End              time.Time `json:"end" parquet:"end,timestamp(millisecond)"`
	UTCOffsetMinutes int32     `json:"-" parquet:"utcOffsetMinutes"` // at its begin
	DwellTimeMinutes float64   `json:"dwellTimeMinutes" parquet:"dwellTimeMinutes"`
	Completed        bool      `json:"completed" parquet:"completed"`
	SameDay          bool      `json:"sameDay" parquet:"sameDay"`
	StatusBefore     *string   `json:"statusBefore,omitempty" parquet:"statusBefore,dict"`
	StatusAfter      *string   `json:"statusAfter,omitempty" parquet:"statusAfter,dict"`
}

func viewStay(s Stay, clock *time.Location) stayRow {
	begin, end := s.Began.In(clock), s.Ended.In(clock)
	_, offset := begin.Zone()
	return stayRow{
		SpotID: s.SpotID, LotID: s.LotID, ZoneID: orAbsent(s.ZoneID), Begin: begin, End: end, UTCOffsetMinutes: int32(offset / 60),
		DwellTimeMinutes: inMinutes(end.Sub(begin)), Completed: s.Completed, SameDay: sameDay(begin, end),
		StatusBefore: orAbsent(s.Before), StatusAfter: orAbsent(s.After),
	}
}

// sameDay reports whether two moments are of one date, by the clocks in which they are.
func sameDay(a, b time.Time) bool {
	year, month, day := a.Date()
	y, m, d := b.Date()
	return year == y && month == m && day == d
}

// ongoingView is a stay that goes on.
type ongoingView struct {
	SpotID       string    `json:"spotId"`
	LotID        string    `json:"lotId,omitempty"`
	ZoneID       string    `json:"zoneId,omitempty"`
	Begin        time.Time `json:"begin"`
	StatusBefore string    `json:"statusBefore,omitempty"`
}

// staysView is a page of stays. Statistics are of all that match, and on the first page alone.
type staysView struct {
	Items      []stayRow       `json:"items"`
	Next       string          `json:"next,omitempty"`
	TimeZone   string          `json:"timeZone"`
	From       time.Time       `json:"from"`
	To         time.Time       `json:"to"`
	AsOf       event.Time      `json:"asOf"`
	KeptFrom   event.Time      `json:"keptFrom,omitzero"` // all that ended since then are there; of earlier ones those that were recorded since
	Statistics *statisticsView `json:"statistics,omitempty"`
	Ongoing    *ongoingView    `json:"ongoing,omitempty"`
}

// staysAsked is what stays are asked for.
type staysAsked struct {
	StayQuery
	period
	sameDay bool
	page    rest.Page
	format  string
	who     identity.Principal
	clock   *time.Location
}

func readStaysAsked(r *http.Request, by rest.Caller, zones bool) (q staysAsked, err error) {
	p := rest.ParseParams(r.URL.RawQuery)
	q = staysAsked{
		StayQuery: StayQuery{Scope: Scope{Lot: r.PathValue("lotId")}, SpotID: r.PathValue("spotId")}, who: by.Who,
		period: readPeriod(p), sameDay: p.Flag("sameDay"), format: p.Format(r, offers...),
	}
	if zones {
		q.Scope.Zone = p.ID("zone")
	}
	q.Completed = p.Flag("completed")
	if q.format == formatJSON { // a file has no pages
		q.page = p.Page("stays")
		if q.page.After != "" {
			ended, err := strconv.ParseInt(q.page.Note, 10, 64)
			if err != nil {
				p.FailCursor(q.page.Note)
			}
			q.After = &Stay{SpotID: q.page.After, Ended: time.UnixMilli(ended)}
		}
	}
	return q, p.End()
}

func (s *Service) getLotStays(w http.ResponseWriter, r *http.Request, by rest.Caller) (rest.Answer, error) {
	q, err := readStaysAsked(r, by, true)
	if err != nil {
		return rest.Answer{}, err
	}
	return s.staysAnswer(r.Context(), w, q, fileName("stays", q.Scope), func(ctx context.Context, tx *sqldb.Tx) (*time.Location, error) {
		return scopeOf(ctx, tx, q.Scope)
	})
}

func (s *Service) getSpotStays(w http.ResponseWriter, r *http.Request, by rest.Caller) (rest.Answer, error) {
	q, err := readStaysAsked(r, by, false)
	if err != nil {
		return rest.Answer{}, err
	}
	return s.staysAnswer(r.Context(), w, q, "stays-"+q.SpotID, func(ctx context.Context, tx *sqldb.Tx) (*time.Location, error) {
		return clockOfSpot(ctx, tx, by.Who, q.SpotID)
	})
}

// staysAnswer answers what was asked. find returns the zone whose clocks count, or that there is nothing.
func (s *Service) staysAnswer(ctx context.Context, w http.ResponseWriter, q staysAsked, name string, find func(context.Context, *sqldb.Tx) (*time.Location, error)) (rest.Answer, error) {
	var v staysView
	until, err := s.knownUntil()
	if err != nil {
		return rest.Answer{}, err
	}
	err = s.db.View(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		if q.clock, err = find(ctx, tx); err != nil {
			return err
		}
		if q.From, q.To, err = q.resolve(q.clock, s.clock(), usualStays); err != nil || q.format != formatJSON {
			return err
		}
		v, err = q.read(ctx, tx)
		v.TimeZone, v.From, v.To, v.AsOf, v.KeptFrom = q.clock.String(), q.From, q.To, event.At(until), event.At(s.wholeFrom())
		return err
	})
	if err != nil {
		return rest.Answer{}, err
	}
	if q.format == formatJSON {
		return answered(w, v, q.To, until), nil
	}
	end := false
	a, err := download(q.format, name, func() (rows []stayRow, err error) {
		for len(rows) == 0 && !end {
			err := s.db.View(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
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

// read returns a page.
func (q *staysAsked) read(ctx context.Context, tx *sqldb.Tx) (v staysView, err error) {
	first := q.After == nil
	v.Items = []stayRow{}
	for end := false; !end && len(v.Items) <= q.page.Limit; {
		if v.Items, end, err = q.part(ctx, tx, v.Items); err != nil {
			return v, err
		}
	}
	if len(v.Items) > q.page.Limit {
		v.Items = v.Items[:q.page.Limit]
		last := v.Items[q.page.Limit-1]
		v.Next = rest.Next("stays", strconv.FormatInt(last.End.UnixMilli(), 10), last.SpotID)
	}
	if !first {
		return v, nil
	}
	var lots []string
	if q.SpotID != "" { // it may have been in others too
		lots = q.who.Lots
	}
	if v.Statistics, err = readStatistics(ctx, tx, q.StayQuery, lots, q.clock, q.sameDay); err != nil {
		return v, err
	}
	if q.SpotID != "" {
		v.Ongoing, err = q.ongoing(ctx, tx)
	}
	return v, err
}

// part reads on, and appends what matches to rows; end says that there is no more.
func (q *staysAsked) part(ctx context.Context, tx *sqldb.Tx, rows []stayRow) (_ []stayRow, end bool, err error) {
	q.Limit = readAtOnce
	stays, err := Stays(ctx, tx, q.StayQuery)
	if err != nil {
		return nil, true, err
	}
	for i := range stays {
		q.After = &stays[i]
		if row := viewStay(stays[i], q.clock); q.who.Reaches(row.LotID) && (row.SameDay || !q.sameDay) {
			rows = append(rows, row)
		}
	}
	return rows, len(stays) < q.Limit, nil
}

func (q *staysAsked) ongoing(ctx context.Context, tx *sqldb.Tx) (*ongoingView, error) {
	stay, goesOn, err := OpenStay(ctx, tx, q.SpotID)
	if err != nil || !goesOn || !q.who.Reaches(stay.LotID) {
		return nil, err
	}
	return &ongoingView{SpotID: stay.SpotID, LotID: stay.LotID, ZoneID: stay.ZoneID, Begin: stay.Began.In(q.clock), StatusBefore: stay.Before}, nil
}

// tooManyStays says what to ask instead, where there are more than can be put in order.
func tooManyStays() error {
	return rangeTooLong("statistics of stays", fmt.Sprintf("that of %d stays", maxDwells), "Ask for a shorter time, for one zone, or for a file (format=csv or format=parquet).")
}
