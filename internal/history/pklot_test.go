package history

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"testing"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
	"parkwire/internal/sqldb"
)

// pklot returns the log that a replay of the recording gives: a spot is added with its first reading, and every reading that says something new is
// an event.
func pklot(t testing.TB) (log []kafkalog.Record, zone *time.Location) {
	t.Helper()
	file, err := os.Open("../../../shared/data/pklot-ufpr04-observations.csv")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("skipped: the recording is not there")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if zone, err = time.LoadLocation("America/Sao_Paulo"); err != nil {
		t.Fatal(err)
	}
	rows := csv.NewReader(file)
	if _, err := rows.Read(); err != nil {
		t.Fatal(err)
	}
	spots := map[string]*told{}
	taken := clock("08:00") // the log took all of it today
	for {
		row, err := rows.Read()
		if err == io.EOF {
			return log, zone
		}
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.ParseInLocation("2006-01-02T15:04:05", row[0], zone)
		if err != nil {
			t.Fatal(err)
		}
		status, change := event.Free, event.ChangeReleased
		if row[2] == "occupied" {
			status, change = event.Occupied, event.ChangeOccupied
		}
		s := spots[row[1]]
		switch {
		case s == nil:
			s = &told{id: row[1], lot: "ufpr04"}
			spots[row[1]], change = s, event.ChangeAdded
		case s.was == status:
			continue
		}
		r := s.becomes(at.Format(time.RFC3339), status, change)
		r.Timestamp = taken.Add(time.Duration(len(log)) * time.Millisecond)
		log = append(log, r)
	}
}

// figures are what the history says of the recording.
type figures struct {
	stays, sameDay int
	mean, median   float64 // minutes, of those that began and ended on the same day
	hours, days    rollup
	changes        string
}

func (w *world) figures(zone *time.Location) (f figures) {
	w.t.Helper()
	begin, end := time.Date(2012, time.December, 7, 0, 0, 0, 0, zone), time.Date(2013, time.January, 30, 0, 0, 0, 0, zone)
	lot := Scope{Lot: "ufpr04"}
	w.view(func(ctx context.Context, tx *sqldb.Tx) error {
		all, err := Stays(ctx, tx, StayQuery{Scope: lot, From: begin, To: end, Completed: true, Limit: 10_000})
		if err != nil {
			return err
		}
		var minutes []float64
		for _, s := range all {
			if s.Began.In(zone).Format(time.DateOnly) == s.Ended.In(zone).Format(time.DateOnly) {
				minutes = append(minutes, s.Ended.Sub(s.Began).Minutes())
				f.mean += s.Ended.Sub(s.Began).Minutes()
			}
		}
		f.stays, f.sameDay = len(all), len(minutes)
		f.mean /= float64(len(minutes))
		f.median = middle(minutes)
		changes, err := readChanges(ctx, tx, lot, begin, end)
		if err != nil {
			return err
		}
		f.changes = fmt.Sprint(changes)
		for _, sums := range []struct {
			unit Interval
			to   *rollup
		}{{Hour, &f.hours}, {Day, &f.days}} {
			borders, _ := sums.unit.Borders(begin, end, zone, 10_000)
			all, err := readRollups(ctx, tx, lot, borders, false, endOfTime)
			if err != nil {
				return err
			}
			*sums.to = sumOf(all)
		}
		return nil
	})
	return f
}

func middle(all []float64) float64 {
	// By counting: as many are smaller as are greater.
	best, least := math.NaN(), math.MaxInt
	for _, x := range all {
		below, above := 0, 0
		for _, y := range all {
			if y < x {
				below++
			}
			if y > x {
				above++
			}
		}
		if d := max(below-above, above-below); d < least {
			best, least = x, d
		}
	}
	return best
}

func TestTheRecordingHasItsKnownAnswers(t *testing.T) {
	log, zone := pklot(t)
	if len(log) != 28+2132 {
		t.Fatalf("the recording is %d events, and not the first states of 28 spots and 2132 changes", len(log))
	}
	onBoth(t, func(t *testing.T, w *world) {
		// In batches, and the process is another one in the middle of it.
		for begin, n := 0, 0; begin < len(log); begin, n = begin+100, n+1 {
			if n%7 == 3 {
				w.restart()
			}
			w.apply(log[begin:min(begin+100, len(log))]...)
		}
		got := w.figures(zone)
		if got.sameDay != 837 || fmt.Sprintf("%.1f %.1f", got.mean, got.median) != "165.0 130.0" {
			t.Errorf("there are %d completed stays of one day, with a mean of %.1f min and a median of %.1f min, and not 837 with 165.0 and 130.0", got.sameDay, got.mean, got.median)
		}
		if got.hours != got.days || got.days.sessions != int64(got.stays) {
			t.Errorf("the hours add up to %+v, the days to %+v, and there are %d stays", got.hours, got.days, got.stays)
		}
		if got.changes != "map[added:28 occupied:1066 released:1066]" {
			t.Errorf("the changes are %s", got.changes)
		}
		before := w.dump()
		w.reset()
		w.apply(log...)
		if again := w.figures(zone); again != got {
			t.Errorf("rebuilt, the figures are %+v, and were %+v", again, got)
		}
		if after := w.dump(); after != before {
			t.Error("rebuilt, the tables differ")
		}
	})
}
