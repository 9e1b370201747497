package live

import (
	"errors"
	"os"
	"time"

	"parkwire/internal/websocket"
)

// readBuffer is small, since clients have next to nothing to say, and every one has such a buffer.
const readBuffer = 512

// maxClientMessage bounds what a client may send, in bytes. Plain clients have nothing to say.
const maxClientMessage = 4 << 10

// read serves what the client sends until the connection ends, and then takes the client
// out. It is the client's only goroutine while nothing is wrong.
//
// It goes on reading, and looks at nothing any more, when the connection is being closed: closing a
// socket with bytes unread would reset it, and the reset would overtake the close frame.
func (c *client) read(early []byte) {
	defer c.service.leave(c)
	parser, deaf := websocket.Parser{MaxMessage: maxClientMessage, Deflate: c.encoding.isDeflated()}, c.encoding == encodingSSE
	if c.v1 != nil {
		parser.MaxMessage = maxRequest
	}
	feed := func(b []byte) {
		if deaf {
			return
		}
		err := parser.Feed(b, c.handle)
		deaf = err != nil
		if broken, ok := errors.AsType[*websocket.Error](err); ok {
			c.close(farewell{code: broken.Code, reason: broken.Reason})
		}
	}
	feed(early)
	for buf := make([]byte, readBuffer); ; {
		c.extendReadDeadline()
		n, err := c.socket.Read(buf)
		feed(buf[:n])
		if err != nil && !(errors.Is(err, os.ErrDeadlineExceeded) && c.isBusy()) {
			return
		}
	}
}

// extendReadDeadline gives the client time for its next sign of life: it is pinged two times and a
// third interval long waited for.
func (c *client) extendReadDeadline() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ending && c.encoding != encodingSSE {
		_ = c.socket.SetReadDeadline(time.Now().Add(c.service.options.PingInterval * 3))
	}
}

// isBusy reports whether the client has still to take what waits for it. Then it is no wonder that it answers no ping, which waits
// with the rest; who sends finds out whether it is alive, see stallWait.
func (c *client) isBusy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.busy && !c.ending && !c.gone
}

var errClosed = errors.New("the connection is being closed")

// handle answers one message of the client. What else plain clients send is read,
// checked and left.
func (c *client) handle(m websocket.Message) error {
	switch m.Op {
	case websocket.Ping:
		c.enqueue(func(b []byte) []byte { return websocket.AppendFrame(b, websocket.Pong, m.Payload) })
	case websocket.Close:
		c.mu.Lock()
		c.peerClosed = true
		c.mu.Unlock()
		c.close(farewell{code: m.Code}) // an answer, or where the service closed first only the end
		return errClosed
	case websocket.Text:
		if c.v1 != nil {
			c.ask(parseRequest(m.Payload))
		}
	case websocket.Binary:
		if c.v1 != nil {
			return &websocket.Error{Code: websocket.UnsupportedData, Reason: "messages are text"}
		}
	}
	return nil
}
