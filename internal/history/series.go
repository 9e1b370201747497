package history

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/sqldb"
)

// rollup is what happened in a bucket of time in a lot, or in one of its zones.
type rollup struct {
	times                          Times
	arrivals, departures, sessions int64
	dwell                          time.Duration // of the sessions, from their begin to their end
	missing                        bool          // minutes of it are not kept any more: nothing is said of it
}

// readRollups returns the rollups of the buckets between the borders, which are in ascending order, and each a multiple of a quarter of an hour, or with
// minutes of a minute. Time behind until has not happened. Intervals that are open then are in it.
func readRollups(ctx context.Context, tx *sqldb.Tx, s Scope, borders []time.Time, minutes bool, until time.Time) ([]rollup, error) {
	if len(borders) < 2 {
		return nil, nil
	}
	w := &walk{all: make([]sums, len(borders)-1), borders: make([]int64, len(borders)), until: until.UnixMilli()}
	for i, b := range borders {
		w.borders[i] = b.UnixMilli()
	}
	if w.until > w.borders[0] {
		if err := w.read(ctx, tx, s, minutes); err != nil {
			return nil, fmt.Errorf("reading the rollups of lot %q: %w", s.Lot, err)
		}
	}
	result := make([]rollup, len(w.all))
	for i, sum := range w.all {
		result[i] = sum.rollup()
	}
	return result, nil
}

// sums are what a bucket comes to.
type sums struct {
	millis  byStatus
	stays   deltas // of which the numbers of stays are used
	missing bool
}

func (s sums) rollup() rollup {
	if s.missing {
		return rollup{missing: true}
	}
	d := func(i int) time.Duration { return time.Duration(s.millis[i]) * time.Millisecond }
	return rollup{
		times:    Times{Free: d(0), Occupied: d(1), Reserved: d(2), Closed: d(3), OutOfService: d(4), Unknown: d(5)},
		arrivals: s.stays.arrivals, departures: s.stays.departures, sessions: s.stays.sessions,
		dwell: time.Duration(s.stays.dwell) * time.Millisecond,
	}
}

// walk goes through time once, from one change to the next, and adds up.
type walk struct {
	all     []sums
	borders []int64
	until   int64

	at     int64    // as far as it has come
	bucket int      // in which that lies
	level  byStatus // how many spots are what, from there on
}

// step is a bucket in which something changed, as it is stored.
type step struct {
	begin int64
	deltas
}

func (w *walk) read(ctx context.Context, tx *sqldb.Tx, s Scope, minutes bool) (err error) {
	begin, end := w.borders[0], min(w.until, w.borders[len(w.borders)-1])
	w.at = floor(begin, quarterMillis)
	if w.level, err = readLevel(ctx, tx, s, w.at); err != nil {
		return err
	}
	if minutes {
		err = w.readMinutes(ctx, tx, s, stretch{w.at, floor(end-1, quarterMillis) + quarterMillis, quarterMillis})
	} else {
		err = w.readQuarters(ctx, tx, s, end)
	}
	w.reach(end)
	return err
}

func (w *walk) readMinutes(ctx context.Context, tx *sqldb.Tx, s Scope, over stretch) error {
	quarters, err := readSteps(ctx, tx, s, "quarters", "quarter", over)
	if err != nil {
		return err
	}
	over.width = minuteMillis
	minutes, err := readSteps(ctx, tx, s, "minutes", "minute", over)
	if err != nil {
		return err
	}
	w.merge(quarters, minutes)
	return nil
}

func (w *walk) readQuarters(ctx context.Context, tx *sqldb.Tx, s Scope, end int64) error {
	for _, over := range w.stretches(end) {
		steps, err := readSteps(ctx, tx, s, "quarters", "quarter", over)
		if err != nil {
			return err
		}
		for _, one := range steps {
			w.take(one, over.width)
		}
	}
	return nil
}

// stretch is a time of buckets that have one width.
type stretch struct{ from, to, width int64 }

// stretches returns the buckets up to a moment by their widths, so that the database can add up what is in each: the days of a year are three stretches, and
// two days on which clocks are changed. The bucket in which the moment lies is cut there, and so is read by its quarters of an hour.
func (w *walk) stretches(end int64) (all []stretch) {
	for i, begin := range w.borders[:len(w.borders)-1] {
		next := stretch{begin, w.borders[i+1], w.borders[i+1] - begin}
		if begin >= end {
			break
		}
		if next.to > end {
			next.to, next.width = floor(end-1, quarterMillis)+quarterMillis, quarterMillis
		}
		if n := len(all); n > 0 && all[n-1].width == next.width {
			all[n-1].to = next.to
		} else {
			all = append(all, next)
		}
	}
	return all
}

// merge goes by minutes. Where they do not add up to their quarter of an hour they are not kept any more.
func (w *walk) merge(quarters, minutes []step) {
	for _, q := range quarters {
		end := q.begin + quarterMillis
		var within []step
		for ; len(minutes) > 0 && minutes[0].begin < end; minutes = minutes[1:] {
			if minutes[0].begin >= q.begin {
				within = append(within, minutes[0])
			}
		}
		var total deltas
		for _, m := range within {
			total.add(m.deltas.within(m.begin, minuteMillis, end))
		}
		if total.same(q.deltas) {
			for _, m := range within {
				w.take(m, minuteMillis)
			}
			continue
		}
		w.reach(q.begin)
		w.skip(end)
		for i := range w.level {
			w.level[i] += q.number[i]
		}
	}
}

// reach goes on to a moment, up to which nothing changes.
func (w *walk) reach(to int64) {
	to = min(to, w.until, w.borders[len(w.borders)-1])
	for w.at < to {
		if w.at < w.borders[0] { // a quarter of an hour begins before the first minute that is asked for
			w.at = min(to, w.borders[0])
			continue
		}
		for w.at >= w.borders[w.bucket+1] {
			w.bucket++
		}
		next := min(to, w.borders[w.bucket+1])
		sum := &w.all[w.bucket].millis
		for i, n := range w.level {
			sum[i] += n * (next - w.at)
		}
		w.at = next
	}
}

// skip goes on to a moment without saying anything of the time up to there.
func (w *walk) skip(to int64) {
	for i := range w.all {
		if w.borders[i] < to && w.borders[i+1] > w.at {
			w.all[i].missing = true
		}
	}
	w.at = max(w.at, to)
}

// take goes on to the end of a bucket in which something changed; it lies in one bucket of those that are asked for.
func (w *walk) take(s step, width int64) {
	w.reach(s.begin)
	end := s.begin + width
	if s.begin >= w.borders[0] && s.begin < min(w.until, w.borders[len(w.borders)-1]) {
		for s.begin >= w.borders[w.bucket+1] {
			w.bucket++
		}
		sum := &w.all[w.bucket]
		for i, n := range w.level {
			sum.millis[i] += n*width + s.millis[i]
			if end > w.until { // nothing changes behind it: what holds at the end of the bucket held from there on
				sum.millis[i] -= (n + s.number[i]) * (end - w.until)
			}
		}
		sum.stays.add(s.deltas)
	}
	for i := range w.level {
		w.level[i] += s.number[i]
	}
	w.at = max(w.at, min(end, w.until))
}

// narrow is the condition of a scope.
func narrow(s Scope) (condition string, args []any) {
	if s.Zone == "" {
		return "lot_id = ?", []any{s.Lot}
	}
	return "lot_id = ? and zone_id = ?", []any{s.Lot, s.Zone}
}

// total are the columns, added up over zones.
func total(columns []string) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = "cast(coalesce(sum(" + c + "), 0) as bigint)"
	}
	return strings.Join(parts, ", ")
}

// readLevel returns how many spots are what at a moment, which is a multiple of a quarter of an hour: the sum of all that changed before.
func readLevel(ctx context.Context, tx *sqldb.Tx, s Scope, at int64) (level byStatus, err error) {
	where, args := narrow(s)
	span := floor(at, spanMillis)
	for _, q := range []struct {
		from string
		args []any
	}{
		{"spans where " + where + " and span < ?", []any{span}},
		{"quarters where " + where + " and quarter >= ? and quarter < ?", []any{span, at}},
	} {
		part, _, err := sqldb.One(ctx, tx, func(r sqldb.Row) (n byStatus, err error) {
			return n, r.Scan(&n[0], &n[1], &n[2], &n[3], &n[4], &n[5])
		}, "select "+total(spanColumns)+" from "+q.from, append(slices.Clone(args), q.args...)...)
		if err != nil {
			return level, err
		}
		for i, n := range part {
			level[i] += n
		}
	}
	return level, nil
}

// readSteps returns what changed in the buckets of a stretch, in order: rows that are narrower are added up.
func readSteps(ctx context.Context, tx *sqldb.Tx, s Scope, table, key string, over stretch) ([]step, error) {
	where, args := narrow(s)
	width := minuteMillis
	if table == "quarters" {
		width = quarterMillis
	}
	// What changes in a row holds for the rest of the bucket behind it.
	sums := make([]string, len(rollupColumns))
	for i, c := range rollupColumns {
		if name, ok := strings.CutSuffix(c, "_ms"); ok && c != "dwell_ms" {
			c += " + " + name + "_delta * rest"
		}
		sums[i] = "cast(sum(" + c + ") as bigint)"
	}
	query := "select nth, " + strings.Join(sums, ", ") + " from (select (" + key + " - ?) / ? as nth, ? - (" + key + " - ?) % ? as rest, " +
		strings.Join(rollupColumns, ", ") + " from " + table + " where " + where + " and " + key + " >= ? and " + key + " < ?) as steps group by nth order by nth"
	args = append([]any{over.from, over.width, over.width - width, over.from, over.width}, append(args, over.from, over.to)...)
	return sqldb.All(ctx, tx, func(r sqldb.Row) (one step, err error) {
		into := []any{&one.begin}
		for i := range statuses {
			into = append(into, &one.number[i], &one.millis[i])
		}
		err = r.Scan(append(into, &one.arrivals, &one.departures, &one.sessions, &one.dwell)...)
		one.begin = over.from + one.begin*over.width
		return one, err
	}, query, args...)
}

// readChanges returns how often what happened between two moments, which are multiples of a quarter of an hour; "" is of programs that do not say.
func readChanges(ctx context.Context, tx *sqldb.Tx, s Scope, from, to time.Time) (map[event.Change]int64, error) {
	where, args := narrow(s)
	all := map[event.Change]int64{}
	err := sqldb.Each(ctx, tx, func(r sqldb.Row) error {
		var change event.Change
		var n int64
		err := r.Scan(&change, &n)
		all[change] = n
		return err
	}, "select change, cast(sum(changes) as bigint) from quarter_changes where "+where+" and quarter >= ? and quarter < ? group by change",
		append(args, from.UnixMilli(), to.UnixMilli())...)
	if err != nil {
		return nil, fmt.Errorf("reading the changes of lot %q: %w", s.Lot, err)
	}
	return all, nil
}
