package parkwire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// maxState bounds the bytes of a state while it comes.
const maxState = 1 << 30

var errStateTooLarge = errors.New("the state is larger than 1 GiB; subscribe to less of it")

// handle handles one message. Its error ends the connection.
func (s *session) handle(ctx context.Context, m incoming) error {
	c := s.client
	switch m.Type {
	case "Retry":
		s.retry = retryAfter{time.Duration(m.AfterMS) * time.Millisecond, m.AfterMS >= 0}
		return nil // the close follows
	case "Stale":
		c.report(func(status *ConnectionStatus) { status.StaleSince = m.StaleSince })
		return nil // which a server says at once that takes nobody in
	case "Error":
		return s.refused(ctx, m)
	case "Fresh":
		c.report(func(status *ConnectionStatus) { status.StaleSince = time.Time{} })
	case "Events":
		return s.events(ctx, m)
	case "Heartbeat":
		for _, one := range c.subscriptions() {
			one.advance(m.Cursor)
		}
	case "Subscribed":
		if one := s.find(m.ID); one != nil {
			one.subscribed(m.Cursor)
		}
	case "Reset":
		if one := s.find(m.ID); one != nil {
			one.assemble(m.Reason)
		}
	case "Snapshot":
		if one := s.find(m.ID); one != nil {
			return one.snapshot(ctx, m)
		}
	case "Conflated":
		for _, one := range c.subscriptions() {
			if one.following {
				one.conflated++
				if err := one.queue.put(ctx, Conflated{After: m.After, Omitted: m.Omitted}, ""); err != nil {
					return err
				}
			}
		}
	case "Foreign":
		e, err := decodeEvent(m.Message)
		for _, one := range c.subscriptions() {
			if one.following && (err == nil && one.filter.matches(&e) || err != nil && one.filter.values() == 0) {
				if err := one.queue.put(ctx, Foreign{JSON: m.Message}, ""); err != nil {
					return err
				}
			}
		}
	}
	s.lasted = true
	return nil
}

func (s *session) find(id string) *Subscription {
	for _, one := range s.client.subscriptions() {
		if one.id == id {
			return one
		}
	}
	return nil // it was closed meanwhile
}

func (s *session) events(ctx context.Context, m incoming) error {
	s.lasted = true
	events := make([]Event, 0, len(m.Events))
	for _, raw := range m.Events {
		e, err := decodeEvent(raw)
		if err != nil {
			return fmt.Errorf("%w: %w: %.200s", ErrProtocol, err, raw)
		}
		events = append(events, e)
	}
	for _, one := range s.client.subscriptions() {
		if m.ID != "" && m.ID != one.id { // what another one alone is behind with
			continue
		}
		if err := one.take(ctx, events, m.Cursor); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) refused(ctx context.Context, m incoming) error {
	if m.Code == codeTokenExpiring {
		signal(s.expiring)
		return nil
	}
	refusal := &SubscriptionError{Code: m.Code, Field: m.Field}
	_ = json.Unmarshal(m.Message, &refusal.Message)
	if m.ID == "" {
		// Such as a token that the server did not take: the connection lasts for as long as the old one does.
		s.client.report(func(status *ConnectionStatus) { status.Err = refusal })
		return nil
	}
	one := s.find(m.ID)
	if one == nil {
		return nil
	}
	if m.Code == codeLogUnavailable { // for now
		again, wait := one.request(), s.client.options.Backoff(one.retries)
		one.retries++
		s.aside.Go(func() { s.subscribeAgain(ctx, again, wait) })
		return nil
	}
	one.queue.end(refusal)
	s.client.remove(one)
	return nil
}

func (s *session) subscribeAgain(ctx context.Context, m outgoing, wait time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(wait):
		if s.find(m.ID) != nil {
			s.send(m)
		}
	}
}

// begin prepares a subscription for a new connection.
func (s *Subscription) begin() {
	s.following, s.assembling, s.state, s.bytes = false, false, nil, 0
}

// subscribed: what comes from now on comes behind cursor, unless a state comes first.
func (s *Subscription) subscribed(cursor string) {
	s.following, s.retries = true, 0
	switch {
	case s.resume != "" || s.assembling: // a Reset may follow: until then the cursor that it was asked for with holds
	case s.withState:
		s.assemble("")
	default:
		s.advance(cursor)
	}
}

// assemble begins with a state; what is known is replaced by it.
func (s *Subscription) assemble(reason string) {
	s.following, s.assembling, s.state, s.bytes = true, true, nil, 0
	if reason != "" {
		s.reason = reason
	}
	s.resume = "" // should the connection end before it is complete, it is asked for again
}

// advance: everything that matches and comes before cursor has come.
func (s *Subscription) advance(cursor string) {
	if cursor != "" && s.following && !s.assembling {
		s.resume = cursor
		s.queue.advance(cursor)
	}
}

// snapshot takes a part of a state.
func (s *Subscription) snapshot(ctx context.Context, m incoming) error {
	if !s.assembling {
		s.assemble("")
	}
	for _, raw := range m.Events {
		e, err := decodeEvent(raw)
		if err != nil {
			return fmt.Errorf("%w: %w: %.200s", ErrProtocol, err, raw)
		}
		s.state = append(s.state, e)
		s.bytes += e.size()
	}
	if s.bytes > maxState {
		s.client.remove(s)
		s.queue.end(errStateTooLarge)
		return errStateTooLarge
	}
	if !m.Complete {
		return nil
	}
	state := State{Spots: s.state, Cursor: m.Cursor, Reason: s.reason}
	if err := s.queue.put(ctx, state, m.Cursor); err != nil {
		return err
	}
	s.assembling, s.state, s.bytes, s.reason = false, nil, 0, ""
	s.known = make(map[string]known, len(state.Spots))
	for _, e := range state.Spots {
		s.known[e.SpotID] = known{e.Version, s.conflated}
	}
	s.resume = m.Cursor
	return nil
}

// take takes those of the events of a frame that match. cursor is behind all of them. What comes, for another subscription, before this one is
// confirmed or its state complete comes again after that.
func (s *Subscription) take(ctx context.Context, events []Event, cursor string) error {
	if !s.following || s.assembling {
		return nil
	}
	last := -1
	for i := range events {
		if s.filter.matches(&events[i]) {
			last = i
		}
	}
	for i, e := range events[:last+1] {
		if i == last {
			e.Cursor = cursor
		} else if !s.filter.matches(&e) {
			continue
		}
		if err := s.accept(ctx, e); err != nil {
			return err
		}
	}
	s.advance(cursor)
	return nil
}

// accept hands an event over, unless it came before.
func (s *Subscription) accept(ctx context.Context, e Event) error {
	if e.Version > 0 {
		before, seen := s.known[e.SpotID]
		if seen && e.Version <= before.version {
			return nil
		}
		if seen && e.Version > before.version+1 && before.conflated == s.conflated && s.filter.everyVersion() {
			s.client.options.Logger.WarnContext(ctx, "versions of a spot are missing", "spot", e.SpotID, "after", before.version, "version", e.Version)
			if err := s.queue.put(ctx, Gap{e.SpotID, before.version, e.Version}, ""); err != nil {
				return err
			}
		}
	}
	if err := s.queue.put(ctx, e, e.Cursor); err != nil {
		return err
	}
	if e.Version > 0 {
		s.known[e.SpotID] = known{e.Version, s.conflated}
	}
	return nil
}
