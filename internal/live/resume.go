package live

import (
	"context"
	"errors"

	"parkwire/internal/event"
	"parkwire/internal/websocket"
)

// resumeWindow is how much of what a client missed is encoded before it is sent, in bytes. A client for
// which it is full gives up its turn at the log.
const resumeWindow = 256 << 10

// A stand is where a client without a cursor begins.
type stand struct {
	sub    *subscription
	at     place
	cursor string
}

// takeStand holds the present end of a log for a client that is about to be told that it is connected: what
// happens from that moment on it is to hear. The caller gives it to the client, or gives it up.
func (s *Service) takeStand(enc encoding, f filter) *stand {
	s.mu.Lock()
	defer s.mu.Unlock()
	sub := s.subs.acquire(enc, f)
	return &stand{sub, sub.log.end(), s.cursor(s.heads)}
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
		c.control = c.encoding.appendStart(c.control, at.cursor)
	}
}

// A resumption sends a client what it missed, through logs of its own that its subscription's log then follows. What it
// gets it keeps until it is told to flush, or has all: only then is it certain that the log lost nothing while it was read.
type resumption struct {
	*client
	filter filter
	missed *frameLog
	start  place // of missed
	buf    []byte
}

// prepare makes a client one that catches up.
func (c *client) prepare(f filter) (context.Context, *resumption) {
	r := &resumption{client: c, filter: f}
	r.begin()
	ctx, stop := context.WithCancel(c.service.running)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.room, c.stop = make(chan struct{}, 1), stop
	if c.ending {
		stop()
	}
	return ctx, r
}

func (r *resumption) begin() {
	r.missed = newFrameLog()
	r.start = r.missed.end()
}

// resume sends what came after the client's cursor, then lets it follow.
func (s *Service) resume(ctx context.Context, r *resumption, have event.Offsets) {
	defer r.stop()
	err := s.catchUp(ctx, have, nil, r)
	switch {
	case err == nil:
		r.sender.attend(r.client)
	case errors.Is(err, errCursorExpired):
		s.metrics.expired.Inc()
		r.close(closeCursorExpired, expiredReason)
	case ctx.Err() != nil: // the client left, or is being closed
	default:
		r.log().Warn("a client cannot be sent what it missed, and is told to try again", "error", err)
		r.close(websocket.TryAgainLater, "the event log cannot be read now: reconnect with after=CURSOR")
	}
}

const expiredReason = "cursor expired: load the present state and connect with its cursor"

func (r *resumption) event(e *entry, have event.Offsets) error {
	if !r.filter.matches(&e.event) {
		return nil
	}
	r.buf = r.encoding.appendEvent(r.buf[:0], e.value, r.service.cursor(have))
	r.missed.append(r.buf)
	if r.start.behind() > min(resumeWindow, r.service.options.ClientBytes/2) {
		return errFull
	}
	return nil
}

func (r *resumption) flush(ctx context.Context) error {
	r.mu.Lock()
	if !r.gone && !r.ending {
		r.at = r.start // what was there before is sent
	}
	r.mu.Unlock()
	r.begin()
	for {
		r.client.flush()
		r.mu.Lock()
		ended, left := r.gone || r.ending, r.at.behind()
		r.mu.Unlock()
		switch {
		case ended:
			return errClosed
		case left == 0:
			return nil
		}
		select {
		case <-r.room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// arrived tells a client of server-sent events where it stands, lest one whose filter matches little
// comes back with a cursor that has expired.
func (r *resumption) arrived(have event.Offsets) {
	if start := r.encoding.appendStart(nil, r.service.cursor(have)); len(start) > 0 {
		r.missed.append(start)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.gone && !r.ending {
		r.sub = r.service.subs.acquire(r.encoding, r.filter)
		r.at, r.then = r.start, r.sub.log.end()
	}
}
