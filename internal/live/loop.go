package live

import (
	"context"
	"errors"
	"sync"
	"time"

	"parkwire/internal/websocket"
)

// A loop serves a share of the clients. It is the only goroutine that walks them, sends to them and ends them; whatever
// anybody else does to a client it is told by attend, and of frames by grew.
type loop struct {
	service *Service
	number  int           // its place in subscription.members and subscription.marked
	wake    chan struct{} // holds one signal: there is something in inbox or grown

	// Of its goroutine alone.
	polled                  // what it does for clients that are file descriptors
	batch                   // what it is about to send
	wheel   wheel           //
	ping    uint32          // ticks between two pings
	silence uint32          // ticks without a sign of life until a client counts as gone
	pings   []byte          // the last ping
	tally   tally           // what was sent and is not counted yet
	full    full            // the clients whose sockets were full
	spare   []*client       // what inbox was last
	rest    []*subscription // what grown was last

	mu    sync.Mutex
	inbox []*client       // came, changed or went
	grown []*subscription // have new frames
	round round           // what these are of
}

func newLoop(s *Service, number int) *loop {
	l := &loop{service: s, number: number, wake: make(chan struct{}, 1), wheel: newWheel(s.options.PingInterval)}
	// Made once, so that to serve a client allocates nothing.
	l.heard = l.tell
	l.handle = func(m websocket.Message) error { return s.hear(l.speaker, m) }
	l.ping, l.silence = l.wheel.ticks(s.options.PingInterval), l.wheel.ticks(3*s.options.PingInterval)
	return l
}

func (l *loop) signal() {
	select {
	case l.wake <- struct{}{}:
	default: // it will see what was added when it comes round
	}
}

// grew tells the loop that logs have new frames.
func (l *loop) grew(subs []*subscription, with load) {
	l.mu.Lock()
	for _, sub := range subs {
		if !sub.marked[l.number] {
			sub.marked[l.number] = true
			l.grown = append(l.grown, sub)
		}
	}
	l.round.add(subs, with)
	l.mu.Unlock()
	l.signal()
}

// attend makes the loop look at one client, whatever it is for.
func (l *loop) attend(c *client) {
	l.mu.Lock()
	if !c.attended {
		c.attended = true
		l.inbox = append(l.inbox, c)
	}
	l.mu.Unlock()
	l.signal()
}

// takeInbox empties the inbox. What comes while the loop works on it comes into another one.
func (l *loop) takeInbox() []*client {
	l.mu.Lock()
	defer l.mu.Unlock()
	inbox := l.inbox
	l.inbox, l.spare = l.spare[:0], inbox
	for _, c := range inbox {
		c.attended = false
	}
	return inbox
}

// takeGrown does the same with the logs. It is one step with clearing the marks, so that what grows
// while the loop works is marked anew.
func (l *loop) takeGrown() ([]*subscription, round) {
	l.mu.Lock()
	defer l.mu.Unlock()
	grown, of := l.grown, l.round
	l.grown, l.rest = l.rest[:0], grown
	l.round = round{}
	for _, sub := range grown {
		sub.marked[l.number] = false
	}
	return grown, of
}

// run serves until ctx ends.
func (l *loop) run(ctx context.Context) {
	ticker := time.NewTicker(l.wheel.tick)
	defer ticker.Stop()
	watch := l.watch()
	defer watch.stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			l.full.look()
		case <-l.wake:
			l.readOn()
		case <-watch.news:
			l.poll()
			watch.looked()
		}
		l.wheel.turn(time.Now(), l.visit)
		l.attendAll()
		grown, of := l.takeGrown()
		of.begin(l)
		clients := 0
		for _, sub := range grown {
			clients += len(sub.members[l.number])
			l.pass(sub)
		}
		l.sendBatch()
		of.end(l, clients)
		clear(grown)
		l.tally.count(l.service.metrics)
	}
}

// lookEvery is after how many clients a pass looks for what else there is: some milliseconds where each is sent something.
const lookEvery = 512

// pass sends to all members of a subscription what is due, or leaves it to the batch. When it comes to the last of very many, more may have been appended, and they get
// all of it in one write.
func (l *loop) pass(sub *subscription) {
	// Backwards, since members may come and go meanwhile: who comes is sent what is due, and the place of one who goes is
	// taken by the last one, who had their turn.
	for i, n := len(sub.members[l.number])-1, 1; i >= 0; i, n = min(i, len(sub.members[l.number]))-1, n+1 {
		l.sendTo(sub.members[l.number][i])
		if n%lookEvery == 0 {
			l.sendBatch()
			l.look()
		}
	}
}

// look does what cannot wait for the end of a pass.
func (l *loop) look() {
	l.poll()
	l.wheel.turn(time.Now(), l.visit)
	l.attendAll()
	l.tally.count(l.service.metrics)
}

func (l *loop) attendAll() {
	inbox := l.takeInbox()
	for _, c := range inbox {
		l.place(c)
	}
	clear(inbox)
}

// place takes a client in, to another subscription, or out when it is gone, and sends what it is due.
func (l *loop) place(c *client) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken && c.raw >= 0 && !c.gone {
		l.leave(c)
	}
	if c.member != nil && (c.gone || c.member != c.sub) {
		c.member.leave(l.number, c)
		c.member = nil
	}
	if c.gone {
		l.wheel.remove(c)
		return
	}
	if c.due == 0 {
		l.take(c)
	}
	if c.sub != nil && c.member == nil {
		c.member = c.sub
		c.sub.join(l.number, c)
	}
	l.send(c) // what the log got before the client was a member
	l.expect(c)
}

// take begins to serve a client. The caller holds its mu.
func (l *loop) take(c *client) {
	c.heard, c.pinged = l.wheel.now, l.wheel.now
	if c.raw < 0 {
		return
	}
	if err := l.adopt(c); err != nil {
		c.fail(err)
		return
	}
	if x := c.extras; x != nil && x.early != nil {
		early := x.early
		x.early = nil
		c.mu.Unlock()
		l.hear(c, early)
		c.mu.Lock()
	}
}

// send sends all that is due without waiting. The caller holds mu.
func (l *loop) send(c *client) {
	switch {
	case c.gone || c.broken:
		return
	case c.busy:
		c.checkBound()
		l.expectEnd(c)
		return
	}
	for b := c.next(); len(b) > 0; b = c.next() {
		n, err := c.tryWrite(b)
		if !l.wrote(c, n, err) {
			return
		}
	}
	c.allSent()
	l.expectEnd(c)
}

func (c *client) tryWrite(b []byte) (int, error) {
	if c.raw >= 0 {
		return c.raw.TryWrite(b)
	}
	return c.extras.socket.TryWrite(b)
}

// wrote records the outcome of a write, and reports whether there may be another one. The caller holds mu.
func (l *loop) wrote(c *client, n int, err error) bool {
	c.sent(n, &l.tally)
	switch {
	case err == nil:
		return true
	case !errors.Is(err, websocket.ErrWouldBlock):
		c.fail(err)
		return false
	}
	c.busy = true
	l.service.metrics.slow.Inc()
	l.full.add(c)
	if c.raw < 0 {
		l.service.clientsWG.Go(c.drain)
	} else if !c.ending {
		c.until = l.wheel.now + l.wheel.ticks(stallWait)
		l.expect(c)
	}
	l.expectEnd(c)
	return false
}

// leave takes out a client that is a file descriptor. The caller holds its mu, and puts it nowhere any more.
func (l *loop) leave(c *client) {
	l.dismiss(c)
	c.mu.Unlock()
	l.service.leave(c)
	c.mu.Lock()
}
