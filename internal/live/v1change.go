package live

import (
	"context"
	"errors"
	"slices"

	"parkwire/internal/event"
)

// An addition is a subscription that a client of parkwire.v1 is about to have.
type addition struct {
	id     string
	filter filter
	from   event.Offsets // it lacks what comes behind; nil where state says so, or else: now
	state  *snapshot     // is sent first, where set
	reset  string        // why it is, where the client had asked for what comes after a cursor
	// mayReset says that the client would rather have the state than nothing when the log cannot serve from.
	mayReset bool
	known    bool // Subscribed was said
}

// change lets a client of parkwire.v1 go over from the subscriptions that it had to those that it has now, which are those in
// its session and the addition. The client leaves the log that it follows, with what was appended there as its own; is then told of
// the change; is sent what it lacks, which is what the addition lacks and what others got meanwhile; and joins the log of the subscriptions
// that it has now. The same brings back a client that has lapsed: it lacks what came since, and gets the newest of each spot.
func (c *client) change(ctx context.Context, removed string, add *addition) {
	r := &resumption{client: c, window: min(resumeWindow, c.loop.service.options.ClientBytes/2)}
	if c.hasLapsed() {
		r.begin("") // nothing: what it is then sent should be new
		if r.flush(ctx) != nil {
			return
		}
	}
	keep := need{filters: c.session().others()}
	var err error
	if keep.has, err = r.detach(keep.filters, add); errors.Is(err, errLapsed) {
		c.change(ctx, "", nil)
		c.change(ctx, removed, add)
		return
	}
	defer r.leaveSwitching()
	if err == nil {
		err = r.supply(ctx, keep, removed, add)
	}
	expired := errors.Is(err, errCursorExpired) && add != nil
	if expired {
		err = r.without(ctx, keep, add)
	}
	switch {
	case err == nil:
		r.loop.attend(c)
	case ctx.Err() != nil, errors.Is(err, errClosed):
		return
	default:
		r.giveUp(err)
		return
	}
	if expired && add.mayReset {
		c.reset(ctx, add)
	}
}

func (c *client) hasLapsed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lapsed() != ""
}

// errLapsed says that a client has to be brought back before anything can be added.
var errLapsed = errors.New("the client has lapsed")

// detach takes the client out of the log that it follows, and returns what it then has for the subscriptions that stay.
func (r *resumption) detach(keep []filter, add *addition) (has event.Offsets, err error) {
	s, c := r.loop.service, r.client
	s.mu.Lock()
	defer s.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone || c.ending {
		return nil, errClosed
	}
	x := c.extras
	has, r.heard = slices.Clone(s.heads), s.stale()
	switch {
	case c.lapsed() != "" && add != nil:
		return nil, errLapsed
	case c.lapsed() != "":
		cursor, err := event.ParseCursor(x.lapsed, s.topic)
		if err != nil {
			panic(err) // the platform's own
		}
		has, r.conflates, r.window, r.heard.unknown = cursor.Offsets, true, min(r.window, conflateWindow), true
		x.lapsed = ""
	case !x.then.nowhere():
		c.at.seg.log.adopt(x.then)
	default:
		c.at = c.at.rest()
	}
	x.then = place{}
	s.subs.release(c.sub)
	c.sub = nil
	if add != nil {
		keep = append(slices.Clone(keep), add.filter)
	}
	s.switching[c] = keep
	r.begin(s.cursor(has))
	return has, nil
}

func (r *resumption) leaveSwitching() {
	r.loop.service.mu.Lock()
	defer r.loop.service.mu.Unlock()
	delete(r.loop.service.switching, r.client)
}

// supply tells the client of the change, and sends all that it lacks.
func (r *resumption) supply(ctx context.Context, keep need, removed string, add *addition) error {
	s := r.loop.service
	r.needs, r.after = []need{keep}, s.cursor(keep.has)
	if removed != "" {
		r.missed.append(r.encoding.appendMessage(nil, message{Type: "Unsubscribed", ID: removed}))
	}
	if add != nil {
		switch {
		case add.state != nil:
			add.from = add.state.offsets // which the others have: it was made before the client was detached
		case add.from == nil:
			add.from = keep.has
		}
		if r.addition = add.id; len(keep.filters) == 0 {
			r.needs[0].has, r.addition = add.from, "" // there are no others
		}
		r.needs = append(r.needs, need{[]filter{add.filter}, add.from})
		r.session().filters[add.id] = add.filter
		if err := r.announce(ctx, add, meet(r.needs[0].has, add.from)); err != nil {
			return err
		}
	}
	return r.bring(ctx)
}

// announce tells the client where the addition begins, and sends the state where that is asked for.
func (r *resumption) announce(ctx context.Context, add *addition, stands event.Offsets) error {
	if !add.known {
		r.missed.append(r.encoding.appendMessage(nil, message{Type: "Subscribed", ID: add.id, Cursor: r.loop.service.cursor(stands)}))
	}
	if add.reset != "" {
		r.missed.append(r.encoding.appendMessage(nil, message{Type: "Reset", ID: add.id, Reason: add.reset}))
	}
	if add.state != nil {
		return r.sendParts(ctx, add.state, add.id, add.filter, stands)
	}
	r.publish()
	return nil
}

// without brings the client back to the subscriptions that it had, since the log cannot serve the addition. What was not sent yet may have
// holes; what was sent stays.
func (r *resumption) without(ctx context.Context, keep need, add *addition) error {
	s := r.loop.service
	s.metrics.expired.Inc()
	keep.has = keep.has.Join(r.flushed)
	r.needs, r.addition, r.batch, r.batchBytes = []need{keep}, "", nil, 0
	r.begin(s.cursor(keep.has))
	delete(r.session().filters, add.id)
	// This comes first: the cursors of what follows do not hold for the addition.
	m := message{Type: "Reset", ID: add.id, Reason: resetExpired}
	if !add.mayReset {
		m = message{Type: "Error", Code: codeCursorExpired, ID: add.id, Field: "after", Message: expiredAnswer}
	}
	r.missed.append(r.encoding.appendMessage(nil, m))
	return r.bring(ctx)
}

// reset begins a subscription anew, with the state, as the client was told.
func (c *client) reset(ctx context.Context, add *addition) {
	state, err := c.loop.service.snapshot(ctx)
	switch {
	case err == nil:
		c.change(ctx, "", &addition{id: add.id, filter: add.filter, state: state, mayReset: true, known: true})
	case ctx.Err() == nil:
		c.answer(message{Type: "Error", Code: codeLogUnavailable, ID: add.id, Message: "The event log cannot be read now. Try again in a moment."})
	}
}
