package live

import (
	"errors"
	"os"
	"time"

	"parkwire/internal/websocket"
)

// waitingBuffer is small, since clients have next to nothing to say, and every one with a goroutine has such a buffer.
const waitingBuffer = 512

// maxClientMessage bounds what a client may send, in bytes. Plain clients have nothing to say.
const maxClientMessage = 4 << 10

// begin gives a client to its loop. early is what it said behind its handshake.
func (c *client) begin(early []byte) {
	if c.raw < 0 {
		c.loop.attend(c)
		go c.read(early)
		return
	}
	if len(early) > 0 {
		c.mu.Lock()
		c.more().early = early
		c.mu.Unlock()
	}
	c.loop.attend(c)
}

func (c *client) newParser() websocket.Parser {
	return websocket.Parser{MaxMessage: c.maxMessage(), Deflate: c.encoding.isDeflated()}
}

// maxMessage bounds what the client may say at once, in bytes.
func (c *client) maxMessage() int {
	switch own := c.loop.service.maxMessage; {
	case own > 0:
		return own
	case c.encoding.isV1():
		return maxRequest
	}
	return maxClientMessage
}

// read serves what a client says whose socket is waited for, until the connection ends, and then takes it out.
// It is the client's only goroutine while nothing is wrong. For how it ends see [loop.read].
func (c *client) read(early []byte) {
	defer c.loop.service.leave(c)
	parser := c.newParser()
	handle := func(m websocket.Message) error { return c.loop.service.hear(c, m) }
	c.feed(&parser, early, handle)
	for buf := make([]byte, waitingBuffer); ; {
		n, err := c.extras.socket.Read(buf)
		if n > 0 {
			c.lives(c.loop.wheel.at(time.Now()))
			c.feed(&parser, buf[:n], handle)
		}
		if err != nil {
			return
		}
	}
}

// lives records a sign of life.
func (c *client) lives(tick uint32) {
	c.mu.Lock()
	c.heard = tick
	c.mu.Unlock()
}

// feed looks at what a client said, unless what it said before was wrong or its last word.
func (c *client) feed(p *websocket.Parser, b []byte, handle func(websocket.Message) error) {
	if c.deaf || c.encoding == encodingSSE {
		return
	}
	err := p.Feed(b, handle)
	c.deaf = err != nil
	if broken, ok := errors.AsType[*websocket.Error](err); ok {
		c.close(farewell{code: broken.Code, reason: broken.Reason})
	}
}

// drain sends with waiting writes until nothing is due. It runs while busy is set.
func (c *client) drain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer func() {
		c.busy = false
		c.heard = c.loop.wheel.at(time.Now()) // who takes something is alive
		c.loop.service.metrics.slow.Dec()
		c.loop.attend(c)
	}()
	for !c.gone {
		b := c.next()
		if len(b) == 0 {
			return
		}
		c.mu.Unlock()
		n, err := c.extras.socket.WriteWithin(b[:min(len(b), maxWrite)], stallWait)
		c.mu.Lock()
		var t tally
		c.sent(n, &t)
		t.count(c.loop.service.metrics)
		if err != nil && !(n > 0 && errors.Is(err, os.ErrDeadlineExceeded)) {
			c.fail(err)
			return
		}
	}
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
		if c.session() != nil {
			c.ask(parseRequest(m.Payload))
		}
	case websocket.Binary:
		if c.session() != nil {
			return &websocket.Error{Code: websocket.UnsupportedData, Reason: "messages are text"}
		}
	}
	return nil
}
