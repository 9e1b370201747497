package verify

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"sync/atomic"
	"time"

	"parkwire/internal/client"
)

// A listener is one client: it keeps its cursor, comes back behind it, and checks every frame.
type listener struct {
	*verifier
	number   int
	open     func(context.Context, *client.Client, url.Values) (stream, error)
	query    url.Values // of the next connection
	at       int        // which address is next
	cursor   string
	book     book
	v1       *session               // nil: it gets plain events
	lastly   time.Duration          // when the last frame came
	waiting  bool                   // for the first frame of a connection that was won again
	retry    time.Duration          // for which the server asks before the next try; 0: it does not
	live     atomic.Pointer[stream] // nil while there is none
	checking atomic.Bool            // whether the connection is being checked
}

const (
	maxBackoff = 5 * time.Second
	maxHint    = time.Minute // of what a server asks to wait, that is believed
	// dials bounds how many clients connect for the first time at once; later nothing bounds how many come back.
	dials = 128
)

func newListener(v *verifier, number int, cursor string) *listener {
	l := &listener{verifier: v, number: number, at: number, cursor: cursor, open: openWebSocket}
	l.query = url.Values{"lot": {v.lot}}
	l.book.seen = make([]uint32, len(v.spots))
	switch {
	case number < v.SSE:
		l.open = openEventStream
	case number < v.SSE+v.V1+v.Snapshot:
		l.open, l.v1 = openV1, &session{snapshots: number >= v.SSE+v.V1}
	}
	return l
}

// run listens until ctx ends. It returns an error when the platform refuses the first connection.
func (l *listener) run(ctx context.Context) error {
	var lostAt time.Duration
	for first, try := true, 0; ; {
		s, err := l.connect(ctx, first)
		if err == nil {
			if first {
				l.connected.Add(1)
			} else {
				l.back(lostAt)
			}
			first, try = false, 0
			err = l.listen(ctx, s)
			lostAt = l.now()
			if ctx.Err() == nil {
				l.timeline.lost(lostAt)
				l.connected.Add(-1)
			}
		}
		if ctx.Err() != nil {
			return nil
		}
		if status := client.Status(err); first && status >= 400 && status < 500 && status != 429 {
			return fmt.Errorf("client %d: %w", l.number+1, err)
		}
		l.findings.ended(ending(err))
		if client.CursorExpired(err) || refusedFor(err, "cursor-expired") {
			l.expired(ctx)
		}
		try++
		l.at++ // a cursor is good at every address
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(l.pause(err, try)):
		}
	}
}

func (l *listener) connect(ctx context.Context, first bool) (stream, error) {
	if first {
		select {
		case l.dialing <- struct{}{}:
			defer func() { <-l.dialing }()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	l.query.Set("after", l.cursor)
	return l.open(ctx, l.addresses[l.at%len(l.addresses)], l.query)
}

// pause is how long to wait before the next try: as long as the server asks, which it made random, or else at random from zero on, so
// that not all come at once.
func (l *listener) pause(err error, try int) time.Duration {
	asked := max(l.retry, askedToWait(err))
	if l.retry = 0; asked > 0 {
		l.findings.hinted.Add(1)
		return min(asked, maxHint)
	}
	return rand.N(min(250*time.Millisecond<<min(try-1, 10), maxBackoff))
}

// heard notes that a frame came.
func (l *listener) heard() {
	now := l.now()
	if l.waiting {
		l.waiting = false
		atLeast(&l.timeline.at(l.lastly).silence, int64(now-l.lastly))
	}
	l.lastly = now
}

// back notes that a lost connection was won again.
func (l *listener) back(lostAt time.Duration) {
	now := l.now()
	l.waiting = l.lastly > 0
	l.timeline.found(now)
	l.connected.Add(1)
	p := l.timeline.at(lostAt)
	p.reconnects.Add(1)
	atLeast(&p.gap, int64(now-lostAt))
}

// listen checks frames until the connection ends.
func (l *listener) listen(ctx context.Context, s stream) error {
	defer s.close()
	l.live.Store(&s)
	defer l.live.Store(nil)
	if l.v1 != nil {
		if err := l.subscribe(ctx, s); err != nil {
			return err
		}
	}
	for {
		raw, err := s.next(ctx)
		if err != nil {
			return err
		}
		if l.v1 != nil {
			if err := l.receive(ctx, s, raw); err != nil {
				return err
			}
			continue
		}
		f := l.decoder.decode(raw)
		l.heard()
		if f.Cursor != "" {
			l.cursor = f.Cursor
		}
		l.check(f)
	}
}

func (l *listener) check(f *frame) {
	if f.spot < 0 {
		l.findings.foreign.Add(1)
		return
	}
	now, s := l.now(), l.spots[f.spot]
	began, known := s.began(f.Version)
	unasked := f.Version > s.asked.Load() // somebody else changes our spots
	if unasked {
		began = now
	}
	p := l.timeline.at(began)
	switch l.book.see(f.spot, uint32(f.Version)) {
	case repeated:
		p.repeated.Add(1)
		l.findings.frame(l.number, f, "came again")
		return
	case outOfOrder:
		p.outOfOrder.Add(1)
		l.findings.frame(l.number, f, "came behind a newer one")
	}
	p.delivered.Add(1)
	if !f.asWritten() || f.Cursor == "" {
		p.wrong.Add(1)
		l.findings.frame(l.number, f, fmt.Sprintf("is not as it was written: %.300s", f.bytes))
	}
	if f.Version == 1 { // it was there before the client
		return
	}
	if known {
		p.latency.add(now - began)
		if acknowledged := s.acknowledgedAt(f.Version); acknowledged > 0 {
			atLeast(&p.fromAck, int64(now-acknowledged))
		}
	}
	if now-began > l.Late || !known && !unasked {
		p.late.Add(1)
	}
}

// expired goes on at the present, as a client must whose cursor is too old. What came between stays missing and is reported.
func (l *listener) expired(ctx context.Context) {
	l.findings.expired.Add(1)
	if cursor, err := l.patient.Position(ctx); err == nil && cursor != "" {
		l.cursor = cursor
	}
}

// checkConnection closes a connection that is dead though it is open.
func (l *listener) checkConnection(ctx context.Context, now time.Time) {
	s := l.live.Load()
	if s == nil || !l.checking.CompareAndSwap(false, true) {
		return
	}
	l.checks.Go(func() {
		defer l.checking.Store(false)
		if err := (*s).check(ctx, now); err != nil {
			(*s).close()
		}
	})
}
