package live

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/problem"
	"parkwire/internal/websocket"
)

// A session is what a client of parkwire.v1 has beside a plain one. Its requests are served one after the other, in a goroutine
// that ends when none is left.
type session struct {
	filters map[string]filter // by the id of the subscription; whoever serves touches it
	lots    []string          // to which the client is limited, see [lotsOf]; it never changes

	// Guarded by client.mu.
	expires      time.Time // of the token; zero: never
	waiting      []request
	waitingBytes int
	serving      bool
}

func newSession() *session { return &session{filters: map[string]filter{}} }

// ask lets a request be served when those before it are.
func (c *client) ask(r request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v := c.session()
	if len(v.waiting) >= maxWaiting || v.waitingBytes+r.size > maxWaitingBytes {
		c.refuseMore()
		return
	}
	v.waiting = append(v.waiting, r)
	v.waitingBytes += r.size
	c.work()
}

// refuseMore ends a client that sends without end and takes no answers. The caller holds mu.
func (c *client) refuseMore() {
	c.end(farewell{code: websocket.PolicyViolated, reason: "too many messages wait for their answers"})
	c.loop.attend(c)
}

// work makes sure that the client is served. The caller holds mu.
func (c *client) work() {
	if v := c.session(); !v.serving && !c.gone && !c.ending {
		v.serving = true
		c.loop.service.clientsWG.Go(c.serve)
	}
}

// serve serves what waits, and brings the client back that has lapsed.
func (c *client) serve() {
	ctx, stop := context.WithCancel(c.loop.service.running)
	defer stop()
	for {
		c.mu.Lock()
		v := c.session()
		c.extras.stop = stop
		lapsed := c.lapsed() != ""
		if c.gone || c.ending || ctx.Err() != nil || !lapsed && len(v.waiting) == 0 {
			v.serving, v.waiting, v.waitingBytes, c.extras.stop = false, nil, 0, nil
			c.mu.Unlock()
			return
		}
		var r request
		if !lapsed {
			r, v.waiting = v.waiting[0], v.waiting[1:]
			v.waitingBytes -= r.size
		}
		if c.extras.room == nil {
			c.extras.room = make(chan struct{}, 1)
		}
		c.mu.Unlock()
		switch r.kind {
		case "":
			c.change(ctx, "", nil)
		case "Subscribe":
			c.subscribe(ctx, r)
		case "Unsubscribe":
			c.unsubscribe(ctx, r)
		case "Authenticate":
			c.authenticate(ctx, r)
		default:
			c.answer(r.refusal)
		}
	}
}

// answer sends a message in its turn.
func (c *client) answer(m message) {
	c.mu.Lock()
	c.say(c.encoding.appendMessage(nil, m))
	c.mu.Unlock()
	c.loop.attend(c)
}

// say sends a frame behind all that was said before, though perhaps before events that wait. The caller holds mu.
func (c *client) say(frame []byte) {
	switch {
	case c.gone || c.ending:
	case len(c.control()) > maxAnswers:
		c.refuseMore()
	case c.sub == nil || !c.at.in(c.sub.log): // it has a log of its own still
		if c.at.behind() > resumeWindow+maxAnswers {
			c.refuseMore()
			return
		}
		c.at.seg.log.append(frame)
	default:
		c.extras.control = append(c.extras.control, frame...)
	}
}

const expiredAnswer = "The log no longer holds what comes after this cursor. Subscribe with a snapshot."

func refusal(r request, code, field, why string) message { return r.refuse(code, field, why).refusal }

func (c *client) unsubscribe(ctx context.Context, r request) {
	if _, ok := c.session().filters[r.id]; !ok {
		c.answer(refusal(r, codeUnknownSubscription, "id", "No subscription has this id."))
		return
	}
	delete(c.session().filters, r.id)
	c.change(ctx, r.id, nil)
}

func (c *client) subscribe(ctx context.Context, r request) {
	count, values := 1, r.filter.values()
	for id, f := range c.session().filters {
		if id != r.id {
			count, values = count+1, values+f.values()
		}
	}
	if count > maxSubscriptions || values > maxFilterValues {
		c.answer(refusal(r, codeTooManySubscriptions, "", "A connection may have 16 subscriptions, with 1,000 filter values in all."))
		return
	}
	var err error
	if r.filter, err = r.filter.within(c.session().lots); err != nil {
		p := problem.From(err)
		c.answer(refusal(r, codeLotNotAllowed, p.Field, p.Detail))
		return
	}
	add, err := c.loop.service.prepareAddition(ctx, r)
	switch {
	case err == nil:
		delete(c.session().filters, r.id)
		c.change(ctx, "", add)
	case ctx.Err() != nil:
	case errors.Is(err, event.ErrCursor):
		c.answer(refusal(r, codeInvalidCursor, "after", "The field \"after\" must be a cursor that the platform gave out."))
	case errors.Is(err, errCursorExpired):
		c.loop.service.metrics.expired.Inc()
		c.answer(refusal(r, codeCursorExpired, "after", expiredAnswer))
	default:
		c.answer(refusal(r, codeLogUnavailable, "", "The event log cannot be read now. Try again in a moment."))
	}
}

// prepareAddition finds out where a new subscription begins.
func (s *Service) prepareAddition(ctx context.Context, r request) (*addition, error) {
	add := &addition{id: r.id, filter: r.filter, mayReset: r.snapshot}
	var err error
	if r.after != "" {
		if add.from, err = s.parseAfter(ctx, r.after); err == nil || !errors.Is(err, errCursorExpired) || !r.snapshot {
			return add, err
		}
		add.reset = resetReason(r.after, s.topic)
	}
	if r.snapshot {
		add.state, err = s.snapshot(ctx)
	}
	return add, err
}

// resetReason says why a cursor cannot be served.
func resetReason(after string, topic event.TopicID) string {
	if _, err := event.ParseCursor(after, topic); errors.Is(err, event.ErrOtherTopic) {
		return resetOtherLog
	}
	return resetExpired
}

func (c *client) authenticate(ctx context.Context, r request) {
	request := (&http.Request{
		Method: http.MethodGet, URL: &url.URL{Path: PathNotifications}, Header: http.Header{"Authorization": {"Bearer " + r.token}},
	}).WithContext(ctx)
	who, err := c.loop.service.options.Authorize(request)
	if err != nil {
		p, code := problem.From(err), codeUnauthorized
		if p.Status == http.StatusForbidden {
			code = codeForbidden
		}
		c.answer(refusal(r, code, "token", p.Detail))
		return
	}
	if lots := lotsOf(who); (lots == nil) != (c.session().lots == nil) || !slices.Equal(lots, c.session().lots) {
		c.answer(refusal(r, codeLotsChanged, "token", "The token is for other lots than the one before. Connect anew with it."))
		return
	}
	c.watchToken(who) // first: who hears that the token counts may have the one before revoked
	c.answer(message{Type: "Authenticated", ExpiresAt: timestamp(who.Expires)})
}

func (s *session) others() []filter { return slices.Collect(maps.Values(s.filters)) }
