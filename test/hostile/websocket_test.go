package hostile

import (
	"bufio"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
)

// handshake asks for a WebSocket with a good token. Each change replaces the line of its name, or takes it out ("Upgrade:").
func handshake(target string, changes ...string) func(*world) string {
	return func(w *world) string { return w.converse(w.handshake(target, changes...)) }
}

func (w *world) handshake(target string, changes ...string) string {
	lines := []string{"Host: parkwire.test", "Connection: Upgrade, close", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
		"Authorization: Bearer " + forgery{claims: `{"scope":"read"}`}.token(w)}
	for _, change := range changes {
		name, value, _ := strings.Cut(change, ":")
		lines = slices.DeleteFunc(lines, func(line string) bool { return strings.HasPrefix(line, name+":") })
		if value != "" {
			lines = append(lines, change)
		}
	}
	method, path, ok := strings.Cut(target, " ")
	if !ok {
		method, path = "GET", target
	}
	return method + " " + path + " HTTP/1.1\r\n" + strings.Join(lines, "\r\n") + "\r\n\r\n"
}

// A socket is an open WebSocket.
type socket struct {
	w    *world
	conn net.Conn
	in   *bufio.Reader
}

// open opens one. The caller closes its connection.
func (w *world) open(changes ...string) *socket {
	w.t.Helper()
	s := &socket{w: w, conn: w.dial()}
	s.in = bufio.NewReader(s.conn)
	s.write(w.handshake("/notifications", changes...))
	answer, err := http.ReadResponse(s.in, nil)
	if err != nil || answer.StatusCode != http.StatusSwitchingProtocols {
		s.conn.Close()
		w.t.Fatalf("the WebSocket was not opened: %v %v", answer, err)
	}
	return s
}

// write sends bytes beside the reading: a platform that closes in the middle has not read them all.
func (s *socket) write(text string) {
	done := make(chan struct{})
	go func() { defer close(done); _, _ = io.WriteString(s.conn, text) }()
	s.w.t.Cleanup(func() { <-done }) // the connection is closed by then
}

// The first byte of a frame.
const (
	text   = "\x81"
	binry  = "\x82"
	closed = "\x88"
	ping   = "\x89"
)

// framed makes a frame as clients do, masked. first is its first byte.
func framed(first, payload string) string {
	b := binary.BigEndian
	head := []byte(first)
	switch n := len(payload); {
	case n < 126:
		head = append(head, 0x80|byte(n))
	case n < 1<<16:
		head = b.AppendUint16(append(head, 0x80|126), uint16(n))
	default:
		head = b.AppendUint64(append(head, 0x80|127), uint64(n))
	}
	mask := []byte{1, 2, 3, 4}
	out := append(head, mask...)
	for i := range len(payload) {
		out = append(out, payload[i]^mask[i%4])
	}
	return string(out)
}

// closing is the payload of a close frame.
func closing(code int, reason string) string {
	return string(binary.BigEndian.AppendUint16(nil, uint16(code))) + reason
}

// deflated is text as permessage-deflate has it.
func deflated(text string) string {
	var out bytes.Buffer
	z, _ := flate.NewWriter(&out, flate.BestCompression)
	_, _ = io.WriteString(z, text)
	_ = z.Flush()
	return strings.TrimSuffix(out.String(), "\x00\x00\xff\xff")
}

// next reads a frame. An error means that the connection has ended.
func (s *socket) next() (op byte, payload []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(s.in, head[:]); err != nil {
		return 0, nil, err
	}
	size := uint64(head[1] & 0x7f)
	switch size {
	case 126:
		var long [2]byte
		_, err = io.ReadFull(s.in, long[:])
		size = uint64(binary.BigEndian.Uint16(long[:]))
	case 127:
		var long [8]byte
		_, err = io.ReadFull(s.in, long[:])
		size = binary.BigEndian.Uint64(long[:])
	}
	if err == nil && (head[1]&0x80 != 0 || size > 1<<20) {
		err = fmt.Errorf("a frame of a server with the head % x", head)
	}
	if err != nil {
		return 0, nil, err
	}
	payload = make([]byte, size)
	_, err = io.ReadFull(s.in, payload)
	return head[0] & 0xf, payload, err
}

// sends sends bytes over a WebSocket, and then a ping. It tells with which code the platform closed, or "goes on" where it answered the ping.
func sends(bytes string, changes ...string) func(*world) string {
	return func(w *world) string {
		w.t.Helper()
		s := w.open(changes...)
		defer s.conn.Close()
		s.write(bytes + framed(ping, "after"))
		for {
			op, payload, err := s.next()
			switch {
			case errors.Is(err, os.ErrDeadlineExceeded):
				return "silence"
			case err != nil:
				return "cut off"
			case op == 8 && len(payload) >= 2:
				return fmt.Sprintf("closed with %d", binary.BigEndian.Uint16(payload))
			case op == 8:
				return "closed"
			case op == 10 && string(payload) == "after":
				return "goes on"
			}
		}
	}
}

const (
	v1       = "Sec-WebSocket-Protocol: parkwire.v1"
	deflates = "Sec-WebSocket-Extensions: permessage-deflate"
)

// v1sends is sends over the subprotocol.
func v1sends(bytes string) func(*world) string { return sends(bytes, v1) }

// asks sends messages of parkwire.v1 and tells the codes of the errors that come. That the connection goes on is found out by a question whose
// answer is known.
func asks(messages ...string) func(*world) string {
	return asksBy(forgery{claims: `{"scope":"read"}`}, messages...)
}

// asksBy is asks with another token.
func asksBy(f forgery, messages ...string) func(*world) string {
	return func(w *world) string {
		w.t.Helper()
		s := w.open(v1, "Authorization: Bearer "+f.token(w))
		defer s.conn.Close()
		var all strings.Builder
		for _, m := range append(messages, `{"type":"Unsubscribe","id":"is anybody there?"}`) {
			all.WriteString(framed(text, m))
		}
		s.write(all.String())
		var told []string
		for {
			op, payload, err := s.next()
			switch {
			case errors.Is(err, os.ErrDeadlineExceeded):
				return strings.Join(append(told, "silence"), ", ")
			case err != nil:
				return strings.Join(append(told, "cut off"), ", ")
			case op == 8 && len(payload) >= 2:
				return strings.Join(append(told, fmt.Sprintf("closed with %d", binary.BigEndian.Uint16(payload))), ", ")
			case op != 1:
				continue
			}
			var m struct{ Type, ID, Code, Field, Message string }
			if err := json.Unmarshal(payload, &m); err != nil {
				w.t.Errorf("the platform sent %s: %v", payload, err)
			}
			if m.Type == "Error" && m.ID == "is anybody there?" {
				return strings.Join(told, ", ")
			}
			if m.Type != "Error" && m.Type != "Subscribed" && m.Type != "Authenticated" {
				continue
			}
			one := strings.TrimSpace(m.Type + " " + m.Code)
			if m.Field != "" {
				one += " (" + m.Field + ")"
			}
			if len(told) == 0 || told[len(told)-1] != one {
				told = append(told, one)
			}
			if strings.Contains(m.Message, "json:") || len(m.Message) > 1000 {
				w.t.Errorf("the message tells about the inside, or too much: %s", m.Message)
			}
		}
	}
}

// authenticates sends a token over a living connection.
func authenticates(f forgery) func(*world) string {
	return func(w *world) string { return asks(`{"type":"Authenticate","token":"` + f.token(w) + `"}`)(w) }
}
