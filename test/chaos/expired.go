package main

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/twmb/franz-go/pkg/kadm"

	"parkwire/internal/event"
)

// expireCursors removes the log up to its present end, and comes back with cursors from before that, and with one of another log.
// Clients that are connected meanwhile notice nothing.
func expireCursors(t *trial) {
	old := t.p.position(t)
	t.wait(2 * time.Second)
	t.fault("the log is cut off at its present end")
	client, ctx := kafkaClient(t)
	admin := kadm.NewClient(client)
	ends, err := admin.ListEndOffsets(ctx, t.p.Topic)
	if err == nil {
		_, err = admin.DeleteRecords(ctx, ends.Offsets())
	}
	if err != nil {
		t.Fatalf("cutting the log off: %v", err)
	}
	other := event.Cursor{Topic: event.TopicID{1, 2, 3}, Offsets: event.NewOffsets(6)}.String()
	t.p.configureAgain(t) // an instance that remembers would serve the old cursor
	for name, cursor := range map[string]string{"of before the log's beginning": old, "of another log": other} {
		for i, base := range append(t.p.Instances(), t.p.URL) {
			t.refusesPlain(base, cursor, name)
			t.refusesStream(base, cursor, name)
			t.refusesSpeaker(base, cursor, name)
			t.resets(base, cursor, name)
			if !t.long && i == 0 {
				break
			}
		}
	}
}

// configureAgain restarts every live instance, so that none remembers anything.
func (p *platform) configureAgain(t *trial) {
	for _, n := range p.Live {
		t.fault("restart of a notification instance")
		n.Stop(t)
		n.Restart(t.lasting())
	}
}

func (t *trial) refusesPlain(base, cursor, name string) {
	ctx, cancel := within(t, 30*time.Second)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, strings.Replace(base, "http", "ws", 1)+"/notifications?after="+url.QueryEscape(cursor), nil)
	if err != nil {
		t.Fatalf("connecting with a cursor %s: %v", name, err)
	}
	defer conn.CloseNow()
	for err == nil {
		_, _, err = conn.Read(ctx)
	}
	if code := websocket.CloseStatus(err); code != closeExpired {
		t.Errorf("a plain client with a cursor %s got %v; a close with %d was promised", name, err, closeExpired)
	}
}

func (t *trial) refusesStream(base, cursor, name string) {
	ctx, cancel := context.WithTimeout(t.ctx, 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/notifications", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "text/event-stream")
	request.Header.Set("Last-Event-ID", cursor)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatalf("connecting with a cursor %s: %v", name, err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusGone {
		t.Errorf("server-sent events with a cursor %s were answered with %s; 410 was promised", name, answer.Status)
	}
}

func (t *trial) refusesSpeaker(base, cursor, name string) {
	s := speak(t, base, map[string]any{"type": "Subscribe", "id": "a", "after": cursor})
	if e := t.hears(s, time.Time{}, "Error", 30*time.Second); e.Code != "cursor-expired" {
		t.Errorf("a client of parkwire.v1 with a cursor %s heard the error %q; cursor-expired was promised", name, e.Code)
	}
}

func (t *trial) resets(base, cursor, name string) {
	s := speak(t, base, map[string]any{"type": "Subscribe", "id": "a", "after": cursor, "snapshot": true})
	t.hears(s, time.Time{}, "Reset", 30*time.Second)
	t.until(30*time.Second, "the whole snapshot after Reset", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		spots := 0
		for _, h := range s.heard {
			spots += len(h.Events)
			if h.Type == "Snapshot" && h.Complete {
				if h.Cursor == "" || spots == 0 {
					t.Errorf("after a cursor %s the snapshot has %d spots and the cursor %q", name, spots, h.Cursor)
				}
				return true
			}
		}
		return false
	})
}
