package catchup_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"parkwire/internal/event"
	"parkwire/internal/identity/access"
	"parkwire/internal/kafkalog"
	"parkwire/internal/kafkalog/logtest"
	"parkwire/internal/parking"
	"parkwire/internal/parking/catchup"
	"parkwire/internal/parking/sqlite"
	"parkwire/internal/relay"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	quiet = slog.New(slog.DiscardHandler)
	then  = time.Date(2026, 11, 24, 3, 35, 0, 0, time.UTC)
)

// world is a restored database and a log that is ahead of it.
type world struct {
	*testing.T
	store   *sqlite.Store
	log     *kafkalog.Log
	brokers []string
}

func newWorld(t *testing.T) *world { return newWorldOn(t, []string{logtest.Broker(t, "").Addr()}) }

func newWorldOn(t *testing.T, brokers []string) *world {
	w := &world{T: t, brokers: brokers}
	w.log = logtest.Log(t, w.brokers)
	var err error
	if w.store, err = sqlite.Open(sqlite.Options{Path: filepath.Join(t.TempDir(), "parkwire.db"), Logger: quiet}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.store.Close() })
	if err := w.store.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) update(do func(ctx context.Context, tx parking.Tx) error) {
	w.Helper()
	if err := w.store.Update(w.Context(), do); err != nil {
		w.Fatal(err)
	}
}

// has lets the database have a spot, whose first event may still be in the outbox.
func (w *world) has(s parking.Spot, pending ...relay.OutboxRow) {
	w.Helper()
	w.update(func(ctx context.Context, tx parking.Tx) error {
		if _, err := tx.Lot(ctx, s.LotID); errors.Is(err, parking.ErrNotFound) {
			if err := tx.AddLot(ctx, parking.Lot{ID: s.LotID, Name: s.LotID, TimeZone: "UTC", CreatedAt: then, UpdatedAt: then}); err != nil {
				return err
			}
		}
		return errors.Join(tx.SaveSpots(ctx, []parking.Spot{s}), tx.Append(ctx, pending, nil))
	})
}

func (w *world) write(topic, key string, value any) {
	w.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		w.Fatal(err)
	}
	logtest.Write(w.T, w.brokers, &kgo.Record{Topic: topic, Key: []byte(key), Value: text})
}

func (w *world) event(topic, spot string, version int64, change event.Change, status event.Status) {
	w.Helper()
	w.write(topic, spot, event.Event{Type: event.Type, SpotID: spot, LotID: "central", Change: change, Status: status, Version: version, EventID: "id", Source: "sensor",
		Timestamp: event.At(then.Add(time.Duration(version) * time.Minute)), ObservedAt: event.At(then.Add(time.Duration(version) * time.Minute))})
}

func (w *world) run() catchup.Report {
	w.Helper()
	r, err := catchup.Run(w.Context(), catchup.Options{Store: w.store, Log: w.log, Logger: quiet})
	if err != nil {
		w.Fatal(err)
	}
	return r
}

func (w *world) spot(id string) parking.Spot {
	w.Helper()
	s, err := w.store.Spot(w.Context(), id)
	if err != nil {
		w.Fatal(err)
	}
	return s
}

func free(id string, version int64) parking.Spot {
	return parking.Spot{ID: id, LotID: "central", Category: parking.Standard, Occupancy: parking.Vacant, Version: version, AddedAt: then, ChangedAt: then}
}

func TestEverySpotIsAsItsEventsSay(t *testing.T) {
	w := newWorld(t)
	w.has(free("A", 1))
	steps := []struct {
		change event.Change
		status event.Status
	}{
		{event.ChangeOccupied, event.Occupied}, {event.ChangeClosed, event.Closed}, {event.ChangeReopened, event.Occupied}, {event.ChangeReleased, event.Free},
		{event.ChangeReserved, event.Reserved}, {event.ChangeOccupied, event.Occupied}, {event.ChangeReleased, event.Reserved}, {event.ChangeReservationEnded, event.Free},
		{event.ChangeFaulted, event.OutOfService}, {event.ChangeClosed, event.Closed}, {event.ChangeReopened, event.OutOfService}, {event.ChangeRepaired, event.Free},
		{event.ChangeSignalLost, event.Unknown}, {event.ChangeSignalRestored, event.Occupied}, {event.ChangeEdited, event.Occupied}, {event.ChangeRemoved, event.Removed},
		{event.ChangeAdded, event.Unknown}, {event.ChangeOccupied, event.Occupied},
	}
	for i, step := range steps {
		version := int64(i + 2)
		w.event(w.log.Topic(), "A", version, step.change, step.status)
		if r := w.run(); r.Events != 1 || r.Spots != 1 || r.Unknown != 0 {
			t.Fatalf("%s: %+v", step.change, r)
		}
		var s parking.Spot
		w.update(func(ctx context.Context, tx parking.Tx) error {
			found, err := tx.Spots(ctx, []string{"A"})
			s = found["A"]
			return err
		})
		if s.Status() != step.status || s.Version != version {
			t.Fatalf("after %s it is %s, version %d, and not %s, version %d", step.change, s.Status(), s.Version, step.status, version)
		}
	}
	entries, err := w.store.History(t.Context(), "A", 0, 100)
	if err != nil || len(entries) != len(steps) || entries[0].Version != int64(len(steps)+1) {
		t.Errorf("its history has %d entries, %v", len(entries), err)
	}
}

func TestWhatTheLogHasForgottenTheTwinKnows(t *testing.T) {
	w := newWorld(t)
	w.has(free("A", 2))
	w.event(w.log.SpotsTopic(), "A", 9, event.ChangeOccupied, event.Occupied)
	r := w.run()
	if s := w.spot("A"); s.Version != 9 || s.Status() != event.Occupied || r.Events != 1 || r.Unknown != 1 {
		t.Errorf("it is %+v, %+v", s, r)
	}
	if r := w.run(); r.Events != 0 || r.Spots != 0 || r.Unknown != 0 {
		t.Errorf("a second time it did %+v", r)
	}
}

// says lets the topic of changes tell that a spot was removed when it had a version.
func (w *world) says(spot string, version int64) {
	w.Helper()
	w.write(w.log.AuditTopic(), "spot/"+spot, map[string]any{
		"time": event.At(then.Add(time.Hour)), "outcome": "removed", "resource": map[string]any{"type": "spot", "id": spot, "lotId": "central"},
		"before": map[string]any{"spotId": spot, "lotId": "central", "status": "occupied", "version": version},
	})
}

func TestWhatWasRemovedAndTheLogHasForgottenIsRemoved(t *testing.T) {
	w := newWorld(t)
	w.has(free("A", 8))
	w.has(free("B", 2))
	w.has(free("again", 12))
	w.event(w.log.SpotsTopic(), "again", 12, event.ChangeAdded, event.Free)
	w.event(w.log.SpotsTopic(), "B", 4, event.ChangeOccupied, event.Occupied) // its tombstone never came
	w.says("A", 8)
	w.says("B", 4)
	w.says("again", 10)
	w.says("new", 3)
	if r := w.run(); r.Spots != 3 || r.Unknown != 2 || len(r.Untold) > 0 {
		t.Errorf("%+v", r)
	}
	w.update(func(ctx context.Context, tx parking.Tx) error {
		spots, err := tx.Spots(ctx, []string{"A", "B", "new"})
		for id, version := range map[string]int64{"A": 9, "B": 5, "new": 4} {
			if s := spots[id]; !s.Removed || s.Version != version {
				t.Errorf("%s is %+v, and was removed with version %d", id, s, version)
			}
		}
		return err
	})
	if s := w.spot("again"); s.Removed || s.Version != 12 {
		t.Errorf("a spot that was added again is %+v", s)
	}
	entries, err := w.store.History(t.Context(), "A", 0, 1)
	if err != nil || len(entries) != 1 || entries[0].Change != event.ChangeRemoved || entries[0].PreviousStatus != event.Occupied || !entries[0].RecordedAt.Equal(then.Add(time.Hour)) {
		t.Errorf("its history ends with %+v, %v", entries, err)
	}
	if r := w.run(); r.Events != 0 {
		t.Errorf("a second time it did %+v", r)
	}
	if _, there := w.twin()["B"]; there {
		t.Error("the twin has a spot that was removed")
	}
}

func TestASpotOfWhichTheDatabaseAloneKnowsIsNamed(t *testing.T) {
	w := newWorld(t)
	value, err := event.Encode(event.Event{SpotID: "new", LotID: "central", Version: 1, Change: event.ChangeAdded, Status: event.Free})
	if err != nil {
		t.Fatal(err)
	}
	for _, spot := range []string{"gone", "in the log", "in the twin"} {
		w.has(free(spot, 8))
	}
	w.has(free("new", 1), relay.OutboxRow{SpotID: "new", EventID: "id", Value: value})
	w.event(w.log.Topic(), "in the log", 8, event.ChangeReleased, event.Free)
	w.event(w.log.SpotsTopic(), "in the twin", 8, event.ChangeReleased, event.Free)
	for range 2 {
		if r := w.run(); len(r.Untold) != 1 || r.Untold[0] != "gone" || r.Events > 0 {
			t.Errorf("%+v", r)
		}
	}
	if w.spot("gone") != free("gone", 8) {
		t.Errorf("it is %+v", w.spot("gone"))
	}
}

func TestEventsOfOtherProgramsAndOlderOnesChangeNothing(t *testing.T) {
	w := newWorld(t)
	w.has(free("A", 5))
	w.event(w.log.Topic(), "A", 4, event.ChangeOccupied, event.Occupied)
	w.write(w.log.Topic(), "A", map[string]any{"type": event.Type, "spotId": "A", "status": "occupied"})
	w.write(w.log.Topic(), "A", "no event")
	if r := w.run(); r.Events != 0 || w.spot("A") != free("A", 5) {
		t.Errorf("it is %+v, %+v", w.spot("A"), r)
	}
}

func TestRowsOfTheOutboxThatTheLogHasAreNotSentAgain(t *testing.T) {
	w := newWorld(t)
	row := func(version int64) relay.OutboxRow {
		value, err := event.Encode(event.Event{SpotID: "A", LotID: "central", Version: version, Change: event.ChangeOccupied, Status: event.Occupied})
		if err != nil {
			t.Fatal(err)
		}
		return relay.OutboxRow{SpotID: "A", EventID: "id", Value: value}
	}
	w.has(free("A", 8), row(6), row(7), row(8))
	w.event(w.log.Topic(), "A", 7, event.ChangeOccupied, event.Occupied)
	r := w.run()
	rows, err := w.store.Pending(t.Context(), 10)
	if err != nil || len(rows) != 1 || r.Outbox != 2 {
		t.Errorf("%d rows are left, %v, %+v", len(rows), err, r)
	}
}

func TestALotOfWhichNothingElseIsKnownIsMade(t *testing.T) {
	w := newWorld(t)
	w.write(w.log.Topic(), "N", event.Event{Type: event.Type, SpotID: "N", LotID: "north", ZoneID: "L1", Change: event.ChangeAdded, Status: event.Free, Version: 1, Timestamp: event.At(then)})
	w.run()
	zones, err := w.store.Zones(t.Context(), "north")
	if s := w.spot("N"); err != nil || s.LotID != "north" || len(zones) != 1 || zones[0].ID != "L1" {
		t.Errorf("the spot is %+v, the zones %+v, %v", s, zones, err)
	}
}

// Behind the transaction of another program no reader sees anything until it ends.
func TestWhatStandsBehindAnOpenTransactionIsNotPassedOver(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		w := newWorldOn(t, brokers)
		w.has(free("A", 1))
		client := logtest.Client(t, brokers, kgo.TransactionalID(w.log.Topic()), kgo.DefaultProduceTopic(w.log.Topic()))
		defer client.Close()
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		if err := client.ProduceSync(t.Context(), &kgo.Record{Key: []byte("A"), Value: []byte("no event")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
		w.event(w.log.Topic(), "A", 2, event.ChangeOccupied, event.Occupied)
		if r, err := catchup.Run(t.Context(), catchup.Options{Store: w.store, Log: w.log, Logger: quiet}); !errors.Is(err, kafkalog.ErrShort) {
			t.Errorf("it ended with %+v, %v", r, err)
		}
		if err := client.EndTransaction(t.Context(), kgo.TryAbort); err != nil {
			t.Fatal(err)
		}
		if r := w.run(); r.Events != 1 || w.spot("A").Version != 2 {
			t.Errorf("%+v, it is %+v", r, w.spot("A"))
		}
	})
}

func TestWhatWasRevokedStaysRevoked(t *testing.T) {
	w := newWorld(t)
	key := access.Key{ID: "k", Name: "gate", Scopes: []string{"read"}, CreatedAt: then}
	entry := func(revision int64, k access.Key) access.Entry {
		return access.Entry{ID: "id", Revision: revision, Key: &k}
	}
	old, err := json.Marshal(entry(1, key))
	if err != nil {
		t.Fatal(err)
	}
	w.update(func(ctx context.Context, tx parking.Tx) error {
		return tx.SaveAccess(ctx, parking.AccessRow{Kind: access.KindKey, ID: "k", Revision: 1, Value: old})
	})
	w.write(w.log.AccessTopic(), "key:k", entry(1, key))
	key.RevokedAt = time.Now().UTC().Truncate(time.Second)
	w.write(w.log.AccessTopic(), "key:k", entry(2, key))
	gone := key
	gone.ID, gone.RevokedAt = "gone", then.AddDate(-5, 0, 0) // nobody needs to know of it any more
	w.write(w.log.AccessTopic(), "key:gone", entry(3, gone))
	if r := w.run(); r.Keys != 1 {
		t.Errorf("%+v", r)
	}
	row, err := w.store.AccessRow(t.Context(), access.KindKey, "k")
	if err != nil || row.Revision != 2 || row.KeptUntil.IsZero() {
		t.Errorf("the key is %+v, %v", row, err)
	}
	if _, err := w.store.AccessRow(t.Context(), access.KindKey, "gone"); !errors.Is(err, parking.ErrNotFound) {
		t.Errorf("a key that ended long ago: %v", err)
	}
}

func TestBesideAParkingProcessItRefuses(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	leads, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		_ = w.store.Lead(ctx, func(ctx context.Context) error { close(leads); <-ctx.Done(); return nil })
	}()
	<-leads
	_, err := catchup.Run(t.Context(), catchup.Options{Store: w.store, Log: w.log, Logger: quiet, Patience: 50 * time.Millisecond})
	if !errors.Is(err, catchup.ErrLed) {
		t.Errorf("got %v", err)
	}
	cancel()
	<-ended
	w.run()
}
