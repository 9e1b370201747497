package history

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
	"parkwire/internal/sqldb"
)

func TestIntervalsFollowOneAnother(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := spotOf("A")
		w.apply(
			a.becomes("08:00", event.Free, event.ChangeAdded),
			a.becomes("09:00", event.Occupied, event.ChangeOccupied),
			a.becomes("10:30", event.Free, event.ChangeReleased),
			a.becomes("10:45", event.Free, event.ChangeEdited), // its name: nothing that history keeps
			a.becomes("11:00", event.Reserved, event.ChangeReserved),
			a.becomes("12:00", event.Closed, event.ChangeClosed),
			a.becomes("13:00", event.OutOfService, event.ChangeFaulted),
			a.becomes("14:00", event.Free, event.ChangeRepaired),
		)
		same(t, "the intervals", w.intervals("A"), []string{
			"free 08:00-09:00 L/Z", "occupied 09:00-10:30 L/Z", "free 10:30-11:00 L/Z", "reserved 11:00-12:00 L/Z", "closed 12:00-13:00 L/Z",
			"out_of_service 13:00-14:00 L/Z", "free 14:00-… L/Z",
		})
		same(t, "the stays", w.stays("A"), []string{"free>09:00-10:30>free"})
		w.view(func(ctx context.Context, tx *sqldb.Tx) error {
			some, err := Intervals(ctx, tx, "A", clock("09:30"), clock("11:00"), 10)
			if len(some) != 2 || some[0].Status != event.Occupied || some[1].Status != event.Free {
				t.Errorf("from half past nine to eleven it was %+v", some)
			}
			return err
		})

		r := w.rollup(Scope{Lot: "L", Zone: "Z"}, "07:00", "15:00")
		want := Times{Free: 150 * time.Minute, Occupied: 90 * time.Minute, Reserved: time.Hour, Closed: time.Hour, OutOfService: time.Hour}
		if r.times != want || r.arrivals != 1 || r.departures != 1 || r.sessions != 1 || r.dwell != 90*time.Minute {
			t.Errorf("the time of the zone adds up to %+v, and not to %+v with one stay of 1h30m", r, want)
		}
		w.view(func(ctx context.Context, tx *sqldb.Tx) error {
			changes, err := readChanges(ctx, tx, Scope{Lot: "L"}, clock("00:00"), clock("23:45"))
			if fmt.Sprint(changes) != "map[added:1 closed:1 edited:1 faulted:1 occupied:1 released:1 repaired:1 reserved:1]" {
				t.Errorf("the changes are %v", changes)
			}
			return err
		})
	})
}

func TestLateAndEqualTimesGiveNoTimeTwice(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := spotOf("A")
		w.apply(
			a.becomes("08:00", event.Free, event.ChangeAdded),
			a.becomes("09:00", event.Occupied, event.ChangeOccupied),
			a.becomes("10:00", event.Unknown, event.ChangeSignalLost),
			a.becomes("09:58", event.Occupied, event.ChangeSignalRestored), // the reading was under way when the signal was taken for lost
			a.becomes("11:00", event.Free, event.ChangeReleased),
			a.becomes("11:00", event.Occupied, event.ChangeOccupied), // one left, one came, within the same second
			a.becomes("12:00", event.Free, event.ChangeReleased),
			a.becomes("11:30", event.Occupied, event.ChangeOccupied),
			a.becomes("11:40", event.Free, event.ChangeReleased),
		)
		same(t, "the intervals", w.intervals("A"), []string{
			"free 08:00-09:00 L/Z", "occupied 09:00-10:00 L/Z", "occupied 10:00-11:00 L/Z", "occupied 11:00-12:00 L/Z", "free 12:00-… L/Z",
		})
		// The silence without a length touched two stays all the same: nobody knows whether it was one.
		same(t, "the stays", w.stays("A"), []string{"?free>09:00-10:00>unknown", "?unknown>10:00-11:00>free", "free>11:00-12:00>free"})
		r := w.rollup(Scope{Lot: "L"}, "08:00", "13:00")
		if want := (Times{Free: 2 * time.Hour, Occupied: 3 * time.Hour}); r.times != want || r.arrivals != 3 || r.departures != 3 || r.sessions != 1 {
			t.Errorf("the time of the lot adds up to %+v, and not to %+v", r, want)
		}
	})
}

func TestARecordingOfYearsAgoIsHistoryOfASpotAddedToday(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := spotOf("A")
		w.apply(a.becomes("08:00", event.Free, event.ChangeAdded))
		late := func(at string, status event.Status, change event.Change) kafkalog.Record {
			r := a.becomes(at, status, change)
			r.Timestamp = clock("08:01")
			return r
		}
		w.apply(
			late("2013-01-05T09:00:00Z", event.Occupied, event.ChangeOccupied),
			late("2013-01-05T11:00:00Z", event.Free, event.ChangeReleased),
		)
		same(t, "the intervals", w.intervals("A"), []string{"occupied 2013-01-05T09:00-2013-01-05T11:00 L/Z", "free 2013-01-05T11:00-… L/Z"})
		if r := w.rollup(Scope{Lot: "L"}, "2013-01-05T08:00:00Z", "2013-01-05T12:00:00Z"); r.times != (Times{Free: time.Hour, Occupied: 2 * time.Hour}) {
			t.Errorf("that morning adds up to %+v", r.times)
		}
		if r := w.rollup(Scope{Lot: "L"}, "08:00", "09:00"); r.times != (Times{Free: time.Hour}) {
			t.Errorf("the hour of the addition adds up to %+v, and not to one of a free spot", r.times)
		}
		// Years in which nothing changed are no rows.
		a.was = event.Free
		w.apply(late("2026-11-24T08:00:30Z", event.Occupied, event.ChangeOccupied))
		if n := strings.Count(w.dump(), "\n"); n > 40 {
			t.Errorf("the tables have %d rows", n)
		}
		from, to := "2014-01-01T00:00:00Z", "2024-01-01T00:00:00Z"
		if r := w.rollup(Scope{Lot: "L"}, from, to); r.times != (Times{Free: clock(to).Sub(clock(from))}) {
			t.Errorf("ten years add up to %+v", r.times)
		}
	})
}

func TestTimeBelongsToTheLotAndZoneWhereTheSpotWas(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := spotOf("A")
		w.apply(a.becomes("08:00", event.Free, event.ChangeAdded), a.becomes("09:00", event.Occupied, event.ChangeOccupied))
		a.zone = "Y"
		w.apply(a.becomes("10:00", event.Occupied, event.ChangeEdited))
		a.lot, a.zone = "M", ""
		w.apply(a.becomes("11:00", event.Occupied, event.ChangeEdited), a.becomes("12:00", event.Free, event.ChangeReleased))
		same(t, "the intervals", w.intervals("A"), []string{
			"free 08:00-09:00 L/Z", "occupied 09:00-10:00 L/Z", "occupied 10:00-11:00 L/Y", "occupied 11:00-12:00 M/", "free 12:00-… M/",
		})
		same(t, "the stays", w.stays("A"), []string{"free>09:00-12:00>free"})
		for _, c := range []struct {
			scope    Scope
			want     Times
			arrivals int64
			sessions int64
		}{
			{Scope{Lot: "L"}, Times{Free: time.Hour, Occupied: 2 * time.Hour}, 1, 0},
			{Scope{Lot: "L", Zone: "Y"}, Times{Occupied: time.Hour}, 0, 0},
			{Scope{Lot: "M"}, Times{Free: time.Hour, Occupied: time.Hour}, 0, 1},
		} {
			if r := w.rollup(c.scope, "08:00", "13:00"); r.times != c.want || r.arrivals != c.arrivals || r.sessions != c.sessions {
				t.Errorf("%+v has %+v, and not %+v with %d arrivals and %d sessions", c.scope, r, c.want, c.arrivals, c.sessions)
			}
		}
	})
}

func TestARemovedSpotIsNowhereUntilItIsAddedAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := spotOf("A")
		w.apply(a.becomes("08:00", event.Occupied, event.ChangeAdded), a.becomes("09:00", event.Removed, event.ChangeRemoved))
		same(t, "the intervals", w.intervals("A"), []string{"occupied 08:00-09:00 L/Z"})
		w.restart()
		a.lot = "M"
		w.apply(a.becomes("11:00", event.Free, event.ChangeAdded))
		same(t, "the intervals", w.intervals("A"), []string{"occupied 08:00-09:00 L/Z", "free 11:00-… M/Z"})
		same(t, "the stays", w.stays("A"), []string{">08:00-09:00>removed"})
		l, m := w.rollup(Scope{Lot: "L"}, "07:00", "12:00"), w.rollup(Scope{Lot: "M"}, "07:00", "12:00")
		if l.times != (Times{Occupied: time.Hour}) || m.times != (Times{Free: time.Hour}) {
			t.Errorf("lot L has %+v, and lot M %+v", l.times, m.times)
		}
	})
}

func TestEventsOfOtherProgramsCountAsTheyCome(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.apply(foreign("08:00", "F", event.Free), foreign("09:00", "F", event.Occupied), foreign("09:30", "F", event.Occupied), foreign("10:00", "F", "blocked"))
		same(t, "the intervals", w.intervals("F"), []string{"free 08:00-09:00 /", "occupied 09:00-10:00 /", "unknown 10:00-… /"})
		same(t, "the stays", w.stays("F"), []string{"?free>09:00-10:00>unknown"})
		// Of a spot of the platform they change what it is, and not where.
		a := spotOf("A")
		w.apply(a.becomes("08:00", event.Free, event.ChangeAdded), foreign("09:00", "A", event.Occupied), a.becomes("10:00", event.Free, event.ChangeReleased))
		same(t, "the intervals", w.intervals("A"), []string{"free 08:00-09:00 L/Z", "occupied 09:00-10:00 L/Z", "free 10:00-… L/Z"})
		if dump := w.dump(); strings.Contains(dump, `["",""`) {
			t.Errorf("there are rollups of no lot:\n%s", dump)
		}
	})
}

func TestWhatIsKnownByItsVersionChangesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := spotOf("A")
		log := []kafkalog.Record{
			a.becomes("08:00", event.Free, event.ChangeAdded), a.becomes("09:00", event.Occupied, event.ChangeOccupied),
			a.becomes("10:00", event.Free, event.ChangeReleased),
		}
		w.apply(log...)
		before := w.dump()
		w.restart()
		w.apply(log...)
		if after := w.dump(); after != before {
			t.Errorf("the log made anew tells it once more, and the tables are\n%s\nand not\n%s", after, before)
		}
	})
}

func TestAHoleIsTimeThatNobodyKnows(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a, b, c := spotOf("A"), spotOf("B"), spotOf("C")
		w.apply(a.becomes("08:00", event.Free, event.ChangeAdded), b.becomes("08:00", event.Free, event.ChangeAdded), c.becomes("08:00", event.Free, event.ChangeAdded))
		w.apply(a.becomes("09:00", event.Occupied, event.ChangeOccupied), c.becomes("09:30", event.Removed, event.ChangeRemoved))
		// One event of a spot is missing: from the last one on nothing is known of it.
		a.version++
		w.apply(a.becomes("10:00", event.Occupied, event.ChangeOccupied))
		same(t, "the intervals of A", w.intervals("A"), []string{"free 08:00-09:00 L/Z", "hole 09:00-10:00 L/Z", "occupied 10:00-… L/Z"})
		w.restart()
		// The log had expired: all spots of the partition are unknown since its newest record that was read.
		w.gap(0)
		w.gap(5)
		b.version += 7
		w.apply(b.becomes("12:00", event.Free, event.ChangeReleased))
		same(t, "the intervals of A", w.intervals("A"), []string{
			"free 08:00-09:00 L/Z", "hole 09:00-10:00 L/Z", "occupied 10:00-10:00 L/Z", "hole 10:00-… L/Z",
		})
		same(t, "the intervals of B", w.intervals("B"), []string{"free 08:00-10:00 L/Z", "hole 10:00-12:00 L/Z", "free 12:00-… L/Z"})
		same(t, "the intervals of C", w.intervals("C"), []string{"free 08:00-09:30 L/Z"})
		same(t, "the stays of A", w.stays("A"), []string{"?hole>10:00-10:00>hole"})
		if r := w.rollup(Scope{Lot: "L"}, "08:00", "09:00"); r.times != (Times{Free: 3 * time.Hour}) {
			t.Errorf("the first hour is %+v", r.times)
		}
	})
}

func TestTimesThatCannotBeAreThoseOfTheLog(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		at := func(taken, text string, status event.Status) kafkalog.Record {
			r := foreign("08:00", "F", status)
			r.Value = fmt.Appendf(nil, `{"spotId":"F","status":%q,"timestamp":%q}`, status, text)
			r.Timestamp = clock(taken)
			return r
		}
		w.apply(
			at("08:00", "no time at all", event.Free), at("09:00", "9999-01-01T00:00:00Z", event.Occupied), at("10:00", "0001-06-01T00:00:00Z", event.Free),
			at("11:00", "2026-11-24T11:00:59Z", event.Occupied),
		)
		same(t, "the intervals", w.intervals("F"), []string{"free 08:00-09:00 /", "occupied 09:00-10:00 /", "free 10:00-11:00 /", "occupied 11:00-… /"})
	})
}

func TestTheTwinTellsOfSpotsThatTheLogForgot(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		twin := func(r kafkalog.Record) kafkalog.Record {
			r.Offset, r.Partition = -1, 3
			return r
		}
		still, busy := spotOf("still"), spotOf("busy")
		still.version, busy.version = 7, 40
		still.was, busy.was = event.Free, event.Free
		first := still.becomes("06:00", event.Occupied, event.ChangeOccupied)
		log := []kafkalog.Record{
			busy.becomes("08:00", event.Occupied, event.ChangeOccupied), busy.becomes("09:00", event.Free, event.ChangeReleased),
			busy.becomes("10:00", event.Occupied, event.ChangeOccupied),
		}
		w.apply(twin(first), twin(log[2]))
		w.restart()
		w.apply(log...)
		w.apply(still.becomes("11:00", event.Free, event.ChangeReleased))
		same(t, "the intervals of the spot that the log tells of", w.intervals("busy"), []string{"occupied 08:00-09:00 L/Z", "free 09:00-10:00 L/Z", "occupied 10:00-… L/Z"})
		same(t, "the intervals of the spot that it does not tell of", w.intervals("still"), []string{"occupied 06:00-11:00 L/Z", "free 11:00-… L/Z"})
		same(t, "its stays", w.stays("still"), []string{"free>06:00-11:00>free"})
		if r := w.rollup(Scope{Lot: "L"}, "06:00", "12:00"); r.times != (Times{Free: 2 * time.Hour, Occupied: 8 * time.Hour}) || r.arrivals != 3 {
			t.Errorf("the time adds up to %+v", r)
		}
	})
}

func TestAStayOfWhichTheLogHasNoBeginIsNotCompleted(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := spotOf("A")
		a.version, a.was = 12, event.Occupied
		w.apply(a.becomes("08:00", event.Occupied, event.ChangeEdited), a.becomes("09:00", event.Free, event.ChangeReleased))
		b := spotOf("B")
		b.version, b.was = 12, event.Free
		w.apply(b.becomes("08:00", event.Occupied, event.ChangeOccupied), b.becomes("09:00", event.Free, event.ChangeReleased))
		same(t, "the stays of A", w.stays("A"), []string{"?hole>08:00-09:00>free"})
		same(t, "the stays of B", w.stays("B"), []string{"free>08:00-09:00>free"})
	})
}

func TestWhatWasNotCommittedIsDoneOnceMore(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := spotOf("A")
		w.apply(a.becomes("08:00", event.Free, event.ChangeAdded))
		next := a.becomes("09:00", event.Occupied, event.ChangeOccupied)
		err := w.db.Update(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			if err := w.effect.Apply(ctx, tx, []kafkalog.Record{next}); err != nil {
				return err
			}
			return context.Canceled
		})
		if err == nil {
			t.Fatal("the transaction was committed")
		}
		w.update(func(ctx context.Context, tx *sqldb.Tx) error {
			if err := w.effect.Load(ctx, tx); err != nil {
				return err
			}
			return w.effect.Apply(ctx, tx, []kafkalog.Record{next})
		})
		w.apply(a.becomes("10:00", event.Free, event.ChangeReleased))
		same(t, "the intervals", w.intervals("A"), []string{"free 08:00-09:00 L/Z", "occupied 09:00-10:00 L/Z", "free 10:00-… L/Z"})
	})
}

func TestRecordsThatAreNoEventsAreRefusedBeforeAnythingIsDone(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := spotOf("A")
		good := a.becomes("08:00", event.Free, event.ChangeAdded)
		bad := good
		bad.Value = []byte("no JSON")
		err := w.db.Update(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			return w.effect.Apply(ctx, tx, []kafkalog.Record{good, bad, good, bad})
		})
		if err == nil || strings.Count(err.Error(), "refused") != 2 {
			t.Fatalf("the error is %v, and not that two are refused", err)
		}
		w.apply(good)
		same(t, "the intervals", w.intervals("A"), []string{"free 08:00-… L/Z"})
	})
}

func TestABatchIsWrittenInBucketsAndNotInEvents(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := spotOf("A")
		records := []kafkalog.Record{a.becomes("08:00", event.Free, event.ChangeAdded)}
		for i := range 50 {
			at := clock("08:00").Add(time.Duration(i+1) * 100 * time.Millisecond).Format(time.RFC3339Nano)
			if i%2 == 0 {
				records = append(records, a.becomes(at, event.Occupied, event.ChangeOccupied))
			} else {
				records = append(records, a.becomes(at, event.Free, event.ChangeReleased))
			}
		}
		w.apply(records...)
		var quarters int64
		w.view(func(ctx context.Context, tx *sqldb.Tx) (err error) {
			quarters, _, err = sqldb.One(ctx, tx, func(r sqldb.Row) (n int64, err error) { return n, r.Scan(&n) }, "select count(*) from quarters")
			return err
		})
		if r := w.rollup(Scope{Lot: "L"}, "08:00", "08:15"); quarters != 1 || r.arrivals != 25 || r.sessions != 25 || r.dwell != 2500*time.Millisecond {
			t.Errorf("there are %d rows, which say %+v", quarters, r)
		}
	})
}
