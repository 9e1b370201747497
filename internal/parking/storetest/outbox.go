package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/parking"
	"parkwire/internal/relay"
)

func send(t *testing.T, s parking.Store, rows ...relay.OutboxRow) {
	t.Helper()
	update(t, s, func(ctx context.Context, tx parking.Tx) error { return tx.Append(ctx, rows, nil) })
}

func rowIDs(rows []relay.OutboxRow) (ids []int64) {
	for _, r := range rows {
		ids = append(ids, r.ID)
	}
	return ids
}

var outboxPromises = []promise{
	{"gives rows back as they were, in order, until they are done", func(t *testing.T, s parking.Store) {
		want := []relay.OutboxRow{
			{SpotID: "s", EventID: "1", Value: []byte(`{"a":"\u0000 ü"}`), Traceparent: "00-1-1-01"},
			{SpotID: "s", EventID: "2", Value: []byte{0, 255}, Tombstone: true}, {SpotID: "r", EventID: "3", Value: []byte("{}")},
		}
		send(t, s, want[0], want[1])
		send(t, s, want[2])
		got := ok(s.Pending(t.Context(), 10))(t)
		for i := range got {
			want[i].ID = got[i].ID
		}
		equal(t, "rows", got, want)
		equal(t, "the first", ok(s.Pending(t.Context(), 1))(t), want[:1])

		done := func(ids []int64) {
			t.Helper()
			if err := s.Done(t.Context(), ids, event.Cursor{}); err != nil {
				t.Fatal(err)
			}
		}
		done([]int64{want[1].ID})
		equal(t, "the others", ok(s.Pending(t.Context(), 10))(t), []relay.OutboxRow{want[0], want[2]})
		done(rowIDs(want)) // again, for one
		equal(t, "rows left", len(ok(s.Pending(t.Context(), 10))(t)), 0)
		send(t, s, want[0])
		done(rowIDs(want))
		equal(t, "a later row, which has an id of its own", len(ok(s.Pending(t.Context(), 10))(t)), 1)
	}},
	{"keeps the order of thousands of rows of one transaction", func(t *testing.T, s parking.Store) {
		rows := make([]relay.OutboxRow, 3000)
		for i := range rows {
			rows[i] = relay.OutboxRow{SpotID: "s", EventID: fmt.Sprint(i), Value: []byte("{}")}
		}
		send(t, s, rows...)
		got := ok(s.Pending(t.Context(), 5000))(t)
		for i := range got {
			if got[i].EventID != rows[i].EventID {
				t.Fatalf("row %d is %s", i, got[i].EventID)
			}
		}
		equal(t, "rows", len(got), len(rows))
		if err := s.Done(t.Context(), rowIDs(got), event.Cursor{}); err != nil {
			t.Fatal(err)
		}
		equal(t, "rows left", len(ok(s.Pending(t.Context(), 5000))(t)), 0)
	}},
	{"has positions that only grow", func(t *testing.T, s parking.Store) {
		topic, other := event.TopicID{1}, event.TopicID{2}
		if got := ok(s.Positions(t.Context(), topic))(t); got != nil {
			t.Errorf("positions at first: %v", got)
		}
		for _, step := range []struct{ done, want event.Offsets }{
			{offsets(-1, -1, -1), offsets(-1, -1, -1)}, {offsets(5, -1, 7), offsets(5, -1, 7)}, {offsets(3, 0, 8), offsets(5, 0, 8)},
			{nil, offsets(5, 0, 8)}, {offsets(6), offsets(6, 0, 8)}, {offsets(-1, -1, -1, 9), offsets(6, 0, 8, 9)},
		} {
			if err := s.Done(t.Context(), nil, event.Cursor{Topic: topic, Offsets: step.done}); err != nil {
				t.Fatal(err)
			}
			equal(t, fmt.Sprintf("positions after %v", step.done), ok(s.Positions(t.Context(), topic))(t), step.want)
		}
		if err := s.Done(t.Context(), nil, event.Cursor{Topic: other, Offsets: offsets(0)}); err != nil {
			t.Fatal(err)
		}
		equal(t, "positions of a log that was made again", ok(s.Positions(t.Context(), other))(t), offsets(0))
		equal(t, "positions of the first log", ok(s.Positions(t.Context(), topic))(t), offsets(6, 0, 8, 9))
	}},
	{"wakes the relay when rows were committed", func(t *testing.T, s parking.Store) {
		put(t, s, newLot("l"))
		select {
		case <-s.Wake():
			t.Error("woken without a row")
		default:
		}
		for range 3 { // one token stands for all, and nobody waits for it to be taken
			send(t, s, relay.OutboxRow{SpotID: "s", Value: []byte("{}")})
		}
		select {
		case <-s.Wake():
		case <-time.After(5 * time.Second):
			t.Error("not woken")
		}
	}},
}

var leadershipPromises = []promise{
	{"belongs to one at a time, and goes to the next when it ends", func(t *testing.T, s parking.Store) {
		leads, end, next := make(chan struct{}), make(chan struct{}), make(chan struct{})
		mine := errors.New("mine")
		first, second := make(chan error, 1), make(chan error, 1)
		go func() {
			first <- s.Lead(t.Context(), func(context.Context) error { close(leads); <-end; return mine })
		}()
		<-leads
		go func() {
			second <- s.Lead(t.Context(), func(context.Context) error { close(next); return nil })
		}()
		select {
		case <-next:
			t.Error("two lead at once")
		case <-time.After(1500 * time.Millisecond):
		}
		close(end)
		failsWith(t, "what lead returned", <-first, mine)
		select {
		case err := <-second:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(10 * time.Second):
			t.Error("the second never led")
		}
	}},
	{"ends with the context, of the one that leads and of those that wait", func(t *testing.T, s parking.Store) {
		ctx, cancel := context.WithCancel(t.Context())
		leads := make(chan struct{})
		first := make(chan error, 1)
		go func() {
			first <- s.Lead(ctx, func(ctx context.Context) error { close(leads); <-ctx.Done(); return ctx.Err() })
		}()
		<-leads
		waiting, stop := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer stop()
		err := s.Lead(waiting, func(context.Context) error { t.Error("two lead at once"); return nil })
		failsWith(t, "waiting", err, context.DeadlineExceeded)
		cancel()
		failsWith(t, "leading", <-first, context.Canceled)
		if err := s.Lead(t.Context(), func(context.Context) error { return nil }); err != nil {
			t.Errorf("leading after that: %v", err)
		}
	}},
	{"ends when the store is closed", func(t *testing.T, s parking.Store) {
		leads, ended := make(chan struct{}), make(chan error, 1)
		go func() {
			ended <- s.Lead(t.Context(), func(ctx context.Context) error { close(leads); <-ctx.Done(); return nil })
		}()
		<-leads
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			t.Fatal("it goes on")
		}
	}},
}
