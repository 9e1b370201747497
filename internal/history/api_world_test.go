package history

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"parkwire/internal/directory"
	"parkwire/internal/event"
	"parkwire/internal/identity"
	"parkwire/internal/kafkalog"
	"parkwire/internal/rest"
	"parkwire/internal/rest/resttest"
	"parkwire/internal/sqldb"
	"parkwire/test/e2e/stack"
)

// What api/openapi.yaml says of the history is what is served.
func TestTheDocumentAndTheRoutesAreTheSame(t *testing.T) {
	resttest.Documented(t, rest.Prefix, (&Service{}).Routes(), "history")
}

// server is the service on what is in the database, at a time.
type server struct {
	*world
	service *Service
}

// serve returns the service as it is asked at a time, up to which everything is known.
func (w *world) serve(now string) server {
	s := &Service{
		db: w.db, logger: slog.New(slog.NewTextHandler(io.Discard, nil)), effect: w.effect, retention: DefaultRetention,
		clock: func() time.Time { return clock(now) }, through: func() (time.Time, bool) { return clock(now), true },
	}
	return server{w, s}
}

// describe tells the service how something is described; nil: it was removed.
func (w *world) describe(kind, id string, after map[string]any) {
	w.t.Helper()
	key := map[string]string{"lot": "id", "zone": "id", "spot": "spotId"}[kind]
	made, err := uuid.NewV7()
	if err != nil {
		w.t.Fatal(err)
	}
	change := map[string]any{"id": made.String(), "resource": map[string]any{"type": kind, "id": id}, "outcome": "changed"}
	if after == nil {
		change["before"] = map[string]any{key: id, "name": id}
	} else {
		after[key] = id
		change["after"] = after
	}
	value, err := json.Marshal(change)
	if err != nil {
		w.t.Fatal(err)
	}
	record := kafkalog.Record{Key: []byte(kind + "/" + id), Value: value, Timestamp: time.Now()}
	w.update(func(ctx context.Context, tx *sqldb.Tx) error {
		return directory.Effect().Apply(ctx, tx, []kafkalog.Record{record})
	})
}

// lot describes lot L with its zone.
func (w *world) lot(timeZone string) {
	w.describe("lot", "L", map[string]any{"name": "Lot", "timeZone": timeZone})
	w.describe("zone", "Z", map[string]any{"lotId": "L", "name": "Zone"})
}

// ask sends a request, by somebody who is limited to some lots if any are named. The answer must be as api/openapi.yaml says.
func (s server) ask(path string, lots ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	return s.askAs(path, "", lots...)
}

func (s server) askAs(path, accept string, lots ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	r := httptest.NewRequest("GET", "/api/v1"+path, nil)
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	if lots != nil {
		identity.Forward(r.Header, identity.Principal{Subject: "somebody", Scopes: []string{identity.ScopeRead}, Lots: lots})
	}
	w := httptest.NewRecorder()
	s.service.Handler().ServeHTTP(w, r)
	if err := stack.Described("GET", "/api/v1"+path, stack.Answer{Status: w.Code, Header: w.Header(), Body: w.Body.Bytes()}); err != nil {
		s.t.Error(err)
	}
	return w
}

// get returns the answer to a request that must be good.
func get[T any](s server, path string, lots ...string) (v T) {
	s.t.Helper()
	w := s.ask(path, lots...)
	if w.Code != 200 {
		s.t.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		s.t.Fatalf("%s: %v", path, err)
	}
	return v
}

// refused checks that a request is answered with a problem whose words have those that are given.
func (s server) refused(path string, status int, slug string, words ...string) {
	s.t.Helper()
	s.refusedFor(path, nil, status, slug, words...)
}

func (s server) refusedFor(path string, lots []string, status int, slug string, words ...string) {
	s.t.Helper()
	w := s.ask(path, lots...)
	var p struct{ Type, Detail, Field string }
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != status || p.Type != "urn:parkwire:problem:"+slug {
		s.t.Errorf("%s: %d %s; %d %s was to come", path, w.Code, w.Body, status, slug)
		return
	}
	for _, word := range words {
		if !strings.Contains(p.Detail+" "+p.Field, word) {
			s.t.Errorf("%s: %q is not mentioned in: %s (field %q)", path, word, p.Detail, p.Field)
		}
	}
}

// somebody stays on a spot, which is free before and after.
func (s *told) stay(from, to string) []kafkalog.Record {
	return []kafkalog.Record{s.becomes(from, event.Occupied, event.ChangeOccupied), s.becomes(to, event.Free, event.ChangeReleased)}
}
