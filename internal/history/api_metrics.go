package history

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/rest"
	"parkwire/internal/sqldb"
)

// How many buckets a report has at most: as JSON, which is held in memory, and as a file, which is not.
const (
	maxBuckets     = 5_000
	maxFileBuckets = 100_000
)

// usual is how long a report is where its begin is not said.
var usual = map[Interval]time.Duration{Minute: time.Hour, Hour: 24 * time.Hour, Day: 30 * 24 * time.Hour}

// lengths are those that buckets mostly have.
var lengths = map[Interval]time.Duration{Minute: time.Minute, Hour: time.Hour, Day: 24 * time.Hour}

// chunk is how many buckets of a file are read at once.
var chunk = map[Interval]int{Minute: 1440, Hour: 720, Day: 31}

// metricsView is a report as it is answered.
type metricsView struct {
	about
	Interval Interval     `json:"interval"`
	Items    []metricsRow `json:"items"`
	Missing  int          `json:"missing,omitempty"` // minutes of which nothing is kept any more
	Total    totalView    `json:"total"`
	Peak     *peakView    `json:"peak"`
	// Changes is how often what happened; other is of programs that do not say. Not of minutes.
	Changes map[string]int64 `json:"changes,omitempty"`
}

// about says what an answer is about. Times are in the zone of the lot.
type about struct {
	LotID    string     `json:"lotId"`
	ZoneID   string     `json:"zoneId,omitempty"`
	TimeZone string     `json:"timeZone"`
	From     time.Time  `json:"from"`
	To       time.Time  `json:"to"`
	AsOf     event.Time `json:"asOf"` // up to where the log was read
	KeptFrom event.Time `json:"keptFrom,omitzero"`
}

func (s *Service) aboutOf(q report, borders []time.Time, clock *time.Location, until time.Time) about {
	return about{
		LotID: q.scope.Lot, ZoneID: q.scope.Zone, TimeZone: clock.String(), From: borders[0], To: borders[len(borders)-1],
		AsOf: event.At(until), KeptFrom: event.At(s.KeptFrom()),
	}
}

// totalView is everything together.
type totalView struct {
	LengthSeconds float64 `json:"lengthSeconds"`
	Measures
}

// peakView is the bucket that was occupied most.
type peakView struct {
	Begin     time.Time `json:"begin"`
	Occupancy float64   `json:"occupancy"`
}

// report is what metrics are asked for.
type report struct {
	scope    Scope
	interval Interval
	period
	format string
}

func (s *Service) getMetrics(w http.ResponseWriter, r *http.Request, _ rest.Caller) (rest.Answer, error) {
	p := rest.ParseParams(r.URL.RawQuery)
	q := report{
		scope:    Scope{Lot: r.PathValue("lotId"), Zone: p.ID("zone")},
		interval: Interval(p.Choice("interval", string(Hour), string(Minute), string(Day))),
		period:   readPeriod(p), format: p.Format(r, offers...),
	}
	if err := p.End(); err != nil {
		return rest.Answer{}, err
	}
	if q.format == formatJSON {
		return s.metricsAnswer(r.Context(), w, q)
	}
	return s.metricsFile(r.Context(), q)
}

func (s *Service) metricsAnswer(ctx context.Context, w http.ResponseWriter, q report) (rest.Answer, error) {
	var v metricsView
	until, err := s.knownUntil()
	if err != nil {
		return rest.Answer{}, err
	}
	err = s.db.View(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		clock, from, to, err := s.timeOf(ctx, tx, q)
		if err != nil {
			return err
		}
		borders, more := q.interval.Borders(from, to, clock, maxBuckets)
		if more {
			return q.tooLong(maxBuckets)
		}
		v = metricsView{about: s.aboutOf(q, borders, clock, until), Interval: q.interval}
		all, err := ReadMetrics(ctx, tx, q.scope, borders, q.interval == Minute, until)
		if err != nil {
			return err
		}
		medians, whole, err := readMedians(ctx, tx, q.scope, borders)
		if err != nil {
			return err
		}
		v.fill(q.scope, all, medians, whole)
		if q.interval != Minute {
			v.Changes, err = changesOf(ctx, tx, q.scope, borders)
		}
		return err
	})
	if err != nil {
		return rest.Answer{}, err
	}
	return answered(w, v, v.To, until), nil
}

// changesOf returns how often what happened between the first and the last border.
func changesOf(ctx context.Context, tx *sqldb.Tx, s Scope, borders []time.Time) (map[string]int64, error) {
	counted, err := readChanges(ctx, tx, s, borders[0], borders[len(borders)-1])
	changes := make(map[string]int64, len(counted))
	for change, n := range counted {
		changes[cmp.Or(string(change), "other")] += n
	}
	return changes, err
}

// fill puts what was read into the answer.
func (v *metricsView) fill(s Scope, all []Metrics, medians []median, whole median) {
	v.Items = make([]metricsRow, 0, len(all))
	var total Metrics
	for i, m := range all {
		if m.Missing {
			v.Missing++
			continue
		}
		row := rowOf(s, m, medians[i].among(m.TotalSessions))
		v.Items = append(v.Items, row)
		total.Add(m)
		if o := row.Occupancy; o != nil && (v.Peak == nil || *o > v.Peak.Occupancy) {
			v.Peak = &peakView{row.Begin, *o}
		}
	}
	v.Total = totalView{total.Length.Seconds(), measuresOf(total, whole.among(total.TotalSessions))}
}

// timeOf returns the time that is asked for, in the zone of the lot. It does not reach behind the present bucket: nothing is known of the future.
func (s *Service) timeOf(ctx context.Context, tx *sqldb.Tx, q report) (clock *time.Location, from, to time.Time, err error) {
	if clock, err = scopeOf(ctx, tx, q.scope); err != nil {
		return nil, from, to, err
	}
	now := s.clock()
	if from, to, err = q.resolve(clock, now, usual[q.interval]); err != nil {
		return nil, from, to, err
	}
	present := q.interval.Next(q.interval.Begin(now, clock))
	if to.After(present) {
		to = present
	}
	if kept := s.KeptFrom(); from.Before(kept) {
		from = q.interval.Next(q.interval.Begin(kept, clock)) // the first one of which everything is kept
	}
	if from.After(to) {
		from = to // then there are no buckets
	}
	return clock, from, to, nil
}

func (q report) tooLong(most int) error {
	days := int(lengths[q.interval] * time.Duration(most) / (24 * time.Hour))
	instead := "Ask for shorter times one after the other"
	if at := slices.Index(lengthsOfBuckets, q.interval); at < len(lengthsOfBuckets)-1 {
		instead += fmt.Sprintf(", for longer buckets (interval=%s)", lengthsOfBuckets[at+1])
	}
	if most == maxBuckets {
		instead += ", or for a file (format=csv or format=parquet)"
	}
	return rangeTooLong(fmt.Sprintf("interval=%s", q.interval), fmt.Sprintf("%d days", days), instead+".")
}

// metricsFile answers with a file of the buckets. Each part of it is as it was at one moment, and not all at the same.
func (s *Service) metricsFile(ctx context.Context, q report) (rest.Answer, error) {
	var clock *time.Location
	var from, to time.Time
	until, err := s.knownUntil()
	if err != nil {
		return rest.Answer{}, err
	}
	err = s.db.View(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		clock, from, to, err = s.timeOf(ctx, tx, q)
		return err
	})
	if err != nil {
		return rest.Answer{}, err
	}
	if to.Sub(from) > maxFileBuckets*lengths[q.interval] {
		return rest.Answer{}, q.tooLong(maxFileBuckets)
	}
	at := q.interval.Begin(from, clock)
	next := func() (rows []metricsRow, err error) {
		for len(rows) == 0 && at.Before(to) { // all of a part may be missing
			borders := []time.Time{at}
			for len(borders) <= chunk[q.interval] && at.Before(to) {
				at = q.interval.Next(at)
				borders = append(borders, at)
			}
			err := s.db.View(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
				rows, err = readRows(ctx, tx, q, borders, until)
				return err
			})
			if err != nil {
				return nil, err
			}
		}
		return rows, nil
	}
	a, err := download(q.format, fileName("metrics", q.scope, string(q.interval)), next)
	return a, err
}

func readRows(ctx context.Context, tx *sqldb.Tx, q report, borders []time.Time, until time.Time) ([]metricsRow, error) {
	all, err := ReadMetrics(ctx, tx, q.scope, borders, q.interval == Minute, until)
	if err != nil {
		return nil, err
	}
	medians, _, err := readMedians(ctx, tx, q.scope, borders)
	if err != nil {
		return nil, err
	}
	rows := make([]metricsRow, 0, len(all))
	for i, m := range all {
		if !m.Missing {
			rows = append(rows, rowOf(q.scope, m, medians[i].among(m.TotalSessions)))
		}
	}
	return rows, nil
}

// fileName is what a file may be kept as, but for its end.
func fileName(kind string, s Scope, more ...string) string {
	name := kind + "-" + s.Lot
	if s.Zone != "" {
		name += "-" + s.Zone
	}
	for _, m := range more {
		name += "-" + m
	}
	return name
}
