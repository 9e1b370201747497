package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parkwire/internal/client"
	"parkwire/internal/problem"
)

// feed is a platform whose event n has the cursor "n". It lets every connection go after a few events.
type feed struct {
	*httptest.Server
	each    int // events a connection
	last    int // event of all
	expired map[string]bool
	code    websocket.StatusCode

	mu    sync.Mutex
	after []string // with which it was connected to
	query url.Values
}

func newFeed(t *testing.T, each, last int) *feed {
	f := &feed{each: each, last: last, code: 1012}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/spots", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"items":[],"after":"0"}`) })
	mux.HandleFunc("GET /notifications", f.notify)
	f.Server = httptest.NewServer(mux)
	t.Cleanup(f.Close)
	return f
}

func (f *feed) notify(w http.ResponseWriter, r *http.Request) {
	after := r.URL.Query().Get("after")
	f.mu.Lock()
	f.after, f.query = append(f.after, after), r.URL.Query()
	f.mu.Unlock()
	if r.URL.Query().Get("lot") == "none" {
		w.Header().Set("Content-Type", problem.ContentType)
		w.WriteHeader(400)
		_ = json.NewEncoder(w).Encode(problem.New(400, "invalid", "There is no such lot."))
		return
	}
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer conn.CloseNow()
	if f.expired[after] {
		conn.Close(4410, "cursor expired")
		return
	}
	n, _ := strconv.Atoi(after)
	for i := n + 1; i <= min(n+f.each, f.last); i++ {
		if conn.Write(r.Context(), websocket.MessageText, fmt.Appendf(nil, `{"spotId":"s","version":%d,"cursor":"%d"}`, i, i)) != nil {
			return
		}
	}
	conn.Close(f.code, "this instance restarts")
}

// follow follows until the last event and returns the versions and the states.
func (f *feed) follow(t *testing.T, filter url.Values, after string) (versions []int, states []client.State, err error) {
	c, err := client.New(client.Options{URL: f.URL, Backoff: func(int) time.Duration { return time.Millisecond }})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	err = c.Follow(ctx, client.Follow{
		Filter: filter, After: after,
		Event: func(raw []byte) error {
			var e struct{ Version int }
			if err := json.Unmarshal(raw, &e); err != nil {
				return err
			}
			if versions = append(versions, e.Version); e.Version == f.last {
				cancel()
			}
			return nil
		},
		State: func(s client.State, _ error) { states = append(states, s) },
	})
	return versions, states, err
}

func TestFollowingGoesOnBehindTheLastEvent(t *testing.T) {
	for name, c := range map[string]struct {
		after string
		want  []int
	}{
		"from now on":     {"", []int{1, 2, 3, 4, 5, 6, 7}},
		"behind a cursor": {"4", []int{5, 6, 7}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFeed(t, 3, 7)
			versions, states, err := f.follow(t, url.Values{"lot": {"a", "b"}}, c.after)
			if err != nil || !slices.Equal(versions, c.want) {
				t.Errorf("%v came (%v); %v was to come, over several connections", versions, err, c.want)
			}
			if states[0] != client.Connected {
				t.Errorf("the states were %v", states)
			}
			if !slices.Equal(f.query["lot"], []string{"a", "b"}) {
				t.Errorf("the filter went lost: %v", f.query)
			}
		})
	}
}

func TestAConnectionWithoutEventsMissesNothingWhenItIsLost(t *testing.T) {
	f := newFeed(t, 0, 2)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	c, err := client.New(client.Options{URL: f.URL, Backoff: func(int) time.Duration { return time.Millisecond }})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Follow(ctx, client.Follow{Event: func([]byte) error { return nil }}); err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.after) < 2 || slices.ContainsFunc(f.after, func(after string) bool { return after != "0" }) {
		t.Errorf("it connected behind %q; each time it should be where it was at first, 0", f.after)
	}
}

func TestAnExpiredCursorIsToldAndFollowingGoesOn(t *testing.T) {
	f := newFeed(t, 9, 2)
	f.expired = map[string]bool{"old": true}
	versions, states, err := f.follow(t, nil, "old")
	if err != nil || !slices.Equal(versions, []int{1, 2}) || !slices.Contains(states, client.Expired) {
		t.Errorf("%v came, states %v (%v); events from now on and Expired were to come", versions, states, err)
	}
}

func TestWhatIsRefusedEndsTheFollowing(t *testing.T) {
	f := newFeed(t, 9, 2)
	_, _, err := f.follow(t, url.Values{"lot": {"none"}}, "")
	var p problem.Problem
	if !errors.As(err, &p) || p.Detail != "There is no such lot." || len(f.after) != 1 {
		t.Errorf("after %d connections: %v; the problem's text was expected, at once", len(f.after), err)
	}
}

func TestAnErrorOfTheListenerEndsTheFollowing(t *testing.T) {
	f := newFeed(t, 9, 2)
	c, err := client.New(client.Options{URL: f.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	full := errors.New("the disk is full")
	if err := c.Follow(t.Context(), client.Follow{Event: func([]byte) error { return full }}); !errors.Is(err, full) {
		t.Errorf("%v; %v was expected", err, full)
	}
}

func TestAPlatformThatIsAwayIsToldOnce(t *testing.T) {
	f := newFeed(t, 9, 2)
	f.Close()
	c, err := client.New(client.Options{URL: f.URL, Backoff: func(int) time.Duration { return time.Millisecond }})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	told := 0
	err = c.Follow(ctx, client.Follow{Event: func([]byte) error { return nil }, State: func(client.State, error) { told++ }})
	if err != nil || told != 1 {
		t.Errorf("%v, told %d times; it should be tried until the end, and told once", err, told)
	}
}
