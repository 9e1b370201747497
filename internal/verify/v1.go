package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"time"

	"github.com/coder/websocket"

	"parkwire/internal/client"
)

// The subprotocol, as it is on the wire: this checks raw frames and keeps its own cursor, and so shares nothing with a client library that drops what
// comes twice.
const (
	protocol       = "parkwire.v1"
	subscriptionID = "verify" // the same for all, so that their frames are the same bytes
	maxV1Frame     = 16 << 20 // a part of a snapshot
	writeMessage   = 10 * time.Second
	// renewAfter is how long a client of snapshots goes on before it begins anew; about: from half to half as much again.
	renewAfter = 6 * time.Second
)

// message is a message of the server as far as it is checked.
type message struct {
	Type     string            `json:"type"`
	Cursor   string            `json:"cursor"`
	Events   []json.RawMessage `json:"events"`
	Complete bool              `json:"complete"`
	AfterMS  int64             `json:"afterMs"`
	Omitted  int64             `json:"omitted"`
	Code     string            `json:"code"`
	Message  json.RawMessage   `json:"message"`

	frames []*frame
	bytes  []byte
	wrong  bool // it is no message
}

func (m *message) raw() []byte { return m.bytes }

// message decodes a message once for all who get the same bytes.
func (d *decoder) message(raw []byte) *message {
	return cached(d, &d.messages, raw, func(raw []byte) *message {
		m := &message{bytes: raw}
		m.wrong = json.Unmarshal(raw, m) != nil
		for _, one := range m.Events {
			f := d.frame(one)
			f.Cursor = m.Cursor // that of the message is theirs
			m.frames = append(m.frames, f)
		}
		m.Events = nil
		return m
	})
}

// session is what a client of parkwire.v1 knows of its connection.
type session struct {
	snapshots  bool     // it begins with a snapshot now and then
	assembling bool     // one is coming
	state      []uint32 // what has come of it; nil: the next subscription begins with one
	renewAt    time.Duration
}

func openV1(ctx context.Context, c *client.Client, _ url.Values) (stream, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	s, err := dialWebSocket(ctx, c, nil, protocol)
	if err != nil {
		return nil, err
	}
	s.conn.SetReadLimit(maxV1Frame)
	return s, nil
}

// subscribe asks for what comes behind the cursor, or for a snapshot and what comes behind that.
func (l *listener) subscribe(ctx context.Context, s stream) error {
	request := struct {
		Type     string   `json:"type"`
		ID       string   `json:"id"`
		Lot      []string `json:"lot"`
		After    string   `json:"after,omitempty"`
		Snapshot bool     `json:"snapshot,omitempty"`
	}{Type: "Subscribe", ID: subscriptionID, Lot: []string{l.lot}, After: l.cursor, Snapshot: l.v1.snapshots}
	if l.v1.snapshots && (l.v1.state == nil || l.now() >= l.v1.renewAt) {
		request.After, l.v1.state = "", nil
	}
	l.v1.assembling = false
	if l.v1.snapshots {
		l.v1.renewAt = l.now() + renewAfter/2 + rand.N(renewAfter)
	}
	text, err := json.Marshal(request)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, writeMessage)
	defer cancel()
	return s.(*webSocket).conn.Write(ctx, websocket.MessageText, text)
}

// refusedError is an Error that the server sent instead of what was asked for.
type refusedError struct{ code, text string }

func (e refusedError) Error() string { return fmt.Sprintf("the server says %s: %s", e.code, e.text) }

// receive checks one message of parkwire.v1.
func (l *listener) receive(ctx context.Context, s stream, raw []byte) error {
	m := l.decoder.message(raw)
	if m.wrong {
		l.timeline.current().wrong.Add(1)
		l.findings.example("client %d: no message: %.300s", l.number+1, raw)
		return nil
	}
	switch m.Type {
	case "Events":
		if l.v1.assembling { // which the join must not need: what comes behind the snapshot comes after it
			return nil
		}
		l.heard()
		for _, f := range m.frames {
			l.check(f)
		}
		l.stand(m.Cursor)
	case "Heartbeat":
		l.heard()
		l.stand(m.Cursor)
	case "Foreign":
		l.findings.foreign.Add(1)
	case "Snapshot":
		l.heard()
		l.join(m)
	case "Reset":
		l.findings.resets.Add(1)
		l.v1.assembling, l.v1.state = true, make([]uint32, len(l.spots))
	case "Subscribed":
		if l.v1.snapshots && l.v1.state == nil {
			l.v1.assembling, l.v1.state = true, make([]uint32, len(l.spots))
		}
	case "Conflated":
		l.findings.conflated.Add(m.Omitted)
		l.findings.example("client %d: it was told that it reads too slowly: %d left out", l.number+1, m.Omitted)
	case "Retry":
		l.retry = time.Duration(m.AfterMS) * time.Millisecond
	case "Error":
		refused := refusedError{code: m.Code}
		_ = json.Unmarshal(m.Message, &refused.text)
		return refused
	}
	if l.v1.snapshots && !l.v1.assembling && l.now() >= l.v1.renewAt {
		return l.subscribe(ctx, s)
	}
	return nil
}

// stand notes a cursor. Before a snapshot is complete none holds.
func (l *listener) stand(cursor string) {
	if cursor != "" && !l.v1.assembling {
		l.cursor = cursor
	}
}

// join takes a part of a snapshot. With the last one everything is known anew: what comes then must go on from each spot's version there.
func (l *listener) join(m *message) {
	if !l.v1.assembling {
		l.timeline.current().wrong.Add(1)
		l.findings.example("client %d: a part of a snapshot that it did not ask for", l.number+1)
		return
	}
	for _, f := range m.frames {
		if f.spot < 0 || l.v1.state[f.spot] != 0 {
			l.timeline.current().wrong.Add(1)
			l.findings.frame(l.number, f, "is in a snapshot twice, or does not belong there")
			continue
		}
		l.v1.state[f.spot] = uint32(f.Version)
		if !f.asWritten() {
			l.timeline.current().wrong.Add(1)
			l.findings.frame(l.number, f, "is not as it was written, in a snapshot")
		}
	}
	if m.Complete {
		l.findings.snapshots.Add(1)
		l.book.begin(l.v1.state)
		l.v1.assembling = false
		l.stand(m.Cursor)
	}
}

func refusedFor(err error, code string) bool {
	var refused refusedError
	return errors.As(err, &refused) && refused.code == code
}
