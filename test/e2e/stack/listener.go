package stack

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// Frame is an event as a client got it. The fields are read here anew, with nothing of the platform's own
// code, since what other programs see is what is tested.
type Frame struct {
	Type           string    `json:"type"`
	SpotID         string    `json:"spotId"`
	Status         string    `json:"status"`
	Timestamp      time.Time `json:"timestamp"`
	EventID        string    `json:"eventId"`
	Change         string    `json:"change"`
	PreviousStatus string    `json:"previousStatus"`
	Version        int64     `json:"version"`
	LotID          string    `json:"lotId"`
	ZoneID         string    `json:"zoneId"`
	ObservedAt     time.Time `json:"observedAt"`
	Source         string    `json:"source"`
	Cursor         string    `json:"cursor"`

	Raw string    `json:"-"` // as it came
	At  time.Time `json:"-"` // when it came
}

func (f Frame) String() string { return fmt.Sprintf("%s/%d %s", f.SpotID, f.Version, f.Change) }

// Listener is a client of /notifications. It keeps every frame that it got.
type Listener struct {
	name string
	stop func()

	mu      sync.Mutex
	frames  []Frame
	err     error         // why it ended
	changed chan struct{} // closed at the next change of the above
}

// ListenWebSocket connects a WebSocket client to base ("http://host:port") and returns when the server has
// answered the handshake. The query is that of /notifications.
func ListenWebSocket(t T, base string, query url.Values) *Listener {
	t.Helper()
	address := strings.Replace(base, "http", "ws", 1) + "/notifications?" + query.Encode()
	ctx, cancel := context.WithCancel(context.Background())
	dial, done := context.WithTimeout(ctx, 30*time.Second)
	defer done()
	conn, _, err := websocket.Dial(dial, address, nil)
	if err != nil {
		cancel()
		t.Fatalf("connecting to %s: %v", address, err)
	}
	conn.SetReadLimit(1 << 20)
	return listen(t, "WebSocket "+address, cancel, func(frame func([]byte) error) error {
		defer conn.CloseNow()
		for {
			kind, message, err := conn.Read(ctx)
			if err != nil {
				return err
			}
			if kind != websocket.MessageText {
				return fmt.Errorf("a %v message came; plain clients get text frames and nothing else", kind)
			}
			if err := frame(message); err != nil {
				return err
			}
		}
	})
}

// ListenSSE connects a client of server-sent events, that resumes behind lastEventID if that is not empty.
func ListenSSE(t T, base string, query url.Values, lastEventID string) *Listener {
	t.Helper()
	address := base + "/notifications?" + query.Encode()
	ctx, cancel := context.WithCancel(context.Background())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "text/event-stream")
	if lastEventID != "" {
		request.Header.Set("Last-Event-ID", lastEventID)
	}
	client := &http.Client{Transport: &http.Transport{}}
	answer, err := client.Do(request)
	if err != nil {
		cancel()
		t.Fatalf("connecting to %s: %v", address, err)
	}
	if kind := answer.Header.Get("Content-Type"); answer.StatusCode != 200 || !strings.HasPrefix(kind, "text/event-stream") {
		cancel()
		t.Fatalf("connecting to %s: %s, %q; 200 and text/event-stream were expected", address, answer.Status, kind)
	}
	return listen(t, "SSE "+address, cancel, func(frame func([]byte) error) error {
		defer client.CloseIdleConnections()
		defer answer.Body.Close()
		lines := bufio.NewScanner(answer.Body)
		lines.Buffer(nil, 1<<20)
		var id string
		var data []byte
		for lines.Scan() {
			field, value, _ := bytes.Cut(lines.Bytes(), []byte(":"))
			value = bytes.TrimPrefix(value, []byte(" "))
			switch {
			case len(lines.Bytes()) == 0 && len(data) > 0:
				if err := frame(data); err != nil {
					return err
				}
				var got struct{ Cursor string }
				if json.Unmarshal(data, &got); got.Cursor != id {
					return fmt.Errorf("the id of the server-sent event is %q and its cursor is %q; they must be the same", id, got.Cursor)
				}
				data = nil
			case string(field) == "id":
				id = string(value)
			case string(field) == "data":
				data = append(data, value...)
			}
		}
		return errors.Join(lines.Err(), errors.New("the stream ended"))
	})
}

// listen runs read, which calls frame for each message, until it fails or the test ends.
func listen(t T, name string, cancel func(), read func(frame func([]byte) error) error) *Listener {
	l := &Listener{name: name, changed: make(chan struct{})}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err := read(func(message []byte) error {
			f := Frame{Raw: string(message), At: time.Now()}
			if err := json.Unmarshal(message, &f); err != nil {
				return fmt.Errorf("a frame is no event: %w: %s", err, message)
			}
			l.change(func() { l.frames = append(l.frames, f) })
			return nil
		})
		l.change(func() { l.err = err })
	}()
	l.stop = func() { cancel(); <-ended }
	t.Cleanup(l.stop)
	return l
}

func (l *Listener) change(do func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	do()
	close(l.changed)
	l.changed = make(chan struct{})
}

// Close ends the connection from the client's side and waits for the end.
func (l *Listener) Close() { l.stop() }

// Frames are the frames so far.
func (l *Listener) Frames() []Frame {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.frames[:len(l.frames):len(l.frames)]
}

// Until waits until the frames satisfy enough, and returns them. It fails the test when the connection ends
// first or nothing has come for 30 s.
func (l *Listener) Until(t T, what string, enough func([]Frame) bool) []Frame {
	t.Helper()
	const patience = 30 * time.Second
	last := time.NewTimer(patience)
	defer last.Stop()
	seen := -1
	for {
		l.mu.Lock()
		frames, err, changed := l.frames[:len(l.frames):len(l.frames)], l.err, l.changed
		l.mu.Unlock()
		if enough(frames) {
			return frames
		}
		if err != nil {
			t.Fatalf("waiting for %s: %s ended after %d frames: %v", what, l.name, len(frames), err)
		}
		if len(frames) != seen {
			seen = len(frames)
			last.Reset(patience)
		}
		select {
		case <-changed:
		case <-last.C:
			t.Fatalf("waiting for %s: %s got %d frames, and nothing more for %v; the last: %v", what, l.name, len(frames), patience, lastOf(frames))
		}
	}
}

// Count waits until at least n frames have come.
func (l *Listener) Count(t T, n int) []Frame {
	t.Helper()
	return l.Until(t, fmt.Sprintf("%d frames", n), func(frames []Frame) bool { return len(frames) >= n })
}

// Spot waits until the frame with this version of the spot has come.
func (l *Listener) Spot(t T, spotID string, version int64) []Frame {
	t.Helper()
	return l.Until(t, fmt.Sprintf("version %d of %s", version, spotID), func(frames []Frame) bool {
		for i := len(frames) - 1; i >= 0; i-- {
			if frames[i].SpotID == spotID && frames[i].Version >= version {
				return true
			}
		}
		return false
	})
}

// Ended waits until the server has closed the connection and returns why.
func (l *Listener) Ended(t T, timeout time.Duration) error {
	t.Helper()
	deadline := time.After(timeout)
	for {
		l.mu.Lock()
		err, changed := l.err, l.changed
		l.mu.Unlock()
		if err != nil {
			return err
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("%s is still open after %v", l.name, timeout)
		}
	}
}

func lastOf(frames []Frame) string {
	if len(frames) == 0 {
		return "none"
	}
	return frames[len(frames)-1].Raw
}
