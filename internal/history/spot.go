package history

import (
	"cmp"

	"parkwire/internal/event"
)

// place is where a spot belongs. There is one value of each, so that places are the same where their addresses are.
type place struct{ lot, zone string }

// spot is what is remembered of a spot: its open interval, and what is needed to go on from there. Times are Unix milliseconds.
type spot struct {
	id        string
	partition int32 // in which it was heard of last
	version   int64 // of its newest event; 0: none had one
	status    event.Status
	hole      bool // it is unknown because the log had a hole
	place     *place
	since     int64 // begin of the open interval
	counted   int64 // end of the last interval that ended, where ended
	ended     bool
	last      int64 // time of the newest event
	recorded  int64 // when the log took it

	// The stay that is under way, while the spot is occupied.
	stayBegan  int64
	stayBefore string

	twin bool // what is known is from the compacted twin alone

	saved   *place // as it is in the database; nil: not there
	waiting bool   // to be saved
}

// none is the status of a spot of which nothing is known.
const none event.Status = ""

// hole stands for unknown before or after a stay, where it was the log that was silent and not the sensor.
const hole = "hole"

// known is a status that is counted. Other programs may have more of them: what we do not understand we do not know.
func known(s event.Status) event.Status {
	if s == event.Removed || indexOf(s) >= 0 {
		return s
	}
	return event.Unknown
}

// turning is that a spot becomes something at a time.
type turning struct {
	to       event.Status
	hole     bool
	place    *place
	at       int64
	recorded int64
	// before is what an event says of the time before it, for spots of which nothing was known.
	before event.Status
}

// turn ends the open interval where the spot becomes something else, or is somewhere else, and opens the next. What ends goes into b.
//
// An interval begins when its event says, but never before the end of the last one that had a length. An event from before the begin of the open
// interval leaves that without one: then it never was. So intervals do not overlap, and what was counted stays counted.
func (s *spot) turn(t turning, b *book) {
	if t.to == s.status && t.place == s.place && t.hole == s.hole {
		return
	}
	began, lasted := t.at, s.status != none && t.at > s.since
	if !lasted && s.ended {
		began = max(t.at, s.counted)
	}
	was := *s
	if lasted {
		s.counted, s.ended = began, true
		if present(was.status) {
			b.interval(was, began, t.recorded)
			b.count(was.place, was.status, began, t.recorded, -1)
		}
	} else if present(was.status) {
		b.count(was.place, was.status, was.since, t.recorded, -1)
	}
	if present(t.to) {
		b.count(t.place, t.to, began, t.recorded, +1)
	}
	s.status, s.hole, s.place, s.since = t.to, t.hole, t.place, began
	s.stay(was, t, b)
}

// stay follows the stays: the time from becoming occupied to becoming anything else, wherever the spot belonged meanwhile.
func (s *spot) stay(was spot, t turning, b *book) {
	stood, stands := was.status == event.Occupied, s.status == event.Occupied
	switch {
	case stood && !stands:
		if s.since > was.stayBegan {
			b.stay(was, s.since, cmp.Or(because(s.hole), string(s.status)), t.recorded)
		} else {
			b.arrive(was.place, was.stayBegan, t.recorded, -1)
		}
		s.stayBegan, s.stayBefore = 0, ""
	case stood && stands && s.since <= was.stayBegan:
		// Nothing of it had a length yet: it begins here, and not where it seemed to.
		b.arrive(was.place, was.stayBegan, t.recorded, -1)
		s.stayBegan = s.since
		b.arrive(s.place, s.stayBegan, t.recorded, +1)
	case !stood && stands:
		s.stayBegan = s.since
		switch {
		case was.status == none && t.before == event.Occupied:
			s.stayBefore = hole // its begin is not in the log any more
		case was.status == none:
			s.stayBefore = string(t.before)
		default:
			s.stayBefore = cmp.Or(because(was.hole), string(was.status))
		}
		b.arrive(s.place, s.stayBegan, t.recorded, +1)
	}
}

func because(ofAHole bool) string {
	if ofAHole {
		return hole
	}
	return ""
}

// forget takes back what is open: the spot is as if it had not been heard of since its last interval ended.
func (s *spot) forget(b *book) {
	if present(s.status) {
		b.count(s.place, s.status, s.since, s.recorded, -1)
	}
	if s.status == event.Occupied {
		b.arrive(s.place, s.stayBegan, s.recorded, -1)
	}
	s.status, s.hole, s.version, s.twin, s.stayBegan, s.stayBefore = none, false, 0, false, 0, ""
}

// present reports whether a spot with this status is there, so that its time is counted.
func present(s event.Status) bool { return s != none && s != event.Removed }

// completed reports whether both ends of a stay are known, by what was before and after it.
func completed(before, after string) bool {
	return !uncertain(before) && !uncertain(after)
}

func uncertain(status string) bool { return status == hole || status == string(event.Unknown) }
