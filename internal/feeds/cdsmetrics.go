package feeds

import (
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/history"
	"parkwire/internal/problem"
	"parkwire/internal/rest"
	"parkwire/internal/sqldb"
)

const (
	maxCurbDays     = 31
	usualCurbTime   = 24 * time.Hour
	maxCurbSessions = 50_000
	readAtOnce      = 5000
)

// curbPlaceQuery is which places metrics are asked for, and of when.
type curbPlaceQuery struct {
	zones    []string // "": the whole lot
	spotID   string   // sessions alone are kept by spot
	from, to time.Time
}

// readCurbPlaces reads the parameters of metrics. Spots have no aggregates.
func (s *Service) readCurbPlaces(p *rest.Params, l *lot, spots bool) (q curbPlaceQuery) {
	end := s.options.Now().UTC().Truncate(time.Hour)
	q.from = millis(p, "start_time", end.Add(-usualCurbTime))
	q.to = millis(p, "end_time", q.from.Add(usualCurbTime))
	switch {
	case q.to.Before(q.from):
		p.Fail("end_time", "behind start_time", strconv.FormatInt(stamp(q.to), 10))
	case q.to.Sub(q.from) > maxCurbDays*24*time.Hour:
		p.Fail("end_time", fmt.Sprintf("at most %d days behind start_time", maxCurbDays), strconv.FormatInt(stamp(q.to), 10))
	}
	kinds := []string{"area", "zone"}
	if spots {
		kinds = append(kinds, "space")
	}
	kind := choice(p, "curb_place_type", kinds...)
	id, there := curbUUID(p, "curb_place_id")
	if there != (kind != "") {
		p.Fail("curb_place_id", "there together with curb_place_type", "one of them alone")
	}
	known := true
	switch kind {
	case "":
		q.zones = []string{""}
		for _, z := range l.zones {
			q.zones = append(q.zones, z.ID)
		}
	case "area":
		q.zones, known = []string{""}, id == curbID("lot", l.ID)
	case "zone":
		var zone string
		zone, known = l.zoneOfCurb(id)
		q.zones = []string{zone}
	case "space":
		q.spotID, known = l.spotOfCurb(id)
		q.zones = []string{""}
	}
	if !known {
		q.zones = nil
	}
	return q
}

// curbCSV is a table with its head.
func curbCSV(head []string, rows [][]string) (content, error) {
	var b strings.Builder
	w := csv.NewWriter(&b)
	if err := w.WriteAll(append([][]string{head}, rows...)); err != nil {
		return content{}, err
	}
	return content{kind: kindCurbCSV, body: []byte(b.String())}, nil
}

var sessionHead = []string{
	"session_type", "event_session_id", "event_id_start", "event_id_end", "event_location_start_latitude", "event_location_start_longitude",
	"event_location_end_latitude", "event_location_end_longitude", "event_time_start", "event_time_end", "curb_zone_id", "curb_area_ids", "curb_space_id",
}

// curbSessions answers with the stays that ended within a time.
func (s *Service) curbSessions(_ http.ResponseWriter, r *request) (*document, error) {
	kind, state, l, err := s.curbAsked(r, kindCurbCSV)
	if err != nil {
		return nil, err
	}
	p := rest.ParseParams(r.URL.RawQuery)
	q := s.readCurbPlaces(p, l, true)
	if err := p.End(); err != nil {
		return nil, err
	}
	key := fmt.Sprintf("%s\n%d %d", curbKey(r, kind), stamp(q.from), stamp(q.to))
	return s.document(r.Context(), key, state.version, func(ctx context.Context) (content, error) {
		var rows [][]string
		if len(q.zones) == 0 {
			return curbCSV(sessionHead, rows)
		}
		scope := history.Scope{Lot: l.ID}
		if len(q.zones) == 1 {
			scope.Zone = q.zones[0]
		}
		ask := history.StayQuery{Scope: scope, SpotID: q.spotID, From: q.from, To: q.to, Limit: readAtOnce}
		places := map[string]spot{}
		for _, sp := range l.spots {
			places[sp.SpotID] = sp
		}
		err := s.options.DB.View(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			for {
				stays, err := history.Stays(ctx, tx, ask)
				if err != nil {
					return err
				}
				for _, stay := range stays {
					if row, ok := sessionRow(stay, places[stay.SpotID]); ok {
						rows = append(rows, row)
					}
				}
				switch {
				case len(stays) < ask.Limit:
					return nil
				case len(rows) > maxCurbSessions:
					return tooManySessions()
				}
				ask.After = &stays[len(stays)-1]
			}
		})
		if err != nil {
			return content{}, err
		}
		return curbCSV(sessionHead, rows)
	})
}

func tooManySessions() problem.Problem {
	return problem.New(http.StatusBadRequest, "range-too-long",
		fmt.Sprintf("There were more than %d sessions between start_time and end_time. Ask for a shorter time, or for a zone.", maxCurbSessions)).WithField("end_time")
}

// sessionRow makes a session of a stay. Of an end that nobody saw nothing is said; false where nobody saw either.
func sessionRow(stay history.Stay, place spot) ([]string, bool) {
	var lat, lon string
	if place.location != nil {
		lat, lon = decimal(place.location.Lat), decimal(place.location.Lon)
	}
	row := make([]string, len(sessionHead))
	row[0] = "parking"
	start, end := vacant(event.Status(stay.Before)), vacant(event.Status(stay.After))
	if start {
		row[1] = sessionID(stay.SpotID, stay.Began)
		row[2], row[4], row[5], row[8] = curbEventID("park_start", stay.SpotID, stay.Began), lat, lon, strconv.FormatInt(stamp(stay.Began), 10)
	}
	if end {
		row[3], row[6], row[7], row[9] = curbEventID("park_end", stay.SpotID, stay.Ended), lat, lon, strconv.FormatInt(stamp(stay.Ended), 10)
	}
	if stay.ZoneID != "" {
		row[10] = curbID("zone", stay.ZoneID)
	}
	row[11], row[12] = curbID("lot", stay.LotID), curbID("spot", stay.SpotID)
	return row, start || end
}

func decimal(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

var aggregateHead = []string{"curb_place_type", "curb_place_id", "metric_type", "date", "hour", "value"}

// curbMetrics are the metrics that the specification names, in its order. The value is -1 where nobody knew most of the time.
var curbMetrics = []string{"total_sessions", "turnover", "average_dwell_time", "occupancy_percent"}

// curbAggregates answers with metrics by the hour of the lot's clock, of hours that have ended.
func (s *Service) curbAggregates(_ http.ResponseWriter, r *request) (*document, error) {
	kind, state, l, err := s.curbAsked(r, kindCurbCSV)
	if err != nil {
		return nil, err
	}
	p := rest.ParseParams(r.URL.RawQuery)
	q := s.readCurbPlaces(p, l, false)
	metric := choice(p, "metric_type", curbMetrics...)
	if err := p.End(); err != nil {
		return nil, err
	}
	until := s.options.Until().UTC().Truncate(15 * time.Minute) // clocks may differ by quarters of an hour
	key := fmt.Sprintf("%s\n%d %d", curbKey(r, kind), stamp(q.from), stamp(q.to))
	return s.document(r.Context(), key, state.version+"."+until.Format(time.RFC3339), func(ctx context.Context) (content, error) {
		var rows [][]string
		borders, _ := history.Hour.Borders(q.from, q.to, l.Clock(), maxCurbDays*24+2)
		err := s.options.DB.View(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			for _, zone := range q.zones {
				all, err := history.ReadMetrics(ctx, tx, history.Scope{Lot: l.ID, Zone: zone}, borders, false, until)
				if err != nil {
					return err
				}
				place := []string{"area", curbID("lot", l.ID)}
				if zone != "" {
					place = []string{"zone", curbID("zone", zone)}
				}
				for _, m := range byHour(all) {
					rows = append(rows, aggregateRows(place, metric, m)...)
				}
			}
			return nil
		})
		if err != nil {
			return content{}, err
		}
		return curbCSV(aggregateHead, rows)
	})
}

// byHour leaves out what has not ended, and puts together the two hours that clocks show alike when they are put back: the
// specification tells hours apart by nothing else.
func byHour(all []history.Metrics) (hours []history.Metrics) {
	for _, m := range all {
		if m.Missing || m.Ongoing() {
			continue
		}
		if last := len(hours) - 1; last >= 0 && hours[last].Begin.Hour() == m.Begin.Hour() && hours[last].Begin.YearDay() == m.Begin.YearDay() {
			hours[last].Add(m)
			hours[last].End = m.End
			continue
		}
		hours = append(hours, m)
	}
	return hours
}

// aggregateRows are the rows of one hour in one place. What has no value, such as a mean of nothing, has no row; neither has an hour in which there was no spot.
func aggregateRows(place []string, metric string, m history.Metrics) (rows [][]string) {
	silent, spots := m.SilentShare()
	if !spots {
		return nil
	}
	dwell, stayed := m.AverageDwell()
	occupancy, offered := m.Occupancy()
	values := []struct {
		value float64
		ok    bool
	}{{float64(m.TotalSessions), true}, {m.Turnover(), true}, {dwell.Minutes(), stayed}, {occupancy, offered}}
	for i, name := range curbMetrics {
		if metric != "" && metric != name {
			continue
		}
		v := values[i]
		if silent > 0.5 {
			v.value, v.ok = -1, true
		}
		if v.ok {
			rows = append(rows, append(append([]string{}, place...), name, m.Begin.Format(time.DateOnly), strconv.Itoa(m.Begin.Hour()), decimal(v.value)))
		}
	}
	return rows
}
