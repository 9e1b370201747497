package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// said is a message of the server in parkwire.v1.
type said struct {
	Type, Protocol, ID, Code, Field, Reason, Cursor, After string
	HeartbeatMs, AfterMs                                   int64
	Events                                                 []frame
	Complete                                               bool
	Omitted                                                int
	ExpiresAt                                              string
	StaleSince                                             string `json:"stale_since"`
	Message                                                json.RawMessage
}

// v1Client is a client of parkwire.v1 that collects what it is told.
type v1Client struct {
	*testing.T
	conn *websocket.Conn
	stop func()

	mu      sync.Mutex
	heard   []said
	looked  int // how many of them were looked at
	err     error
	changed chan struct{}
}

// startSteady starts a service that has delivered what is written before the writing ends.
func startSteady(t *testing.T, change func(*Options)) *testStand {
	t.Helper()
	return startOn(t, newFakeLog(4), newFakeBus(), change)
}

func (s *testStand) dialV1(header http.Header, query ...string) (*websocket.Conn, *http.Response, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return websocket.Dial(ctx, strings.Replace(s.server.URL, "http", "ws", 1)+PathNotifications+"?"+values(query).Encode(),
		&websocket.DialOptions{HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, HTTPHeader: header, Subprotocols: []string{"other", protocolV1}})
}

func (s *testStand) v1(query ...string) *v1Client {
	s.Helper()
	conn, _, err := s.dialV1(nil, query...)
	if err != nil {
		s.Fatal(err)
	}
	if conn.Subprotocol() != protocolV1 {
		s.Fatalf("the subprotocol is %q", conn.Subprotocol())
	}
	conn.SetReadLimit(4 << 20)
	ctx, cancel := context.WithCancel(context.Background())
	c := &v1Client{T: s.T, conn: conn, changed: make(chan struct{})}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer conn.CloseNow()
		for {
			_, text, err := conn.Read(ctx)
			m := said{}
			if err == nil {
				err = json.Unmarshal(text, &m)
			}
			c.mu.Lock()
			if err == nil {
				c.heard = append(c.heard, m)
			}
			c.err = err
			close(c.changed)
			c.changed = make(chan struct{})
			c.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	c.stop = sync.OnceFunc(func() { cancel(); <-ended })
	s.Cleanup(c.stop)
	return c
}

func (c *v1Client) say(format string, args ...any) {
	c.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := c.conn.Write(ctx, websocket.MessageText, fmt.Appendf(nil, format, args...)); err != nil {
		c.Fatal(err)
	}
}

// hear returns the next message that was not looked at, but for those of the types that are passed over.
func (c *v1Client) hear(over ...string) said {
	c.Helper()
	deadline := time.After(3 * patience)
	for {
		c.mu.Lock()
		for c.looked < len(c.heard) {
			m := c.heard[c.looked]
			c.looked++
			if !slices.Contains(over, m.Type) {
				c.mu.Unlock()
				return m
			}
		}
		err, changed := c.err, c.changed
		c.mu.Unlock()
		if err != nil {
			c.Fatalf("the connection ended: %v", err)
		}
		select {
		case <-changed:
		case <-deadline:
			c.Fatal("nothing more is heard")
		}
	}
}

// expect returns the next message, which has to be of that type.
func (c *v1Client) expect(kind string) said {
	c.Helper()
	m := c.hear("Heartbeat")
	if m.Type != kind {
		c.Fatalf("heard %+v; %s was to come", m, kind)
	}
	return m
}

// events returns the next n events.
func (c *v1Client) events(n int) (events []frame) {
	c.Helper()
	for len(events) < n {
		events = append(events, c.expect("Events").Events...)
	}
	if len(events) > n {
		c.Fatalf("%d events were to come: %+v", n, events)
	}
	return events
}

// closed waits for the end, and returns its code and reason.
func (c *v1Client) closed() (websocket.StatusCode, string) {
	c.Helper()
	deadline := time.After(3 * patience)
	for {
		c.mu.Lock()
		err, changed := c.err, c.changed
		c.mu.Unlock()
		if err != nil {
			end, _ := errors.AsType[websocket.CloseError](err)
			return end.Code, end.Reason
		}
		select {
		case <-changed:
		case <-deadline:
			c.Fatal("the connection does not end")
		}
	}
}
