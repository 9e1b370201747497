package decide

import (
	"slices"
	"time"

	"parkwire/internal/event"
)

// Spot is what is known of a spot.
type Spot struct {
	ID, LotID, ZoneID string
	Category          string // "": not known
	Status            event.Status
	Since             time.Time // when it got the status
	Version           int64     // of the newest event of the platform; 0: none
}

type spot struct{ Spot }

// Engine decides. One goroutine uses it.
type Engine struct {
	clock func(lotID string) *time.Location

	spots  map[string]*spot
	gone   map[string]int64 // versions of spots that were removed: an event that is read again does not bring them back
	lots   map[string]map[*spot]struct{}
	rules  map[string]*rule
	groups groups
	timers timers

	changes Changes
	dirty   map[*rule]struct{}   // whose states changed
	marked  map[marking]struct{} // of which something was said, or unsaid
	moved   map[string]struct{}  // spots
}

type marking struct{ ruleID, spotID string }

// New returns an engine that knows nothing. clock returns the time zone of a lot.
func New(clock func(lotID string) *time.Location) *Engine {
	return &Engine{
		clock: clock, spots: map[string]*spot{}, gone: map[string]int64{}, lots: map[string]map[*spot]struct{}{}, rules: map[string]*rule{}, groups: newGroups(),
		dirty: map[*rule]struct{}{}, marked: map[marking]struct{}{}, moved: map[string]struct{}{},
	}
}

// rule is a rule with what is known of it.
type rule struct {
	Rule
	state State
	zone  *time.Location // of its hours; nil: the lot's
	group *group
	said  map[string]time.Time // single: of which spots it has spoken, and since when those are so
	queue queue                // single: the spots that may be due, those that are so for longest first

	wakeAt time.Time // when it has to be looked at again
	place  int       // among the timers; -1: not there
}

// Decision is one time that a rule speaks.
type Decision struct {
	Rule     Rule
	N        int64     // 1, 2, 3 … since the rule began
	At       time.Time // when it was decided
	Occurred time.Time // when what it tells of happened
	// SpotID, LotID and ZoneID are of the spot whose change made the condition hold, or of which it does by itself; "" where the passing of
	// time did. They say where, too, where the target does.
	SpotID, LotID, ZoneID string
	Counts                Counts    // of the target's spots; not of single ones
	Since                 time.Time // single: since when the spot is so
}

// RuleState is the state of one rule.
type RuleState struct {
	RuleID string
	State
}

// Changes are what was decided, and what another process would have to know to go on.
type Changes struct {
	Decisions    []Decision
	Suppressed   int // times that rules would have spoken but for their quiet hours
	States       []RuleState
	Said, Unsaid []Mark
	Spots        []Spot
	Gone         []Spot // that were removed
}

// Take returns what came about since the last time.
func (e *Engine) Take() Changes {
	c := e.changes
	for r := range e.dirty {
		c.States = append(c.States, RuleState{r.ID, r.state})
	}
	for m := range e.marked {
		mark := Mark{RuleID: m.ruleID, SpotID: m.spotID}
		if r := e.rules[m.ruleID]; r != nil && !r.said[m.spotID].IsZero() {
			mark.Since = r.said[m.spotID]
			c.Said = append(c.Said, mark)
		} else {
			c.Unsaid = append(c.Unsaid, mark)
		}
	}
	for id := range e.moved {
		if s := e.spots[id]; s != nil {
			c.Spots = append(c.Spots, s.Spot)
		} else {
			c.Gone = append(c.Gone, Spot{ID: id, Status: event.Removed, Version: e.gone[id]})
		}
	}
	e.changes = Changes{}
	clear(e.dirty)
	clear(e.marked)
	clear(e.moved)
	return c
}

// Rules returns how many rules there are.
func (e *Engine) Rules() int { return len(e.rules) }

// Spot returns what is known of a spot.
func (e *Engine) Spot(id string) (Spot, bool) {
	if s := e.spots[id]; s != nil {
		return s.Spot, true
	}
	return Spot{}, false
}

// Keep puts a spot as it was kept, or as the twin of the log has it. No rule speaks of it now: they are looked at by the next Advance.
func (e *Engine) Keep(s Spot) {
	known := e.spots[s.ID]
	if e.old(known, s) {
		return
	}
	e.move(known, s, nil)
}

// Gone takes note of a spot that was removed, as it was kept, unless it is there again.
func (e *Engine) Gone(s Spot) {
	if e.spots[s.ID] == nil {
		e.gone[s.ID] = max(e.gone[s.ID], s.Version)
	}
}

// old reports whether what is said of a spot is not newer than what is known of it, or of its end. Events of other programs have no version.
func (e *Engine) old(known *spot, s Spot) bool {
	if known != nil {
		return s.Version != 0 && s.Version <= known.Version
	}
	return s.Version != 0 && s.Version <= e.gone[s.ID]
}

// A Change is what an event says of a spot.
type Change struct {
	Spot               // Since is when this was so first; LotID "" where the event does not say it
	Occurred time.Time // when it was told
}

// A Moment is the present, in which rules are looked at.
type Moment struct {
	Now time.Time
	// Late says that what is applied happened so long ago that nobody wants to be told: rules arm and disarm by it, and speak at the next
	// Advance if their conditions hold then.
	Late bool
}

// Apply takes a change, and looks at the rules that it touches. Of the platform's events those that are not newer than what is known are passed.
func (e *Engine) Apply(c Change, at Moment) {
	known := e.spots[c.ID]
	if e.old(known, c.Spot) {
		return
	}
	next := c.Spot
	if known != nil {
		if next.LotID == "" {
			next.LotID, next.ZoneID = known.LotID, known.ZoneID
		}
		if next.Category == "" {
			next.Category = known.Category
		}
		if next.Version == 0 {
			next.Version = known.Version
		}
		if next.Status == known.Status {
			next.Since = known.Since
		}
	} else if next.Version == 0 {
		next.Version = e.gone[next.ID]
	}
	e.move(known, next, &look{Moment: at, occurred: c.Occurred, spotID: c.ID})
}

// DescribeAll asks of what category each spot is, and where it is, unless events say that.
func (e *Engine) DescribeAll(describe func(id string) (lotID, zoneID, category string, known bool), at Moment) {
	for id, s := range e.spots {
		lotID, zoneID, category, known := describe(id)
		if !known {
			continue
		}
		next := s.Spot
		next.Category = category
		if next.LotID == "" {
			next.LotID, next.ZoneID = lotID, zoneID
		}
		if next != s.Spot {
			e.move(s, next, &look{Moment: at, occurred: at.Now})
		}
	}
}

// Decided returns how many decisions wait to be taken.
func (e *Engine) Decided() int { return len(e.changes.Decisions) }

// look is why rules are looked at.
type look struct {
	Moment
	occurred time.Time
	spotID   string // whose change it was; "": the passing of time
}

// move makes a spot what it is now. why is nil where no rule is to be looked at before the next Advance.
func (e *Engine) move(known *spot, next Spot, why *look) {
	var touched []*group
	if known == nil {
		if next.Status == event.Removed {
			if next.Version > e.gone[next.ID] {
				e.gone[next.ID] = next.Version
				e.moved[next.ID] = struct{}{}
			}
			return
		}
		delete(e.gone, next.ID)
		known = &spot{Spot{ID: next.ID}}
		e.spots[next.ID] = known
	} else {
		touched = e.groups.of(known)
		for _, g := range touched {
			g.counts.add(known.Status, -1)
		}
		e.leave(known)
	}
	e.moved[next.ID] = struct{}{}
	known.Spot = next
	if next.Status == event.Removed {
		delete(e.spots, next.ID)
		if next.Version != 0 {
			e.gone[next.ID] = next.Version
		}
	} else {
		if e.lots[next.LotID] == nil {
			e.lots[next.LotID] = map[*spot]struct{}{}
		}
		e.lots[next.LotID][known] = struct{}{}
		for _, g := range e.groups.of(known) {
			g.counts.add(known.Status, 1)
			if !slices.Contains(touched, g) {
				touched = append(touched, g)
			}
		}
	}
	for _, g := range touched {
		for _, r := range g.rules {
			if r.Condition.Kind.Single() {
				e.follow(r, known)
			}
			if why == nil {
				e.wake(r, time.Time{}.Add(1)) // as soon as can be
			} else {
				e.look(r, *why)
			}
		}
	}
}

func (e *Engine) leave(s *spot) {
	lot := e.lots[s.LotID]
	delete(lot, s)
	if len(lot) == 0 {
		delete(e.lots, s.LotID)
	}
}

// Advance looks at the rules whose time has come.
func (e *Engine) Advance(now time.Time) {
	for {
		r := e.timers.due(now)
		if r == nil {
			return
		}
		e.look(r, look{Moment: Moment{Now: now}, occurred: now})
	}
}

// Next is when Advance has something to do; zero: never, as things are.
func (e *Engine) Next() time.Time {
	if len(e.timers) == 0 {
		return time.Time{}
	}
	return e.timers[0].wakeAt
}

// Reconsider has the next Advance look at all rules, whose hours may be others: the zone of a lot changed.
func (e *Engine) Reconsider() {
	for _, r := range e.rules {
		e.wake(r, time.Time{}.Add(1))
	}
}

// zone is where the rule's hours are counted.
func (e *Engine) zone(r *rule) *time.Location {
	if r.zone != nil {
		return r.zone
	}
	lot := r.Target.LotID
	if s := e.spots[r.Target.SpotID]; s != nil {
		lot = s.LotID
	}
	if lot == "" {
		return time.UTC
	}
	return e.clock(lot)
}
