package problem_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"

	"parkwire/internal/problem"
)

func TestWriteAnswersWithEveryMemberAndTheRequestID(t *testing.T) {
	r := httptest.NewRequest("POST", "/api/v1/lots/a%20b?x=1", nil)
	r = r.WithContext(problem.WithRequestID(r.Context(), "req-1"))
	w := httptest.NewRecorder()
	w.Header().Set("Content-Encoding", "gzip")
	problem.Write(w, r, problem.New(409, "spot-occupied", "The spot is occupied.").WithField("spotId").With("version", 7))

	if w.Code != 409 {
		t.Errorf("status %d, want 409", w.Code)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/problem+json", "Cache-Control": "no-store", "Content-Encoding": "",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	var got map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"type": "urn:parkwire:problem:spot-occupied", "title": "Conflict", "status": 409.0, "detail": "The spot is occupied.",
		"instance": "/api/v1/lots/a%20b", "field": "spotId", "requestId": "req-1", "version": 7.0,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("body\n%v, want\n%v", got, want)
	}
}

func TestExtrasNeverReplaceTheMembersOfTheStandard(t *testing.T) {
	b, err := json.Marshal(problem.New(400, "x", "real").With("detail", "forged").With("status", 200))
	if err != nil {
		t.Fatal(err)
	}
	var p problem.Problem
	if err := json.Unmarshal(b, &p); err != nil {
		t.Fatal(err)
	}
	if p.Detail != "real" || p.Status != 400 || p.Extras != nil {
		t.Errorf("got %+v", p)
	}
}

func TestFromTellsNothingOfOtherErrors(t *testing.T) {
	if p := problem.From(errors.New("password is hunter2")); p.Status != 500 || p.Type != "urn:parkwire:problem:internal" {
		t.Errorf("got %+v", p)
	}
	wrapped := fmt.Errorf("occupying: %w", problem.New(404, "spot-unknown", "There is no such spot."))
	if p := problem.From(wrapped); p.Status != 404 {
		t.Errorf("a wrapped problem became %+v", p)
	}
}

func TestWriteSurvivesAnExtraThatJSONCannotHold(t *testing.T) {
	w := httptest.NewRecorder()
	problem.Write(w, httptest.NewRequest("GET", "/", nil), problem.Problem{Extras: map[string]any{"c": make(chan int)}})
	var p problem.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Status != 500 || p.Type != "about:blank" {
		t.Errorf("got %+v, %v", p, err)
	}
}

func TestEveryRequestHasAnIDThatMayBeLogged(t *testing.T) {
	for _, c := range []struct {
		sent  string
		taken bool
	}{{"req-1", true}, {"019ab3c1-5d7b:a/b.c_d=+", true}, {"", false}, {"a b", false}, {"a\nb", false}, {string(make([]byte, 101)), false}} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set(problem.HeaderRequestID, c.sent)
		w := httptest.NewRecorder()
		var id string
		problem.Identified(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			id = problem.RequestID(r.Context())
		})).ServeHTTP(w, r)
		if (id == c.sent) != c.taken || id == "" || w.Header().Get(problem.HeaderRequestID) != id || r.Header.Get(problem.HeaderRequestID) != id {
			t.Errorf("%q became %q, answered as %q", c.sent, id, w.Header().Get(problem.HeaderRequestID))
		}
	}
}
