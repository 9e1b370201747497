package live

import (
	"errors"

	"parkwire/internal/websocket"
)

// A poller tells a loop which of its clients have news; [websocket.Poller] does.
type poller interface {
	Add(websocket.Raw) error
	Poll(tell func(websocket.Raw, websocket.Ready)) error
	Wait() error
	Close() error
}

// polled is what a loop has for clients that are file descriptors: no goroutine waits for one of them, and they have no
// buffers. Only the loop's goroutine touches it.
type polled struct {
	poller  poller    // nil where there are no such clients
	clients []*client // by their descriptor
	heard   func(websocket.Raw, websocket.Ready)
	buf     []byte
	parser  websocket.Parser // of whose messages come whole
	speaker *client          // whom handle is about
	handle  func(websocket.Message) error
	unread  []*client // said more than was read at once
}

// readBuffer is one of a loop, for all its clients. maxReads bounds how often it is filled for one of them before others have their turn.
const (
	readBuffer = 64 << 10
	maxReads   = 4
)

// poll serves the clients that have news.
func (l *loop) poll() {
	if l.poller == nil {
		return
	}
	l.readOn()
	if err := l.poller.Poll(l.heard); err != nil {
		l.service.options.Logger.Error("no news of clients can be had", "error", err)
	}
}

// readOn goes on with those who had said more than was read at once: of that there is no news.
func (l *loop) readOn() {
	unread := l.unread
	l.unread = nil
	for _, c := range unread {
		l.read(c, true)
	}
}

// tell serves a client that has news. An event of a connection that was closed meanwhile may be taken for one of a
// client that got its number: that client is then asked in vain, no more.
func (l *loop) tell(raw websocket.Raw, what websocket.Ready) {
	if int(raw) >= len(l.clients) || l.clients[raw] == nil {
		return
	}
	c := l.clients[raw]
	if what&websocket.Writable != 0 {
		l.resume(c)
	}
	if what&(websocket.Readable|websocket.Ended) != 0 {
		l.read(c, what&websocket.Ended != 0)
	}
}

// adopt lets the poller tell of a client. The caller holds mu.
func (l *loop) adopt(c *client) error {
	for int(c.raw) >= len(l.clients) {
		l.clients = append(l.clients, nil)
	}
	l.clients[c.raw] = c
	return l.poller.Add(c.raw)
}

// dismiss is the end of that. The number is nobody's until the descriptor is closed, which comes later.
func (l *loop) dismiss(c *client) {
	if int(c.raw) < len(l.clients) {
		l.clients[c.raw] = nil
	}
}

// resume goes on with a client whose socket takes more.
func (l *loop) resume(c *client) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stalls() || c.gone {
		return
	}
	until, before := c.until, l.tally.bytes
	c.busy = false
	l.service.metrics.slow.Dec()
	l.send(c)
	switch {
	case l.tally.bytes > before:
		c.heard = l.wheel.now // who takes something is alive
	case c.busy:
		c.until = until
	}
	l.expect(c)
}

// read reads what a client says, to the end where the end has come.
//
// It goes on reading, and looks at nothing any more, when the connection is being closed: closing a
// socket with bytes unread would reset it, and the reset would overtake the close frame.
func (l *loop) read(c *client, toEnd bool) {
	if l.buf == nil {
		l.buf = make([]byte, readBuffer)
	}
	for range maxReads {
		if c.gone { // only the loop lets it go
			return
		}
		n, err := c.raw.TryRead(l.buf)
		if n > 0 {
			c.lives(l.wheel.now)
			l.hear(c, l.buf[:n])
		}
		switch {
		case errors.Is(err, websocket.ErrWouldBlock), err == nil && n < len(l.buf) && !toEnd:
			return
		case err != nil:
			c.mu.Lock()
			c.cut()
			c.mu.Unlock()
			return
		}
	}
	l.unread = append(l.unread, c)
	l.signal()
}

// hear looks at what a client said. A parser of its own it has only while a message is half read.
func (l *loop) hear(c *client, b []byte) {
	c.mu.Lock()
	p := &l.parser
	if x := c.extras; x != nil && x.parser != nil {
		p = x.parser
	} else {
		l.parser = c.newParser()
	}
	c.mu.Unlock()
	l.speaker = c
	c.feed(p, b, l.handle)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.deaf || p.Idle():
		if c.extras != nil {
			c.extras.parser = nil
			c.trim()
		}
	case p == &l.parser:
		own := l.parser
		c.more().parser = &own
	}
}

// A watch waits for news of clients, and tells their loop.
type watch struct {
	news   chan struct{}
	ack    chan struct{}
	ended  chan struct{}
	poller poller
	over   chan struct{}
}

// watch begins to. Where there is no poller there are no news.
func (l *loop) watch() *watch {
	w := &watch{poller: l.poller}
	if l.poller == nil {
		return w
	}
	w.news, w.ack, w.ended, w.over = make(chan struct{}), make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(w.over)
		for l.poller.Wait() == nil {
			select {
			case w.news <- struct{}{}:
				<-w.ack
			case <-w.ended:
				return
			}
		}
	}()
	return w
}

// looked tells it that the news were heard.
func (w *watch) looked() { w.ack <- struct{}{} }

// stop ends it, and the poller.
func (w *watch) stop() {
	if w.poller == nil {
		return
	}
	close(w.ended)
	_ = w.poller.Close()
	<-w.over
}
