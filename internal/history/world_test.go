package history

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"parkwire/internal/consumer"
	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
	"parkwire/internal/sqldb"
	"parkwire/internal/sqldb/sqldbtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a database into which a log is applied.
type world struct {
	t      testing.TB
	db     *sqldb.DB
	effect *effect
}

func newWorld(t testing.TB, db *sqldb.DB) *world {
	w := &world{t: t, db: db}
	w.restart()
	return w
}

// onBoth runs a test on every kind of database.
func onBoth(t *testing.T, run func(t *testing.T, w *world)) {
	sqldbtest.Each(t, Sets(), func(t *testing.T, open func() *sqldb.DB) { run(t, newWorld(t, open())) })
}

func (w *world) update(do func(ctx context.Context, tx *sqldb.Tx) error) {
	w.t.Helper()
	if err := w.db.Update(context.Background(), do); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) view(do func(ctx context.Context, tx *sqldb.Tx) error) {
	w.t.Helper()
	if err := w.db.View(context.Background(), do); err != nil {
		w.t.Fatal(err)
	}
}

// restart is another process that goes on with the same database.
func (w *world) restart() {
	w.t.Helper()
	w.effect = newEffect(newMetrics(nil))
	w.update(func(ctx context.Context, tx *sqldb.Tx) error { return w.effect.Load(ctx, tx) })
	w.effect.committed()
}

func (w *world) apply(records ...kafkalog.Record) {
	w.t.Helper()
	w.update(func(ctx context.Context, tx *sqldb.Tx) error { return w.effect.Apply(ctx, tx, records) })
	w.effect.committed()
}

func (w *world) gap(partition int32) {
	w.t.Helper()
	w.update(func(ctx context.Context, tx *sqldb.Tx) error {
		return w.effect.Gap(ctx, tx, consumer.Gap{Partition: partition})
	})
	w.effect.committed()
}

func (w *world) reset() {
	w.t.Helper()
	w.update(func(ctx context.Context, tx *sqldb.Tx) error { return w.effect.Reset(ctx, tx) })
	w.restart()
}

// record is an event as it stands in the log, which took it at a time.
func record(partition int32, taken time.Time, e event.Event) kafkalog.Record {
	value, err := event.Encode(e)
	if err != nil {
		panic(err)
	}
	return kafkalog.Record{Partition: partition, Key: []byte(e.SpotID), Value: value, Timestamp: taken}
}

// told makes the records of one spot, a version each. Its lot is L and its zone Z, unless another is said.
type told struct {
	id      string
	version int64
	was     event.Status
	lot     string
	zone    string
}

func spotOf(id string) *told { return &told{id: id, lot: "L", zone: "Z"} }

// becomes is an event of the platform, accepted and observed at a time.
func (s *told) becomes(at string, status event.Status, change event.Change) kafkalog.Record {
	s.version++
	when := clock(at)
	e := event.Event{
		SpotID: s.id, Status: status, Timestamp: event.At(when), Change: change, PreviousStatus: s.was, Version: s.version,
		LotID: s.lot, ZoneID: s.zone, ObservedAt: event.At(when),
	}
	s.was = status
	return record(0, when.Add(time.Second), e)
}

// foreign is an event of another program, which knows four fields.
func foreign(at, id string, status event.Status) kafkalog.Record {
	return record(0, clock(at).Add(time.Second), event.Event{SpotID: id, Status: status, Timestamp: event.At(clock(at))})
}

// clock is a time of day of the 24th of November, or a whole one.
func clock(text string) time.Time {
	for _, layout := range []string{"15:04", "15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil {
			return time.Date(2026, time.November, 24, t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
		}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

// of returns the intervals of a spot, as "free 09:00-10:00 L/Z".
func (w *world) intervals(id string) (texts []string) {
	w.t.Helper()
	w.view(func(ctx context.Context, tx *sqldb.Tx) error {
		all, err := Intervals(ctx, tx, id, since1970, endOfTime, 1000)
		for _, i := range all {
			text := fmt.Sprintf("%s %s-%s %s/%s", i.Status, short(i.Began), short(i.Ended), i.LotID, i.ZoneID)
			if i.Hole {
				text = strings.Replace(text, "unknown", "hole", 1)
			}
			texts = append(texts, text)
		}
		return err
	})
	return texts
}

func short(t time.Time) string {
	switch {
	case t.IsZero():
		return "…"
	case t.Truncate(24 * time.Hour).Equal(clock("00:00")):
		return t.Format("15:04")
	}
	return t.Format("2006-01-02T15:04")
}

// stays returns those of a spot, as "free>09:00-10:00>closed"; one that is not completed begins with "?".
func (w *world) stays(id string) (texts []string) {
	w.t.Helper()
	w.view(func(ctx context.Context, tx *sqldb.Tx) error {
		all, err := Stays(ctx, tx, StayQuery{SpotID: id, From: since1970, To: endOfTime, Limit: 1000})
		if err != nil {
			return err
		}
		open, stands, err := OpenStay(ctx, tx, id)
		if stands {
			all = append(all, open)
		}
		for _, s := range all {
			text := fmt.Sprintf("%s>%s-%s>%s", s.Before, short(s.Began), short(s.Ended), s.After)
			if !s.Completed {
				text = "?" + text
			}
			texts = append(texts, text)
		}
		return err
	})
	return texts
}

// rollup returns that of a time as one bucket.
func (w *world) rollup(s Scope, from, to string) (r rollup) {
	w.t.Helper()
	w.view(func(ctx context.Context, tx *sqldb.Tx) error {
		all, err := readRollups(ctx, tx, s, []time.Time{clock(from), clock(to)}, false, endOfTime)
		if err == nil {
			r = all[0]
		}
		return err
	})
	return r
}

// dump returns every row of every table.
func (w *world) dump() string {
	w.t.Helper()
	var all strings.Builder
	for _, table := range tables {
		columns := map[string]string{
			"spots": spotColumns, "intervals": "spot_id, began, ended, status, hole, lot_id, zone_id, recorded_at",
			"stays":      "spot_id, began, ended, lot_id, zone_id, status_before, status_after, completed, recorded_at",
			"partitions": "partition, reached", "spans": "lot_id, zone_id, span, " + strings.Join(spanColumns, ", "),
			"quarters":        "lot_id, zone_id, quarter, " + strings.Join(rollupColumns, ", ") + ", recorded_at",
			"minutes":         "lot_id, zone_id, minute, " + strings.Join(rollupColumns, ", ") + ", recorded_at",
			"quarter_changes": "lot_id, zone_id, quarter, change, changes",
		}[table]
		n := strings.Count(columns, ",") + 1
		order := "1, 2"
		if n > 2 {
			order = "1, 2, 3"
		}
		if table == "quarter_changes" {
			order += ", 4"
		}
		fmt.Fprintln(&all, table)
		w.view(func(ctx context.Context, tx *sqldb.Tx) error {
			return sqldb.Each(ctx, tx, func(r sqldb.Row) error {
				values, into := make([]any, n), make([]any, n)
				for i := range values {
					into[i] = &values[i]
				}
				if err := r.Scan(into...); err != nil {
					return err
				}
				line, err := json.Marshal(values)
				fmt.Fprintln(&all, string(line))
				return err
			}, "select "+columns+" from "+table+" order by "+order)
		})
	}
	return all.String()
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s are\n\t%s\nand not\n\t%s", what, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// since1970 is before everything that is kept.
var since1970 = time.Unix(0, 0)

// coreSets are the tables of history alone.
func coreSets() []sqldb.Set { return []sqldb.Set{sqldb.NewSet("history", migrations)} }
