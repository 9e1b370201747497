package parkwire

import (
	"fmt"
	"slices"
)

// Filter says which events are wanted: those that match one of the values in each field that has any. The empty filter wants all.
// All filters of a client together may have 1,000 values.
type Filter struct {
	Lots, Zones, Spots []string
	Statuses           []Status
	Changes            []Change
}

const (
	maxSubscriptions = 16   // of one connection
	maxFilterValues  = 1000 // of all its subscriptions
)

func (f Filter) values() int {
	return len(f.Lots) + len(f.Zones) + len(f.Spots) + len(f.Statuses) + len(f.Changes)
}

func (f Filter) check() error {
	if slices.Contains(f.Lots, "") || slices.Contains(f.Zones, "") || slices.Contains(f.Spots, "") || slices.Contains(f.Statuses, "") || slices.Contains(f.Changes, "") {
		return fmt.Errorf("%w: an empty value", ErrFilter)
	}
	return nil
}

// clone keeps later changes of the caller's slices out.
func (f Filter) clone() Filter {
	return Filter{slices.Clone(f.Lots), slices.Clone(f.Zones), slices.Clone(f.Spots), slices.Clone(f.Statuses), slices.Clone(f.Changes)}
}

// matches is needed because an event that matches several subscriptions comes once, and does not say which.
func (f Filter) matches(e *Event) bool {
	return in(f.Lots, e.LotID) && in(f.Zones, e.ZoneID) && in(f.Spots, e.SpotID) && in(f.Statuses, e.Status) && in(f.Changes, e.Change)
}

func in[T comparable](values []T, v T) bool { return len(values) == 0 || slices.Contains(values, v) }

// everyVersion reports whether all events of a spot match, or none: only then does a hole in its versions say anything.
func (f Filter) everyVersion() bool { return len(f.Zones)+len(f.Statuses)+len(f.Changes) == 0 }
