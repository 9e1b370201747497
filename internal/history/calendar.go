package history

import "time"

// Interval is the length of the buckets of a report: a minute, or an hour or a day of the clocks of the lot.
type Interval string

// The intervals.
const (
	Minute Interval = "minute"
	Hour   Interval = "hour"
	Day    Interval = "day"
)

// lengthsOfBuckets lists them, the shortest first.
var lengthsOfBuckets = []Interval{Minute, Hour, Day}

// quarter is what rollups are kept by. Every offset of a time zone in use is a multiple of it, and so are the moments at which clocks are
// changed, but for a few of the past (00:01 in Newfoundland until 2011): those are taken for the quarter of an hour before.
const quarter = 15 * time.Minute

// Begin returns when the bucket begins in which t lies, in zone. Where clocks are put forward or back, a bucket ends: an hour that comes
// twice is two buckets with different offsets, and a day has 23 or 25 hours.
func (i Interval) Begin(t time.Time, zone *time.Location) time.Time {
	t = t.In(zone)
	switch i {
	case Minute:
		return t.Truncate(time.Minute)
	case Hour:
		begin := t.Add(-time.Duration(t.Minute())*time.Minute - time.Duration(t.Second())*time.Second - time.Duration(t.Nanosecond()))
		if changed, _ := changes(t); changed.After(begin) {
			begin = changed
		}
		return begin
	}
	begin := midnight(t.Year(), t.Month(), t.Day(), zone)
	if begin.After(t) {
		begin = midnight(t.Year(), t.Month(), t.Day()-1, zone)
	}
	if next := i.Next(begin); !next.After(t) {
		return next
	}
	return begin
}

// Next returns when the bucket ends that begins at begin, which is the begin of the one behind it.
func (i Interval) Next(begin time.Time) time.Time {
	switch i {
	case Minute:
		return begin.Add(time.Minute)
	case Hour:
		end := begin.Add(time.Hour - time.Duration(begin.Minute())*time.Minute)
		if _, change := changes(begin); !change.IsZero() && change.Before(end) {
			end = change
		}
		return end
	}
	for days := 1; ; days++ { // a day may be missing: Samoa had no 30th of December in 2011
		if end := midnight(begin.Year(), begin.Month(), begin.Day()+days, begin.Location()); end.After(begin) {
			return end
		}
	}
}

// changes returns when the clocks of t's zone were changed last, and when they will be; zero: never.
func changes(t time.Time) (before, behind time.Time) {
	before, behind = t.ZoneBounds()
	if !before.IsZero() {
		before = before.Truncate(quarter)
	}
	if !behind.IsZero() {
		if behind = behind.Truncate(quarter); !behind.After(t) { // within the quarter of an hour before an odd change
			return behind, time.Time{}
		}
	}
	return before, behind
}

// midnight returns the first moment of a date, in zone. In some zones clocks are changed at midnight: then it is there twice, or not at all.
func midnight(year int, month time.Month, day int, zone *time.Location) time.Time {
	wall := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	at := time.Date(year, month, day, 0, 0, 0, 0, zone)
	before, behind := at.ZoneBounds()
	offsets := []time.Duration{offset(at)}
	if !before.IsZero() {
		offsets = append(offsets, offset(before.Add(-1)))
	}
	if !behind.IsZero() {
		offsets = append(offsets, offset(behind))
	}
	var first time.Time
	for _, o := range offsets {
		if t := wall.Add(-o).In(zone); offset(t) == o && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	switch {
	case !first.IsZero():
		return first
	case !behind.IsZero() && (before.IsZero() || behind.Sub(at) < at.Sub(before)):
		return behind.In(zone) // midnight was skipped: the day begins when clocks were put forward
	}
	return before.In(zone)
}

func offset(t time.Time) time.Duration {
	_, seconds := t.Zone()
	return time.Duration(seconds) * time.Second
}

// Borders returns the borders of the buckets that overlap the time from begin to end: each is the end of one and the begin of the next. There
// are at most most+1 borders, and more says that this was not enough.
func (i Interval) Borders(begin, end time.Time, zone *time.Location, most int) (borders []time.Time, more bool) {
	at := i.Begin(begin, zone)
	borders = append(borders, at)
	for at.Before(end) {
		if len(borders) > most {
			return borders, true
		}
		at = i.Next(at)
		borders = append(borders, at)
	}
	return borders, false
}
