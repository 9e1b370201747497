package feeds

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"parkwire/internal/directory"
	"parkwire/internal/event"
	"parkwire/internal/history"
	"parkwire/internal/identity"
	"parkwire/internal/kafkalog"
	"parkwire/internal/kafkalog/logtest"
	"parkwire/internal/sqldb"
	"parkwire/internal/sqldb/sqldbtest"
)

// world is a history service that has read a log, and the feeds of what it knows.
type world struct {
	*testing.T
	log      *kafkalog.Log
	producer *kafkalog.Producer
	history  *history.Service
	db       *sqldb.DB
	feeds    *Service
	handler  http.Handler
	registry *prometheus.Registry
	ahead    atomic.Int64 // of the clock
	behind   atomic.Int64 // of what is known
	versions map[string]int64
	records  int
}

// each runs a test with every kind of database.
func each(t *testing.T, test func(w *world)) {
	sqldbtest.Each(t, history.Sets(), func(t *testing.T, open func() *sqldb.DB) { test(newWorld(t, open())) })
}

func newWorldOnSQLite(t *testing.T) *world {
	return newWorld(t, sqldbtest.Open(t, sqldbtest.SQLite(t, history.Sets())))
}

func newWorld(t *testing.T, db *sqldb.DB) *world {
	log := logtest.Log(t, []string{logtest.Broker(t, "").Addr()})
	producer, err := log.NewProducer()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(producer.Close)
	w := &world{T: t, log: log, producer: producer, db: db, registry: prometheus.NewRegistry(), versions: map[string]int64{}}
	w.history = history.New(history.Options{Log: log, DB: db, Logger: logtest.Logger()})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.history.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the history service ended: %v", err)
		}
	})
	w.feeds = New(Options{
		DB: db, Now: w.now, Until: func() time.Time { return w.now().Add(-time.Duration(w.behind.Load())) },
		OnStreet: []string{"harbour"}, Logger: logtest.Logger(), Registerer: w.registry,
	})
	w.handler = w.feeds.Handler()
	return w
}

func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }

// later lets the clock go on, so that what is known is looked at again.
func (w *world) later(d time.Duration) { w.ahead.Add(int64(d)) }

func (w *world) send(topic, key string, value []byte) {
	w.Helper()
	if r := w.producer.Send(w.Context(), logtest.Patience, kafkalog.Message{Topic: topic, Key: []byte(key), Value: value})[0]; r.Err != nil {
		w.Fatal(r.Err)
	}
}

type fields = map[string]any

// describe writes a record of a change, as parking does.
func (w *world) describe(kind, id string, after fields) {
	w.Helper()
	value, err := json.Marshal(fields{
		"id": uuid.Must(uuid.NewV7()).String(), "time": event.At(time.Now()), "subject": "alice", "method": "POST", "route": "/", "requestId": "r",
		"resource": fields{"type": kind, "id": id}, "outcome": "added", "after": after,
	})
	if err != nil {
		w.Fatal(err)
	}
	w.send(w.log.AuditTopic(), kind+"/"+id, value)
	w.records++
}

// happen writes an event, as parking does; the clock is of the day of the tests, in UTC.
func (w *world) happen(clock, spotID, lotID, zoneID string, change event.Change, status event.Status) {
	w.Helper()
	w.happenOn("2026-11-24 "+clock, spotID, lotID, zoneID, change, status)
}

func (w *world) happenOn(when, spotID, lotID, zoneID string, change event.Change, status event.Status) {
	w.Helper()
	at, err := time.Parse("2006-01-02 15:04", when)
	if err != nil {
		w.Fatal(err)
	}
	w.versions[spotID]++
	value, err := event.Encode(event.Event{
		SpotID: spotID, Status: status, Timestamp: event.At(at), EventID: uuid.Must(uuid.NewV7()).String(), Change: change,
		Version: w.versions[spotID], LotID: lotID, ZoneID: zoneID, ObservedAt: event.At(at), Source: "sensor",
	})
	if err != nil {
		w.Fatal(err)
	}
	w.send(w.log.Topic(), spotID, value)
}

// settle waits until the history service has read everything that was written.
func (w *world) settle() {
	w.Helper()
	logtest.Eventually(w.T, "the history service to read what was written", func() bool {
		known, described := map[string]int64{}, 0
		err := w.db.View(w.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			spots, err := history.Presents(ctx, tx, nil)
			if err != nil {
				return err
			}
			for _, s := range spots {
				known[s.SpotID] = s.Version
			}
			lots, err := directory.Lots(ctx, tx, directory.Page{})
			if err != nil {
				return err
			}
			zones, err := directory.Zones(ctx, tx, "")
			if err != nil {
				return err
			}
			all, err := directory.Spots(ctx, tx, "", directory.Page{})
			described = len(lots) + len(zones) + len(all)
			return err
		})
		if err != nil {
			w.Fatal(err)
		}
		for id, version := range w.versions {
			if known[id] != version {
				return false
			}
		}
		return described == w.records
	})
	w.later(2 * lookEvery)
}

// city writes what the tests are about: a garage in Berlin with spots of every kind, a street in Melbourne, and a lot that nobody described.
func (w *world) city() {
	w.Helper()
	place := func(lat, lon float64) fields { return fields{"lat": lat, "lon": lon} }
	w.describe("lot", "central", fields{"id": "central", "name": "Central Garage", "timeZone": "Europe/Berlin", "address": "1 Station Road",
		"location": place(52.52, 13.405), "createdAt": "2026-11-01T08:00:00.000Z", "updatedAt": "2026-11-02T08:00:00.000Z"})
	w.describe("lot", "harbour", fields{"id": "harbour", "name": "Harbour Street", "timeZone": "Australia/Melbourne",
		"location": place(-37.8136, 144.9631), "createdAt": "2026-11-01T08:00:00.000Z", "updatedAt": "2026-11-02T08:00:00.000Z"})
	for i, zone := range []string{"L1", "L2", "L3"} {
		w.describe("zone", zone, fields{"id": zone, "lotId": "central", "name": "Level " + zone[1:], "level": i})
	}
	spot := func(id, lot, zone, category string, at fields) {
		v := fields{"spotId": id, "lotId": lot, "category": category, "name": "Bay " + id}
		if zone != "" {
			v["zoneId"] = zone
		}
		if at != nil {
			v["location"] = at
		}
		w.describe("spot", id, v)
		w.happen("02:00", id, lot, zone, event.ChangeAdded, event.Free)
	}
	spot("A-1", "central", "L1", "standard", place(52.5201, 13.4051))
	spot("A-2", "central", "L1", "accessible", place(52.5202, 13.4052))
	spot("A-3", "central", "L3", "electric", place(52.5203, 13.4053))
	spot("A-4", "central", "L2", "family", nil)
	spot("A-5", "central", "L2", "motorcycle", place(52.5205, 13.4055))
	spot("A-6", "central", "L2", "standard", place(52.5206, 13.4056))
	spot("A 7", "central", "L2", "standard", place(52.5207, 13.4057))
	spot("H-1", "harbour", "", "standard", place(-37.8137, 144.9632))
	w.happen("02:00", "F-1", "foreign", "", event.ChangeAdded, event.Free)

	w.happen("03:10", "A-1", "central", "L1", event.ChangeOccupied, event.Occupied)
	w.happen("04:10", "A-1", "central", "L1", event.ChangeReleased, event.Free)
	w.happen("04:20", "A-1", "central", "L1", event.ChangeOccupied, event.Occupied)
	w.happen("04:40", "A-1", "central", "L1", event.ChangeReleased, event.Free)
	w.happen("04:30", "A-2", "central", "L1", event.ChangeOccupied, event.Occupied)
	w.happen("03:30", "A-3", "central", "L3", event.ChangeOccupied, event.Occupied)
	w.happen("03:50", "A-3", "central", "L3", event.ChangeSignalLost, event.Unknown)
	w.happen("03:00", "A-5", "central", "L2", event.ChangeReserved, event.Reserved)
	w.happen("03:00", "A-6", "central", "L2", event.ChangeClosed, event.Closed)
	w.happen("03:00", "A 7", "central", "L2", event.ChangeFaulted, event.OutOfService)
	w.settle()
}

// ask makes a request, with headers in pairs, and returns the answer.
func (w *world) ask(method, target string, headers ...string) *httptest.ResponseRecorder {
	w.Helper()
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer := httptest.NewRecorder()
	w.handler.ServeHTTP(answer, r)
	return answer
}

// get returns the body of an answer that must be right.
func (w *world) get(target string, headers ...string) []byte {
	w.Helper()
	answer := w.ask("GET", target, headers...)
	if answer.Code != http.StatusOK {
		w.Fatalf("GET %s: %d\n%s", target, answer.Code, answer.Body)
	}
	return answer.Body.Bytes()
}

// read reads a body in JSON.
func read[T any](w *world, body []byte) (value T) {
	w.Helper()
	if err := json.Unmarshal(body, &value); err != nil {
		w.Fatalf("%v: %s", err, body)
	}
	return value
}

// limited are the headers of somebody whose token reaches one lot.
func limited(lot string) []string {
	return []string{identity.HeaderSubject, "sign-1", identity.HeaderScopes, identity.ScopeRead, identity.HeaderLots, lot}
}

// counter returns the sum of a counter.
func (w *world) counter(name string) (sum float64) {
	w.Helper()
	families, err := w.registry.Gather()
	if err != nil {
		w.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == name {
			for _, m := range family.GetMetric() {
				sum += m.GetCounter().GetValue()
			}
			return sum
		}
	}
	w.Fatalf("there is no metric %s", name)
	return 0
}

func expect[T comparable](w *world, what string, got, want T) {
	w.Helper()
	if got != want {
		w.Errorf("%s: %v, want %v", what, fmt.Sprint(got), fmt.Sprint(want))
	}
}
