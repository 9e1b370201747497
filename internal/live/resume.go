package live

import (
	"context"
	"errors"
	"slices"

	"parkwire/internal/event"
	"parkwire/internal/websocket"
)

const (
	// resumeWindow is how much of what a client missed is encoded before it is sent, in bytes. A client for
	// which it is full gives up its turn at the log.
	resumeWindow = 256 << 10
	// conflateWindow is the same for one that was too slow: what it is sent should be new.
	conflateWindow = 16 << 10
)

// A stand is where a client without a cursor begins.
type stand struct {
	sub    *subscription
	at     place
	cursor string
	told   []byte // what else it is to be told at the start
}

// takeStand holds the present end of a log for a client that is about to be told that it is connected: what
// happens from that moment on it is to hear. The caller gives it to the client, or gives it up.
func (s *Service) takeStand(enc encoding, filters ...filter) *stand {
	s.mu.Lock()
	defer s.mu.Unlock()
	cursor := s.cursor(s.heads)
	sub := s.subs.acquire(enc, cursor, filters...)
	at := &stand{sub: sub, at: sub.log.end(), cursor: cursor}
	if enc.isV1() {
		at.told = s.appendWelcome(enc, cursor)
	}
	return at
}

func (s *Service) giveUp(at *stand) {
	if at != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.subs.release(at.sub)
	}
}

// follow lets a client hear what comes from its stand on.
func (c *client) follow(at *stand) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sub = at.sub // also where it is being closed already: it is released when the client leaves
	if !c.ending {
		c.at = at.at
		if start := append(c.encoding.appendStart(c.control(), at.cursor), at.told...); len(start) > 0 {
			c.more().control = start
		}
	}
}

// A need is filters, with the events that were sent for them already.
type need struct {
	filters []filter
	has     event.Offsets
}

// A resumption sends a client what it lacks, through logs of its own that its subscription's log then follows. What it
// gets it keeps until it is told to flush, or has all: only then is it certain that the log lost nothing while it was read.
type resumption struct {
	*client
	needs     []need
	conflates bool  // an event is left out where a newer one of its spot will come
	window    int64 // bytes

	missed  *frameLog
	start   place // of missed
	buf     []byte
	done    event.Offsets // what it has been given
	spare   event.Offsets // what done was before
	flushed event.Offsets // the same when it last flushed

	// Of parkwire.v1: events of the frame that is being made, how many were left out behind after, and since when the log
	// was away when the client heard of it last.
	addition   string // the id of the subscription that comes to others, which are needs[0]
	batchFor   string // the same where the frame is for that alone
	batch      [][]byte
	batchBytes int64
	after      string
	omitted    int
	heard      stale
}

// prepare makes a client one that catches up.
func (c *client) prepare() (context.Context, *resumption) {
	r := &resumption{client: c, window: min(resumeWindow, c.loop.service.options.ClientBytes/2)}
	r.begin("")
	ctx, stop := context.WithCancel(c.loop.service.running)
	c.mu.Lock()
	defer c.mu.Unlock()
	x := c.more()
	x.room, x.stop = make(chan struct{}, 1), stop
	if c.ending {
		stop()
	}
	return ctx, r
}

func (r *resumption) begin(cursor string) {
	r.missed = newFrameLogAt(cursor)
	r.start = r.missed.end()
}

// An entrance is how a plain client wants to begin.
type entrance struct {
	filter   filter
	have     event.Offsets
	snapshot bool   // the state is wanted where the log cannot serve have
	reset    string // why it cannot, or, empty where there is no have either, nothing
	state    bool   // the state comes first
}

// resume sends a plain client what it lacks, then lets it follow.
func (s *Service) resume(ctx context.Context, r *resumption, in entrance) {
	defer r.caughtUp()
	err := s.enterBy(ctx, r, in)
	switch {
	case err == nil:
		r.loop.attend(r.client)
	case errors.Is(err, errCursorExpired):
		s.metrics.expired.Inc()
		r.close(farewell{code: closeCursorExpired, reason: expiredReason})
	case ctx.Err() != nil, errors.Is(err, errClosed): // the client left, or is being closed
	default:
		r.giveUp(err)
	}
}

func (s *Service) enterBy(ctx context.Context, r *resumption, in entrance) error {
	for {
		if in.state {
			state, err := s.snapshot(ctx)
			if err != nil {
				return err
			}
			if in.reset != "" {
				s.metrics.expired.Inc()
				r.missed.append(r.encoding.appendReset(nil, in.reset))
			}
			if err := r.sendState(ctx, state, in.filter); err != nil {
				return err
			}
			in.have = state.offsets
		}
		r.needs = []need{{[]filter{in.filter}, in.have}}
		err := r.bring(ctx)
		if !errors.Is(err, errCursorExpired) || !in.snapshot {
			return err
		}
		in.state, in.reset = true, resetExpired
		r.begin("") // what it got may have holes
	}
}

// giveUp sends a client away that cannot be sent what it lacks.
func (r *resumption) giveUp(err error) {
	r.mu.Lock()
	r.log().Warn("a client cannot be sent what it missed, and is told to try again", "error", err)
	r.mu.Unlock()
	r.close(farewell{websocket.TryAgainLater, "the event log cannot be read now: reconnect with after=CURSOR", noLogHint()})
}

const expiredReason = "cursor expired: connect with snapshot=1, or load the present state and connect with its cursor"

// bring gives to r what its needs lack, and lets it arrive.
func (r *resumption) bring(ctx context.Context) error {
	s := r.loop.service
	from, to := slices.Clone(r.needs[0].has), event.Offsets(nil)
	for _, n := range r.needs {
		from, to = meet(from, n.has), to.Join(n.has)
	}
	r.done = append(r.done[:0], from...)
	s.mu.Lock()
	if from.Contains(s.heads) && s.heads.Contains(to) { // most who change their subscriptions lack nothing
		defer s.mu.Unlock()
		r.arrived(slices.Clone(s.heads))
		return nil
	}
	s.mu.Unlock()
	return s.catchUp(ctx, from, to, r)
}

// meet is what both have seen.
func meet(a, b event.Offsets) event.Offsets {
	both := event.NewOffsets(max(len(a), len(b)))
	for p := range both {
		both[p] = min(a.At(int32(p)), b.At(int32(p)))
	}
	return both
}

// lacks reports whether an event has still to be sent.
func (r *resumption) lacks(e *entry) bool {
	return slices.ContainsFunc(r.needs, func(n need) bool { return n.lacks(e) })
}

func (n need) lacks(e *entry) bool {
	return !n.has.Covers(e.partition, e.offset) && wants(n.filters, &e.event)
}

func (r *resumption) event(e *entry, have event.Offsets) error {
	before := r.done
	r.done, r.spare = append(r.spare[:0], have...), before
	switch {
	case !r.lacks(e):
		return nil
	case r.conflates && r.superseded(e):
		r.omitted++
		return nil
	case r.session() != nil:
		r.add(e, before)
	default:
		r.buf = r.encoding.appendEvent(r.buf[:0], e.value, r.loop.service.cursor(have))
		r.missed.append(r.buf)
	}
	if r.start.behind()+r.batchBytes > r.window {
		return errFull
	}
	return nil
}

// publish lets the client have what was gathered for it.
func (r *resumption) publish() {
	r.closeBatch(r.done)
	r.flushed = append(r.flushed[:0], r.done...)
	end := r.missed.end()
	r.mu.Lock()
	if !r.gone && !r.ending {
		r.queue(r.start)
	}
	r.mu.Unlock()
	r.begin(end.cursor())
	r.loop.attend(r.client)
}

// queue lets a log of its own follow what the client has of its own already. The caller holds mu.
func (c *client) queue(own place) {
	if c.at.behind() == 0 {
		c.at = own
	} else {
		c.at.seg.log.adopt(own)
	}
}

// caughtUp is the end of it, whatever came of it. Of clients of parkwire.v1 the session sees to that.
func (r *resumption) caughtUp() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if x := r.extras; x != nil && x.stop != nil {
		x.stop()
		x.room, x.stop = nil, nil
		r.trim()
	}
}

func (r *resumption) flush(ctx context.Context) error {
	r.publish()
	for {
		r.mu.Lock()
		ended, left := r.gone || r.ending, r.at.behind()
		var room chan struct{}
		if r.extras != nil {
			room = r.extras.room
		}
		r.mu.Unlock()
		switch {
		case ended:
			return errClosed
		case left == 0:
			return nil
		}
		select {
		case <-room:
		case <-ctx.Done():
			return ctx.Err()
		}
		r.loop.attend(r.client)
	}
}

// arrived tells a client of server-sent events where it stands, lest one whose filter matches little
// comes back with a cursor that has expired.
func (r *resumption) arrived(have event.Offsets) {
	s := r.loop.service
	r.closeBatch(r.done)
	cursor := s.cursor(have)
	if start := r.encoding.appendStart(nil, cursor); len(start) > 0 {
		r.missed.append(start)
	}
	if r.session() != nil {
		s.appendChange(r)
	}
	delete(s.switching, r.client)
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.gone && !r.ending {
		var filters []filter
		for _, n := range r.needs {
			filters = append(filters, n.filters...)
		}
		r.queue(r.start)
		r.sub = s.subs.acquire(r.encoding, cursor, filters...)
		r.more().then = r.sub.log.end()
	}
}
