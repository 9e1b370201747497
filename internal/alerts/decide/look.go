package decide

import (
	"cmp"
	"container/heap"
	"time"
)

// Restore takes a rule with what was kept of it. It is looked at by the next Advance. What it has said of a spot that is not so any more is
// unsaid; that of spots which are not known yet is kept until they are.
func (e *Engine) Restore(of Rule, state State, said []Mark) {
	r := e.take(of)
	r.state = state
	for _, m := range said {
		if s := e.spots[m.SpotID]; s != nil && !(s.Status == r.Condition.status() && s.Since.Equal(m.Since) && r.group.has(s)) {
			e.marked[marking{of.ID, m.SpotID}] = struct{}{}
			continue
		}
		r.said[m.SpotID] = m.Since
	}
	e.wake(r, time.Time{}.Add(1))
}

// Begin takes a rule that is another one than that of which something was kept: it begins anew, and what it had said is unsaid.
func (e *Engine) Begin(of Rule, said []Mark, at Moment) {
	for _, m := range said {
		e.marked[marking{of.ID, m.SpotID}] = struct{}{}
	}
	e.Put(of, at)
}

// Put takes a rule that is new, or another one than before. It begins anew where its epoch is another one.
func (e *Engine) Put(of Rule, at Moment) {
	if known := e.rules[of.ID]; known != nil && known.Epoch == of.Epoch {
		known.Rule = of
		return
	}
	if known := e.rules[of.ID]; known != nil {
		for id := range known.said {
			e.marked[marking{of.ID, id}] = struct{}{}
		}
		e.drop(known)
	}
	r := e.take(of)
	r.state = State{Epoch: of.Epoch, Armed: true}
	e.dirty[r] = struct{}{}
	if of.Initially == Wait {
		e.pass(r, at.Now)
	}
	e.look(r, look{Moment: at, occurred: at.Now})
}

// pass has a rule be silent of what is so already.
func (e *Engine) pass(r *rule, now time.Time) {
	if !r.Condition.Kind.Single() {
		holds, _ := r.Condition.judge(r.group.counts)
		r.state.Armed = !holds
		return
	}
	for len(r.queue) > 0 && !r.queue[0].since.Add(r.Condition.patience()).After(now) {
		e.say(r, heap.Pop(&r.queue).(entry).spot)
	}
}

func (e *Engine) take(of Rule) *rule {
	r := &rule{Rule: of, said: map[string]time.Time{}, place: -1}
	if of.TimeZone != "" {
		if zone, err := time.LoadLocation(of.TimeZone); err == nil {
			r.zone = zone
		}
	}
	e.rules[of.ID] = r
	e.join(r)
	if of.Condition.Kind.Single() {
		e.members(r.group, func(s *spot) { e.follow(r, s) })
	}
	return r
}

// Drop forgets a rule, and leaves it to the caller to do so with what is kept of it.
func (e *Engine) Drop(id string) {
	if r := e.rules[id]; r != nil {
		e.drop(r)
	}
}

func (e *Engine) drop(r *rule) {
	delete(e.rules, r.ID)
	delete(e.dirty, r)
	e.wake(r, time.Time{})
	e.part(r)
}

// look sees whether a rule has to speak, and when to look again.
func (e *Engine) look(r *rule, why look) {
	e.wake(r, time.Time{})
	if !r.Enabled || r.state.Done || r.expired(why.Now) {
		return
	}
	if r.Condition.Kind.Single() {
		e.lookAtEach(r, why)
		return
	}
	holds, opposite := r.Condition.judge(r.group.counts)
	if opposite && !r.state.Armed {
		r.state.Armed = true
		e.dirty[r] = struct{}{}
	}
	if !holds || !r.state.Armed || !e.clear(r, why) {
		return
	}
	d := Decision{Counts: r.group.counts, Occurred: why.occurred, LotID: r.Target.LotID, ZoneID: r.Target.ZoneID}
	if s := e.spots[cmp.Or(r.Target.SpotID, why.spotID)]; s != nil && s.Status == r.Condition.status() && r.group.has(s) {
		d.SpotID, d.LotID, d.ZoneID = s.ID, s.LotID, s.ZoneID
	}
	r.state.Armed = false
	e.decide(r, d, why.Now)
}

// lookAtEach does so with the spots that are in one status for long enough, in the order in which they got it.
func (e *Engine) lookAtEach(r *rule, why look) {
	for len(r.queue) > 0 && !r.state.Done {
		first := r.queue[0]
		if !e.waits(r, first) {
			heap.Pop(&r.queue)
			continue
		}
		due := first.since.Add(r.Condition.patience())
		if due.After(why.Now) {
			e.wake(r, due)
			return
		}
		if why.Late {
			e.wake(r, why.Now)
			return
		}
		at, drop := e.mayAt(r, why.Now)
		if !drop && !at.Equal(why.Now) {
			e.wake(r, at)
			return
		}
		heap.Pop(&r.queue)
		e.say(r, first.spot)
		if drop {
			e.changes.Suppressed++
			continue
		}
		s := first.spot
		e.decide(r, Decision{Occurred: due, SpotID: s.ID, LotID: s.LotID, ZoneID: s.ZoneID, Since: s.Since}, why.Now)
	}
}

// clear reports whether nothing is in the way of a rule whose condition holds. Otherwise it is looked at again when that is gone, or is
// disarmed where its quiet hours swallow what it would say.
func (e *Engine) clear(r *rule, why look) bool {
	if why.Late {
		e.wake(r, why.Now)
		return false
	}
	at, drop := e.mayAt(r, why.Now)
	if drop {
		r.state.Armed = false
		e.dirty[r] = struct{}{}
		e.changes.Suppressed++
		return false
	}
	if !at.Equal(why.Now) {
		e.wake(r, at)
		return false
	}
	return true
}

func (e *Engine) decide(r *rule, d Decision, now time.Time) {
	r.state.Said++
	r.state.Last = now
	r.state.Done = r.Once
	e.dirty[r] = struct{}{}
	d.Rule, d.N, d.At = r.Rule, r.state.Said, now
	e.changes.Decisions = append(e.changes.Decisions, d)
}

func (r *rule) expired(now time.Time) bool {
	return !r.ExpiresAt.IsZero() && !now.Before(r.ExpiresAt.Time)
}

// mayAt returns when the rule may speak first, now or later; zero: never, as things are. drop says that it may not now and that this is to
// be forgotten.
func (e *Engine) mayAt(r *rule, now time.Time) (at time.Time, drop bool) {
	at = now
	if ready := r.state.Last.Add(time.Duration(r.Cooldown) * time.Second); !r.state.Last.IsZero() && ready.After(at) {
		at = ready
	}
	if len(r.Hours)+len(r.QuietHours) > 0 {
		zone := e.zone(r)
		if at = r.open(at, zone); at.Equal(now) && r.QuietHoursThen == Drop && within(r.QuietHours, now.In(zone)) {
			return time.Time{}, true
		}
	}
	if at.IsZero() || r.expired(at) {
		return time.Time{}, false
	}
	return at, false
}

// open returns the first time from at on that is within the hours, and outside of the quiet hours where what is said in them is held.
func (r *rule) open(at time.Time, zone *time.Location) time.Time {
	for range 64 { // they may take turns
		if len(r.Hours) > 0 {
			if at = next(r.Hours, at, zone, true); at.IsZero() {
				return at
			}
		}
		if len(r.QuietHours) == 0 || r.QuietHoursThen == Drop {
			return at
		}
		quiet := next(r.QuietHours, at, zone, false)
		if quiet.Equal(at) || quiet.IsZero() {
			return quiet
		}
		at = quiet
	}
	return time.Time{}
}
