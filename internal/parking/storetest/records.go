package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/parking"
	"parkwire/internal/relay"
)

func tell(t *testing.T, s parking.Store, records ...relay.Record) {
	t.Helper()
	update(t, s, func(ctx context.Context, tx parking.Tx) error { return tx.AppendRecords(ctx, records) })
}

func recordIDs(rows []relay.RecordRow) (ids []int64) {
	for _, r := range rows {
		ids = append(ids, r.ID)
	}
	return ids
}

func bare(rows []relay.RecordRow) (records []relay.Record) {
	for _, r := range rows {
		records = append(records, r.Record)
	}
	return records
}

var recordPromises = []promise{
	{"are given back as they were, in order, until they are done", func(t *testing.T, s parking.Store) {
		want := []relay.Record{
			{Topic: relay.Audit, Key: "lot/ü", Value: []byte(`{"a":"\u0000 ü"}`)}, {Topic: relay.Access, Key: "key/1", Value: []byte("{}")},
			{Topic: relay.Access, Key: "key/1"}, {Topic: relay.Audit, Key: "lot/ü", Value: []byte(`{"a":2}`)},
		}
		tell(t, s, want[:3]...)
		tell(t, s, want[3])
		tell(t, s)
		got := ok(s.PendingRecords(t.Context(), 10))(t)
		equal(t, "records", bare(got), want)
		equal(t, "the first", bare(ok(s.PendingRecords(t.Context(), 1))(t)), want[:1])
		equal(t, "events", len(ok(s.Pending(t.Context(), 10))(t)), 0)

		done := func(ids []int64) {
			t.Helper()
			if err := s.RecordsDone(t.Context(), ids); err != nil {
				t.Fatal(err)
			}
		}
		done([]int64{got[1].ID})
		equal(t, "the others", bare(ok(s.PendingRecords(t.Context(), 10))(t)), []relay.Record{want[0], want[2], want[3]})
		done(recordIDs(got)) // again, for one
		equal(t, "records left", len(ok(s.PendingRecords(t.Context(), 10))(t)), 0)
		tell(t, s, want[0])
		done(recordIDs(got))
		equal(t, "a later record, which has an id of its own", len(ok(s.PendingRecords(t.Context(), 10))(t)), 1)
	}},
	{"keep their order, thousands of one transaction", func(t *testing.T, s parking.Store) {
		records := make([]relay.Record, 3000)
		for i := range records {
			records[i] = relay.Record{Topic: relay.Audit, Key: "spot/s", Value: fmt.Append(nil, i)}
		}
		tell(t, s, records...)
		got := ok(s.PendingRecords(t.Context(), 5000))(t)
		equal(t, "records", bare(got), records)
		if err := s.RecordsDone(t.Context(), recordIDs(got)); err != nil {
			t.Fatal(err)
		}
		equal(t, "records left", len(ok(s.PendingRecords(t.Context(), 5000))(t)), 0)
	}},
	{"wake those who send them, and only these", func(t *testing.T, s parking.Store) {
		send(t, s, relay.OutboxRow{SpotID: "s", Value: []byte("{}")})
		<-s.Wake()
		select {
		case <-s.RecordsWake():
			t.Error("woken by an event")
		default:
		}
		for range 3 { // one token stands for all, and nobody waits for it to be taken
			tell(t, s, relay.Record{Topic: relay.Audit, Key: "lot/l", Value: []byte("{}")})
		}
		select {
		case <-s.RecordsWake():
		case <-time.After(5 * time.Second):
			t.Error("not woken")
		}
		select {
		case <-s.Wake():
			t.Error("events are looked for")
		default:
		}
		if err := s.Done(t.Context(), rowIDs(ok(s.Pending(t.Context(), 10))(t)), event.Cursor{}); err != nil {
			t.Fatal(err)
		}
		equal(t, "records", len(ok(s.PendingRecords(t.Context(), 10))(t)), 3)
	}},
}
