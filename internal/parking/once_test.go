package parking_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"parkwire/internal/identity"
	"parkwire/internal/parking"
)

const keyed = "Idempotency-Key"

// Everything that is written by POST or PATCH can be sent again under its key: it is done once, and answered alike.
func TestWhatIsSentAgainUnderItsKeyIsDoneOnceAndAnsweredAlike(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "l", "s")
	p.clock.advance(time.Second)
	for i, c := range []struct {
		method, path string
		content      any
		status       int
	}{
		{"POST", "/api/v1/lots", body{"id": "new", "name": "New"}, 201},
		{"PATCH", "/api/v1/lots/new", body{"name": "Newer"}, 200},
		{"POST", "/api/v1/lots/new/zones", body{"id": "z", "name": "Z"}, 201},
		{"PATCH", "/api/v1/lots/new/zones/z", body{"level": 2}, 200},
		{"POST", "/api/v1/lots/new/spots", body{"spotId": "one"}, 201},
		{"POST", "/api/v1/lots/new/spots", []body{{"spotId": "two"}, {"spotId": "three"}}, 201},
		{"PATCH", "/api/v1/spots/one", body{"name": "One"}, 200},
		{"POST", "/api/v1/spots/s/occupy", nil, 200},
		{"POST", "/api/v1/observations", []body{reading("s", false, noon.Add(time.Minute)), reading("nobody", true, noon)}, 200},
	} {
		key := strings.Repeat("k", i+1)
		first := p.send(c.method, c.path, c.content, keyed, `"`+key+`"`)
		if first.Code != c.status || first.Header().Get("Idempotent-Replayed") != "" {
			t.Fatalf("%s %s is answered with %d, %v: %s", c.method, c.path, first.Code, first.Header(), first.Body)
		}
		before, _ := p.published(t)
		p.clock.advance(time.Second)
		again := p.send(c.method, c.path, c.content, keyed, key) // as many clients write it
		if again.Header().Get("Idempotent-Replayed") != "true" {
			t.Errorf("%s %s: the second answer does not say that it is one", c.method, c.path)
		}
		for _, name := range []string{"Location", "ETag", "Content-Type"} {
			if again.Header().Get(name) != first.Header().Get(name) {
				t.Errorf("%s %s: %s became %q, it was %q", c.method, c.path, name, again.Header().Get(name), first.Header().Get(name))
			}
		}
		if again.Code != first.Code || again.Body.String() != first.Body.String() {
			t.Errorf("%s %s is answered again with %d %s; it was %d %s", c.method, c.path, again.Code, again.Body, first.Code, first.Body)
		}
		if after, _ := p.published(t); len(after) != len(before) {
			t.Errorf("%s %s again caused %d events", c.method, c.path, len(after)-len(before))
		}
	}
}

func TestAKeyIsForOneRequestOfOnePrincipalForADay(t *testing.T) {
	p := newPlatform(t)
	do[lot](t, p, 201, "POST", "/api/v1/lots", body{"id": "a", "name": "A"}, keyed, "k")
	p.refused(t, 422, "idempotency-key-reused", keyed, "POST", "/api/v1/lots", body{"id": "b", "name": "B"}, keyed, "k")
	p.refused(t, 422, "idempotency-key-reused", keyed, "POST", "/api/v1/lots/a/zones", body{"id": "a", "name": "A"}, keyed, "k")
	p.refused(t, 422, "idempotency-key-reused", keyed, "PATCH", "/api/v1/lots/a", body{"id": "a", "name": "A"}, keyed, "k", "If-Match", "*")
	p.refused(t, 409, "id-taken", "id", "POST", "/api/v1/lots", body{"id": "a", "name": "A"}, keyed, "k", identity.HeaderSubject, "somebody else")

	p.clock.advance(24 * time.Hour)
	if w := p.send("POST", "/api/v1/lots", body{"id": "a", "name": "A"}, keyed, "k"); w.Code != 201 {
		t.Errorf("after a day the key is answered with %d", w.Code)
	}
	p.clock.advance(time.Millisecond)
	p.refused(t, 409, "id-taken", "id", "POST", "/api/v1/lots", body{"id": "a", "name": "A"}, keyed, "k")
	do[lot](t, p, 201, "POST", "/api/v1/lots", body{"id": "b", "name": "B"}, keyed, "k")
}

func TestWhatWasRefusedUnderAKeyIsJudgedAnew(t *testing.T) {
	p := newPlatform(t)
	p.refused(t, 404, "lot-not-found", "", "POST", "/api/v1/lots/l/zones", body{"id": "z", "name": "Z"}, keyed, "k")
	p.addLot(t, "l")
	do[zone](t, p, 201, "POST", "/api/v1/lots/l/zones", body{"id": "z", "name": "Z"}, keyed, "k")
}

func TestKeysThatAreNoneAreRefused(t *testing.T) {
	p := newPlatform(t)
	for _, key := range []string{"", `""`, `"open`, "a b", "ü", strings.Repeat("x", 129), `a"b`, "a\\b", "a\x7f"} {
		p.refused(t, 400, "idempotency-key-invalid", keyed, "POST", "/api/v1/lots", body{"id": "a", "name": "A"}, keyed, key)
	}
	r := httptest.NewRequest("POST", "/api/v1/lots", strings.NewReader(`{"id":"a","name":"A"}`))
	r.Header = http.Header{keyed: {"a", "b"}}
	identity.Forward(r.Header, identity.Principal{Subject: "tester", Scopes: []string{"admin"}})
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	if w.Code != 400 {
		t.Errorf("two keys are answered with %d: %s", w.Code, w.Body)
	}
	p.addLot(t, "l", "s")
	for range 2 { // what is idempotent by itself needs no key, and does not look at one
		do[spot](t, p, 200, "PUT", "/api/v1/spots/s/reservation", body{"reference": "r"}, keyed, "a b")
		do[pageOf[lot]](t, p, 200, "GET", "/api/v1/lots", nil, keyed, "a b")
	}
}

// heldStore holds transactions up until it is told to go on.
type heldStore struct {
	parking.Store
	begun, goOn chan struct{}
}

func (s heldStore) Update(ctx context.Context, change func(context.Context, parking.Tx) error) error {
	s.begun <- struct{}{}
	<-s.goOn
	return s.Store.Update(ctx, change)
}

func TestWhileARequestIsUnderWayItsKeyIsRefused(t *testing.T) {
	held := heldStore{begun: make(chan struct{}), goOn: make(chan struct{})}
	p := newPlatform(t, func(o *parking.Options) {
		held.Store = o.Store
		o.Store = held
	})
	var wg sync.WaitGroup
	var first *httptest.ResponseRecorder
	wg.Go(func() { first = p.send("POST", "/api/v1/lots", body{"id": "a", "name": "A"}, keyed, "k") })
	<-held.begun
	p.refused(t, 409, "idempotency-key-in-use", keyed, "POST", "/api/v1/lots", body{"id": "a", "name": "A"}, keyed, "k")
	held.goOn <- struct{}{}
	wg.Wait()
	if first.Code != 201 {
		t.Fatalf("the first request is answered with %d: %s", first.Code, first.Body)
	}
	if again := p.send("POST", "/api/v1/lots", body{"id": "a", "name": "A"}, keyed, "k"); again.Code != 201 || again.Header().Get("Idempotent-Replayed") != "true" {
		t.Errorf("afterwards it is answered with %d: %s", again.Code, again.Body)
	}
}

// However many send it at once, and through however many processes, a request under a key is done once.
func TestManyAtOnceUnderOneKeyDoItOnce(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "l", "s")
	other := parking.NewService(parking.Options{Store: p.store, Clock: p.clock.Now})
	handlers := []http.Handler{p.handler, other.Handler()}
	statuses := make(chan int)
	for i := range 32 {
		go func() {
			q := *p
			q.handler = handlers[i%2]
			statuses <- q.send("POST", "/api/v1/lots/l/spots", body{"spotId": "new"}, keyed, "k").Code
		}()
	}
	for range 32 {
		if status := <-statuses; status != 201 && status != 409 {
			t.Errorf("one of them is answered with %d", status)
		}
	}
	if changes := p.changesOf(t, "new"); len(changes) != 1 {
		t.Errorf("the spot was changed by %v", changes)
	}
}

// Two operators who edit the same lot or zone do not overwrite each other unknowingly.
func TestLotsAndZonesAreChangedOnlyAsTheyWereRead(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "l", "s")
	do[zone](t, p, 201, "POST", "/api/v1/lots/l/zones", body{"id": "z", "name": "Z"})
	for _, path := range []string{"/api/v1/lots/l/zones/z", "/api/v1/lots/l"} {
		read := p.send("GET", path, nil).Header().Get("ETag")
		if read == "" {
			t.Fatalf("%s has no ETag", path)
		}
		p.act(t, "s", "occupy") // counts are not what is edited
		if again := p.send("GET", path, nil).Header().Get("ETag"); again != read {
			t.Errorf("%s: the ETag became %s, it was %s", path, again, read)
		}
		p.clock.advance(time.Second)
		edited := p.send("PATCH", path, body{"name": "Mine"}, "If-Match", read)
		if edited.Code != 200 || edited.Header().Get("ETag") == read || edited.Header().Get("ETag") != p.send("GET", path, nil).Header().Get("ETag") {
			t.Fatalf("%s is edited with %d, ETag %s", path, edited.Code, edited.Header().Get("ETag"))
		}
		p.refused(t, 412, "version-mismatch", "", "PATCH", path, body{"name": "Theirs"}, "If-Match", read)
		p.refused(t, 412, "version-mismatch", "", "DELETE", path, nil, "If-Match", read)
		do[body](t, p, 200, "PATCH", path, body{"name": "Mine"}, "If-Match", "*")
		if path != "/api/v1/lots/l" {
			do[nothing](t, p, 204, "DELETE", path, nil, "If-Match", edited.Header().Get("ETag"))
		}
	}
}
