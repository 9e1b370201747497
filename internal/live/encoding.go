package live

import (
	"bytes"
	"math/rand/v2"
	"strconv"

	"parkwire/internal/event"
	"parkwire/internal/websocket"
)

// An encoding is how events travel to a client.
type encoding int

const (
	encodingWebSocket encoding = iota // one JSON event a text frame
	encodingSSE                       // WHATWG HTML, section 9.2: server-sent events
	encodings
)

func (e encoding) String() string { return [encodings]string{"websocket", "sse"}[e] }

// The codes of ours, of the private range 4000 to 4999.
const (
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
	body := event.AppendCursor(make([]byte, 0, len(value)+len(cursor)+len(`,"cursor":""`)), value, cursor)
	if e == encodingSSE {
		dst = append(dst, "id: "...)
		dst = append(dst, cursor...)
		dst = append(dst, '\n')
		return appendSSEData(dst, body)
	}
	return websocket.AppendFrame(dst, websocket.Text, body)
}

// appendForeign appends a message of another program as it is. It has no place in the log, so no cursor.
func (e encoding) appendForeign(dst, message []byte) []byte {
	if e == encodingSSE {
		return appendSSEData(dst, message)
	}
	return websocket.AppendFrame(dst, websocket.Text, message)
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

// appendClose appends the last thing that a client hears. Server-sent events
// have no code for it: the reason goes into a comment, and the client comes back by itself.
func (e encoding) appendClose(dst []byte, code websocket.CloseCode, reason string) []byte {
	if e == encodingSSE {
		dst = append(dst, ": "...)
		dst = append(dst, reason...)
		return append(dst, "\n\n"...)
	}
	return websocket.AppendClose(dst, code, reason)
}
