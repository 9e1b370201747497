package live

// A batchSender sends to many clients with few system calls.
type batchSender interface {
	// send sends to each of them without waiting, and fills in what came of it. After an error, which says nothing of them, it is
	// of no more use.
	send(batch []outgoing) error
	close() error
}

// outgoing is one write of a batch.
type outgoing struct {
	client *client
	fd     int
	bytes  []byte
	n      int   // how many of them went out
	err    error // why not all: [websocket.ErrWouldBlock] where the socket is full
}

// batchSize is how many writes a batch has at most. A larger one was no faster; see docs/adr/0097-io-uring.md.
const batchSize = 64

// batch is what a loop is about to send, where it has who sends batches. Its clients are busy: nobody else sends to them or ends them.
type batch struct {
	batches batchSender // nil: each write is a system call of its own
	out     []outgoing
}

// sendTo sends a client what is due, now or with the batch.
func (l *loop) sendTo(c *client) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l.batches == nil || c.raw < 0 || c.busy || c.gone || c.broken {
		l.send(c)
		return
	}
	b := c.next()
	if len(b) == 0 {
		c.allSent()
		l.expectEnd(c)
		return
	}
	c.busy = true
	if l.out = append(l.out, outgoing{client: c, fd: int(c.raw), bytes: b}); len(l.out) == batchSize {
		c.mu.Unlock()
		l.sendBatch()
		c.mu.Lock()
	}
}

// sendBatch sends the batch, and goes on with those that are due more.
func (l *loop) sendBatch() {
	if len(l.out) == 0 {
		return
	}
	if o := &l.out[0]; len(l.out) == 1 { // as the lone client of a subscription
		o.n, o.err = o.client.raw.TryWrite(o.bytes)
	} else if err := l.batches.send(l.out); err != nil {
		l.service.options.Logger.Error("sends go to the kernel one by one from now on", "error", err)
		_ = l.batches.close()
		l.batches = nil
	}
	for i := range l.out {
		o := &l.out[i]
		o.client.mu.Lock()
		o.client.busy = false
		if l.wrote(o.client, o.n, o.err) {
			l.send(o.client)
		}
		o.client.mu.Unlock()
	}
	clear(l.out)
	l.out = l.out[:0]
}
