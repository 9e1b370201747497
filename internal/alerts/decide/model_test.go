package decide_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"parkwire/internal/alerts/decide"
	"parkwire/internal/event"
)

// The model does what the engine does in the plainest way: at each moment it counts all spots for all rules, and asks of each rule whether
// it has to speak.
type model struct {
	zones map[string]*time.Location
	spots map[string]decide.Spot
	gone  map[string]int64 // versions of spots that were removed
	rules map[string]*modelRule
	said  []string
}

type modelRule struct {
	decide.Rule
	armed, done bool
	n           int64
	last        time.Time
	spoken      map[string]time.Time
}

func (m *model) has(r decide.Rule, s decide.Spot) bool {
	t := r.Target
	if r.Reach != nil && t.LotID == "" && !slices.Contains(r.Reach, s.LotID) {
		return false
	}
	return (t.SpotID == "" || t.SpotID == s.ID) && (t.LotID == "" || t.LotID == s.LotID) &&
		(t.ZoneID == "" || t.ZoneID == s.ZoneID) && (t.Category == "" || t.Category == s.Category)
}

// inside looks at the windows that begin yesterday and today by the clock on the wall.
func inside(windows []decide.Window, at time.Time, zone *time.Location) bool {
	local := at.In(zone)
	wall := time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), local.Minute(), 0, 0, time.UTC)
	for _, w := range windows {
		for back := range 2 {
			day := time.Date(wall.Year(), wall.Month(), wall.Day()-back, 0, 0, 0, 0, time.UTC)
			to := w.To
			if to <= w.From {
				to += 24 * 60
			}
			if w.Days>>day.Weekday()&1 == 1 && !wall.Before(day.Add(time.Duration(w.From)*time.Minute)) && wall.Before(day.Add(time.Duration(to)*time.Minute)) {
				return true
			}
		}
	}
	return false
}

func (m *model) zone(r decide.Rule) *time.Location {
	lot := r.Target.LotID
	if s, ok := m.spots[r.Target.SpotID]; ok {
		lot = s.LotID
	}
	if z := m.zones[lot]; z != nil {
		return z
	}
	return time.UTC
}

// may returns whether nothing is in the way, and whether what would be said is to be dropped.
func (m *model) may(r *modelRule, now time.Time) (yes, drop bool) {
	if !r.last.IsZero() && now.Before(r.last.Add(time.Duration(r.Cooldown)*time.Second)) {
		return false, false
	}
	zone := m.zone(r.Rule)
	if len(r.Hours) > 0 && !inside(r.Hours, now, zone) {
		return false, false
	}
	if !inside(r.QuietHours, now, zone) {
		return true, false
	}
	return false, r.QuietHoursThen == decide.Drop
}

func (m *model) look(r *modelRule, now time.Time, late bool) {
	single := r.Condition.Kind.Single()
	status := map[decide.Kind]event.Status{decide.Overstay: event.Occupied, decide.Silent: event.Unknown}[r.Condition.Kind]
	var waiting []decide.Spot
	free, occupied, counted := 0, 0, 0
	spoken := map[string]time.Time{}
	for id, s := range m.spots {
		if !m.has(r.Rule, s) {
			continue
		}
		switch s.Status {
		case event.Free:
			free++
			counted++
		case event.Occupied:
			occupied++
			counted++
		case event.Reserved:
			counted++
		}
		if single && s.Status == status {
			if since, ok := r.spoken[id]; ok && since.Equal(s.Since) {
				spoken[id] = since
			} else if !s.Since.Add(time.Duration(r.Condition.Minutes) * time.Minute).After(now) {
				waiting = append(waiting, s)
			}
		}
	}
	r.spoken = spoken
	if !r.Enabled || r.done || !r.ExpiresAt.IsZero() && !now.Before(r.ExpiresAt.Time) {
		return
	}
	if single {
		slices.SortFunc(waiting, func(a, b decide.Spot) int { return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.ID, b.ID)) })
		for _, s := range waiting {
			yes, drop := m.may(r, now)
			if late || r.done || !yes && !drop {
				return
			}
			r.spoken[s.ID] = s.Since
			if yes {
				m.speak(r, now, s.ID)
			}
		}
		return
	}
	holds, opposite := false, false
	c := r.Condition
	switch c.Kind {
	case decide.AnyFree:
		holds, opposite = free > 0, free == 0
	case decide.FreeAtLeast:
		holds, opposite = free >= c.Count, free <= c.Count-int(c.Margin)
	case decide.OccupancyAbove:
		if counted > 0 {
			percent := float64(occupied) / float64(counted) * 100
			holds, opposite = percent > c.Percent+1e-9, percent <= c.Percent-c.Margin+1e-9
		}
	}
	r.armed = r.armed || opposite
	if !holds || !r.armed || late {
		return
	}
	if yes, drop := m.may(r, now); drop {
		r.armed = false
	} else if yes {
		r.armed = false
		m.speak(r, now, fmt.Sprintf("%d/%d/%d", free, occupied, counted))
	}
}

func (m *model) speak(r *modelRule, now time.Time, what string) {
	r.n++
	r.last, r.done = now, r.Once
	m.said = append(m.said, fmt.Sprintf("%s %s epoch %d no. %d %s", now.Format(time.RFC3339), r.ID, r.Epoch, r.n, what))
}

func (m *model) lookAtAll(now time.Time, late bool) {
	for _, r := range m.rules {
		m.look(r, now, late)
	}
}

func (m *model) put(of decide.Rule, now time.Time, late bool) {
	r := &modelRule{Rule: of, armed: true, spoken: map[string]time.Time{}}
	m.rules[of.ID] = r
	if of.Initially == decide.Wait { // whether or not it may speak now, it passes over what is so
		quiet := *r
		quiet.Enabled, quiet.Hours, quiet.QuietHours, quiet.Cooldown, quiet.Once, quiet.ExpiresAt = true, nil, nil, 0, false, event.Time{}
		said := m.said
		m.look(&quiet, now, false)
		m.said = said
		r.armed, r.spoken = quiet.armed, quiet.spoken
	}
	m.look(r, now, late)
}

// keeping is what a database would have of an engine.
type keeping struct {
	spots  map[string]decide.Spot
	gone   map[string]decide.Spot
	states map[string]decide.State
	marks  map[[2]string]decide.Mark
}

func (k *keeping) take(e *decide.Engine) (said []string) {
	c := e.Take()
	for _, s := range c.Spots {
		k.spots[s.ID] = s
	}
	for _, s := range c.Gone {
		delete(k.spots, s.ID)
		k.gone[s.ID] = s
	}
	for _, s := range c.States {
		k.states[s.RuleID] = s.State
	}
	for _, m := range c.Said {
		k.marks[[2]string{m.RuleID, m.SpotID}] = m
	}
	for _, m := range c.Unsaid {
		delete(k.marks, [2]string{m.RuleID, m.SpotID})
	}
	for _, d := range c.Decisions {
		what := fmt.Sprintf("%d/%d/%d", d.Counts.Free, d.Counts.Occupied, d.Counts.Counted())
		if d.Rule.Condition.Kind.Single() {
			what = d.SpotID
		}
		said = append(said, fmt.Sprintf("%s %s epoch %d no. %d %s", d.At.Format(time.RFC3339), d.Rule.ID, d.Rule.Epoch, d.N, what))
	}
	return said
}

func (k *keeping) forget(rule string) {
	delete(k.states, rule)
	for at := range k.marks {
		if at[0] == rule {
			delete(k.marks, at)
		}
	}
}

// restart returns an engine that goes on from what was kept. Rules of which something else was kept were written while there was none.
func (k *keeping) restart(clock func(string) *time.Location, rules map[string]*modelRule, at decide.Moment) *decide.Engine {
	e := decide.New(clock)
	for _, s := range k.spots {
		e.Keep(s)
	}
	for _, s := range k.gone {
		e.Gone(s)
	}
	e.Take()
	for id, r := range rules {
		var marks []decide.Mark
		for at, m := range k.marks {
			if at[0] == id {
				marks = append(marks, m)
			}
		}
		if state, kept := k.states[id]; kept && state.Epoch == r.Epoch {
			e.Restore(r.Rule, state, marks)
		} else {
			e.Begin(r.Rule, marks, at)
		}
	}
	return e
}

func TestTheEngineDecidesWhatCountingEverythingWould(t *testing.T) {
	for seed := range uint64(60) {
		compare(t, seed, 500)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func compare(t *testing.T, seed uint64, steps int) {
	random := rand.New(rand.NewPCG(seed, 7))
	zones := map[string]*time.Location{"b": zone(t, "Europe/Berlin"), "m": zone(t, "Australia/Melbourne"), "u": time.UTC}
	clock := func(lot string) *time.Location { return zones[lot] }
	m := &model{zones: zones, spots: map[string]decide.Spot{}, gone: map[string]int64{}, rules: map[string]*modelRule{}}
	k := &keeping{map[string]decide.Spot{}, map[string]decide.Spot{}, map[string]decide.State{}, map[[2]string]decide.Mark{}}
	e := decide.New(clock)
	begins := []time.Time{time.Date(2026, 3, 27, 18, 0, 0, 0, time.UTC), time.Date(2026, 10, 2, 18, 0, 0, 0, time.UTC), time.Date(2026, 10, 24, 6, 0, 0, 0, time.UTC)}
	now := begins[random.IntN(len(begins))]
	versions := map[string]int64{}
	epoch := int64(0)
	for step := range steps {
		now = now.Add(time.Duration(random.IntN(8)*random.IntN(8)) * time.Minute)
		var got []string
		e.Advance(now)
		m.lookAtAll(now, false)
		switch random.IntN(12) {
		case 0: // a rule is written
			epoch++
			r := randomRule(random, now, epoch)
			late := random.IntN(5) == 0
			e.Put(r, decide.Moment{Now: now, Late: late})
			m.put(r, now, late)
		case 1: // or removed
			id := fmt.Sprintf("r%d", random.IntN(8))
			e.Drop(id)
			got = append(got, k.take(e)...)
			k.forget(id)
			delete(m.rules, id)
		case 2: // the process is another one, and rules were written meanwhile
			got = append(got, k.take(e)...)
			late := random.IntN(5) == 0
			written := map[string]decide.Rule{}
			for range random.IntN(3) {
				epoch++
				r := randomRule(random, now, epoch)
				if known := m.rules[r.ID]; known != nil && random.IntN(2) == 0 { // what it had said may be said again
					r = known.Rule
					r.Epoch, r.Initially = epoch, decide.Say
					r.Condition.Minutes += int64(random.IntN(30))
				}
				written[r.ID] = r
			}
			for _, r := range written {
				m.put(r, now, late)
			}
			e = k.restart(clock, m.rules, decide.Moment{Now: now, Late: late})
		default:
			s := randomSpot(random, now)
			late := random.IntN(6) == 0
			versions[s.ID] += int64(random.IntN(3))
			if s.Version = versions[s.ID]; random.IntN(10) == 0 && s.Version > 0 {
				s.Version = 1 + random.Int64N(s.Version) // it is read again
			}
			e.Apply(decide.Change{Spot: s, Occurred: now}, decide.Moment{Now: now, Late: late})
			m.apply(s)
			m.lookAtAll(now, late)
		}
		if random.IntN(3) > 0 { // the others see it the next time
			e.Advance(now)
			m.lookAtAll(now, false)
		}
		got, want := append(got, k.take(e)...), m.said
		m.said = nil
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("seed %d, step %d, %s: said\n%q, want\n%q", seed, step, now, got, want)
			return
		}
	}
}

// apply takes what an event says.
func (m *model) apply(s decide.Spot) {
	known, ok := m.spots[s.ID]
	version := max(known.Version, m.gone[s.ID])
	switch {
	case s.Version != 0 && s.Version <= version:
		return
	case s.Status == event.Removed:
		delete(m.spots, s.ID)
		m.gone[s.ID] = max(version, s.Version)
		return
	case !ok && s.Version == 0:
		s.Version = version
	case ok:
		if s.Version == 0 {
			s.Version = known.Version
		}
		if s.Status == known.Status {
			s.Since = known.Since
		}
	}
	m.spots[s.ID] = s
}

func randomSpot(random *rand.Rand, now time.Time) decide.Spot {
	n := random.IntN(12)
	lots := []string{"b", "m", "u"}
	s := decide.Spot{
		ID: fmt.Sprintf("s%d", n), LotID: lots[n%3], ZoneID: fmt.Sprintf("%s%d", lots[n%3], random.IntN(2)), Category: []string{"standard", "electric"}[n%2],
		Since: now.Add(-time.Duration(random.IntN(20)) * time.Minute),
	}
	s.Status = []event.Status{event.Free, event.Occupied, event.Occupied, event.Free, event.Reserved, event.Unknown, event.Closed, event.Removed}[random.IntN(8)]
	if random.IntN(20) == 0 {
		s.LotID = lots[random.IntN(3)]
	}
	return s
}

func randomRule(random *rand.Rand, now time.Time, epoch int64) decide.Rule {
	lot := []string{"b", "m", "u"}[random.IntN(3)]
	r := decide.Rule{ID: fmt.Sprintf("r%d", random.IntN(8)), Epoch: epoch, Definition: decide.Definition{
		Enabled: random.IntN(10) > 0, Once: random.IntN(6) == 0, Initially: []decide.Initially{decide.Say, decide.Wait}[random.IntN(2)],
		Cooldown: int64(random.IntN(3) * random.IntN(90) * 60),
		Target: []decide.Target{
			{SpotID: fmt.Sprintf("s%d", random.IntN(12))}, {LotID: lot}, {LotID: lot, ZoneID: lot + "0"}, {LotID: lot, Category: "electric"},
			{LotID: lot, ZoneID: lot + "1", Category: "standard"}, {Category: "electric"},
		}[random.IntN(6)],
		Condition: []decide.Condition{
			{Kind: decide.AnyFree}, {Kind: decide.FreeAtLeast, Count: 2, Margin: float64(1 + random.IntN(2))},
			{Kind: decide.OccupancyAbove, Percent: float64(random.IntN(5) * 20), Margin: 0}, {Kind: decide.OccupancyAbove, Percent: 60, Margin: 20},
			{Kind: decide.Overstay, Minutes: int64(1 + random.IntN(90))}, {Kind: decide.Silent, Minutes: int64(random.IntN(60))},
		}[random.IntN(6)],
	}}
	if random.IntN(3) == 0 {
		r.Hours = windows(random)
	}
	if random.IntN(3) == 0 {
		r.QuietHours, r.QuietHoursThen = windows(random), []decide.Then{decide.Hold, decide.Drop}[random.IntN(2)]
	}
	if random.IntN(6) == 0 {
		r.ExpiresAt = event.At(now.Add(time.Duration(random.IntN(48*60)) * time.Minute))
	}
	if random.IntN(3) == 0 {
		r.Reach = [][]string{{}, {"b"}, {"b", "u"}, {"m"}}[random.IntN(4)]
		if r.Target.LotID != "" && !slices.Contains(r.Reach, r.Target.LotID) {
			r.Reach = nil // such a rule is refused
		}
	}
	return r
}

func windows(random *rand.Rand) []decide.Window {
	list := make([]decide.Window, 1+random.IntN(2))
	for i := range list {
		list[i] = decide.Window{Days: uint8(1 + random.IntN(127)), From: random.IntN(24) * 60, To: 30 * (1 + random.IntN(48))}
		if list[i].From == list[i].To {
			list[i].To = 24 * 60
		}
	}
	return list
}
