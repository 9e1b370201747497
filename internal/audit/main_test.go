package audit

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"parkwire/internal/kafkalog"
	"parkwire/internal/sqldb"
	"parkwire/internal/sqldb/sqldbtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noon is when the tests' records become part of their chains; each batch a second after the one before.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// A world is a chain of a test's own.
type world struct {
	*testing.T
	db     *sqldb.DB
	now    time.Time
	events chainer
	others chainer
	offset map[string]int64
}

// eachWorld runs test on a chain in every kind of database.
func eachWorld(t *testing.T, test func(w *world)) {
	sqldbtest.Each(t, Sets(), func(t *testing.T, open func() *sqldb.DB) { test(newWorld(t, open())) })
}

func newWorld(t *testing.T, db *sqldb.DB) *world {
	w := &world{T: t, db: db, now: noon, offset: map[string]int64{}}
	now := func() time.Time { return w.now }
	m := newMetrics(nil)
	w.events = chainer{topic: "parking-events", describe: describeEvent, now: now, metrics: m}
	w.others = chainer{topic: "parking-audit", describe: describeChange, now: now, metrics: m}
	return w
}

// apply appends records of a topic in one transaction, as the frame does.
func (w *world) apply(c *chainer, records ...kafkalog.Record) {
	w.Helper()
	w.now = w.now.Add(time.Second)
	for i := range records {
		if records[i].Offset == 0 {
			w.offset[c.topic]++
			records[i].Offset = w.offset[c.topic]
		}
		if records[i].Timestamp.IsZero() {
			records[i].Timestamp = w.now
		}
	}
	w.update(func(ctx context.Context, tx *sqldb.Tx) error { return c.Apply(ctx, tx, records) })
	c.committed()
}

func (w *world) update(do func(ctx context.Context, tx *sqldb.Tx) error) {
	w.Helper()
	if err := w.db.Update(w.Context(), do); err != nil {
		w.Fatal(err)
	}
}

func (w *world) view(do func(ctx context.Context, tx *sqldb.Tx) error) {
	w.Helper()
	if err := w.db.View(w.Context(), do); err != nil {
		w.Fatal(err)
	}
}

// happened is an event of a spot.
func happened(spot string, n int) kafkalog.Record {
	status := []string{"free", "occupied"}[n%2]
	return kafkalog.Record{Partition: int32(n % 3), Key: []byte(spot), Value: fmt.Appendf(nil,
		`{"type":"ParkingSpotUpdated","spotId":%q,"status":%q,"timestamp":%q,"eventId":"e-%s-%d","change":%[2]q,"version":%[5]d,"lotId":"central","source":"sensor"}`,
		spot, status, noon.Add(time.Duration(n)*time.Minute).Format(time.RFC3339), spot, n)}
}

// changed is a change of a spot by somebody.
func changed(subject, spot string, n int) kafkalog.Record {
	return kafkalog.Record{Key: []byte("spot/" + spot), Value: fmt.Appendf(nil,
		`{"id":"c-%s-%d","time":%q,"subject":%q,"client":"203.0.113.7","method":"POST","route":"/api/v1/spots/{spotId}/close","requestId":"r-%[2]d",`+
			`"resource":{"type":"spot","id":%[1]q,"lotId":"central"},"outcome":"changed","before":{"spotId":%[1]q,"closed":false},"after":{"spotId":%[1]q,"closed":true}}`,
		spot, n, noon.Add(time.Duration(n)*time.Minute).Format(time.RFC3339), subject)}
}

// fill appends n events and a change behind each tenth.
func (w *world) fill(n int) {
	w.Helper()
	for i := 0; i < n; i += 10 {
		var events []kafkalog.Record
		for j := i; j < min(n, i+10); j++ {
			events = append(events, happened(fmt.Sprintf("A-%d", j%4), j))
		}
		w.apply(&w.events, events...)
		w.apply(&w.others, changed("anna", "A-1", i))
	}
}

// all are the records of the chain.
func (w *world) all() (all []Entry) {
	w.Helper()
	w.view(func(ctx context.Context, tx *sqldb.Tx) (err error) {
		all, err = find(ctx, tx, Query{Order: BySequence, Repetitions: true, Limit: 1_000_000})
		return err
	})
	return all
}

func (w *world) head() (h Head) {
	w.Helper()
	w.view(func(ctx context.Context, tx *sqldb.Tx) (err error) {
		h, _, err = findHead(ctx, tx)
		return err
	})
	return h
}

func (w *world) verify(v Verification) Report {
	w.Helper()
	r, err := Verify(w.Context(), w.db, v)
	if err != nil {
		w.Fatal(err)
	}
	return r
}

// whole fails unless the chain is as it was recorded.
func (w *world) whole() Report {
	w.Helper()
	r := w.verify(Verification{})
	if !r.OK {
		w.Fatalf("the chain is not whole: %v", r.Findings)
	}
	return r
}

// byHand changes the store as somebody does who has the database and takes the guards away.
func (w *world) byHand(statements ...string) {
	w.Helper()
	w.unguard()
	w.update(func(ctx context.Context, tx *sqldb.Tx) error {
		for _, s := range statements {
			if _, err := tx.Exec(ctx, s); err != nil {
				return fmt.Errorf("%s: %w", s, err)
			}
		}
		return nil
	})
}

func (w *world) unguard() {
	w.Helper()
	w.update(func(ctx context.Context, tx *sqldb.Tx) error {
		var undo []string
		if strings.HasSuffix(w.Name(), "/postgres") || strings.Contains(w.Name(), "/postgres/") {
			for _, table := range []string{"audit_records", "audit_checkpoints", "audit_head"} {
				undo = append(undo, "alter table "+table+" disable trigger user")
			}
		} else {
			for _, trigger := range []string{"records_update", "records_delete", "checkpoints_update", "checkpoints_delete", "head_update", "head_delete"} {
				undo = append(undo, "drop trigger if exists audit_"+trigger)
			}
		}
		for _, s := range undo {
			if _, err := tx.Exec(ctx, s); err != nil {
				return err
			}
		}
		return nil
	})
}

// removeOld removes what was recorded before a time.
func (w *world) removeOld(before time.Time) (n int64) {
	w.Helper()
	w.now = w.now.Add(time.Second)
	w.update(func(ctx context.Context, tx *sqldb.Tx) (err error) {
		n, err = remove(ctx, tx, before.UnixMilli(), w.now.UnixMilli(), removedAtOnce)
		return err
	})
	return n
}
