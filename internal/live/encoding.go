package live

import (
	"bytes"

	"parkwire/internal/event"
	"parkwire/internal/websocket"
)

// An encoding is how events travel to a client.
type encoding int

const (
	encodingWebSocket encoding = iota // one JSON event a text frame
	encodingSSE                       // WHATWG HTML, section 9.2: server-sent events
)

func (e encoding) String() string {
	return [...]string{"websocket", "sse"}[e]
}

// closeTooSlow and the codes after it are ours, of the private range 4000 to 4999.
const (
	closeTooSlow       websocket.CloseCode = 4408
	closeCursorExpired websocket.CloseCode = 4410
)

// maxClientMessage bounds what a client may send, in bytes.
const maxClientMessage = 64 << 10

// appendEvent appends an event of the log; the cursor is where its receiver then stands.
func (e encoding) appendEvent(dst, value []byte, cursor string) []byte {
	size := len(value) + len(cursor) + len(`,"cursor":""`)
	if e == encodingSSE {
		dst = append(dst, "id: "...)
		dst = append(dst, cursor...)
		dst = append(dst, '\n')
		return appendSSEData(dst, event.AppendCursor(make([]byte, 0, size), value, cursor))
	}
	body := event.AppendCursor(make([]byte, 0, size), value, cursor)
	return websocket.AppendFrame(dst, websocket.Text, body)
}

// appendForeign appends a message of another program as it is. It has no place in the log, so no cursor.
func (e encoding) appendForeign(dst, message []byte) []byte {
	if e == encodingSSE {
		return appendSSEData(dst, message)
	}
	return websocket.AppendFrame(dst, websocket.Text, message)
}

// appendSSEData writes a data field a line. JSON has line ends only as white space, so
// that the receiver, which joins the lines again, reads the same.
func appendSSEData(dst, data []byte) []byte {
	data = bytes.ReplaceAll(data, []byte("\r"), nil)
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
