package live

import (
	"bytes"
	"encoding/json"
	"time"

	"parkwire/internal/websocket"
)

// protocolV1 is the subprotocol that this file and its neighbours speak; api/asyncapi.yaml says what it means.
const protocolV1 = "parkwire.v1"

// The codes of the message Error.
const (
	codeInvalidMessage       = "invalid-message"
	codeUnknownType          = "unknown-type"
	codeInvalidFilter        = "invalid-filter"
	codeInvalidCursor        = "invalid-cursor"
	codeCursorExpired        = "cursor-expired"
	codeTooManySubscriptions = "too-many-subscriptions"
	codeUnknownSubscription  = "unknown-subscription"
	codeUnauthorized         = "unauthorized"
	codeForbidden            = "forbidden"
	codeLotNotAllowed        = "lot-not-allowed"
	codeLotsChanged          = "lots-changed"
	codeLogUnavailable       = "log-unavailable"
	codeTokenExpiring        = "token-expiring"
)

// message is what the server says, but for events. The cursor is its last field, see [cursorOf].
type message struct {
	Type        string `json:"type"`
	Protocol    string `json:"protocol,omitempty"`
	HeartbeatMs int64  `json:"heartbeatMs,omitempty"`
	ID          string `json:"id,omitempty"`
	Code        string `json:"code,omitempty"`
	Message     string `json:"message,omitempty"`
	Field       string `json:"field,omitempty"`
	After       string `json:"after,omitempty"`
	Omitted     int    `json:"omitted,omitempty"`
	AfterMs     *int64 `json:"afterMs,omitempty"`
	Reason      string `json:"reason,omitempty"`
	StaleSince  string `json:"stale_since,omitempty"`
	ExpiresAt   string `json:"expiresAt,omitempty"`
	Cursor      string `json:"cursor,omitempty"`
}

type foreignMessage struct {
	Type    string          `json:"type"`
	Message json.RawMessage `json:"message"`
}

// appendMessage appends a text frame with m.
func (e encoding) appendMessage(dst []byte, m any) []byte {
	body, err := json.Marshal(m)
	if err != nil {
		panic(err) // of strings, numbers and valid JSON
	}
	return e.appendText(dst, body)
}

// appendEvents appends a frame with events, for one subscription alone where alone is its id. The cursor is where its receiver then stands.
func (e encoding) appendEvents(dst []byte, alone string, values [][]byte, cursor string) []byte {
	head := `{"type":"Events",`
	if alone != "" {
		head += `"id":` + quote(alone) + `,`
	}
	return e.appendList(dst, head+`"events":[`, values, `],"cursor":"`+cursor+`"}`)
}

func quote(id string) string {
	b, _ := json.Marshal(id)
	return string(b)
}

// appendPart appends a frame with a part of a snapshot; the last part has the cursor of the state.
func (e encoding) appendPart(dst []byte, id string, values [][]byte, cursor string) []byte {
	tail := `]}`
	if cursor != "" {
		tail = `],"complete":true,"cursor":"` + cursor + `"}`
	}
	return e.appendList(dst, `{"type":"Snapshot","id":`+quote(id)+`,"events":[`, values, tail)
}

func (e encoding) appendList(dst []byte, head string, values [][]byte, tail string) []byte {
	from, size := len(dst), len(head)+len(tail)+max(0, len(values)-1)
	for _, v := range values {
		size += len(v)
	}
	dst = append(websocket.AppendHeader(dst, websocket.Text, size), head...)
	for i, v := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, v...)
	}
	return e.finish(append(dst, tail...), from)
}

// cursorOf returns the cursor of a frame of this protocol, which is the last field of its message; empty where it has none.
func cursorOf(frame []byte) string {
	const before, behind = `"cursor":"`, `"}`
	text, ok := bytes.CutSuffix(websocket.Inflated(frame), []byte(behind))
	if !ok {
		return ""
	}
	i := bytes.LastIndexByte(text, '"') + 1 // a cursor needs no escapes
	if !bytes.HasSuffix(text[:i], []byte(before)) {
		return ""
	}
	// Within a text its quotes would be escaped.
	return string(text[i:])
}

// timestamp is a time as clients read it.
func timestamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}
