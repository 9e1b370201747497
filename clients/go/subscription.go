package parkwire

import (
	"context"
	"errors"
	"iter"
)

// A SubscribeOption changes how a subscription begins.
type SubscribeOption func(*Subscription)

// WithState begins with the [State] of what matches, and then has every change behind it. Together with [After] the state comes
// only if the log does not reach back to the cursor any more.
func WithState() SubscribeOption { return func(s *Subscription) { s.withState = true } }

// After begins behind a cursor (see [Subscription.Cursor]) instead of now. The empty cursor changes nothing.
func After(cursor string) SubscribeOption { return func(s *Subscription) { s.resume = cursor } }

// A Subscription is a part of what a [Client] hears. One goroutine at a time may iterate over it.
type Subscription struct {
	client    *Client
	id        string
	filter    Filter
	withState bool
	queue     *queue

	// The rest belongs to the goroutine that reads the connection.

	resume     string // behind which everything is still to come; empty: nothing was promised yet
	following  bool   // the server confirmed it on this connection
	assembling bool   // a state is coming in parts
	bytes      int    // of what is assembled
	state      []Event
	reason     string // of the state
	known      map[string]known
	conflated  uint64 // how often something was left out
	retries    int    // of a subscription for which the log was away
}

// known is what was seen of a spot.
type known struct {
	version   int64
	conflated uint64 // what Subscription.conflated was
}

// Events returns the events as they come, and first those of a [State] if there is one, without end. It ends with an error when ctx does, or
// when nothing more can come: see [SubscriptionError], [RefusedError] and [ErrClosed]. It ends without one after [Subscription.Close]. To iterate
// again goes on behind the last message (where that is a state, behind all of it). Messages that are no events are left out; [Subscription.Messages] has them.
func (s *Subscription) Events(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for m, err := range s.Messages(ctx) {
			if err != nil {
				yield(Event{}, err)
				return
			}
			switch m := m.(type) {
			case Event:
				if !yield(m, nil) {
					return
				}
			case State:
				for _, e := range m.Spots {
					if !yield(e, nil) {
						return
					}
				}
			}
		}
	}
}

// Messages is like [Subscription.Events], and has all that a subscription brings.
func (s *Subscription) Messages(ctx context.Context) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		for {
			m, err := s.queue.take(ctx)
			if errors.Is(err, errUnsubscribed) {
				return
			}
			goOn := yield(m, err)
			if err != nil {
				return
			}
			s.queue.done()
			if !goOn {
				return
			}
		}
	}
}

// Cursor names the place in the log up to which the program has iterated: what matches and came before it was handed over, and the
// loop's body came to its end for all of it. It moves also while nothing matches, and a while
// back when the client gets a subscription that begins further behind. Empty while no place is known. It is good at every
// address of the platform, for as long as the log keeps events (a week, unless configured otherwise).
func (s *Subscription) Cursor() string { return s.queue.position() }

// Close ends the subscription, and iterating over it. Nothing more comes of it, not even what had come already. The client goes on.
func (s *Subscription) Close() { s.client.unsubscribe(s) }

// errUnsubscribed ends iterating without an error.
var errUnsubscribed = errors.New("the subscription is closed")

// request is what the server is asked for at the beginning of each connection.
func (s *Subscription) request() outgoing {
	return outgoing{
		Type: "Subscribe", ID: s.id, Lot: s.filter.Lots, Zone: s.filter.Zones, Spot: s.filter.Spots, Status: s.filter.Statuses, Change: s.filter.Changes,
		After: s.resume, Snapshot: s.withState,
	}
}
