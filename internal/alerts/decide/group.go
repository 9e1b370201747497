package decide

import "slices"

// group is a set of spots that rules are about, with its counts and those rules.
type group struct {
	key
	lots   []string // of a limited one, in order
	counts Counts
	rules  []*rule
}

// has reports whether a spot belongs to the set.
func (g *group) has(s *spot) bool {
	if g.limited {
		if _, found := slices.BinarySearch(g.lots, s.LotID); !found {
			return false
		}
	}
	t := g.Target
	return (t.SpotID == "" || t.SpotID == s.ID) && (t.LotID == "" || t.LotID == s.LotID) &&
		(t.ZoneID == "" || t.ZoneID == s.ZoneID) && (t.Category == "" || t.Category == s.Category)
}

// groups finds those that a spot belongs to. Those of one lot are found by their targets; those that are limited to lots are few for each spot
// and category, and are asked one by one.
type groups struct {
	all     map[key]*group
	limited map[Target][]*group
}

func newGroups() groups { return groups{all: map[key]*group{}, limited: map[Target][]*group{}} }

// of returns the groups that have the spot. The answer is the caller's.
func (g *groups) of(s *spot) []*group {
	var found []*group
	add := func(t Target) {
		if one := g.all[key{Target: t}]; one != nil {
			found = append(found, one)
		}
		for _, one := range g.limited[t] {
			if one.has(s) {
				found = append(found, one)
			}
		}
	}
	add(Target{SpotID: s.ID})
	if s.LotID != "" {
		add(Target{LotID: s.LotID})
	}
	if s.LotID != "" && s.ZoneID != "" {
		add(Target{LotID: s.LotID, ZoneID: s.ZoneID})
	}
	if s.Category == "" {
		return found
	}
	add(Target{Category: s.Category})
	if s.LotID != "" {
		add(Target{LotID: s.LotID, Category: s.Category})
	}
	if s.LotID != "" && s.ZoneID != "" {
		add(Target{LotID: s.LotID, ZoneID: s.ZoneID, Category: s.Category})
	}
	return found
}

// join puts a rule into the group of its spots, which is made where there is none.
func (e *Engine) join(r *rule) {
	k := r.key()
	g := e.groups.all[k]
	if g == nil {
		g = &group{key: k}
		if k.limited {
			g.lots = r.Reach
			e.groups.limited[k.Target] = append(e.groups.limited[k.Target], g)
		}
		e.groups.all[k] = g
		e.members(g, func(s *spot) { g.counts.add(s.Status, 1) })
	}
	g.rules = append(g.rules, r)
	r.group = g
}

// part takes a rule out of its group, and the group away with its last rule.
func (e *Engine) part(r *rule) {
	g := r.group
	g.rules = slices.DeleteFunc(g.rules, func(other *rule) bool { return other == r })
	if len(g.rules) > 0 {
		return
	}
	delete(e.groups.all, g.key)
	if !g.limited {
		return
	}
	others := slices.DeleteFunc(e.groups.limited[g.Target], func(other *group) bool { return other == g })
	if e.groups.limited[g.Target] = others; len(others) == 0 {
		delete(e.groups.limited, g.Target)
	}
}

// members calls fn for the spots of a group.
func (e *Engine) members(g *group, fn func(*spot)) {
	each := func(s *spot) {
		if g.has(s) {
			fn(s)
		}
	}
	switch {
	case g.Target.SpotID != "":
		if s := e.spots[g.Target.SpotID]; s != nil {
			each(s)
		}
	case g.Target.LotID != "":
		for s := range e.lots[g.Target.LotID] {
			each(s)
		}
	case g.limited:
		for _, lot := range g.lots {
			for s := range e.lots[lot] {
				each(s)
			}
		}
	default:
		for _, s := range e.spots {
			each(s)
		}
	}
}
