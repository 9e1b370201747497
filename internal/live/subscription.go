package live

import (
	"slices"

	"parkwire/internal/event"
)

// A subscription is the filters of a connection in an encoding, with the log of its frames and the number
// of connections that follow it. It wants what one of its filters wants.
type subscription struct {
	key     subscriptionKey
	filters []filter
	log     *frameLog

	// Guarded by Service.mu.
	refs int
	seen int64 // the newest round of subscriptions.concerned that came by

	// By the number of the loop. members is touched by that loop alone, marked is guarded by its mu.
	members [][]*client
	marked  []bool // the loop knows that log has grown
}

func (s *subscription) join(loop int, c *client) {
	c.index = int32(len(s.members[loop]))
	s.members[loop] = append(s.members[loop], c)
}

func (s *subscription) leave(loop int, c *client) {
	members := s.members[loop]
	last := len(members) - 1
	members[c.index] = members[last]
	members[c.index].index = c.index
	members[last] = nil
	s.members[loop] = members[:last]
}

type subscriptionKey struct {
	encoding encoding
	filter   string
}

// subscriptions is guarded by Service.mu. It finds those that an event concerns without asking each: a subscription
// stands under its spots, else its zones, else its lots, else among the rest.
type subscriptions struct {
	byKey                 map[subscriptionKey]*subscription
	bySpot, byZone, byLot map[string][]*subscription
	rest                  []*subscription
	v1                    map[*subscription]struct{} // those that hear of more than events
	loops                 int
	round                 int64
}

func newSubscriptions(loops int) *subscriptions {
	return &subscriptions{
		byKey:  map[subscriptionKey]*subscription{},
		bySpot: map[string][]*subscription{},
		byZone: map[string][]*subscription{},
		byLot:  map[string][]*subscription{},
		v1:     map[*subscription]struct{}{},
		loops:  loops,
	}
}

// acquire returns the subscription for filters, made where there is none yet, with a log that begins at the
// cursor. Each call is to be followed by one of release.
func (s *subscriptions) acquire(enc encoding, cursor string, filters ...filter) *subscription {
	key := subscriptionKey{enc, keyOf(filters)}
	sub := s.byKey[key]
	if sub == nil {
		sub = &subscription{key: key, filters: filters, log: newFrameLog(), members: make([][]*client, s.loops), marked: make([]bool, s.loops)}
		s.byKey[key] = sub
		if enc.isV1() {
			sub.log = newFrameLogAt(cursor)
			s.v1[sub] = struct{}{}
		}
		for _, f := range filters {
			if index, values := s.place(f); index == nil {
				s.rest = append(s.rest, sub)
			} else {
				for _, v := range values {
					index[v] = append(index[v], sub)
				}
			}
		}
	}
	sub.refs++
	sub.log.followed(sub.refs)
	return sub
}

func (s *subscriptions) release(sub *subscription) {
	if sub.refs--; sub.refs > 0 {
		sub.log.followed(sub.refs)
		return
	}
	delete(s.byKey, sub.key)
	delete(s.v1, sub)
	isSub := func(other *subscription) bool { return other == sub }
	for _, f := range sub.filters {
		index, values := s.place(f)
		if index == nil {
			s.rest = slices.DeleteFunc(s.rest, isSub)
			continue
		}
		for _, v := range values {
			if index[v] = slices.DeleteFunc(index[v], isSub); len(index[v]) == 0 {
				delete(index, v)
			}
		}
	}
}

func (s *subscriptions) place(f filter) (map[string][]*subscription, []string) {
	switch {
	case len(f.spots) > 0:
		return s.bySpot, f.spots
	case len(f.zones) > 0:
		return s.byZone, f.zones
	case len(f.lots) > 0:
		return s.byLot, f.lots
	}
	return nil, nil
}

// concerned calls yield once for each subscription that wants e.
func (s *subscriptions) concerned(e *event.Event, yield func(*subscription)) {
	s.round++
	for _, candidates := range [][]*subscription{s.bySpot[e.SpotID], s.byZone[e.ZoneID], s.byLot[e.LotID], s.rest} {
		for _, sub := range candidates {
			if sub.seen != s.round && wants(sub.filters, e) {
				sub.seen = s.round // one with several filters may stand in several places
				yield(sub)
			}
		}
	}
}
