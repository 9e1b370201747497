package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"parkwire/internal/websocket"
)

// The subprotocol whose clients are told in a message of their own when to come back.
const protocolV1 = "parkwire.v1"

// follow makes the answer of an instance one that can be ended in order. conn is what it comes over.
func (p *Proxy) follow(s *stream, response *http.Response, conn net.Conn, stop context.CancelFunc, in *instance) {
	upgraded, writable := response.Body.(io.ReadWriteCloser)
	switch kind, _, _ := strings.Cut(response.Header.Get("Content-Type"), ";"); {
	case response.StatusCode == http.StatusSwitchingProtocols && writable && conn != nil:
		socket := &passingSocket{ReadWriteCloser: upgraded, conn: conn, wait: p.options.FinishWait, v1: response.Header.Get("Sec-WebSocket-Protocol") == protocolV1}
		response.Body = socket
		s.begin(in, socket.finish)
	case response.StatusCode == http.StatusOK && kind == "text/event-stream" && response.Header.Get("Content-Encoding") == "":
		events := &passingEvents{ReadCloser: response.Body, stop: stop}
		response.Body = events
		s.begin(in, events.finish)
	}
}

// A retry is for how long a client is asked to stay away, another time for each lest all come at once.
func retry() time.Duration { return time.Second + rand.N(4*time.Second) }

const restartReason = "this gateway restarts: reconnect with after=CURSOR"

// appendGoodbye appends the last that a WebSocket client hears.
func appendGoodbye(b []byte, v1 bool, code websocket.CloseCode, kind, reason string) []byte {
	after := retry()
	if v1 {
		b = websocket.AppendFrame(b, websocket.Text, fmt.Appendf(nil, `{"type":"Retry","afterMs":%d,"reason":%q}`, after.Milliseconds(), kind))
	}
	return websocket.AppendClose(b, code, websocket.WithRetry(reason, after))
}

// appendEventsGoodbye does that for server-sent events, whose clients obey the field "retry".
func appendEventsGoodbye(b []byte, reason string) []byte {
	return fmt.Appendf(b, ": %s\nretry: %d\n\n", reason, retry().Milliseconds())
}

// passingBuffer is through what a WebSocket passes, each way.
const passingBuffer = 4 << 10

var errEnded = errors.New("the stream was ended")

// A passingSocket is the connection of a WebSocket to an instance. Copying from it follows its frames, so that it can be
// ended between two messages.
type passingSocket struct {
	io.ReadWriteCloser
	conn net.Conn      // beneath; its deadline wakes who reads
	wait time.Duration // see ProxyOptions.FinishWait
	v1   bool

	mu      sync.Mutex
	leaving bool
}

// finish makes the copying end where the next message would begin.
func (p *passingSocket) finish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.leaving = true
	_ = p.conn.SetReadDeadline(time.Now()) // a connection that is closed ends anyway
}

func (p *passingSocket) isLeaving() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.leaving
}

// WriteTo copies what the instance sends to the client. [io.Copy] prefers it.
func (p *passingSocket) WriteTo(client io.Writer) (total int64, err error) {
	var f frames
	buffer := make([]byte, passingBuffer)
	for patient := false; ; {
		n, failed := p.Read(buffer)
		between := f.between()
		whole := f.follow(buffer[:n])
		leaving := p.isLeaving()
		if leaving && !f.closed && (between || whole > 0) {
			n, err := client.Write(appendGoodbye(buffer[:whole], p.v1, websocket.ServiceRestart, "restart", restartReason))
			if err == nil {
				p.awaitClose(buffer)
				err = errEnded
			}
			return total + int64(n), err
		}
		if n > 0 {
			n, err := client.Write(buffer[:n])
			total += int64(n)
			if err != nil {
				return total, err
			}
		}
		switch {
		case failed == nil:
		case failed == io.EOF:
			return total, nil
		case leaving && !patient && isTimeout(failed): // in the middle of a message, or its own close frame is out
			patient = true
			_ = p.conn.SetReadDeadline(time.Now().Add(p.wait))
		default:
			return total, failed
		}
	}
}

// awaitClose waits until the instance has closed, which it does when it gets the client's answer to the close frame. What it
// sends meanwhile comes too late.
func (p *passingSocket) awaitClose(buffer []byte) {
	_ = p.conn.SetReadDeadline(time.Now().Add(p.wait))
	for {
		if _, err := p.Read(buffer); err != nil {
			return
		}
	}
}

// ReadFrom copies what the client sends, by a buffer smaller than [io.Copy]'s.
func (p *passingSocket) ReadFrom(client io.Reader) (int64, error) {
	return io.CopyBuffer(struct{ io.Writer }{p.ReadWriteCloser}, struct{ io.Reader }{client}, make([]byte, passingBuffer))
}

// CloseWrite passes on that the client will send no more.
func (p *passingSocket) CloseWrite() error {
	if half, ok := p.ReadWriteCloser.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return p.Close()
}

// passingEvents is a stream of server-sent events from an instance that can be ended between two events.
type passingEvents struct {
	io.ReadCloser
	stop context.CancelFunc // ends the request, and so wakes who reads

	mu      sync.Mutex
	lines   lines
	leaving bool

	over    bool   // nothing more is read from the instance
	goodbye []byte // what is left to say then
}

// finish makes the stream end where the next event would begin.
func (p *passingEvents) finish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.leaving = true
	if p.lines.between() {
		p.stop()
	}
}

func (p *passingEvents) Read(b []byte) (int, error) {
	if p.over {
		n := copy(b, p.goodbye)
		if p.goodbye = p.goodbye[n:]; len(p.goodbye) > 0 {
			return n, nil
		}
		return n, io.EOF
	}
	n, err := p.ReadCloser.Read(b)
	p.mu.Lock()
	defer p.mu.Unlock()
	between := p.lines.between()
	whole := p.lines.follow(b[:n])
	if p.leaving && (between || whole > 0) {
		p.over, p.goodbye = true, appendEventsGoodbye(nil, restartReason)
		return whole, nil
	}
	return n, err
}
