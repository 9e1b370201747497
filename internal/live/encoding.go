package live

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strconv"

	"parkwire/internal/event"
	"parkwire/internal/websocket"
)

// An encoding is how events travel to a client.
type encoding uint8

const (
	encodingWebSocket        encoding = iota // one JSON event a text frame
	encodingSSE                              // WHATWG HTML, section 9.2: server-sent events
	encodingV1                               // the subprotocol parkwire.v1: api/asyncapi.yaml
	encodingWebSocketDeflate                 // the same two, compressed (RFC 7692) where that makes a frame shorter
	encodingV1Deflate
	encodings
)

func (e encoding) String() string {
	return [encodings]string{"websocket", "sse", "v1", "websocket-deflate", "v1-deflate"}[e]
}

func (e encoding) isV1() bool { return e == encodingV1 || e == encodingV1Deflate }

func (e encoding) isDeflated() bool { return e == encodingWebSocketDeflate || e == encodingV1Deflate }

// deflated is the same encoding of a WebSocket with compression.
func (e encoding) deflated() encoding {
	if e.isV1() {
		return encodingV1Deflate
	}
	return encodingWebSocketDeflate
}

// appendText appends a text frame.
func (e encoding) appendText(dst, body []byte) []byte {
	return e.finish(websocket.AppendFrame(dst, websocket.Text, body), len(dst))
}

// finish compresses the frame that dst ends with, from the given offset on, where the client can read that.
func (e encoding) finish(dst []byte, from int) []byte {
	if e.isDeflated() {
		return websocket.Deflate(dst, from)
	}
	return dst
}

// encoded keeps what is encoded once for all that get it in the same encoding.
type encoded [encodings][]byte

func (x *encoded) in(e encoding, encode func(encoding) []byte) []byte {
	if x[e] == nil {
		x[e] = encode(e)
	}
	return x[e]
}

// The codes of ours, of the private range 4000 to 4999.
const (
	closeTokenExpired  websocket.CloseCode = 4401
	closeTooSlow       websocket.CloseCode = 4408
	closeCursorExpired websocket.CloseCode = 4410
)

// appendStart appends the first thing that a client hears, before any event. An EventSource learns how long to
// wait before it comes back, each another time lest all come at once, and where it stands: it then
// resumes even when it saw no event yet. A WebSocket gets events and nothing else.
func (e encoding) appendStart(dst []byte, cursor string) []byte {
	if e == encodingSSE {
		dst = append(dst, "retry: "...)
		dst = strconv.AppendInt(dst, 1000+rand.Int64N(4000), 10)
		dst = append(dst, "\nid: "...)
		dst = append(dst, cursor...)
		dst = append(dst, "\n\n"...)
	}
	return dst
}

// appendEvent appends an event of the log; the cursor is where its receiver then stands.
func (e encoding) appendEvent(dst, value []byte, cursor string) []byte {
	if e.isV1() {
		return e.appendEvents(dst, "", [][]byte{value}, cursor)
	}
	return e.appendBody(dst, event.AppendCursor(make([]byte, 0, len(value)+len(cursor)+len(`,"cursor":""`)), value, cursor), cursor)
}

// appendState appends an event of a snapshot for plain clients. The last one has the cursor of the state.
func (e encoding) appendState(dst, value []byte, cursor string) []byte {
	body := append(bytes.TrimRight(value, " \t\r\n}"), `,"snapshot":true}`...)
	if cursor != "" {
		body = event.AppendCursor(nil, body, cursor)
	}
	return e.appendBody(dst, body, cursor)
}

func (e encoding) appendBody(dst, body []byte, id string) []byte {
	if e != encodingSSE {
		return e.appendText(dst, body)
	}
	if id != "" {
		dst = append(dst, "id: "...)
		dst = append(dst, id...)
		dst = append(dst, '\n')
	}
	return appendSSEData(dst, body)
}

// appendForeign appends a message of another program as it is. It has no place in the log, so no cursor.
func (e encoding) appendForeign(dst, message []byte) []byte {
	if e.isV1() {
		if !json.Valid(message) {
			message, _ = json.Marshal(string(message))
		}
		return e.appendMessage(dst, foreignMessage{"Foreign", message})
	}
	return e.appendBody(dst, message, "")
}

// appendSSEData writes a data field a line, which the receiver joins again. All three line ends of the format
// come out as one; in JSON they are only white space.
func appendSSEData(dst, data []byte) []byte {
	if bytes.IndexByte(data, '\r') >= 0 {
		data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
		data = bytes.ReplaceAll(data, []byte("\r"), []byte("\n"))
	}
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		dst = append(dst, "data: "...)
		dst = append(dst, line...)
		dst = append(dst, '\n')
	}
	return append(dst, '\n')
}

// A farewell is why a connection ends, and what its client should do.
type farewell struct {
	code   websocket.CloseCode
	reason string
	// hint says when to come back; none where there is nothing to wait for.
	hint hint
}

// appendClose appends the last thing that a client hears. Server-sent events
// have no code for it: the reason goes into a comment, and the client comes back by itself.
func (e encoding) appendClose(dst []byte, f farewell) []byte {
	ms := f.hint.after.Milliseconds()
	if e == encodingSSE {
		if f.hint.after > 0 {
			dst = append(strconv.AppendInt(append(dst, "retry: "...), ms, 10), '\n')
		}
		dst = append(dst, ": "...)
		dst = append(dst, f.reason...)
		return append(dst, "\n\n"...)
	}
	if f.hint.after > 0 {
		if e.isV1() {
			dst = e.appendMessage(dst, message{Type: "Retry", AfterMs: &ms, Reason: f.hint.why})
		}
		f.reason = websocket.WithRetry(f.reason, f.hint.after)
	}
	return websocket.AppendClose(dst, f.code, f.reason)
}
