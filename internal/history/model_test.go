package history

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
	"parkwire/internal/sqldb"
	"parkwire/internal/sqldb/sqldbtest"
)

// model is what history should know, without any of its bookkeeping: for each spot what it was from when to when.
type model struct {
	spots    map[string][]episode
	last     map[string]int64 // time of the newest event of a spot
	versions map[string]int64
	from     map[string]int32 // the partition of a spot
	reached  map[int32]int64
}

type episode struct {
	status   event.Status
	hole     bool
	place    place
	from, to int64
}

func (m *model) take(r kafkalog.Record, e event.Event) {
	at := e.Timestamp.UnixMilli()
	if !e.ObservedAt.IsZero() {
		at = e.ObservedAt.UnixMilli()
	}
	m.reached[r.Partition] = max(m.reached[r.Partition], r.Timestamp.UnixMilli())
	if e.Version > 0 {
		if e.Version <= m.versions[e.SpotID] {
			return
		}
		if m.versions[e.SpotID] > 0 && e.Version > m.versions[e.SpotID]+1 {
			m.lose(e.SpotID, m.last[e.SpotID])
		}
		m.versions[e.SpotID] = e.Version
	}
	s := episode{status: e.Status, from: at}
	switch known := m.spots[e.SpotID]; {
	case e.LotID != "":
		s.place = place{e.LotID, e.ZoneID}
	case len(known) > 0:
		s.place = known[len(known)-1].place
	}
	m.turn(e.SpotID, s)
	m.last[e.SpotID], m.from[e.SpotID] = at, r.Partition
}

func (m *model) lose(id string, at int64) {
	known := m.spots[id]
	if len(known) == 0 {
		return
	}
	now := known[len(known)-1]
	if now.status != event.Removed {
		m.turn(id, episode{status: event.Unknown, hole: true, place: now.place, from: max(at, now.from)})
	}
}

func (m *model) turn(id string, s episode) {
	known := m.spots[id]
	if n := len(known); n > 0 {
		last := &known[n-1]
		if last.status == s.status && last.place == s.place && last.hole == s.hole {
			return
		}
		if s.from > last.from {
			last.to = s.from
		} else {
			known = known[:n-1]
			if n > 1 {
				s.from = max(s.from, known[n-2].to)
			}
		}
	}
	m.spots[id] = append(known, s)
}

// times adds up what the spots of a lot or zone were from one moment to another.
func (m *model) times(s Scope, from, to int64) (t Times) {
	for _, all := range m.spots {
		for i, one := range all {
			end := one.to
			if i == len(all)-1 {
				end = to
			}
			if one.place.lot != s.Lot || s.Zone != "" && one.place.zone != s.Zone {
				continue
			}
			d := time.Duration(max(0, min(end, to)-max(one.from, from))) * time.Millisecond
			switch one.status {
			case event.Free:
				t.Free += d
			case event.Occupied:
				t.Occupied += d
			case event.Reserved:
				t.Reserved += d
			case event.Closed:
				t.Closed += d
			case event.OutOfService:
				t.OutOfService += d
			case event.Unknown:
				t.Unknown += d
			}
		}
	}
	return t
}

// weeks are some in which clocks are changed, and one in which they are not.
var weeks = []struct{ zone, monday string }{
	{"Europe/Berlin", "2026-03-23"}, {"Europe/Berlin", "2026-10-19"}, {"Australia/Melbourne", "2026-09-28"}, {"Australia/Melbourne", "2026-03-30"},
	{"Australia/Lord_Howe", "2026-03-30"}, {"Australia/Lord_Howe", "2026-09-28"}, {"America/Sao_Paulo", "2012-10-15"}, {"America/Sao_Paulo", "2013-02-11"},
	{"Asia/Kathmandu", "2026-11-23"}, {"Pacific/Apia", "2011-12-26"}, {"America/Havana", "2026-10-26"}, {"Africa/Cairo", "2026-04-20"},
}

// story is a log, and how it comes to be applied.
type story struct {
	zone     *time.Location
	from, to time.Time // a week
	batches  [][]kafkalog.Record
	gaps     map[int]int32 // before which batch there is a hole in which partition
	restarts map[int]bool
	model    *model
	newest   int64
}

func tell(t *rapid.T) *story {
	week := rapid.SampledFrom(weeks).Draw(t, "week")
	zone, err := time.LoadLocation(week.zone)
	if err != nil {
		t.Fatal(err)
	}
	monday, err := time.Parse(time.DateOnly, week.monday)
	if err != nil {
		t.Fatal(err)
	}
	s := &story{
		zone: zone, from: midnight(monday.Year(), monday.Month(), monday.Day(), zone), to: midnight(monday.Year(), monday.Month(), monday.Day()+7, zone),
		gaps: map[int]int32{}, restarts: map[int]bool{}, model: &model{
			spots: map[string][]episode{}, last: map[string]int64{}, versions: map[string]int64{}, from: map[string]int32{}, reached: map[int32]int64{},
		},
	}
	versions := map[string]int64{}
	taken := s.from.Add(-time.Hour)
	number := func(most int, label string) int { return rapid.IntRange(0, most).Draw(t, label) }
	var batch []kafkalog.Record
	for range rapid.IntRange(1, 120).Draw(t, "events") {
		// Mostly minutes pass, sometimes nothing, sometimes hours.
		taken = taken.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 40, 600, 3600, 7200, 20_000}).Draw(t, "seconds")) * time.Second).
			Add(time.Duration(number(999, "ms")) * time.Millisecond)
		id := rapid.SampledFrom([]string{"A", "B", "C"}).Draw(t, "spot")
		e := event.Event{SpotID: id, Status: rapid.SampledFrom(event.Statuses).Draw(t, "status"), Timestamp: event.At(taken), Change: event.ChangeEdited}
		partition := int32(id[0]-'A') % 2
		switch number(9, "kind") {
		case 0: // of another program
		case 1: // told before
			e.Version = versions[id]
		case 2: // some are missing
			versions[id] += 3
			e.Version = versions[id]
		default:
			versions[id]++
			e.Version = versions[id]
		}
		if e.Version > 0 {
			e.LotID, e.ZoneID = rapid.SampledFrom([]string{"L", "L", "L", "M"}).Draw(t, "lot"), rapid.SampledFrom([]string{"X", "X", "Y", ""}).Draw(t, "zone")
			if number(3, "observed") > 0 {
				e.ObservedAt = event.At(taken.Add(-time.Duration(rapid.SampledFrom([]int{0, 0, 0, 5, 900, 90_000}).Draw(t, "late")) * time.Second))
			}
		}
		r := record(partition, taken, e)
		s.newest = max(s.newest, taken.UnixMilli())
		s.model.take(r, e)
		batch = append(batch, r)
		if number(9, "commit") == 0 {
			s.batches = append(s.batches, batch)
			batch = nil
			if number(4, "gap") == 0 {
				p := int32(number(1, "partition"))
				s.gaps[len(s.batches)] = p
				if since, heard := s.model.reached[p]; heard {
					for _, id := range slices.Sorted(maps.Keys(s.model.spots)) {
						if s.model.from[id] == p {
							s.model.lose(id, since)
						}
					}
				}
			}
			s.restarts[len(s.batches)] = number(3, "restart") == 0
		}
	}
	s.batches = append(s.batches, batch)
	return s
}

// play applies a story, by batches with restarts between them, or in as few batches as possible without one.
func (s *story) play(w *world, divided bool) {
	var records []kafkalog.Record
	for i, batch := range s.batches {
		if divided && s.restarts[i] {
			w.restart()
		}
		if p, there := s.gaps[i]; there {
			w.apply(records...)
			records = nil
			w.gap(p)
		}
		records = append(records, batch...)
		if divided {
			w.apply(records...)
			records = nil
		}
	}
	w.apply(records...)
}

func TestHistoryIsThatOfTheModel(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		rapid.Check(t, func(t *rapid.T) {
			s := tell(t)
			w.reset()
			s.play(w, true)
			divided := w.dump()
			s.checkIntervals(t, w)
			s.checkRollups(t, w)
			s.checkStays(t, w)
			w.reset()
			s.play(w, false)
			if whole := w.dump(); whole != divided {
				t.Fatalf("in one batch the tables are\n%s\nand in several with restarts\n%s", whole, divided)
			}
		})
	})
}

func (s *story) checkIntervals(t *rapid.T, w *world) {
	for id, all := range s.model.spots {
		var want []string
		occupied, stayed := int64(0), int64(0)
		for i, one := range all {
			if one.status == event.Removed {
				continue
			}
			end := "…"
			if i < len(all)-1 {
				end = fmt.Sprint(one.to)
				if one.status == event.Occupied {
					occupied += one.to - one.from
				}
			}
			want = append(want, fmt.Sprint(one.status, one.hole, one.place, one.from, end))
		}
		var got []string
		w.view(func(ctx context.Context, tx *sqldb.Tx) error {
			known, err := Intervals(ctx, tx, id, since1970, endOfTime, 1000)
			if err != nil {
				return err
			}
			for _, i := range known {
				end := "…"
				if !i.Ended.IsZero() {
					end = fmt.Sprint(i.Ended.UnixMilli())
				}
				got = append(got, fmt.Sprint(i.Status, i.Hole, place{i.LotID, i.ZoneID}, i.Began.UnixMilli(), end))
			}
			// Stays are all of the occupied time, and none of it twice.
			stays, err := Stays(ctx, tx, StayQuery{SpotID: id, From: since1970, To: endOfTime, Limit: 1000})
			before := int64(0)
			for _, stay := range stays {
				if began := stay.Began.UnixMilli(); began < before {
					t.Fatalf("a stay of %s begins before the end of the last one", id)
				}
				before = stay.Ended.UnixMilli()
				stayed += before - stay.Began.UnixMilli()
			}
			if err != nil {
				return err
			}
			if open, stands, err := OpenStay(ctx, tx, id); err != nil {
				return err
			} else if stands {
				stayed += all[len(all)-1].from - open.Began.UnixMilli()
			}
			return nil
		})
		if !slices.Equal(got, want) {
			t.Fatalf("the intervals of %s are\n%q\nand not\n%q", id, got, want)
		}
		if stayed != occupied {
			t.Fatalf("the stays of %s are %d ms of %d", id, stayed, occupied)
		}
	}
}

func (s *story) checkRollups(t *rapid.T, w *world) {
	until := time.UnixMilli(s.newest + int64(rapid.IntRange(0, 10_000_000).Draw(t, "since the newest")))
	for _, scope := range []Scope{{Lot: "L"}, {Lot: "L", Zone: "X"}, {Lot: "M"}, {Lot: "M", Zone: "Y"}} {
		byUnit := map[Interval][]rollup{}
		for _, unit := range []Interval{Hour, Day} {
			borders, more := unit.Borders(s.from, s.to, s.zone, 1000)
			if more || !borders[0].Equal(s.from) || !borders[len(borders)-1].Equal(s.to) {
				t.Fatalf("the week from %v to %v is from %v to %v by %ss", s.from, s.to, borders[0], borders[len(borders)-1], unit)
			}
			byUnit[unit] = s.checkBuckets(t, w, scope, borders, false, until)
		}
		if hours, days := sumOf(byUnit[Hour]), sumOf(byUnit[Day]); hours != days {
			t.Fatalf("the hours of the week add up to %+v, and its days to %+v", hours, days)
		}
		// A few hours by minutes, from one that is no quarter of an hour.
		from := s.from.Add(time.Duration(rapid.IntRange(0, 6*24*60).Draw(t, "minute")) * time.Minute)
		borders, _ := Minute.Borders(from, from.Add(2*time.Hour), s.zone, 1000)
		s.checkBuckets(t, w, scope, borders, true, until)
	}
}

// checkStays compares what is counted of stays with the stays.
func (s *story) checkStays(t *rapid.T, w *world) {
	for _, scope := range []Scope{{Lot: "L"}, {Lot: "M", Zone: "X"}} {
		var want rollup
		var got []rollup
		w.view(func(ctx context.Context, tx *sqldb.Tx) error {
			stays, err := Stays(ctx, tx, StayQuery{Scope: scope, From: since1970, To: endOfTime, Limit: 1000})
			if err != nil {
				return err
			}
			for _, stay := range stays {
				want.departures++
				if stay.Completed {
					want.sessions++
					want.dwell += stay.Ended.Sub(stay.Began)
				}
			}
			got, err = readRollups(ctx, tx, scope, []time.Time{since1970, s.from.AddDate(1, 0, 0)}, false, endOfTime)
			return err
		})
		if r := got[0]; r.departures != want.departures || r.sessions != want.sessions || r.dwell != want.dwell {
			t.Fatalf("%+v has %+v, and its stays are %+v", scope, r, want)
		}
	}
}

func (s *story) checkBuckets(t *rapid.T, w *world, scope Scope, borders []time.Time, minutes bool, until time.Time) (all []rollup) {
	w.view(func(ctx context.Context, tx *sqldb.Tx) (err error) {
		all, err = readRollups(ctx, tx, scope, borders, minutes, until)
		return err
	})
	for i, r := range all {
		from, to := borders[i].UnixMilli(), min(borders[i+1].UnixMilli(), until.UnixMilli())
		if want := s.model.times(scope, from, to); r.times != want || r.missing {
			t.Fatalf("from %v to %v (until %v) %+v has\n%+v (missing: %v), and not\n%+v", borders[i], borders[i+1], until, scope, r.times, r.missing, want)
		}
	}
	return all
}

func sumOf(all []rollup) (total rollup) {
	for _, r := range all {
		total.times.add(r.times)
		total.arrivals += r.arrivals
		total.departures += r.departures
		total.sessions += r.sessions
		total.dwell += r.dwell
	}
	return total
}

// The example that everybody understands: one spot, and a car that stays over the night in which clocks are changed.
func TestTheHoursOfAWeekAreItsDays(t *testing.T) {
	for _, c := range []struct {
		zone, monday string
		hours        int
	}{
		{"Europe/Berlin", "2026-03-23", 167}, {"Europe/Berlin", "2026-10-19", 169},
		{"Australia/Melbourne", "2026-09-28", 167}, {"Australia/Melbourne", "2026-03-30", 169},
	} {
		t.Run(c.zone+" "+c.monday, func(t *testing.T) {
			w := newWorld(t, sqldbtest.Open(t, sqldbtest.SQLite(t, coreSets())))
			zone, err := time.LoadLocation(c.zone)
			if err != nil {
				t.Fatal(err)
			}
			monday, _ := time.ParseInLocation(time.DateOnly, c.monday, zone)
			next := monday.AddDate(0, 0, 7)
			text := func(at time.Time) string { return at.UTC().Format(time.RFC3339) }
			a := spotOf("A")
			w.apply(
				a.becomes(text(monday.Add(-time.Hour)), event.Free, event.ChangeAdded),
				a.becomes(text(monday.AddDate(0, 0, 5).Add(20*time.Hour)), event.Occupied, event.ChangeOccupied),
				a.becomes(text(next.Add(-5*time.Hour)), event.Free, event.ChangeReleased),
			)
			read := func(unit Interval) (all []rollup) {
				borders, _ := unit.Borders(monday, next, zone, 1000)
				w.view(func(ctx context.Context, tx *sqldb.Tx) (err error) {
					all, err = readRollups(ctx, tx, Scope{Lot: "L"}, borders, false, endOfTime)
					return err
				})
				return all
			}
			hours, days := read(Hour), read(Day)
			if len(hours) != c.hours || len(days) != 7 {
				t.Errorf("the week has %d hours and %d days", len(hours), len(days))
			}
			for day, at := 0, 0; day < 7; day++ {
				end := at
				for begin := monday.AddDate(0, 0, day); end < len(hours) && begin.Add(time.Duration(end-at)*time.Hour).Before(monday.AddDate(0, 0, day+1)); {
					end++
				}
				if sum := sumOf(hours[at:end]); sum != days[day] {
					t.Errorf("the hours of day %d add up to %+v, and the day is %+v", day, sum, days[day])
				}
				at = end
			}
			total := sumOf(days)
			if whole := time.Duration(c.hours) * time.Hour; total.times.Free+total.times.Occupied != whole || total.sessions != 1 {
				t.Errorf("the week adds up to %+v, and not to %v with one stay", total, whole)
			}
		})
	}
}
