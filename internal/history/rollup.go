package history

import (
	"slices"
	"time"

	"parkwire/internal/event"
)

// statuses are those that are counted, in the order of the columns.
var statuses = [...]event.Status{event.Free, event.Occupied, event.Reserved, event.Closed, event.OutOfService, event.Unknown}

// byStatus is a number for each of them.
type byStatus [len(statuses)]int64

func indexOf(s event.Status) int { return slices.Index(statuses[:], s) }

// Rollups are kept by quarters of an hour and by minutes; spans hold the sums of the first.
const (
	quarterMillis = int64(quarter / time.Millisecond)
	minuteMillis  = int64(time.Minute / time.Millisecond)
	spanMillis    = 28 * 24 * 60 * minuteMillis // a multiple of the quarter
)

// floor returns the begin of the bucket of a width in which a moment lies.
func floor(ms, width int64) int64 {
	rest := ms % width
	if rest < 0 {
		rest += width
	}
	return ms - rest
}

// deltas are what changed in a bucket of time. A spot that becomes free at a moment adds one to the number of free spots from then on, for ever: to
// this bucket it adds the time that is left of it, and to each bucket behind it, its whole width. So a bucket in which nothing changes has
// no row, and a spot that is occupied for years has two.
type deltas struct {
	number byStatus // of spots: by how much it grew
	millis byStatus // spots by milliseconds, within the bucket
	// Of stays.
	arrivals, departures, sessions, dwell int64
	recorded                              int64
}

func (d *deltas) add(o deltas) {
	for i := range d.number {
		d.number[i] += o.number[i]
		d.millis[i] += o.millis[i]
	}
	d.arrivals += o.arrivals
	d.departures += o.departures
	d.sessions += o.sessions
	d.dwell += o.dwell
	d.recorded = max(d.recorded, o.recorded)
}

// within returns what d, which is of a bucket that begins at begin and has a width, is to a longer bucket that ends at end: what changed in it holds
// up to there.
func (d deltas) within(begin, width, end int64) deltas {
	for i := range d.number {
		d.millis[i] += d.number[i] * (end - begin - width)
	}
	return d
}

// same reports whether both say the same of the time; when they were recorded does not matter.
func (d deltas) same(o deltas) bool {
	d.recorded, o.recorded = 0, 0
	return d == o
}

// cell is a bucket of a place.
type cell struct {
	place *place
	begin int64
}

// kind is what happened in a quarter of an hour.
type kind struct {
	cell
	change event.Change
}

// book holds what a batch of records adds to the tables.
type book struct {
	intervals, stays  [][]any
	quarters, minutes map[cell]*deltas
	spans             map[cell]*byStatus
	changes           map[kind]int64
	spots             []*spot

	free []deltas // to be used by the maps: one allocation for many
}

func newBook() *book {
	return &book{
		quarters: map[cell]*deltas{}, minutes: map[cell]*deltas{}, spans: map[cell]*byStatus{}, changes: map[kind]int64{},
	}
}

// clear makes the book as good as new.
func (b *book) clear() {
	for _, s := range b.spots {
		s.waiting = false
	}
	b.intervals, b.stays, b.spots = b.intervals[:0], b.stays[:0], b.spots[:0]
	clear(b.quarters)
	clear(b.minutes)
	clear(b.spans)
	clear(b.changes)
}

// save says that the spot is to be written.
func (b *book) save(s *spot) {
	if !s.waiting {
		s.waiting = true
		b.spots = append(b.spots, s)
	}
}

// both calls fn with the deltas of the quarter of an hour and of the minute in which a moment lies, and how much of each is left then.
// What belongs to no lot is in no rollup.
func (b *book) both(p *place, at, recorded int64, fn func(d *deltas, left int64)) {
	if p.lot == "" {
		return
	}
	for _, r := range [...]struct {
		of    map[cell]*deltas
		width int64
	}{{b.quarters, quarterMillis}, {b.minutes, minuteMillis}} {
		key := cell{p, floor(at, r.width)}
		d := r.of[key]
		if d == nil {
			if len(b.free) == 0 {
				b.free = make([]deltas, 256)
			}
			d, b.free = &b.free[0], b.free[1:]
			r.of[key] = d
		}
		d.recorded = max(d.recorded, recorded)
		fn(d, key.begin+r.width-at)
	}
}

// count adds n spots with a status from a moment on.
func (b *book) count(p *place, s event.Status, at, recorded, n int64) {
	i := indexOf(s)
	b.both(p, at, recorded, func(d *deltas, left int64) {
		d.number[i] += n
		d.millis[i] += n * left
	})
	if p.lot == "" {
		return
	}
	key := cell{p, floor(at, spanMillis)}
	if b.spans[key] == nil {
		b.spans[key] = &byStatus{}
	}
	b.spans[key][i] += n
}

// arrive counts n stays that began.
func (b *book) arrive(p *place, at, recorded, n int64) {
	b.both(p, at, recorded, func(d *deltas, _ int64) { d.arrivals += n })
}

// interval writes the open interval of a spot, which has ended.
func (b *book) interval(s spot, ended, recorded int64) {
	b.intervals = append(b.intervals, []any{s.id, s.since, ended, string(s.status), s.hole, s.place.lot, s.place.zone, recorded})
}

// stay writes the stay of a spot, which has ended.
func (b *book) stay(s spot, ended int64, after string, recorded int64) {
	complete := completed(s.stayBefore, after)
	b.stays = append(b.stays, []any{s.id, s.stayBegan, ended, s.place.lot, s.place.zone, s.stayBefore, after, complete, recorded})
	b.both(s.place, ended, recorded, func(d *deltas, _ int64) {
		d.departures++
		if complete {
			d.sessions++
			d.dwell += ended - s.stayBegan
		}
	})
}

// happened counts an event.
func (b *book) happened(p *place, at int64, change event.Change) {
	if p.lot != "" {
		b.changes[kind{cell{p, floor(at, quarterMillis)}, change}]++
	}
}
