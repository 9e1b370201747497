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
}

// change lets a client of parkwire.v1 go over from the subscriptions that it had to those that it has now, which are those in
// its session and the addition. The client leaves the log that it follows, with what was appended there as its own; is then told of
// the change; is sent what it lacks, which is what the addition lacks and what others got meanwhile; and joins the log of the subscriptions
// that it has now. The same brings back a client that has lapsed: it lacks what came since, and gets the newest of each spot.
func (c *client) change(ctx context.Context, removed string, add *addition) {
	s := c.service
	r := &resumption{client: c, window: min(resumeWindow, s.options.ClientBytes/2)}
	if c.hasLapsed() { // what it is then sent should be new
		r.begin("")
		if r.flush(ctx) != nil {
			return
		}
	}
	keep := need{filters: c.v1.others()}
	var ok bool
	if keep.has, ok = r.detach(keep.filters, add); !ok {
		return
	}
	defer r.leaveSwitching()
	if removed != "" {
		r.missed.append(appendMessage(nil, message{Type: "Unsubscribed", ID: removed}))
	}
	err := r.supply(ctx, keep, add)
	switch {
	case err == nil:
		r.sender.attend(c)
	case ctx.Err() != nil, errors.Is(err, errClosed):
	default:
		r.giveUp(err)
	}
}

func (c *client) hasLapsed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lapsed != ""
}

// detach takes the client out of the log that it follows, and returns what it then has for the subscriptions that stay.
func (r *resumption) detach(keep []filter, add *addition) (has event.Offsets, ok bool) {
	s, c := r.service, r.client
	s.mu.Lock()
	defer s.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone || c.ending {
		return nil, false
	}
	has, r.heard = slices.Clone(s.heads), s.stale()
	switch {
	case c.lapsed != "":
		cursor, err := event.ParseCursor(c.lapsed, s.topic)
		if err != nil {
			panic(err) // the platform's own
		}
		has, r.conflates, r.window, r.heard.unknown = cursor.Offsets, true, min(r.window, conflateWindow), true
		c.lapsed = ""
	case c.then.log != nil:
		c.at.log.adopt(c.then)
	default:
		c.at = c.at.rest()
	}
	c.then = place{}
	s.subs.release(c.sub)
	c.sub = nil
	if add != nil {
		keep = append(slices.Clone(keep), add.filter)
	}
	s.switching[c] = keep
	r.begin(s.cursor(has))
	return has, true
}

func (r *resumption) leaveSwitching() {
	r.service.mu.Lock()
	defer r.service.mu.Unlock()
	delete(r.service.switching, r.client)
}

// supply tells the client of the addition, and sends all that it lacks. Where the log loses that meanwhile it begins anew.
func (r *resumption) supply(ctx context.Context, keep need, add *addition) error {
	s := r.service
	for first := true; ; first = false {
		r.needs, r.addition = []need{keep}, ""
		stands := keep.has
		if add != nil {
			if add.state != nil {
				add.from = add.state.offsets
			} else if add.from == nil {
				add.from = keep.has
			}
			r.addition = add.id
			if len(keep.filters) == 0 {
				keep.has, r.addition = add.from, "" // there are no others
			}
			r.needs = []need{keep, {[]filter{add.filter}, add.from}}
			r.v1.filters[add.id] = add.filter
			stands = meet(keep.has, add.from)
			if err := r.announce(ctx, add, stands, first); err != nil {
				return err
			}
		}
		r.after = s.cursor(stands)
		err := r.bring(ctx)
		if !errors.Is(err, errCursorExpired) || add == nil {
			return err
		}
		s.metrics.expired.Inc()
		// What was not sent yet may have holes. What was sent stays.
		keep.has = keep.has.Join(r.flushed)
		r.drop(s.cursor(keep.has))
		if add, err = r.instead(ctx, add); err != nil {
			return err
		}
	}
}

// announce tells the client where the addition begins, and sends the state where that is asked for.
func (r *resumption) announce(ctx context.Context, add *addition, stands event.Offsets, first bool) error {
	if first {
		r.missed.append(appendMessage(nil, message{Type: "Subscribed", ID: add.id, Cursor: r.service.cursor(stands)}))
	}
	if add.state != nil {
		if add.reset != "" {
			r.missed.append(appendMessage(nil, message{Type: "Reset", ID: add.id, Reason: add.reset}))
		}
		return r.sendParts(ctx, add.state, add.id, add.filter, stands)
	}
	r.publish()
	return nil
}

// instead returns what becomes of an addition that the log cannot serve: one with the state, or none.
func (r *resumption) instead(ctx context.Context, add *addition) (*addition, error) {
	if add.mayReset || add.state != nil {
		state, err := r.service.snapshot(ctx)
		return &addition{id: add.id, filter: add.filter, state: state, reset: resetExpired, mayReset: true}, err
	}
	delete(r.v1.filters, add.id)
	r.missed.append(appendMessage(nil, message{Type: "Error", Code: codeCursorExpired, ID: add.id, Field: "after",
		Message: "The log no longer holds what comes after this cursor. Subscribe with a snapshot."}))
	return nil, nil
}

// drop forgets what was gathered and not sent.
func (r *resumption) drop(cursor string) {
	r.batch, r.batchBytes, r.omitted = nil, 0, 0
	r.done = append(r.done[:0], r.flushed...)
	r.begin(cursor)
}
