package history

import (
	"context"
	"slices"
	"strings"
	"time"

	"parkwire/internal/sqldb"
)

// maxDwells bounds how many lengths of stays are put in order at once: 8 MB of memory, several times over in a heat map.
const maxDwells = 1_000_000

// eachEnded calls fn with the begin and the end, in Unix milliseconds, of each stay of a query, in the order of their ends: of those in some lots, unless
// lots is nil.
func eachEnded(ctx context.Context, tx *sqldb.Tx, q StayQuery, lots []string, fn func(began, ended int64, completed bool)) error {
	query, args := "select began, ended, completed from stays where ended >= ? and ended < ?", []any{q.From.UnixMilli(), q.To.UnixMilli()}
	for _, condition := range []struct{ column, value string }{{"lot_id", q.Scope.Lot}, {"zone_id", q.Scope.Zone}, {"spot_id", q.SpotID}} {
		if condition.value != "" {
			query, args = query+" and "+condition.column+" = ?", append(args, condition.value)
		}
	}
	if lots != nil {
		marks := make([]string, len(lots))
		for i, lot := range lots {
			marks[i], args = "?", append(args, lot)
		}
		query += " and lot_id in (" + strings.Join(marks, ", ") + ")"
	}
	return sqldb.Each(ctx, tx, func(r sqldb.Row) error {
		var began, ended int64
		var completed bool
		err := r.Scan(&began, &ended, &completed)
		if err == nil {
			fn(began, ended, completed)
		}
		return err
	}, query+" order by ended", args...)
}

// A median is the length of the stay in the middle of some; -1 where there was none, or too many.
type median struct {
	length time.Duration
	of     int64 // how many there were
}

// among is the median of so many stays: -1 where it is of others, because some are not kept any longer.
func (m median) among(stays int64) time.Duration {
	if m.of != stays {
		return -1
	}
	return m.length
}

// readMedians returns those of the completed stays that ended between each two borders, and that of all. Of the buckets the lengths of one are held at a time.
func readMedians(ctx context.Context, tx *sqldb.Tx, s Scope, borders []time.Time) (buckets []median, all median, err error) {
	if len(borders) < 2 {
		return nil, median{length: -1}, nil
	}
	buckets = make([]median, len(borders)-1)
	var total, one dwells
	at := 0
	next := func() {
		buckets[at] = one.median()
		one = dwells{lengths: one.lengths[:0]}
		at++
	}
	q := StayQuery{Scope: s, From: borders[0], To: borders[len(borders)-1]}
	err = eachEnded(ctx, tx, q, nil, func(began, ended int64, completed bool) {
		for ended >= borders[at+1].UnixMilli() {
			next()
		}
		if completed {
			one.add(ended - began)
			total.add(ended - began)
		}
	})
	for at < len(buckets) {
		next()
	}
	return buckets, total.median(), err
}

// dwells are lengths of completed stays, in milliseconds.
type dwells struct {
	lengths []int64
	tooMany bool // they are not known, then
	sorted  bool
}

func (d *dwells) add(length int64) {
	if d.tooMany = d.tooMany || len(d.lengths) == maxDwells; d.tooMany {
		d.lengths = nil
		return
	}
	d.lengths = append(d.lengths, length)
}

// order sorts the lengths.
func (d *dwells) order() []int64 {
	if !d.sorted {
		slices.Sort(d.lengths)
		d.sorted = true
	}
	return d.lengths
}

func (d *dwells) median() median {
	m := median{-1, int64(len(d.lengths))}
	if len(d.lengths) > 0 {
		m.length = percentile(d.order(), 0.5)
	}
	return m
}

// statisticsView is what is said of stays together. Lengths are of the completed ones.
type statisticsView struct {
	TotalSessions    int               `json:"totalSessions"`
	Incomplete       int               `json:"incomplete"`
	DwellTimeMinutes *distributionView `json:"dwellTimeMinutes"`
}

type distributionView struct {
	Average  float64 `json:"average"`
	Median   float64 `json:"median"`
	Shortest float64 `json:"shortest"`
	Longest  float64 `json:"longest"`
	P5       float64 `json:"p5"`
	P10      float64 `json:"p10"`
	P25      float64 `json:"p25"`
	P75      float64 `json:"p75"`
	P90      float64 `json:"p90"`
	P95      float64 `json:"p95"`
	P99      float64 `json:"p99"`
}

// readStatistics reads those of the stays of a query, in some lots unless lots is nil, and of those alone that began and ended on one day of the clocks
// where sameDays is set.
func readStatistics(ctx context.Context, tx *sqldb.Tx, q StayQuery, lots []string, clock *time.Location, sameDays bool) (*statisticsView, error) {
	v, d := &statisticsView{}, dwells{}
	err := eachEnded(ctx, tx, q, lots, func(began, ended int64, completed bool) {
		switch {
		case sameDays && !sameDay(time.UnixMilli(began).In(clock), time.UnixMilli(ended).In(clock)):
		case !completed:
			v.Incomplete++
		default:
			d.add(ended - began)
		}
	})
	if err == nil && d.tooMany {
		err = tooManyStays()
	}
	v.TotalSessions, v.DwellTimeMinutes = len(d.lengths), d.distribution()
	return v, err
}

// distribution returns nil where there is none.
func (d *dwells) distribution() *distributionView {
	lengths := d.order()
	if len(lengths) == 0 {
		return nil
	}
	var sum int64
	for _, length := range lengths {
		sum += length
	}
	at := func(share float64) float64 { return inMinutes(percentile(lengths, share)) }
	return &distributionView{
		Average: inMinutes(time.Duration(sum) * time.Millisecond / time.Duration(len(lengths))), Median: at(0.5), Shortest: at(0), Longest: at(1),
		P5: at(0.05), P10: at(0.1), P25: at(0.25), P75: at(0.75), P90: at(0.9), P95: at(0.95), P99: at(0.99),
	}
}
