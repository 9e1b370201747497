package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// Follow says what to follow, and who is told.
type Follow struct {
	// Filter has the parameters lot, zone, spot, status and change, each with the values that are wanted.
	Filter url.Values
	After  string // the cursor behind which to begin; empty: now
	// Event gets each event as it came. Its error ends the following.
	Event func(raw []byte) error
	// State, unless nil, is told when the connection changes, each change once.
	State func(State, error)
}

// State is how a follower stands with the platform.
type State int

// The states.
const (
	Connected    State = iota // for the first time, or again: nothing is missing
	Disconnected              // the error says why; it is tried again
	Expired                   // the log no longer has what came after the cursor: some events are missing
)

const (
	maxFrame     = 1 << 20
	dialTimeout  = 15 * time.Second
	pingInterval = 20 * time.Second // a connection that is dead but open is found by pings
	pingTimeout  = 10 * time.Second
)

// Follow hands every event that matches to f.Event, from the cursor on and without end: when the
// connection is lost it comes back and goes on behind the last event. It returns nil when ctx ends,
// and an error when the platform refuses what is asked.
func (c *Client) Follow(ctx context.Context, f Follow) error {
	l := listener{client: c, follow: f, cursor: f.After, told: -1}
	for try := 1; ; try++ {
		err := l.listen(ctx)
		if l.progress {
			try, l.progress = 1, false
		}
		var end endError
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.As(err, &end):
			return end.error
		case CursorExpired(err):
			l.cursor = ""
			l.tell(Expired, err)
		default:
			l.tell(Disconnected, err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(c.backoff(try)):
		}
	}
}

// endError is one after which trying again is of no use.
type endError struct{ error }

type listener struct {
	client   *Client
	follow   Follow
	cursor   string // of the last event that was handed over
	told     State  // -1: none yet
	progress bool   // an event came since the last failure
}

func (l *listener) tell(s State, err error) {
	if s != l.told && l.follow.State != nil {
		l.follow.State(s, err)
	}
	l.told = s
}

// listen connects and reads until something ends the connection.
func (l *listener) listen(ctx context.Context) error {
	if l.cursor == "" {
		// A cursor before the first event comes: a connection that is lost until then misses nothing either.
		cursor, err := l.client.Position(ctx)
		if err != nil && (Status(err) == 0 || Status(err) == http.StatusUnauthorized || Status(err) == http.StatusForbidden) {
			return ending(err)
		}
		l.cursor = cursor
	}
	conn, err := l.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.CloseNow()
	l.tell(Connected, nil)

	ctx, cancel := context.WithCancelCause(ctx)
	var pinging sync.WaitGroup
	defer pinging.Wait()
	defer cancel(nil)
	pinging.Go(func() { ping(ctx, conn, cancel) })
	for {
		_, message, err := conn.Read(ctx)
		if err != nil {
			if cause := context.Cause(ctx); cause != nil {
				return cause
			}
			return err
		}
		var frame struct {
			Cursor string `json:"cursor"`
		}
		if err := json.Unmarshal(message, &frame); err != nil {
			return fmt.Errorf("a frame is no event: %w", err)
		}
		if err := l.follow.Event(message); err != nil {
			return endError{err}
		}
		l.progress = true
		if frame.Cursor != "" {
			l.cursor = frame.Cursor
		}
	}
}

func (l *listener) dial(ctx context.Context) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	query := url.Values{}
	for name, values := range l.follow.Filter {
		query[name] = values
	}
	if l.cursor != "" {
		query.Set("after", l.cursor)
	}
	conn, err := l.client.WebSocket(ctx, query)
	return conn, ending(err)
}

// ending marks errors that will be the same next time.
func ending(err error) error {
	if status := Status(err); status >= 400 && status < 500 && !temporary(err) {
		return endError{err}
	}
	return err
}

func ping(ctx context.Context, conn *websocket.Conn, cancel context.CancelCauseFunc) {
	ticker := time.NewTicker(pingInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		wait, done := context.WithTimeout(ctx, pingTimeout)
		err := conn.Ping(wait)
		done()
		if err != nil {
			cancel(fmt.Errorf("the platform does not answer pings: %w", err))
			return
		}
	}
}
