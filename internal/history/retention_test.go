package history

import (
	"context"
	"testing"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
	"parkwire/internal/sqldb"
)

func (w *world) prune(now time.Time, r Retention) int64 {
	w.t.Helper()
	s := &Service{db: w.db, retention: r}
	rows, err := s.Prune(context.Background(), now)
	if err != nil {
		w.t.Fatal(err)
	}
	return rows
}

func (w *world) rows(table string) (n int64) {
	w.t.Helper()
	w.view(func(ctx context.Context, tx *sqldb.Tx) (err error) {
		n, _, err = sqldb.One(ctx, tx, func(r sqldb.Row) (n int64, err error) { return n, r.Scan(&n) }, "select count(*) from "+table)
		return err
	})
	return n
}

// days is a spot that is occupied from noon to one on each of some days.
func days(a *told, first string, n int) (log []kafkalog.Record) {
	noon := clock(first)
	log = append(log, a.becomes(noon.Add(-time.Hour).Format(time.RFC3339), event.Free, event.ChangeAdded))
	for range n {
		log = append(log, a.becomes(noon.Format(time.RFC3339), event.Occupied, event.ChangeOccupied),
			a.becomes(noon.Add(time.Hour).Format(time.RFC3339), event.Free, event.ChangeReleased))
		noon = noon.AddDate(0, 0, 1)
	}
	return log
}

func TestWhatIsOldGoesAndWhatItComesToStays(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.apply(days(spotOf("A"), "2026-01-01T12:00:00Z", 300)...)
		week := func() rollup { return w.rollup(Scope{Lot: "L"}, "2026-02-02T00:00:00Z", "2026-02-09T00:00:00Z") }
		before := week()
		if before.times.Occupied != 7*time.Hour || before.sessions != 7 {
			t.Fatalf("a week is %+v", before)
		}
		now := clock("2026-10-28T00:00:00Z") // behind the last of the days
		if n := w.prune(now, Retention{Minutes: 48 * time.Hour, Intervals: 100 * 24 * time.Hour}); n == 0 {
			t.Error("nothing was removed")
		}
		if minutes, intervals, stays := w.rows("minutes"), w.rows("intervals"), w.rows("stays"); minutes != 4 || intervals > 203 || intervals < 198 || stays > 101 || stays < 99 {
			t.Errorf("there are %d minutes, %d intervals and %d stays", minutes, intervals, stays)
		}
		if after := week(); after != before {
			t.Errorf("a week is %+v, and was %+v", after, before)
		}
		if n := w.prune(now, Retention{Minutes: 48 * time.Hour, Intervals: 100 * 24 * time.Hour}); n != 0 {
			t.Errorf("%d rows were removed a second time", n)
		}
		// Without the quarters of an hour of that time it is still known how many spots there are behind it.
		r := Retention{Rollups: 60 * 24 * time.Hour}
		w.prune(now, r)
		from := r.rollupsFrom(now)
		if from.After(now.AddDate(0, 0, -60)) || from.Before(now.AddDate(0, 0, -88)) {
			t.Errorf("rollups of 60 days are kept from %v", from)
		}
		if r := w.rollup(Scope{Lot: "L"}, from.Format(time.RFC3339), from.AddDate(0, 0, 7).Format(time.RFC3339)); r.times != before.times {
			t.Errorf("the first week that is kept is %+v", r)
		}
		if r := w.rollup(Scope{Lot: "L"}, "2026-10-26T00:00:00Z", "2026-10-27T00:00:00Z"); r.times != (Times{Free: 23 * time.Hour, Occupied: time.Hour}) {
			t.Errorf("a day behind it is %+v", r)
		}
	})
}

func TestARecordingOfYearsAgoIsKeptFromWhenItWasReplayed(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		log := days(spotOf("A"), "2013-01-01T12:00:00Z", 10)
		for i := range log {
			log[i].Timestamp = clock("08:00")
		}
		w.apply(log...)
		if n := w.prune(clock("09:00"), DefaultRetention); n != 0 {
			t.Errorf("an hour later %d rows were removed", n)
		}
		w.prune(clock("08:00").Add(9*24*time.Hour), DefaultRetention)
		if minutes, stays := w.rows("minutes"), w.rows("stays"); minutes != 0 || stays != 10 {
			t.Errorf("9 days later there are %d minutes and %d stays", minutes, stays)
		}
		w.prune(clock("08:00").Add(401*24*time.Hour), DefaultRetention)
		if intervals, stays := w.rows("intervals"), w.rows("stays"); intervals != 0 || stays != 0 {
			t.Errorf("401 days later there are %d intervals and %d stays", intervals, stays)
		}
	})
}

func TestMinutesThatAreNotKeptAreSaidToBeMissing(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.apply(days(spotOf("A"), "2026-11-20T12:10:00Z", 4)...)
		read := func(from string) (all []rollup) {
			borders, _ := Minute.Borders(clock(from), clock(from).Add(30*time.Minute), time.UTC, 1000)
			w.view(func(ctx context.Context, tx *sqldb.Tx) (err error) {
				all, err = readRollups(ctx, tx, Scope{Lot: "L"}, borders, true, endOfTime)
				return err
			})
			return all
		}
		old, young := "2026-11-20T12:05:00Z", "2026-11-23T12:05:00Z"
		if first := read(old); first[4].times != (Times{Free: time.Minute}) || first[5].times != (Times{Occupied: time.Minute}) || first[5].arrivals != 1 {
			t.Errorf("the minutes around noon are %+v and %+v", first[4], first[5])
		}
		w.prune(clock("2026-11-23T14:00:00Z"), Retention{Minutes: 24 * time.Hour})
		for i, r := range read(old) {
			if i < 10 != r.missing || !r.missing && r.times != (Times{Occupied: time.Minute}) {
				t.Errorf("minute %d is %+v: of the quarter in which something changed nothing is known, and all of the others", i, r)
			}
		}
		for i, r := range read(young) {
			if r.missing || r.times.Total() != time.Minute {
				t.Errorf("minute %d, which is kept, is %+v", i, r)
			}
		}
	})
}

func TestRetentionDoesNotStopTheLog(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := spotOf("A")
		w.apply(days(a, "2026-01-01T12:00:00Z", 200)...)
		w.prune(clock("2026-12-01T00:00:00Z"), Retention{Minutes: time.Hour, Intervals: time.Hour, Rollups: time.Hour})
		w.apply(a.becomes("2026-12-01T09:00:00Z", event.Occupied, event.ChangeOccupied), a.becomes("2026-12-01T10:00:00Z", event.Free, event.ChangeReleased))
		same(t, "the intervals", w.intervals("A"), []string{"free 2026-07-19T13:00-2026-12-01T09:00 L/Z", "occupied 2026-12-01T09:00-2026-12-01T10:00 L/Z", "free 2026-12-01T10:00-… L/Z"})
		if r := w.rollup(Scope{Lot: "L"}, "2026-12-01T00:00:00Z", "2026-12-02T00:00:00Z"); r.times != (Times{Free: 23 * time.Hour, Occupied: time.Hour}) {
			t.Errorf("the day is %+v", r.times)
		}
	})
}
