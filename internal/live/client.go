package live

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"
	"time"

	"parkwire/internal/websocket"
)

// Bounds in time and bytes.
const (
	// stallWait is how long a client may take nothing at all of what waits for it before it counts as dead. However
	// little it takes meanwhile, it lives. Kernels let a slow reader's window open in steps, of 64 KiB often, so that
	// somebody who reads 1 KB a second takes nothing for a minute at a time.
	stallWait = 2 * time.Minute
	maxWrite  = 16 << 10 // of a write that waits
	// writeWait is how long a close frame may take.
	writeWait = 10 * time.Second
	// closeWait is how long a client has to answer a close frame.
	closeWait = 2 * time.Second
	// maxControl bounds the pongs that wait for a client that pings without reading.
	maxControl = 4 << 10
	// maxAnswers bounds the answers that wait for a client of parkwire.v1.
	maxAnswers = 64 << 10
)

// A client is one connection: a socket, and a place in the log of its subscription. It has
// no queue of its own.
//
// Nothing here waits, so that whatever tells that a socket can be read from or written to (a goroutine
// a connection, see reading and [client.drain], or one day an event loop) drives it.
type client struct {
	socket   *websocket.Socket
	encoding encoding
	service  *Service
	sender   *sender
	room     chan struct{} // while it catches up: holds one signal once all is sent

	v1 *session // of a client of parkwire.v1

	// Where its sender keeps it, -1: nowhere. Only the sender touches them.
	index, slot int
	member      *subscription

	mu sync.Mutex
	at place // what is to be sent next
	// then is where it goes on at the end of at's log: while it catches up, at is in a
	// log of its own.
	then place
	sub  *subscription // whose log at or then is in
	// lapsed is the cursor behind which the client, too slow for what came, waits to be sent the newest of each spot. It then has
	// no place in a log but its own. Empty otherwise.
	lapsed string
	// control is what goes out between two frames: pings, pongs, at last a close.
	control []byte
	// inControl says whether the write under way is of control, or of the log.
	inControl bool
	// busy says that a goroutine waits for the socket to take more, and will send whatever
	// gathers meanwhile. Only who does not find it set may write.
	busy       bool
	ending     bool               // control ends with a close frame, or ended with one, and nothing follows it
	peerClosed bool               // no answer to that frame will come
	lingers    bool               // the close frame is out and the answer is waited for
	gone       bool               // it is out of the service; socket is closed
	stop       context.CancelFunc // ends its catching up; nil where it has none
	token      token
}

// next returns what the next write may send; nothing when all is sent. The caller
// holds mu and reports the outcome to sent before anybody calls next again.
func (c *client) next() []byte {
	if c.ending || len(c.control) > 0 {
		if rest := c.at.begun(); len(rest) > 0 {
			c.inControl = false
			return rest
		}
		c.inControl = true
		return c.control
	}
	c.inControl = false
	b := c.at.next()
	if len(b) == 0 && c.then.log != nil {
		c.at, c.then = c.then, place{}
		b = c.at.next()
	}
	return b
}

// sent records that n bytes of what next returned went out. The caller holds mu.
func (c *client) sent(n int) {
	c.service.metrics.bytes.Add(float64(n))
	switch {
	case c.gone:
	case !c.inControl:
		if frames := c.at.advance(n); frames > 0 {
			c.service.metrics.deliveries.Add(float64(frames))
		}
	default:
		if c.control = c.control[n:]; len(c.control) == 0 {
			c.control = nil
		}
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
	if c.busy {
		c.checkBound()
		return
	}
	for b := c.next(); len(b) > 0; b = c.next() {
		n, err := c.socket.TryWrite(b)
		c.sent(n)
		if errors.Is(err, websocket.ErrWouldBlock) {
			c.busy = true
			c.service.metrics.slow.Inc()
			c.service.clientsWG.Go(c.drain)
			return
		}
		if err != nil {
			c.fail(err)
			return
		}
	}
	c.allSent()
}

// drain sends with waiting writes until nothing is due. It runs while busy is set.
func (c *client) drain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer func() {
		c.busy = false
		c.service.metrics.slow.Dec()
	}()
	for !c.gone {
		b := c.next()
		if len(b) == 0 {
			c.allSent()
			return
		}
		c.mu.Unlock()
		n, err := c.socket.WriteWithin(b[:min(len(b), maxWrite)], stallWait)
		c.mu.Lock()
		c.sent(n)
		if err != nil && !(n > 0 && errors.Is(err, os.ErrDeadlineExceeded)) {
			c.fail(err)
			return
		}
	}
}

// allSent does what had to wait for that. The caller holds mu.
func (c *client) allSent() {
	switch {
	case !c.ending:
		select {
		case c.room <- struct{}{}:
		default: // nobody waits
		}
		if c.lapsed != "" {
			c.work()
		}
	case c.peerClosed || c.encoding == encodingSSE: // which has no way to answer
		c.socket.Close()
	case !c.lingers: // once, however often it is flushed meanwhile
		c.lingers = true
		c.at = place{}
		_ = c.socket.SetReadDeadline(time.Now().Add(closeWait))
	}
}

// fail ends a client whose socket is of no use any more. Who reads it notices and takes
// it out. The caller holds mu.
func (c *client) fail(err error) {
	c.log().Debug("a client is gone", "error", err)
	c.socket.Close()
}

// checkBound looks after a client that fell further behind than its bound: a plain one is closed, one of parkwire.v1 lapses. What
// is in the log of its own does not count: that is no longer than who fills it lets it be. The caller holds mu.
func (c *client) checkBound() {
	follows := &c.at
	if c.then.log != nil {
		follows = &c.then
	}
	if c.sub == nil || c.ending || c.lapsed != "" || follows.behind() <= c.service.options.ClientBytes {
		return
	}
	if c.v1 != nil {
		c.lapse()
		return
	}
	c.service.metrics.tooSlow.Inc()
	c.log().Info("a client is too slow and is closed; it can resume by its cursor", "behind", follows.behind())
	c.end(farewell{code: closeTooSlow, reason: "too slow: reconnect with after=CURSOR"})
}

// lapse gives up a client's place in the log that it follows, so that the client keeps no more of it in memory than what is
// half sent. The caller holds mu.
func (c *client) lapse() {
	if c.then.log != nil {
		c.lapsed, c.then = c.then.cursor(), place{}
	} else {
		c.at = c.at.alone()
		end := c.at.log.end()
		c.lapsed = end.cursor()
	}
	c.service.metrics.lapsed.Inc()
	c.log().Info("a client is too slow and is sent the newest of each spot as soon as it reads")
}

// end lets a close frame follow the frame that is half sent, and nothing after it. It is not sent yet. The
// caller holds mu.
func (c *client) end(f farewell) {
	if c.ending || c.gone {
		return
	}
	c.ending = true
	c.at, c.then = c.at.alone(), place{} // the frame that is half sent may take long, and the log grows
	c.control = c.encoding.appendClose(c.control, f)
	_ = c.socket.SetReadDeadline(time.Now().Add(writeWait + closeWait)) // ends the reading, and with it the client, whatever happens
	if c.stop != nil {
		c.stop()
	}
}

// close ends the connection in order: a close frame, then the peer's answer.
func (c *client) close(f farewell) {
	c.mu.Lock()
	c.end(f)
	c.mu.Unlock()
	c.flush()
}

// enqueue sends control bytes between two frames.
func (c *client) enqueue(appendTo func([]byte) []byte) {
	c.mu.Lock()
	if !c.ending && len(c.control) < maxControl {
		c.control = appendTo(c.control)
	}
	c.mu.Unlock()
	c.flush()
}

func (c *client) log() *slog.Logger {
	return c.service.options.Logger.With("client", c.socket.RemoteAddr().String(), "kind", c.encoding.String())
}
