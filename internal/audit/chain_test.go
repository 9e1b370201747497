package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"parkwire/internal/consumer"
	"parkwire/internal/kafkalog"
	"parkwire/internal/sqldb"
)

func TestEachRecordIsInTheChainAsKafkaHadItAndSaysWhatToSearchFor(t *testing.T) {
	eachWorld(t, func(w *world) {
		sensor := kafkalog.Record{Key: []byte("sensor/s-1"), Value: []byte(`{"id":"c-s","time":"2026-11-24T12:00:05Z","subject":"ben","resource":{"type":"sensor","id":"s-1","lotId":"central"},"outcome":"removed","before":{"id":"s-1","spotId":"A-9"}}`)}
		w.apply(&w.events, happened("A-1", 1),
			kafkalog.Record{Key: nil, Value: []byte(`{"spotId":"X-1","status":"free"}`)},
			kafkalog.Record{Key: []byte{}, Value: []byte{}},
			kafkalog.Record{Key: []byte{0xff, 0}, Value: []byte("\x00\xfe no text\r\n")},
			kafkalog.Record{Value: nil},
			kafkalog.Record{Value: []byte(`{"spotId":"N\u0000UL\r` + strings.Repeat("ü", 1000) + `"}`), Timestamp: time.UnixMilli(1 << 60)},
		)
		w.apply(&w.others, changed("anna", "A-1", 7), sensor, kafkalog.Record{Value: []byte(`{"id":1}`)})
		all := w.all()
		if len(all) != 9 {
			t.Fatalf("the chain has %d records of 9", len(all))
		}
		previous, first := w.head().beginning(), all[0]
		for i := range all {
			e := &all[i]
			var sum hasher
			if e.Sequence != int64(i+1) || e.Previous != previous || sum.record(e) != e.Hash {
				t.Errorf("record %d does not follow the one before it: %+v", i+1, e)
			}
			previous = e.Hash
		}
		if h := w.head(); h.Sequence != 9 || h.Hash != previous || h.RecordedAt != w.now.UnixMilli() {
			t.Errorf("the head is %+v", h)
		}
		if first.Kind != KindEvent || first.ID != "e-A-1-1" || first.SpotID != "A-1" || first.LotID != "central" || first.Action != "occupied" || first.Time != noon.Add(time.Minute).UnixMilli() ||
			first.Topic != "parking-events" || first.Partition != 1 || first.Offset != 1 || !bytes.Equal(first.Value, happened("A-1", 1).Value) {
			t.Errorf("an event is recorded as %+v", first)
		}
		if e := all[1]; e.Kind != KindEvent || e.Key != nil || e.SpotID != "X-1" || e.Time != noon.Add(time.Second).UnixMilli() {
			t.Errorf("an event of another program is recorded as %+v", e)
		}
		if e := all[2]; e.Kind != KindUnreadable || e.Key == nil || e.Value == nil || len(e.Key)+len(e.Value) > 0 {
			t.Errorf("an empty record is recorded as %+v", e)
		}
		if e := all[3]; e.Kind != KindUnreadable || string(e.Key) != "\xff\x00" || string(e.Value) != "\x00\xfe no text\r\n" {
			t.Errorf("bytes that are no text are recorded as %+v", e)
		}
		if e := all[4]; e.Key != nil || e.Value != nil {
			t.Errorf("a record without a value is recorded as %+v", e)
		}
		if e := all[5]; !strings.HasPrefix(e.SpotID, "N\uFFFDUL\uFFFDü") || len(e.SpotID) > maxText || e.Time != 253_402_300_799_999 {
			t.Errorf("a spot with a strange id is recorded as %q of %d", e.SpotID, e.Time)
		}
		if e := all[6]; e.Kind != KindChange || e.ID != "c-A-1-7" || e.Subject != "anna" || e.Client != "203.0.113.7" || e.RequestID != "r-7" || e.ResourceType != "spot" || e.ResourceID != "A-1" || e.SpotID != "A-1" || e.LotID != "central" || e.Action != "changed" {
			t.Errorf("a change is recorded as %+v", e)
		}
		if e := all[7]; e.ResourceType != "sensor" || e.ResourceID != "s-1" || e.SpotID != "A-9" {
			t.Errorf("a sensor that was on a spot is recorded as %+v", e)
		}
		if e := all[8]; e.Kind != KindUnreadable {
			t.Errorf("what is no change is recorded as %+v", e)
		}
		w.whole()
	})
}

func TestARecordThatComesAgainSaysWhichOneItRepeats(t *testing.T) {
	eachWorld(t, func(w *world) {
		again := func(r kafkalog.Record, offset int64) kafkalog.Record { r.Offset = offset; return r }
		other := changed("anna", "A-1", 1)
		other.Value = bytes.Replace(other.Value, []byte("anna"), []byte("eve"), 1) // the same id, and not the same
		w.apply(&w.others, changed("anna", "A-1", 1), changed("anna", "A-1", 2), again(changed("anna", "A-1", 2), 12))
		w.apply(&w.others, again(changed("anna", "A-1", 1), 20), again(other, 21), again(changed("anna", "A-1", 3), 22), again(other, 23))
		w.apply(&w.events, happened("A-1", 1))
		w.apply(&w.events, again(happened("A-1", 1), 99))
		var got []int64
		for _, e := range w.all() {
			got = append(got, e.Repeats)
		}
		if want := []int64{0, 0, 2, 1, 0, 0, 5, 0, 8}; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("they repeat %v; %v was right", got, want)
		}
		if r := w.whole(); r.Repetitions != 4 {
			t.Errorf("verification counts %d repetitions of 4", r.Repetitions)
		}
		var found []Entry
		w.view(func(ctx context.Context, tx *sqldb.Tx) (err error) {
			found, err = find(ctx, tx, Query{Order: Oldest, ID: "c-A-1-1", Limit: 10})
			return err
		})
		if len(found) != 2 || found[0].Subject != "anna" || found[1].Subject != "eve" {
			t.Errorf("a search finds %+v", found)
		}
	})
}

func TestTwoConsumersMakeOneSequence(t *testing.T) {
	eachWorld(t, func(w *world) {
		const batches, each = 40, 7
		var writers sync.WaitGroup
		for i, c := range []*chainer{&w.events, &w.others} {
			writers.Go(func() {
				for b := range batches {
					records := make([]kafkalog.Record, each)
					for j := range records {
						records[j] = happened(fmt.Sprintf("S-%d", i), b*each+j)
						if i == 1 {
							records[j] = changed("anna", "A-1", b*each+j)
						}
						records[j].Offset = int64(b*each + j)
					}
					for { // as the frame does where another one was faster ten times
						err := w.db.Update(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error { return c.Apply(ctx, tx, records) })
						if err == nil {
							break
						}
						if t.Context().Err() != nil {
							t.Error(err)
							return
						}
					}
				}
			})
		}
		writers.Wait()
		if r := w.whole(); r.Records != 2*batches*each || r.Repetitions != 0 {
			t.Errorf("the chain has %d records of %d", r.Records, 2*batches*each)
		}
		next := map[string]int64{}
		for _, e := range w.all() {
			if e.Offset != next[e.Topic] {
				t.Fatalf("record %d of %s stands where %d was to stand", e.Offset, e.Topic, next[e.Topic])
			}
			next[e.Topic]++
		}
	})
}

func TestWhatKafkaHadLostIsSaidInTheChain(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.fill(5)
		w.update(func(ctx context.Context, tx *sqldb.Tx) error {
			return w.events.Gap(ctx, tx, consumer.Gap{Partition: 2, From: 7, To: 19})
		})
		w.fill(5)
		if r := w.whole(); r.Gaps != 1 {
			t.Errorf("verification counts %d gaps", r.Gaps)
		}
		if e := w.all()[6]; e.Kind != KindGap || e.Partition != 2 || e.Offset != 7 || string(e.Value) != `{"topic":"parking-events","partition":2,"from":7,"to":19}` {
			t.Errorf("a gap is recorded as %+v: %s", e, e.Value)
		}
	})
}

func TestTheClockOfTheChainNeverGoesBack(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.fill(3)
		w.now = noon.Add(-time.Hour)
		w.fill(3)
		all := w.all()
		for i := 1; i < len(all); i++ {
			if all[i].RecordedAt < all[i-1].RecordedAt {
				t.Errorf("record %d was recorded before the one before it", i+1)
			}
		}
	})
}

func TestTheChainIsNotMadeAnew(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.fill(3)
		err := w.db.Update(t.Context(), w.events.Reset)
		if !errors.Is(err, ErrAppendOnly) {
			t.Errorf("a rebuild is answered with %v", err)
		}
		if r := w.whole(); r.Records != 4 {
			t.Errorf("afterwards the chain has %d records of 4", r.Records)
		}
	})
}

func TestAccidentsAreRefusedByTheDatabase(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.fill(20)
		w.removeOld(noon.Add(3 * time.Second))
		for _, statement := range []string{
			"update audit_records set subject = 'eve' where sequence = 15",
			"update audit_records set subject = 'eve'",
			"delete from audit_records where sequence = 15",
			"delete from audit_records",
			"update audit_checkpoints set last_sequence = 1",
			"delete from audit_checkpoints",
			"update audit_head set sequence = 1",
			"delete from audit_head",
		} {
			err := w.db.Update(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
				_, err := tx.Exec(ctx, statement)
				return err
			})
			if err == nil || !strings.Contains(err.Error(), "chain") {
				t.Errorf("%s was answered with %v", statement, err)
			}
		}
		w.whole()
	})
}

// A program that gives all of its records one id does not make each of them be compared with all before it.
func TestManyDifferentRecordsOfOneID(t *testing.T) {
	eachWorld(t, func(w *world) {
		record := func(n int) kafkalog.Record {
			return kafkalog.Record{Key: []byte("B"), Value: fmt.Appendf(nil, `{"spotId":"B","status":"free","eventId":"always","n":%d}`, n)}
		}
		for n := range 2 * candidates {
			w.apply(&w.events, record(n))
		}
		w.apply(&w.events, record(candidates-1), record(candidates))
		all := w.all()
		again, tooMany := all[2*candidates], all[2*candidates+1]
		if again.Repeats != candidates || tooMany.Repeats != 0 {
			t.Errorf("of records that come again one repeats %d, and one behind the first %d repeats %d", again.Repeats, candidates, tooMany.Repeats)
		}
		if r := w.whole(); r.Repetitions != 1 {
			t.Errorf("verification says %+v", r)
		}
	})
}
