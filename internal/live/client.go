package live

import (
	"log/slog"
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
// no queue of its own, and while it is idle nothing else either: there are very many of them, so that what only few need at a
// time hangs on a pointer.
//
// Nothing here waits, and only its loop sends and ends it: whoever else has something for it changes it under mu and calls
// [loop.attend].
type client struct {
	loop *loop

	// Of the loop alone.
	member         *subscription // where it is a member, and which of the loop's
	later, earlier *client       // its neighbours in the wheel
	due            uint32        // the tick at which the wheel comes to it; 0: it is in none
	index          int32
	pinged         uint32 // the tick of the last ping
	until          uint32 // the tick at which it is cut, where it is ending or its socket is full

	stage    uint8 // how far its end has come
	encoding encoding
	attended bool // it is in the loop's inbox; guarded by loop.mu

	mu sync.Mutex // comes before loop.mu
	// busy says that the socket is full, or that a write is under way; who waits for it will send whatever
	// gathers meanwhile.
	busy       bool
	inControl  bool // whether the last write is of control, or of the log
	ending     bool // control ends with a close frame, or ended with one, and nothing follows it
	peerClosed bool // no answer to that frame will come
	lingers    bool // the close frame is out and the answer is waited for
	deaf       bool // what it says is read and not looked at
	broken     bool // the socket is of no use any more
	gone       bool // it is out of the service; the socket is closed

	raw    websocket.Raw // -1 where goroutines of its own wait for the socket
	heard  uint32        // the tick of its last sign of life
	expiry uint32        // the tick at which something is due for its token; 0: none
	at     place         // what is to be sent next
	sub    *subscription // whose log at or then is in
	extras *extras       // nil for most
}

// extras are what few clients need at a time. The pointer of those that have a session or a waiting socket never changes; of others it
// is nil again when nothing is left. Guarded by client.mu but for these two.
type extras struct {
	session *session          // of a client of parkwire.v1
	socket  *websocket.Socket // of one that is waited for by goroutines

	early  []byte            // what it said before its loop had it
	parser *websocket.Parser // of a message that is half read
	// then is where it goes on at the end of at's log: while it catches up, at is in a
	// log of its own.
	then place
	// lapsed is the cursor behind which the client, too slow for what came, waits to be sent the newest of each spot. It then has
	// no place in a log but its own. Empty otherwise.
	lapsed string
	// control is what goes out between two frames: pings, pongs, at last a close.
	control []byte
	room    chan struct{} // while it catches up: holds one signal once all is sent
	stop    func()        // ends its catching up; nil where it has none
}

// more returns its extras, for something to be put there. The caller holds mu.
func (c *client) more() *extras {
	if c.extras == nil {
		c.extras = &extras{}
	}
	return c.extras
}

// trim lets extras go that hold nothing. The caller holds mu.
func (c *client) trim() {
	if x := c.extras; x != nil && x.session == nil && x.socket == nil && x.early == nil && x.parser == nil && x.then.nowhere() && x.lapsed == "" &&
		x.control == nil && x.room == nil && x.stop == nil {
		c.extras = nil
	}
}

// session is what a client of parkwire.v1 has; nil of others. It never changes.
func (c *client) session() *session {
	if !c.encoding.isV1() {
		return nil
	}
	return c.extras.session
}

// control is what goes out between two frames. The caller holds mu.
func (c *client) control() []byte {
	if c.extras == nil {
		return nil
	}
	return c.extras.control
}

// then is where it goes on behind a log of its own. The caller holds mu.
func (c *client) then() place {
	if c.extras == nil {
		return place{}
	}
	return c.extras.then
}

// lapsed is the cursor of a client that has lapsed. The caller holds mu.
func (c *client) lapsed() string {
	if c.extras == nil {
		return ""
	}
	return c.extras.lapsed
}

// next returns what the next write may send; nothing when all is sent. The caller
// holds mu and reports the outcome to sent before anybody calls next again.
func (c *client) next() []byte {
	x := c.extras
	if c.ending || x != nil && len(x.control) > 0 {
		if rest := c.at.begun(); len(rest) > 0 {
			c.inControl = false
			return rest
		}
		c.inControl = true
		return c.control()
	}
	c.inControl = false
	b := c.at.next()
	if len(b) == 0 && x != nil && !x.then.nowhere() {
		c.at, x.then = x.then, place{}
		b = c.at.next()
	}
	return b
}

// A tally is what was sent, until it is counted: to count each write for itself would cost more than it says.
type tally struct{ writes, bytes, frames int }

func (t *tally) count(m *metrics) {
	if t.bytes > 0 {
		m.writes.Add(float64(t.writes))
		m.bytes.Add(float64(t.bytes))
		m.deliveries.Add(float64(t.frames))
		*t = tally{}
	}
}

// sent records that n bytes of what next returned went out. The caller holds mu.
func (c *client) sent(n int, t *tally) {
	t.writes++
	t.bytes += n
	switch {
	case c.gone:
	case !c.inControl:
		t.frames += c.at.advance(n)
	case c.extras != nil:
		if c.extras.control = c.extras.control[n:]; len(c.extras.control) == 0 {
			c.extras.control = nil
		}
	}
}

// allSent does what had to wait for that. The caller holds mu.
func (c *client) allSent() {
	x := c.extras
	switch {
	case !c.ending && x == nil: // nothing had to
	case !c.ending:
		select {
		case x.room <- struct{}{}:
		default: // nobody waits
		}
		if x.lapsed != "" {
			c.work()
		}
		c.trim()
	case c.peerClosed || c.encoding == encodingSSE: // which has no way to answer
		c.cut()
	default:
		c.lingers = true
		c.at = place{}
	}
}

// fail ends a client whose socket is of no use any more. The caller holds mu.
func (c *client) fail(err error) {
	if c.loop.service.options.Logger.Enabled(c.loop.service.running, slog.LevelDebug) { // the address takes a system call
		c.log().Debug("a client is gone", "error", err)
	}
	c.cut()
}

// cut ends the connection without a word. Who reads it takes the client out. The caller holds mu.
func (c *client) cut() {
	switch {
	case c.gone || c.broken:
		return
	case c.raw < 0:
		c.extras.socket.Close()
	default:
		c.loop.attend(c)
	}
	c.broken = true
}

// checkBound looks after a client that fell further behind than its bound: a plain one is closed, one of parkwire.v1 lapses. What
// is in the log of its own does not count: that is no longer than who fills it lets it be. The caller holds mu.
func (c *client) checkBound() {
	follows, s := c.at, c.loop.service
	if then := c.then(); !then.nowhere() {
		follows = then
	}
	if c.sub == nil || c.ending || c.lapsed() != "" || follows.behind() <= s.options.ClientBytes {
		return
	}
	if c.session() != nil {
		c.lapse()
		return
	}
	s.metrics.tooSlow.Inc()
	c.log().Info("a client is too slow and is closed; it can resume by its cursor", "behind", follows.behind())
	c.end(farewell{code: closeTooSlow, reason: "too slow: reconnect with after=CURSOR"})
}

// lapse gives up a client's place in the log that it follows, so that the client keeps no more of it in memory than what is
// half sent. The caller holds mu.
func (c *client) lapse() {
	x := c.more()
	if !x.then.nowhere() {
		x.lapsed, x.then = x.then.cursor(), place{}
	} else {
		c.at = c.at.alone()
		end := c.at.seg.log.end()
		x.lapsed = end.cursor()
	}
	c.loop.service.metrics.lapsed.Inc()
	c.log().Info("a client is too slow and is sent the newest of each spot as soon as it reads")
}

// end lets a close frame follow the frame that is half sent, and nothing after it. It is not sent yet. The
// caller holds mu.
func (c *client) end(f farewell) {
	if c.ending || c.gone {
		return
	}
	x := c.more()
	c.ending = true
	c.at, x.then = c.at.alone(), place{} // the frame that is half sent may take long, and the log grows
	x.control = c.encoding.appendClose(x.control, f)
	if x.stop != nil {
		x.stop()
	}
}

// close ends the connection in order: a close frame, then the peer's answer.
func (c *client) close(f farewell) {
	c.mu.Lock()
	c.end(f)
	c.mu.Unlock()
	c.loop.attend(c)
}

// enqueue sends control bytes between two frames.
func (c *client) enqueue(appendTo func([]byte) []byte) {
	c.mu.Lock()
	if !c.ending && !c.gone && len(c.control()) < maxControl {
		x := c.more()
		x.control = appendTo(x.control)
	}
	c.mu.Unlock()
	c.loop.attend(c)
}

// log is who writes about the client. The caller holds mu.
func (c *client) log() *slog.Logger {
	peer := "gone"
	switch {
	case c.gone:
	case c.raw >= 0:
		peer = c.raw.RemoteAddr()
	default:
		peer = c.extras.socket.RemoteAddr().String()
	}
	return c.loop.service.options.Logger.With("client", peer, "kind", c.encoding.String())
}
