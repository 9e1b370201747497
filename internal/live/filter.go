package live

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"parkwire/internal/event"
	"parkwire/internal/identity"
	"parkwire/internal/problem"
)

// A filter says which events a client wants: those that match one of the values in each
// field that has any. The empty filter matches everything, foreign events included.
type filter struct {
	lots, zones, spots, statuses, changes []string
	// granted says that lots are those to which the client's token is limited, and not what it asked for.
	granted bool
}

// lotsOf returns the lots to which a principal is limited, as a filter has them; nil: it is not limited.
func lotsOf(who identity.Principal) []string {
	lots := slices.Clone(who.Lots)
	slices.Sort(lots)
	return slices.Compact(lots)
}

// within narrows the filter to the lots of [lotsOf]. From then on it is a filter like any other, so that all who may see the same lots
// share a log of frames. Somebody who asks for a lot that is not theirs is refused: to hear nothing would look like nothing happening.
func (f filter) within(lots []string) (filter, error) {
	switch {
	case lots == nil:
		return f, nil
	case len(f.lots) == 0 && len(lots) > 0:
		f.lots, f.granted = lots, true
		return f, nil
	case len(f.lots) == 0:
		return f, identity.AuthorizeLot(identity.Principal{Lots: lots}, "")
	}
	for _, lot := range f.lots {
		if err := identity.AuthorizeLot(identity.Principal{Lots: lots}, lot); err != nil {
			return f, problem.From(err).WithField("lot")
		}
	}
	return f, nil
}

// maxFilterValues bounds the values of one client's filter.
const maxFilterValues = 1000

// parseFilter reads the filter of a query. Values are repeated (lot=a&lot=b). A
// parameter that is neither the filter's nor among others is refused, since ignoring it would send too much.
func parseFilter(q url.Values, others ...string) (filter, error) {
	var f filter
	fields := map[string]*[]string{"lot": &f.lots, "zone": &f.zones, "spot": &f.spots, "status": &f.statuses, "change": &f.changes}
	n := 0
	for name, values := range q {
		to, ok := fields[name]
		switch {
		case !ok && !slices.Contains(others, name):
			return filter{}, problem.New(400, "unknown-parameter", fmt.Sprintf("The parameter %q is not known here. Known are lot, zone, spot, status, change, %s.",
				name, strings.Join(others, ", "))).WithField(name)
		case !ok && len(values) > 1:
			return filter{}, problem.New(400, "invalid-parameter", fmt.Sprintf("The parameter %q is given %d times.", name, len(values))).WithField(name)
		case !ok:
			continue
		}
		*to = slices.Compact(slices.Sorted(slices.Values(values)))
		if n += len(*to); n > maxFilterValues || slices.Contains(*to, "") {
			return filter{}, problem.New(400, "invalid-parameter",
				fmt.Sprintf("The parameter %q must not be empty, and a filter has at most %d values.", name, maxFilterValues)).WithField(name)
		}
	}
	if err := checkKnown("status", f.statuses, event.Statuses); err != nil {
		return filter{}, err
	}
	if err := checkKnown("change", f.changes, event.Changes); err != nil {
		return filter{}, err
	}
	return f, nil
}

func checkKnown[T ~string](name string, values []string, known []T) error {
	for _, v := range values {
		if !slices.Contains(known, T(v)) {
			return problem.New(400, "invalid-parameter", fmt.Sprintf("The %s %q is not known. Use one of %v.", name, v, known)).WithField(name)
		}
	}
	return nil
}

func (f filter) matches(e *event.Event) bool {
	return in(f.lots, e.LotID) && in(f.zones, e.ZoneID) && in(f.spots, e.SpotID) &&
		in(f.statuses, string(e.Status)) && in(f.changes, string(e.Change))
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

// values is how many values the client gave it.
func (f filter) values() int {
	n := len(f.zones) + len(f.spots) + len(f.statuses) + len(f.changes)
	if !f.granted {
		n += len(f.lots)
	}
	return n
}

// wants reports whether one of the filters matches.
func wants(filters []filter, e *event.Event) bool {
	return slices.ContainsFunc(filters, func(f filter) bool { return f.matches(e) })
}

// keyOf is the same for filters that together mean the same.
func keyOf(filters []filter) string {
	if len(filters) == 1 {
		return filters[0].key()
	}
	keys := make([]string, len(filters))
	for i, f := range filters {
		keys[i] = f.key()
	}
	slices.Sort(keys)
	return strings.Join(slices.Compact(keys), "|")
}
