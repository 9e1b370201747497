package main

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// speaker is a client of the subprotocol parkwire.v1 that keeps what it hears.
type speaker struct {
	conn *websocket.Conn

	mu    sync.Mutex
	heard []heard
	err   error // why the connection ended
}

// heard is one message of the server.
type heard struct {
	at       time.Time
	Type     string
	Code     string
	Reason   string
	Complete bool
	Cursor   string
	Events   []json.RawMessage
}

// speak connects a client and sends it messages.
func speak(t *trial, base string, messages ...map[string]any) *speaker {
	ctx, stop := context.WithCancel(t.ctx)
	dial, done := context.WithTimeout(ctx, 15*time.Second)
	defer done()
	address := strings.Replace(base, "http", "ws", 1) + "/notifications"
	conn, _, err := websocket.Dial(dial, address, &websocket.DialOptions{Subprotocols: []string{"parkwire.v1"}})
	if err != nil {
		stop()
		t.Fatalf("connecting to %s: %v", address, err)
	}
	conn.SetReadLimit(16 << 20)
	if conn.Subprotocol() != "parkwire.v1" {
		stop()
		conn.CloseNow()
		t.Fatalf("%s does not speak parkwire.v1", address)
	}
	s := &speaker{conn: conn}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			_, text, err := conn.Read(ctx)
			h := heard{at: time.Now()}
			if err == nil {
				err = json.Unmarshal(text, &h)
			}
			s.mu.Lock()
			s.err = err
			if err == nil {
				s.heard = append(s.heard, h)
			}
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		stop()
		conn.CloseNow()
		<-ended
	})
	for _, m := range messages {
		text, _ := json.Marshal(m)
		if err := conn.Write(dial, websocket.MessageText, text); err != nil {
			t.Fatalf("speaking parkwire.v1: %v", err)
		}
	}
	return s
}

// after is the first message of a type that came since a moment.
func (s *speaker) after(since time.Time, kind string) (heard, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.heard, func(h heard) bool { return h.Type == kind && !h.at.Before(since) })
	if i < 0 {
		return heard{}, false
	}
	return s.heard[i], true
}

// ended is why the connection ended; nil while it has not.
func (s *speaker) ended() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}
