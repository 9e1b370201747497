package alerts_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"parkwire/internal/alerts"
	"parkwire/internal/identity"
)

// told is what an alert on a stream says.
func told(t *testing.T, e sse) (spot string, sequence int64) {
	t.Helper()
	var d struct {
		SpotID   string
		Sequence int64
	}
	if err := json.Unmarshal([]byte(e.data), &d); err != nil || e.kind != "alert" || e.id != strconv.FormatInt(d.Sequence, 10) {
		t.Fatalf("%+v is no alert (%v)", e, err)
	}
	return d.SpotID, d.Sequence
}

func TestAStreamTellsItsSubjectAndGoesOnWhereItBrokeOff(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		one, other := w.start(), w.start()
		for _, id := range []string{"a", "b"} {
			w.occupied("x/1/" + id)
		}
		one.settle()
		ada := by("ada")
		for _, id := range []string{"a", "b"} {
			one.rule(ada, body{"target": body{"spotId": id}})
			one.rule(by("bert"), body{"target": body{"spotId": id}})
		}
		streams := []*listener{one.listen(ada, ""), other.listen(ada, "?access_token=x"), one.listen(by("ada", "y"), "")}
		var last int64
		for i := range 3 {
			for _, id := range []string{"a", "b"} {
				w.free("x/1/" + id)
				w.occupied("x/1/" + id)
				for n, l := range streams[:2] {
					spot, sequence := told(t, l.next())
					if spot != id || n == 0 && sequence <= last {
						t.Errorf("round %d: told of %s (%d), want %s", i, spot, sequence, id)
					}
					last = sequence
				}
			}
		}
		streams[0].cancel()
		w.free("x/1/a")
		one.says(ada, 7)
		again := other.listen(ada, "?after=0", "Last-Event-ID", strconv.FormatInt(last, 10))
		if spot, sequence := told(t, again.next()); spot != "a" || sequence <= last {
			t.Errorf("went on with %s (%d)", spot, sequence)
		}
		from := other.listen(ada, "?after=0")
		var spots []string
		for range 7 {
			spot, _ := told(t, from.next())
			spots = append(spots, spot)
		}
		if want := []string{"a", "b", "a", "b", "a", "b", "a"}; !slices.Equal(spots, want) {
			t.Errorf("from the beginning: %v", spots)
		}
		ahead := one.listen(ada, "?after=999999")
		if e := ahead.next(); e.kind != "reset" || e.data != `{"reason":"unknown"}` {
			t.Errorf("a place that there is not begins with %+v", e)
		}
		w.occupied("x/1/a")
		w.free("x/1/a")
		told(t, ahead.next())
		w.occupied("y/1/z")
		one.settle()
		one.rule(by("ada", "y"), body{"target": body{"spotId": "z"}})
		w.free("y/1/z")
		if spot, _ := told(t, streams[2].next()); spot != "z" {
			t.Errorf("a token for other lots is told first of %s", spot)
		}
	})
}

func TestStreamsAreBoundedAndRefuseWhatTheyCannotRead(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		in := w.start(func(o *alerts.Options) { o.StreamsPerSubject = 2 })
		for range 2 {
			if l := in.listen(by("ada"), ""); l.status != 200 {
				t.Fatalf("answered %d", l.status)
			}
		}
		in.refused("a stream more", in.ask(by("ada"), "GET", "/stream", nil), 429, "too-many-streams", "")
		if l := in.listen(by("bert"), ""); l.status != 200 {
			t.Errorf("another subject is answered %d", l.status)
		}
		in.refused("a place that is none", in.ask(by("bert"), "GET", "/stream?after=x", nil), 400, "invalid-parameter", "after")
		in.refused("a parameter that nobody knows", in.ask(by("bert"), "GET", "/stream?lot=x", nil), 400, "unknown-parameter", "lot")
		in.refused("nobody", in.ask(http.Header{}, "GET", "/stream", nil), 401, "token-required", "")
		if a := in.ask(by("cleo"), "HEAD", "/stream", nil); a.status != 200 || a.header.Get("Content-Type") != "text/event-stream" {
			t.Errorf("HEAD is answered %d %v", a.status, a.header)
		}
	})
}

func TestStreamsEndBetweenTwoEventsAndSayWhenToComeBack(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		in := w.start()
		l := in.listen(by("ada"), "")
		in.Drain(t.Context())
		last := l.ends()
		if len(last) != 1 || last[0].retry == "" {
			t.Errorf("it ended with %+v", last)
		}
		in.refused("a stream at the end", in.ask(by("ada"), "GET", "/stream", nil), 503, "instance-restarts", "")
	})
}

// access revokes everything when it is told to.
type access struct {
	mu      sync.Mutex
	revoked bool
	changed chan struct{}
}

func (a *access) Check(p identity.Principal) (identity.Principal, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.revoked {
		return p, fmt.Errorf("it was revoked: %w", identity.ErrToken)
	}
	return p, nil
}

func (a *access) Changed() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.changed
}

func (a *access) revoke() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.revoked = true
	close(a.changed)
	a.changed = make(chan struct{})
}

func TestAStreamEndsWithItsToken(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := &access{changed: make(chan struct{})}
		in := w.start(func(o *alerts.Options) { o.Access = a })
		brief := http.Header{}
		identity.Forward(brief, identity.Principal{Subject: "ada", Scopes: []string{"read"}, TokenID: "t", Expires: time.Now().Add(300 * time.Millisecond)})
		if last := in.listen(brief, "").ends(); len(last) != 1 || last[0].retry == "" {
			t.Errorf("with the token it ended with %+v", last)
		}
		l := in.listen(by("ada"), "")
		a.revoke()
		l.ends()
		in.refused("a revoked token", in.ask(by("ada"), "GET", "/stream", nil), 401, "token-invalid", "")
	})
}
