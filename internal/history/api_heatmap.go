package history

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"parkwire/internal/rest"
	"parkwire/internal/sqldb"
)

const (
	usualHeatmap = 28 * 24 * time.Hour
	maxHeatmap   = 400 // days
	// peakShare is how full an hour of the day must be beside the fullest one to be a peak hour.
	peakShare = 0.9
)

// heatRow is one hour of the clocks on one day of the week, all that there were in the time asked for put together.
type heatRow struct {
	LotID         string  `json:"-" parquet:"lotId,dict"`
	ZoneID        *string `json:"-" parquet:"zoneId,dict"`
	Weekday       int32   `json:"weekday" parquet:"weekday"` // 1: Monday, as ISO 8601 has it; of an hour of every day 0, and not said
	Hour          int32   `json:"hour" parquet:"hour"`
	LengthSeconds float64 `json:"lengthSeconds" parquet:"lengthSeconds"`
	Measures
}

// hourRow is one hour of the clocks on all days.
type hourRow struct {
	Hour          int32   `json:"hour"`
	LengthSeconds float64 `json:"lengthSeconds"`
	Measures
}

type heatView struct {
	about
	Items     []heatRow `json:"items"`
	Hours     []hourRow `json:"hours"`
	PeakHours []int     `json:"peakHours"`
	Total     totalView `json:"total"`
}

// A heatmap puts the hours of a week together.
type heatmap struct {
	cells  [7][24]heatCell // Monday first
	hours  [24]heatCell
	total  Metrics
	dwells dwells
}

type heatCell struct {
	Metrics
	dwells dwells
}

func (s *Service) getHeatmap(w http.ResponseWriter, r *http.Request, _ rest.Caller) (rest.Answer, error) {
	p := rest.ParseParams(r.URL.RawQuery)
	q := report{scope: Scope{Lot: r.PathValue("lotId"), Zone: p.ID("zone")}, interval: Hour, period: readPeriod(p), format: p.Format(r, offers...)}
	if err := p.End(); err != nil {
		return rest.Answer{}, err
	}
	var h heatmap
	var about about
	until, err := s.knownUntil()
	if err != nil {
		return rest.Answer{}, err
	}
	err = s.db.View(r.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		clock, from, to, err := s.timeOf(ctx, tx, q)
		if err != nil {
			return err
		}
		if q.period.from.at.IsZero() {
			from = to.Add(-usualHeatmap)
		}
		if to.Sub(from) > maxHeatmap*24*time.Hour {
			return rangeTooLong("a heat map", fmt.Sprintf("%d days", maxHeatmap), "Ask for shorter times, each with what is typical of it.")
		}
		borders, _ := Hour.Borders(from, to, clock, maxHeatmap*25)
		about = s.aboutOf(q, borders, clock, until)
		h, err = readHeatmap(ctx, tx, q.scope, borders, clock, until)
		return err
	})
	if err != nil {
		return rest.Answer{}, err
	}
	if q.format != formatJSON {
		rows := h.rows(q.scope)
		a, err := download(q.format, fileName("heatmap", q.scope), func() ([]heatRow, error) {
			page := rows
			rows = nil
			return page, nil
		})
		return a, err
	}
	return answered(w, h.view(about, q.scope), about.To, until), nil
}

func readHeatmap(ctx context.Context, tx *sqldb.Tx, s Scope, borders []time.Time, clock *time.Location, until time.Time) (h heatmap, err error) {
	all, err := ReadMetrics(ctx, tx, s, borders, false, until)
	if err != nil {
		return h, err
	}
	for _, m := range all {
		if m.Missing || m.Length == 0 {
			continue
		}
		weekday, hour := hourOf(m.Begin)
		h.cells[weekday][hour].Add(m)
		h.hours[hour].Add(m)
		h.total.Add(m)
	}
	q := StayQuery{Scope: s, From: borders[0], To: borders[len(borders)-1]}
	err = eachEnded(ctx, tx, q, nil, func(began, ended int64, completed bool) {
		if !completed {
			return
		}
		weekday, hour := hourOf(time.UnixMilli(ended).In(clock))
		for _, d := range []*dwells{&h.dwells, &h.cells[weekday][hour].dwells, &h.hours[hour].dwells} {
			d.add(ended - began)
		}
	})
	return h, err
}

// hourOf returns where a moment belongs, by the clocks of the lot.
func hourOf(t time.Time) (weekday, hour int) { return (int(t.Weekday()) + 6) % 7, t.Hour() }

func (h *heatmap) rows(s Scope) []heatRow {
	rows := make([]heatRow, 0, 7*24)
	for weekday := range h.cells {
		for hour := range h.cells[weekday] {
			c := &h.cells[weekday][hour]
			rows = append(rows, heatRow{
				LotID: s.Lot, ZoneID: orAbsent(s.Zone), Weekday: int32(weekday + 1), Hour: int32(hour),
				LengthSeconds: c.Length.Seconds(), Measures: measuresOf(c.Metrics, c.dwells.median().among(c.TotalSessions)),
			})
		}
	}
	return rows
}

func (h *heatmap) view(a about, s Scope) heatView {
	v := heatView{about: a, Items: h.rows(s), PeakHours: h.peaks(), Total: totalView{h.total.Length.Seconds(), measuresOf(h.total, h.dwells.median().among(h.total.TotalSessions))}}
	for hour := range h.hours {
		c := &h.hours[hour]
		v.Hours = append(v.Hours, hourRow{int32(hour), c.Length.Seconds(), measuresOf(c.Metrics, c.dwells.median().among(c.TotalSessions))})
	}
	return v
}

// peaks are the hours of the day that are nearly as full as the fullest one.
func (h *heatmap) peaks() []int {
	fullest := 0.0
	for i := range h.hours {
		occupancy, _ := h.hours[i].Occupancy()
		fullest = max(fullest, occupancy)
	}
	peaks := []int{}
	for i := range h.hours {
		if occupancy, known := h.hours[i].Occupancy(); known && fullest > 0 && occupancy >= peakShare*fullest {
			peaks = append(peaks, i)
		}
	}
	slices.Sort(peaks)
	return peaks
}
