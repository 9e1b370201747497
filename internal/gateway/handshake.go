package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"slices"
	"strings"
	"time"

	"parkwire/internal/problem"
	"parkwire/internal/websocket"
)

// errCrowded says that a stream waited too long for its turn to be opened.
var errCrowded = errors.New("too many streams are being opened")

// open opens a stream at the best instance, or at the next one where that cannot be reached, does not answer, or says that it
// cannot serve now: opening has no other effect, so it may be tried again.
//
// When an instance dies its clients all come back at once. They are opened in turn, so that an instance has no more handshakes
// under way than it is likely to answer soon; and one that vanished without a word holds up only those, until its probe fails.
func (p *Proxy) open(r *http.Request, f *flight) (*http.Response, error) {
	if err := p.opening.take(r.Context(), p.options.HandshakeWait); err != nil {
		return nil, err
	}
	defer p.opening.give()
	defer f.opened()
	if !f.next(p.turn.Add(1), false) {
		return nil, f.nobody()
	}
	for began := time.Now(); ; {
		in := f.current
		response, err := p.shake(r, f)
		noConnection := new(dialError)
		switch {
		case err == nil && response.StatusCode == http.StatusServiceUnavailable && f.next(p.turn.Load(), true):
			response.Body.Close()
			continue
		case err == nil, r.Context().Err() != nil:
			return response, err
		case errors.As(err, &noConnection):
			p.found(in, unreachable, err)
		}
		if time.Since(began) > 2*p.options.HandshakeTimeout || !f.next(p.turn.Load(), false) {
			return nil, err
		}
	}
}

// shake asks one instance for a stream. It gives up in time, and at once when the instance is found to be unreachable.
func (p *Proxy) shake(r *http.Request, f *flight) (*http.Response, error) {
	in := f.current
	ctx, cancel := context.WithCancelCause(r.Context()) // that it ends when the stream has is seen to by r's
	late := fmt.Errorf("no answer within %v: %w", p.options.HandshakeTimeout, os.ErrDeadlineExceeded)
	timer := time.AfterFunc(p.options.HandshakeTimeout, func() { cancel(late) })
	calm := context.AfterFunc(in.reached(), func() {
		if p.Ready() == nil { // there is another one
			cancel(errLost)
		}
	})
	var conn net.Conn
	trace := &httptrace.ClientTrace{GotConn: func(got httptrace.GotConnInfo) { conn = got.Conn }}
	response, err := p.ask(f, r.WithContext(httptrace.WithClientTrace(ctx, trace)))
	timely := timer.Stop()
	calm()
	switch {
	case err == nil && timely && ctx.Err() == nil:
		p.follow(f.stream, response, conn, func() { cancel(errEnded) }, in)
		return response, nil
	case err == nil:
		response.Body.Close()
		err = cmp.Or(context.Cause(ctx), late)
	case r.Context().Err() == nil && ctx.Err() != nil:
		err = context.Cause(ctx)
	}
	cancel(err)
	return nil, err
}

// errLost says that an instance was found to be unreachable while it was waited for.
var errLost = errors.New("the instance cannot be reached any more")

// turnAway answers who waited too long. A page cannot read the status with which a WebSocket is refused, and an EventSource that
// is answered by an error never comes back: so both are let in and told when to try again.
func (p *Proxy) turnAway(w http.ResponseWriter, r *http.Request) {
	p.turnedAway.Inc()
	if !websocket.Requested(r) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write(appendEventsGoodbye(nil, crowdedReason)) // who is gone need not be told
		return
	}
	v1 := slices.ContainsFunc(r.Header.Values("Sec-WebSocket-Protocol"), func(line string) bool {
		return slices.ContainsFunc(strings.Split(line, ","), func(offered string) bool { return strings.TrimSpace(offered) == protocolV1 })
	})
	if v1 {
		w.Header().Set("Sec-WebSocket-Protocol", protocolV1)
	}
	conn, _, err := websocket.Accept(w, r)
	if refused := new(websocket.HandshakeError); errors.As(err, &refused) {
		w.Header().Del("Sec-WebSocket-Protocol")
		problem.Write(w, r, problem.New(refused.Status, "invalid-handshake", "This is no WebSocket handshake: "+refused.Reason+"."))
		return
	}
	if err != nil {
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(p.options.FinishWait))
	if _, err := conn.Write(appendGoodbye(nil, v1, websocket.TryAgainLater, "overload", crowdedReason)); err == nil {
		_, _ = io.CopyN(io.Discard, conn, 64<<10) // until the client closes: what it had sent already would reset the connection otherwise
	}
}

const crowdedReason = "too many clients are connecting: try again later"
