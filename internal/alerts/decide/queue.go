package decide

import (
	"container/heap"
	"time"
)

// entry is a spot that was in the status that a rule looks for, since a time. It may not be so any more.
type entry struct {
	spot  *spot
	id    string
	since time.Time
}

// queue has those first that are so for longest.
type queue []entry

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	if !q[i].since.Equal(q[j].since) {
		return q[i].since.Before(q[j].since)
	}
	return q[i].id < q[j].id
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(entry)) }
func (q *queue) Pop() any {
	last := len(*q) - 1
	x := (*q)[last]
	(*q)[last] = entry{}
	*q = (*q)[:last]
	return x
}

// follow puts a spot into the queue of a rule of single spots where it is as the rule looks for, and forgets what was said of it where it is
// not any more.
func (e *Engine) follow(r *rule, s *spot) {
	said, spoken := r.said[s.ID]
	so := s.Status == r.Condition.status() && r.group.has(s)
	if so && spoken && said.Equal(s.Since) {
		return
	}
	if spoken {
		delete(r.said, s.ID)
		e.marked[marking{r.ID, s.ID}] = struct{}{}
	}
	if !so {
		return
	}
	if len(r.queue) > 2*len(e.spots)+16 { // of spots that are so no more
		e.compact(r)
	}
	heap.Push(&r.queue, entry{s, s.ID, s.Since})
}

// compact takes what does not wait any more out of the queue.
func (e *Engine) compact(r *rule) {
	kept := r.queue[:0]
	for _, one := range r.queue {
		if e.waits(r, one) {
			kept = append(kept, one)
		}
	}
	clear(r.queue[len(kept):])
	r.queue = kept
	heap.Init(&r.queue)
}

// waits reports whether the rule has still to speak of what is in its queue.
func (e *Engine) waits(r *rule, one entry) bool {
	s := one.spot
	_, spoken := r.said[s.ID]
	return s.Status == r.Condition.status() && s.Since.Equal(one.since) && !spoken && r.group.has(s)
}

// say keeps that the rule has nothing more to say of the spot as it is.
func (e *Engine) say(r *rule, s *spot) {
	r.said[s.ID] = s.Since
	e.marked[marking{r.ID, s.ID}] = struct{}{}
}

// timers are the rules that have to be looked at at some time, the earliest first.
type timers []*rule

func (t timers) Len() int { return len(t) }
func (t timers) Less(i, j int) bool {
	if !t[i].wakeAt.Equal(t[j].wakeAt) {
		return t[i].wakeAt.Before(t[j].wakeAt)
	}
	return t[i].ID < t[j].ID
}
func (t timers) Swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].place, t[j].place = i, j
}
func (t *timers) Push(x any) {
	r := x.(*rule)
	r.place = len(*t)
	*t = append(*t, r)
}
func (t *timers) Pop() any {
	last := len(*t) - 1
	r := (*t)[last]
	(*t)[last] = nil
	*t = (*t)[:last]
	r.place = -1
	return r
}

// due returns the first rule whose time has come, nil where there is none.
func (t timers) due(now time.Time) *rule {
	if len(t) == 0 || t[0].wakeAt.After(now) {
		return nil
	}
	return t[0]
}

// wake has a rule be looked at at a time; zero: not by time.
func (e *Engine) wake(r *rule, at time.Time) {
	if at.IsZero() {
		if r.place >= 0 {
			heap.Remove(&e.timers, r.place)
		}
		return
	}
	r.wakeAt = at
	if r.place >= 0 {
		heap.Fix(&e.timers, r.place)
	} else {
		heap.Push(&e.timers, r)
	}
}
