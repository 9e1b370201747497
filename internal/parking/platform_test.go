package parking_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"parkwire/internal/event"
	"parkwire/internal/identity"
	"parkwire/internal/parking"
	"parkwire/internal/parking/sqlite"
	"parkwire/internal/problem"
	"parkwire/internal/relay"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noon is when the tests begin.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// clock is the present of one test.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// platform is the parking part on a store of its own, as a gateway sees it.
type platform struct {
	clock    *clock
	store    parking.Store
	service  *parking.Service
	handler  http.Handler
	registry *prometheus.Registry
	scopes   string // of who makes requests
}

func newPlatform(t testing.TB, change ...func(*parking.Options)) *platform {
	t.Helper()
	store, err := sqlite.Open(sqlite.Options{Path: filepath.Join(t.TempDir(), "parking.db"), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return newPlatformOn(t, store, change...)
}

// newPlatformOn closes the store at the end of the test.
func newPlatformOn(t testing.TB, store parking.Store, change ...func(*parking.Options)) *platform {
	t.Helper()
	t.Cleanup(func() { store.Close() })
	if err := store.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	p := &platform{clock: &clock{now: noon}, store: store, registry: prometheus.NewRegistry(), scopes: identity.ScopeAdmin}
	options := parking.Options{
		Store: store, Clock: p.clock.Now, Logger: slog.New(slog.DiscardHandler), Registerer: p.registry, SweepInterval: 5 * time.Millisecond,
		Topic: func() (event.TopicID, bool) { return event.TopicID{1}, true },
	}
	for _, f := range change {
		f(&options)
	}
	p.service = parking.NewService(options)
	p.handler = problem.Identified(p.service.Handler())
	return p
}

// run supervises until the test ends.
func (p *platform) run(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- p.service.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

type body = map[string]any

// send makes a request, with headers as pairs of name and value. A string is sent as it is.
func (p *platform) send(method, path string, content any, headers ...string) *httptest.ResponseRecorder {
	text, isText := content.(string)
	if content != nil && !isText {
		b, err := json.Marshal(content)
		if err != nil {
			panic(err)
		}
		text = string(b)
	}
	r := httptest.NewRequest(method, path, strings.NewReader(text))
	if text != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	identity.Forward(r.Header, identity.Principal{Subject: "tester", Scopes: strings.Fields(p.scopes)})
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	return w
}

// do makes a request that must be answered with status, and returns the answer's body.
func do[T any](t *testing.T, p *platform, status int, method, path string, content any, headers ...string) T {
	t.Helper()
	w := p.send(method, path, content, headers...)
	var v T
	if w.Code != status {
		t.Fatalf("%s %s is answered with %d instead of %d: %s", method, path, w.Code, status, w.Body)
	}
	if w.Body.Len() > 0 {
		d := json.NewDecoder(bytes.NewReader(w.Body.Bytes()))
		d.DisallowUnknownFields()
		if err := d.Decode(&v); err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, w.Body)
		}
	}
	return v
}

// refused makes a request that must be refused with a problem.
func (p *platform) refused(t *testing.T, status int, slug, field, method, path string, content any, headers ...string) problem.Problem {
	t.Helper()
	w := p.send(method, path, content, headers...)
	var got problem.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Header().Get("Content-Type") != problem.ContentType {
		t.Fatalf("%s %s: no problem was answered but %d, %s", method, path, w.Code, w.Body)
	}
	if w.Code != status || !strings.HasSuffix(got.Type, ":"+slug) || got.Field != field || got.Detail == "" || got.RequestID == "" || got.Instance == "" {
		t.Errorf("%s %s %v is refused with %d %s, field %q: %s\nIt is to be %d %s, field %q.", method, path, content, w.Code, got.Type, got.Field, w.Body, status, slug, field)
	}
	return got
}

// The answers, with every field that there is: do refuses others.
type (
	counts struct {
		Total, Free, Occupied, Reserved, Closed, Unknown int
		OutOfService                                     int `json:"out_of_service"`
	}
	place struct{ Lat, Lon float64 }
	lot   struct {
		ID, Name, TimeZone, Address string
		Location                    *place
		HeartbeatSeconds            int
		Counts                      counts
		CreatedAt, UpdatedAt        time.Time
	}
	zone struct {
		ID, LotID, Name string
		Level           *int
	}
	spot struct {
		SpotID, LotID, ZoneID, Name, Category, Status, Occupancy, SensorID string
		Location                                                           *place
		Closed, Faulted                                                    bool
		Reservation                                                        *struct {
			Reference         string
			Until, ReservedAt time.Time
		}
		Version                   int64
		LastObservedAt, ChangedAt time.Time
		HeartbeatSeconds          int
	}
	entry struct {
		Change, Status, PreviousStatus, EventID, Source, By string
		Version                                             int64
		ObservedAt, RecordedAt                              time.Time
	}
	pageOf[T any] struct {
		Items       []T
		Next, After string
	}
	ingested struct {
		Accepted, Unchanged, Late, Rejected int
		Errors                              []struct {
			Line                            int
			SpotID, SensorID, Field, Reason string
		}
		ErrorsOmitted int
	}
	sensor struct {
		ID, Model, SpotID                       string
		BatteryPercent, BatteryVolts, RSSI, SNR *float64
		LastSeenAt, AddedAt                     time.Time
	}
	nothing struct{}
)

// addLot adds a lot with spots that nobody has observed yet.
func (p *platform) addLot(t *testing.T, id string, spotIDs ...string) {
	t.Helper()
	do[lot](t, p, 201, "POST", "/api/v1/lots", body{"id": id, "name": "Lot " + id})
	if len(spotIDs) == 0 {
		return
	}
	spots := make([]body, len(spotIDs))
	for i, s := range spotIDs {
		spots[i] = body{"spotId": s}
	}
	do[pageOf[spot]](t, p, 201, "POST", "/api/v1/lots/"+url.PathEscape(id)+"/spots", spots)
}

func (p *platform) act(t *testing.T, id, action string) spot {
	t.Helper()
	return do[spot](t, p, 200, "POST", "/api/v1/spots/"+id+"/"+action, nil)
}

func (p *platform) spot(t *testing.T, id string) spot {
	t.Helper()
	return do[spot](t, p, 200, "GET", "/api/v1/spots/"+id, nil)
}

// reading is one observation as it is sent.
func reading(spotID string, occupied bool, at time.Time) body {
	return body{"spotId": spotID, "occupied": occupied, "observedAt": at.Format(time.RFC3339Nano)}
}

func (p *platform) observe(t *testing.T, readings ...body) ingested {
	t.Helper()
	return do[ingested](t, p, 200, "POST", "/api/v1/observations", readings)
}

// published returns what is in the outbox, and checks that the events of each spot follow each other without a hole.
func (p *platform) published(t *testing.T) ([]event.Event, []relay.OutboxRow) {
	t.Helper()
	rows, err := p.store.Pending(t.Context(), 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	events := make([]event.Event, len(rows))
	newest := map[string]event.Event{}
	for i, row := range rows {
		e, err := event.Decode(row.Value)
		if err != nil {
			t.Fatal(err)
		}
		if e.Type != event.Type || e.SpotID != row.SpotID || e.EventID != row.EventID || e.EventID == "" {
			t.Fatalf("row %d is of spot %q and event %q, its event is %s", row.ID, row.SpotID, row.EventID, row.Value)
		}
		before := newest[e.SpotID]
		if e.Version != before.Version+1 || e.Change != event.ChangeAdded && e.PreviousStatus != before.Status {
			t.Fatalf("%s follows version %d, %s", row.Value, before.Version, before.Status)
		}
		newest[e.SpotID], events[i] = e, e
	}
	return events, rows
}

// changesOf names the published changes and statuses of a spot: "added/free".
func (p *platform) changesOf(t *testing.T, spotID string) []string {
	t.Helper()
	events, _ := p.published(t)
	var changes []string
	for _, e := range events {
		if e.SpotID == spotID {
			changes = append(changes, fmt.Sprintf("%s/%s", e.Change, e.Status))
		}
	}
	return changes
}
