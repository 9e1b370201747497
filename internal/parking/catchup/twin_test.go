package catchup_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parkwire/internal/bus/memory"
	"parkwire/internal/event"
	"parkwire/internal/identity"
	"parkwire/internal/kafkalog"
	"parkwire/internal/kafkalog/logtest"
	"parkwire/internal/live"
	"parkwire/internal/relay"
)

// during lets something run until the end of the test.
func (w *world) during(run func(context.Context) error) {
	w.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	w.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			w.Error(err)
		}
	})
}

// goesOn lets a parking process lead until it says that the twin has all that the log has.
func (w *world) goesOn() {
	w.Helper()
	w.during(relay.New(relay.Options{Outbox: w.store, Records: w.store, Log: w.log, Logger: quiet, Settle: 50 * time.Millisecond}).Run)
	heads, err := w.log.Heads(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	logtest.Eventually(w.T, "the twin to say that it has all", func() bool {
		covered, err := w.log.Spots(w.Context(), func(kafkalog.Record) error { return nil })
		return err == nil && covered.Contains(heads)
	})
}

// serves starts a notification instance, and returns the version of each spot of which it tells.
func (w *world) serves() map[string]int64 {
	w.Helper()
	service := live.New(live.Options{Log: w.log, Bus: memory.New(), Logger: quiet, Authorize: func(*http.Request) (identity.Principal, error) { return identity.Principal{}, nil }})
	server := httptest.NewServer(service.Handler())
	w.Cleanup(server.Close)
	w.during(service.Run)
	logtest.Eventually(w.T, "the instance to be ready", func() bool { return service.Ready() == nil })
	ctx, cancel := context.WithTimeout(w.Context(), logtest.Patience)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(server.URL, "http")+live.PathNotifications+"?snapshot=1", nil)
	if err != nil {
		w.Fatal(err)
	}
	defer conn.CloseNow()
	served := map[string]int64{}
	for {
		_, text, err := conn.Read(ctx)
		if err != nil {
			w.Fatal(err)
		}
		var frame struct {
			SpotID, Cursor string
			Version        int64
		}
		if err := json.Unmarshal(text, &frame); err != nil {
			w.Fatal(err)
		}
		served[frame.SpotID] = frame.Version
		if frame.Cursor != "" { // the last of them
			return served
		}
	}
}

// twin is the version of each spot that the twin has.
func (w *world) twin() map[string]int64 {
	w.Helper()
	has := map[string]int64{}
	_, err := w.log.Spots(w.Context(), func(r kafkalog.Record) error {
		if e, err := event.Decode(r.Value); err == nil {
			has[e.SpotID] = e.Version
		} else {
			delete(has, string(r.Key))
		}
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	return has
}

// What a relay had written to the log, and not to the twin yet when its database was lost.
func TestAfterwardsTheTwinHasAllThatItIsSaidToHave(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		w := newWorldOn(t, brokers)
		for _, topic := range []string{w.log.Topic(), w.log.SpotsTopic()} {
			for _, spot := range []string{"changed", "removed", "as it was"} {
				w.event(topic, spot, 1, event.ChangeAdded, event.Free)
			}
		}
		for _, spot := range []string{"changed", "removed", "as it was"} {
			w.has(free(spot, 1))
		}
		value, err := event.Encode(event.Event{SpotID: "on its way", LotID: "central", Version: 1, Change: event.ChangeAdded, Status: event.Free})
		if err != nil {
			t.Fatal(err)
		}
		w.has(free("on its way", 1), relay.OutboxRow{SpotID: "on its way", EventID: "id", Value: value})

		w.event(w.log.Topic(), "on its way", 1, event.ChangeAdded, event.Free)
		w.event(w.log.Topic(), "changed", 2, event.ChangeOccupied, event.Occupied)
		w.event(w.log.Topic(), "changed", 3, event.ChangeReleased, event.Free)
		w.event(w.log.Topic(), "removed", 2, event.ChangeRemoved, event.Removed)
		w.event(w.log.Topic(), "added", 1, event.ChangeAdded, event.Free)
		w.event(w.log.Topic(), "short-lived", 1, event.ChangeAdded, event.Free)
		w.event(w.log.Topic(), "short-lived", 2, event.ChangeRemoved, event.Removed)
		w.run()
		w.goesOn()
		if served, want := w.serves(), map[string]int64{"changed": 3, "as it was": 1, "on its way": 1, "added": 1}; !maps.Equal(served, want) {
			t.Errorf("a notification instance tells of %v, and not of %v", served, want)
		}
	})
}

func TestWhatTheTwinHasIsNotWrittenAgain(t *testing.T) {
	w := newWorld(t)
	w.has(free("A", 1))
	for _, topic := range []string{w.log.Topic(), w.log.SpotsTopic()} {
		w.event(topic, "A", 2, event.ChangeOccupied, event.Occupied)
	}
	w.event(w.log.Topic(), "gone", 1, event.ChangeRemoved, event.Removed)
	w.event(w.log.Topic(), "B", 1, event.ChangeAdded, event.Free)
	for range 2 { // the second time there is nothing left
		w.run()
	}
	var records int
	if _, err := w.log.Spots(t.Context(), func(kafkalog.Record) error { records++; return nil }); err != nil || records != 2 {
		t.Errorf("the twin has %d records, %v", records, err)
	}
}
