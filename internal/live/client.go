package live

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"parkwire/internal/websocket"
)

// A client is one connection: a socket, and a position in the log of its
// subscription. It has no queue of its own.
type client struct {
	socket   *websocket.Socket
	encoding encoding
	sender   *sender
	service  *Service

	// sub and index belong to the sender once the client was handed to it.
	sub   *subscription
	index int // in sub.members of its sender; -1 before and after

	slot  int // in the sender's heartbeat

	mu  sync.Mutex
	pos position // what is to be sent next; pos.seg is nil while the client follows no log
	// control is what goes out between two frames: pongs, pings, at last a close.
	control []byte
	// inControl says whether the write under way is of control, or of the log.
	inControl bool
	// ending says that control ends with a close frame and that nothing may follow it.
	ending bool
	// busy says that some other goroutine waits for the socket to take more, and
	// will send whatever gathers meanwhile. Only who does not find it set may write.
	busy bool
	gone bool
}

// Bounds in time.
const (
	// writeWait is how long one waiting write may take before the client counts as dead.
	writeWait = 10 * time.Second
	// closeWait is how long a client has to answer a close frame.
	closeWait = 2 * time.Second
	// maxControlBytes bounds the pongs that wait for a client that pings without reading.
	maxControlBytes = 4 << 10
)

// next returns what the next write may send; nothing when all is sent. The caller
// holds mu and reports the outcome to sent before anybody calls next again.
func (c *client) next() []byte {
	if c.pos.seg != nil && (c.ending || len(c.control) > 0) {
		if rest := c.sub.log.frameRest(c.pos); len(rest) > 0 {
			c.inControl = false
			return rest
		}
		if c.ending {
			c.pos = position{} // what was not begun is not sent any more
		}
	}
	if c.inControl = len(c.control) > 0; c.inControl {
		return c.control
	}
	if c.pos.seg == nil {
		return nil
	}
	return c.sub.log.from(&c.pos)
}

// sent records that n bytes of what next returned went out. The caller holds mu.
func (c *client) sent(n int) {
	c.service.metrics.bytes.Add(float64(n))
	if !c.inControl {
		c.pos.off += n
	} else if c.control = c.control[n:]; len(c.control) == 0 {
		c.control = nil
	}
}

// flush sends all that is due without waiting. Where the socket is full, a goroutine
// takes over until it is not; so a client costs a goroutine for writing only
// while it is slow.
func (c *client) flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		return
	}
	c.checkBound() // before the busy state, or a client that never reads would never be let go
	if c.busy {
		return
	}
	for b := c.next(); len(b) > 0; b = c.next() {
		n, err := c.socket.TryWrite(b)
		c.sent(n)
		if errors.Is(err, websocket.ErrWouldBlock) {
			c.busy = true
			c.service.clientsWG.Go(c.drain)
			return
		}
		if err != nil {
			c.fail(err)
			return
		}
	}
}

// drain sends with waiting writes until nothing is due. It runs while busy is set.
func (c *client) drain() {
	for {
		c.mu.Lock()
		c.checkBound()
		b := c.next()
		if len(b) == 0 || c.gone {
			c.busy = false
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		n, err := c.writeWaiting(b)
		c.mu.Lock()
		c.sent(n)
		if err != nil {
			c.busy = false
			c.fail(err)
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
	}
}

// fail ends a client whose socket is of no use any more. Its reader notices and
// takes it out. The caller holds mu.
func (c *client) fail(err error) {
	c.log().Debug("a client is gone", "error", err)
	c.socket.Close()
}

// writeDirect sends b, and before it whatever control bytes wait. It is for a goroutine
// that holds busy, as the one that catches a client up does.
func (c *client) writeDirect(b []byte) error {
	c.mu.Lock()
	out, ending := c.control, c.ending
	c.control = nil
	c.mu.Unlock()
	if !ending {
		out = append(out, b...)
	}
	for len(out) > 0 {
		n, err := c.writeWaiting(out)
		c.service.metrics.bytes.Add(float64(n))
		if err != nil {
			c.socket.Close()
			return err
		}
		out = out[n:]
	}
	if ending {
		return errClosed
	}
	return nil
}

// maxWait bounds one waiting write in bytes, so that its deadline asks for little.
const maxWait = 16 << 10

func (c *client) writeWaiting(b []byte) (int, error) {
	if err := c.socket.SetWriteDeadline(time.Now().Add(writeWait)); err != nil {
		return 0, err
	}
	return c.socket.Write(b[:min(len(b), maxWait)])
}

// checkBound ends a client that fell further behind than its bound. The caller holds mu.
func (c *client) checkBound() {
	if c.pos.seg == nil || c.ending || c.sub.log.behind(c.pos) <= c.service.options.ClientBytes {
		return
	}
	c.service.metrics.tooSlow.Inc()
	// The frame under way is finished, then comes the close; the rest it gets by its cursor.
	c.end(closeTooSlow, "too slow: reconnect with after=CURSOR")
}

// end lets a close frame follow what is half sent, and nothing after it. The caller holds mu.
func (c *client) end(code websocket.CloseCode, reason string) {
	if c.ending || c.gone {
		return
	}
	c.ending = true
	c.control = c.encoding.appendClose(c.control, code, reason)
	_ = c.socket.SetReadDeadline(time.Now().Add(closeWait + writeWait)) // ends the reader, and with it the client
}

// close ends the connection in order: a close frame, then the peer's answer.
func (c *client) close(code websocket.CloseCode, reason string) {
	c.mu.Lock()
	c.end(code, reason)
	c.mu.Unlock()
	c.flush()
	if c.encoding == encodingSSE { // has no way to answer
		c.mu.Lock()
		done := len(c.control) == 0
		c.mu.Unlock()
		if done {
			c.socket.Close()
		}
	}
}

// enqueue sends control bytes between two frames.
func (c *client) enqueue(appendTo func([]byte) []byte) {
	c.mu.Lock()
	if !c.ending && len(c.control) < maxControlBytes {
		c.control = appendTo(c.control)
	}
	c.mu.Unlock()
	c.flush()
}

// read serves what the client sends until the connection ends, and then takes the
// client out. It is the client's only goroutine while nothing is wrong.
func (c *client) read(early []byte) {
	defer c.service.leave(c)
	parser := websocket.Parser{MaxMessage: maxClientMessage}
	buf := make([]byte, 512)
	n := copy(buf, early)
	early = early[n:]
	for {
		if n > 0 && c.encoding == encodingWebSocket {
			if err := parser.Feed(buf[:n], c.handle); err != nil {
				c.refuse(err)
				return
			}
		}
		if len(early) > 0 {
			n = copy(buf, early)
			early = early[n:]
			continue
		}
		c.extendReadDeadline()
		var err error
		if n, err = c.socket.Read(buf); err != nil {
			return
		}
	}
}

// extendReadDeadline gives the client time for its next sign of life.
func (c *client) extendReadDeadline() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ending && c.encoding == encodingWebSocket {
		_ = c.socket.SetReadDeadline(time.Now().Add(c.service.options.PingInterval*2 + writeWait))
	}
}

var errClosed = errors.New("the client closed the connection")

// handle answers one message of the client. Plain clients have nothing to say: what
// they send is read, checked and left.
func (c *client) handle(m websocket.Message) error {
	switch m.Op {
	case websocket.Ping:
		c.enqueue(func(b []byte) []byte { return websocket.AppendFrame(b, websocket.Pong, m.Payload) })
	case websocket.Close:
		c.mu.Lock()
		c.end(m.Code, "")
		c.mu.Unlock()
		c.flush()
		return errClosed
	}
	return nil
}

// refuse tells a client that broke the protocol why it is let go, and waits a
// moment for what it still sends, lest a reset overtake the close frame.
func (c *client) refuse(err error) {
	var wsErr *websocket.Error
	if !errors.As(err, &wsErr) {
		return
	}
	c.close(wsErr.Code, wsErr.Reason)
	_ = c.socket.SetReadDeadline(time.Now().Add(closeWait))
	for buf := make([]byte, 512); ; {
		if _, err := c.socket.Read(buf); err != nil {
			return
		}
	}
}

func (c *client) log() *slog.Logger {
	return c.service.options.Logger.With("client", fmt.Sprint(c.socket.RemoteAddr()))
}
