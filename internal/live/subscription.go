package live

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"parkwire/internal/event"
	"parkwire/internal/problem"
)

// A filter says which events a client wants: those that match one of the values in each
// field that has any. The empty filter matches everything, foreign events included.
type filter struct {
	lots, zones, spots, statuses, changes []string
}

// maxFilterValues bounds the values of one client's filter.
const maxFilterValues = 1000

// parameters that /notifications and /api/v1/events know besides the filter's.
var otherParameters = []string{"after", "access_token"}

// parseFilter reads the filter of a query. Values are repeated (lot=a&lot=b). A
// parameter that is not known is refused, since ignoring it would send too much.
func parseFilter(q url.Values, also ...string) (filter, error) {
	var f filter
	fields := map[string]*[]string{"lot": &f.lots, "zone": &f.zones, "spot": &f.spots, "status": &f.statuses, "change": &f.changes}
	n := 0
	for name, values := range q {
		to, ok := fields[name]
		if !ok {
			if slices.Contains(otherParameters, name) || slices.Contains(also, name) {
				continue
			}
			p := problem.New(400, "unknown-parameter", fmt.Sprintf("The parameter %q is not known here. Known are lot, zone, spot, status, change and %s.", name,
				strings.Join(append(slices.Clone(otherParameters), also...), ", ")))
			p.Field = name
			return filter{}, p
		}
		slices.Sort(values)
		*to = slices.Compact(values)
		if n += len(*to); n > maxFilterValues || slices.Contains(*to, "") {
			p := problem.New(400, "invalid-parameter", fmt.Sprintf("The parameter %q must not be empty, and a filter has at most %d values.", name, maxFilterValues))
			p.Field = name
			return filter{}, p
		}
	}
	if err := checkKnown("status", f.statuses, event.Statuses); err != nil {
		return filter{}, err
	}
	return f, checkKnown("change", f.changes, event.Changes)
}

func checkKnown[T ~string](name string, values []string, known []T) error {
	for _, v := range values {
		if !slices.Contains(known, T(v)) {
			p := problem.New(400, "invalid-parameter", fmt.Sprintf("The %s %q is not known. Use one of %v.", name, v, known))
			p.Field = name
			return p
		}
	}
	return nil
}

func (f filter) matches(e event.Event) bool {
	return in(f.lots, e.LotID) && in(f.zones, e.ZoneID) && in(f.spots, e.SpotID) &&
		in(f.statuses, string(e.Status)) && in(f.changes, string(e.Change))
}

func (f filter) empty() bool {
	return len(f.lots)+len(f.zones)+len(f.spots)+len(f.statuses)+len(f.changes) == 0
}

func in(values []string, v string) bool {
	if len(values) == 0 {
		return true
	}
	_, ok := slices.BinarySearch(values, v)
	return ok
}

// key is the same for filters that mean the same.
func (f filter) key() string {
	var b strings.Builder
	for _, values := range [][]string{f.lots, f.zones, f.spots, f.statuses, f.changes} {
		for _, v := range values {
			fmt.Fprintf(&b, "%d:%s", len(v), v)
		}
		b.WriteByte(';')
	}
	return b.String()
}

// A subscription is a filter in an encoding, with the log of its frames and the number
// of connections that follow it.
type subscription struct {
	key    subscriptionKey
	filter filter
	log    *frameLog
	refs   int // guarded by Service.mu

	members [][]*client // by sender, each touched by that sender alone
}

type subscriptionKey struct {
	encoding encoding
	filter   string
}

// subscriptions finds those that an event concerns without asking each: a subscription
// stands under its spots, else its zones, else its lots, else among the rest.
type subscriptions struct {
	byKey                 map[subscriptionKey]*subscription
	bySpot, byZone, byLot map[string][]*subscription
	rest                  []*subscription
	senders               int
}

func newSubscriptions(senders int) *subscriptions {
	return &subscriptions{
		byKey:   map[subscriptionKey]*subscription{},
		bySpot:  map[string][]*subscription{},
		byZone:  map[string][]*subscription{},
		byLot:   map[string][]*subscription{},
		senders: senders,
	}
}

// acquire returns the subscription for f, made where there is none yet. Each call is to
// be followed by one of release.
func (s *subscriptions) acquire(enc encoding, f filter) *subscription {
	key := subscriptionKey{enc, f.key()}
	sub := s.byKey[key]
	if sub == nil {
		sub = &subscription{key: key, filter: f, log: newFrameLog(), members: make([][]*client, s.senders)}
		s.byKey[key] = sub
		if index, values := s.place(f); index == nil {
			s.rest = append(s.rest, sub)
		} else {
			for _, v := range values {
				index[v] = append(index[v], sub)
			}
		}
	}
	sub.refs++
	return sub
}

func (s *subscriptions) release(sub *subscription) {
	if sub.refs--; sub.refs > 0 {
		return
	}
	delete(s.byKey, sub.key)
	isSub := func(other *subscription) bool { return other == sub }
	index, values := s.place(sub.filter)
	if index == nil {
		s.rest = slices.DeleteFunc(s.rest, isSub)
		return
	}
	for _, v := range values {
		if index[v] = slices.DeleteFunc(index[v], isSub); len(index[v]) == 0 {
			delete(index, v)
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

// concerned calls yield for each subscription that wants e.
func (s *subscriptions) concerned(e event.Event, yield func(*subscription)) {
	for _, candidates := range [][]*subscription{s.bySpot[e.SpotID], s.byZone[e.ZoneID], s.byLot[e.LotID], s.rest} {
		for _, sub := range candidates {
			if sub.filter.matches(e) {
				yield(sub)
			}
		}
	}
}
