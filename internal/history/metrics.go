package history

import (
	"context"
	"math"
	"time"

	"parkwire/internal/sqldb"
)

// Scope is what a report is about: a lot, or one of its zones.
type Scope struct {
	Lot  string
	Zone string // "": the whole lot
}

// Times is how long spots were in each status, added up over the spots.
type Times struct {
	Free, Occupied, Reserved, Closed, OutOfService time.Duration
	// Unknown is how long nobody knew: the sensor was silent, or the log had a hole. It is never free, and no share is taken of it.
	Unknown time.Duration
}

// Total is all of it.
func (t Times) Total() time.Duration { return t.Offered() + t.Closed + t.OutOfService + t.Unknown }

// Offered is how long spots were open to somebody while it was known what they were: the time of which occupancy is a share. Closed spots and those
// out of service are left out of it, as is the time of silent sensors.
func (t Times) Offered() time.Duration { return t.Free + t.Occupied + t.Reserved }

func (t *Times) add(o Times) {
	t.Free += o.Free
	t.Occupied += o.Occupied
	t.Reserved += o.Reserved
	t.Closed += o.Closed
	t.OutOfService += o.OutOfService
	t.Unknown += o.Unknown
}

// Metrics are what the Curb Data Specification (1.0, Metrics API) measures of a time, and what Parkwire knows beside it. docs/history.md
// defines each in words and as a formula.
type Metrics struct {
	// Begin and End are in the zone of the lot. Of hours that are put together, such as all Mondays at 9, they are zero.
	Begin, End time.Time
	// Length is how much of it is reported: all, or up to where the log was read if that is before the end.
	Length        time.Duration
	Times         Times
	Arrivals      int64         // stays that began
	Departures    int64         // stays that ended, those included of which not everything is known
	TotalSessions int64         // completed stays that ended
	Dwell         time.Duration // how long the completed stays were, from their begin to their end, together
	// Missing says that what was known of this minute is not kept any more: nothing is reported, the length is 0.
	Missing bool
}

// Ongoing reports whether there is more of it to come.
func (m Metrics) Ongoing() bool { return !m.Missing && m.Begin.Add(m.Length).Before(m.End) }

// Add puts another time into m.
func (m *Metrics) Add(o Metrics) {
	m.Length += o.Length
	m.Times.add(o.Times)
	m.Arrivals += o.Arrivals
	m.Departures += o.Departures
	m.TotalSessions += o.TotalSessions
	m.Dwell += o.Dwell
}

// Spots is how many there were on the average.
func (m Metrics) Spots() float64 { return share(m.Times.Total(), m.Length) }

// Turnover is TotalSessions for each hour (CDS: turnover).
func (m Metrics) Turnover() float64 {
	if m.Length <= 0 {
		return 0
	}
	return float64(m.TotalSessions) / m.Length.Hours()
}

// SessionsPerSpot is TotalSessions for each spot, what car parks call turnover; false where there was no spot.
func (m Metrics) SessionsPerSpot() (float64, bool) {
	spots := m.Spots()
	if spots == 0 {
		return 0, false
	}
	return float64(m.TotalSessions) / spots, true
}

// AverageDwell is Dwell for each of TotalSessions (CDS: average_dwell_time); false where there was none.
func (m Metrics) AverageDwell() (time.Duration, bool) {
	if m.TotalSessions == 0 {
		return 0, false
	}
	return m.Dwell / time.Duration(m.TotalSessions), true
}

// Occupancy is the share of the time offered in which somebody stood there, from 0 to 1 (CDS: occupancy_percent); false where nothing was
// offered, or nothing known of it.
func (m Metrics) Occupancy() (float64, bool) {
	return share(m.Times.Occupied, m.Times.Offered()), m.Times.Offered() > 0
}

// SilentShare is the share of all time in which nobody knew: the sensor was silent, or the log had a hole; false where there was no spot.
func (m Metrics) SilentShare() (float64, bool) {
	return share(m.Times.Unknown, m.Times.Total()), m.Times.Total() > 0
}

func share(part, whole time.Duration) float64 {
	if whole <= 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// percentile returns the length below which a share of the sorted lengths (in milliseconds) lies; between two of them it goes in
// proportion. Half is the median.
func percentile(sorted []int64, share float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	at := share * float64(len(sorted)-1)
	below := int(math.Floor(at))
	above := min(below+1, len(sorted)-1)
	between := math.Round((at - float64(below)) * float64(sorted[above]-sorted[below]))
	return time.Duration(sorted[below]+int64(between)) * time.Millisecond
}

// ReadMetrics returns the metrics of the buckets between borders, which are in ascending order, see [Interval.Borders]. minutes says that a border may be any
// minute; otherwise each is a quarter of an hour. Nothing is said of what lies behind until.
func ReadMetrics(ctx context.Context, tx *sqldb.Tx, s Scope, borders []time.Time, minutes bool, until time.Time) ([]Metrics, error) {
	if len(borders) < 2 {
		return nil, nil
	}
	rollups, err := readRollups(ctx, tx, s, borders, minutes, until)
	if err != nil {
		return nil, err
	}
	all := make([]Metrics, len(rollups))
	for i, r := range rollups {
		m := Metrics{Begin: borders[i], End: borders[i+1], Missing: r.missing}
		if !r.missing {
			m.Length = max(0, min(m.End.Sub(m.Begin), until.Sub(m.Begin)))
			m.Times, m.Arrivals, m.Departures, m.TotalSessions, m.Dwell = r.times, r.arrivals, r.departures, r.sessions, r.dwell
		}
		all[i] = m
	}
	return all, nil
}
