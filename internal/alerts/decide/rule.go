// Package decide says when an alert rule speaks. It holds rules, spots and counts in memory, is told what changes and what time it is, and does
// no I/O: what it decided, and what the next process has to know, is taken from it by who commits it, see [Engine.Take].
//
// A rule is armed or not. It speaks when it is armed, its condition holds, and nothing is in the way: it is enabled and has not expired, it
// is within its hours and outside its quiet hours, and its cool-down is over. Speaking disarms it; the opposite of its condition, by a
// margin, arms it again. What is in the way is waited for: the rule speaks when it is gone, if the condition holds then. Conditions of
// single spots (overstay, silent) are armed for each spot by itself, once for each time it is so.
package decide

import (
	"slices"
	"strings"
	"time"

	"parkwire/internal/event"
)

// Kind is what a condition is about.
type Kind string

// The kinds. The first three are of the spots of the target together, the others of each of them.
const (
	AnyFree        Kind = "any_free"
	FreeAtLeast    Kind = "free_at_least"
	OccupancyAbove Kind = "occupancy_above"
	Overstay       Kind = "overstay"
	Silent         Kind = "silent"
)

// Kinds lists them.
var Kinds = []Kind{AnyFree, FreeAtLeast, OccupancyAbove, Overstay, Silent}

// Single reports whether the condition is one of each spot by itself.
func (k Kind) Single() bool { return k == Overstay || k == Silent }

// Condition is what a rule waits for.
type Condition struct {
	Kind    Kind    `json:"type"`
	Count   int     `json:"count,omitempty"`   // free_at_least
	Percent float64 `json:"percent,omitempty"` // occupancy_above
	// Margin is by how much the opposite must hold until the rule is armed again: spots fewer than Count, points of Percent.
	Margin  float64 `json:"margin,omitempty"`
	Minutes int64   `json:"minutes,omitempty"` // overstay, silent
}

// status is the one that makes the condition hold: in which a spot must be for long enough, or of which there must be many.
func (c Condition) status() event.Status {
	switch c.Kind {
	case AnyFree, FreeAtLeast:
		return event.Free
	case OccupancyAbove, Overstay:
		return event.Occupied
	}
	return event.Unknown
}

func (c Condition) patience() time.Duration { return time.Duration(c.Minutes) * time.Minute }

// judge returns whether the condition holds for the counts, and whether its opposite does by the margin. Neither may be so.
func (c Condition) judge(n Counts) (holds, opposite bool) {
	switch c.Kind {
	case AnyFree:
		return n.Free > 0, n.Free == 0
	case FreeAtLeast:
		return n.Free >= c.Count, float64(n.Free) <= float64(c.Count)-c.Margin
	case OccupancyAbove:
		percent, known := n.Occupancy()
		return known && percent > c.Percent, known && percent <= c.Percent-c.Margin
	}
	return false, false
}

// Target is which spots a rule is about: one of them, or those of a lot, a zone of it, a category, and of these together.
type Target struct {
	SpotID   string `json:"spotId,omitempty"`
	LotID    string `json:"lotId,omitempty"`
	ZoneID   string `json:"zoneId,omitempty"` // with LotID
	Category string `json:"category,omitempty"`
}

// Initially is what a rule does whose condition holds already when it is made.
type Initially string

// Say speaks at once. Wait is silent until the condition has ended, by the margin, and holds again; of single spots it passes over those of
// which it holds already.
const (
	Say  Initially = "say"
	Wait Initially = "wait"
)

// Then is what becomes of what would be said in quiet hours.
type Then string

// Hold says it when the quiet hours end, if the condition holds then. Drop does not say it: the rule counts as if it had spoken.
const (
	Hold Then = "hold"
	Drop Then = "drop"
)

// Definition is what a subject writes of a rule.
type Definition struct {
	Name           string     `json:"name"`
	Target         Target     `json:"target"`
	Condition      Condition  `json:"condition"`
	Enabled        bool       `json:"enabled"`
	Once           bool       `json:"once"` // it speaks a single time
	Initially      Initially  `json:"initially"`
	Cooldown       int64      `json:"cooldownSeconds"`          // from one time it speaks to the next, at least
	Hours          []Window   `json:"hours,omitempty"`          // outside of which it does not speak; none: always
	QuietHours     []Window   `json:"quietHours,omitempty"`     // within which it does not speak
	QuietHoursThen Then       `json:"quietHoursThen,omitempty"` // "" without quiet hours
	TimeZone       string     `json:"timeZone,omitempty"`       // of hours; "": the lot's
	ExpiresAt      event.Time `json:"expiresAt,omitzero"`
	Channels       []string   `json:"channels"`
}

// Begins reports whether changing a rule from d to other makes it begin anew: everything does but the name and the channels.
func (d Definition) Begins(other Definition) bool {
	d.Name, d.Channels = other.Name, other.Channels
	return !d.equal(other)
}

func (d Definition) equal(o Definition) bool {
	return d.Name == o.Name && d.Target == o.Target && d.Condition == o.Condition && d.Enabled == o.Enabled && d.Once == o.Once &&
		d.Initially == o.Initially && d.Cooldown == o.Cooldown && slices.Equal(d.Hours, o.Hours) && slices.Equal(d.QuietHours, o.QuietHours) &&
		d.QuietHoursThen == o.QuietHoursThen && d.TimeZone == o.TimeZone && d.ExpiresAt.Equal(o.ExpiresAt.Time) && slices.Equal(d.Channels, o.Channels)
}

// Equal reports whether both say the same.
func (d Definition) Equal(other Definition) bool { return d.equal(other) }

// Rule is a rule as the engine takes it.
type Rule struct {
	ID, Subject string
	// Epoch tells one beginning of the rule from the next.
	Epoch int64
	// Reach are the lots that its subject could see when it was written, in order; nil: all. Spots of others are as good as not there.
	Reach []string
	Definition
}

// key names the set of spots that the rule is about. Rules of the same set share its counts.
func (r Rule) key() key {
	k := key{Target: r.Target}
	if r.Target.LotID == "" && r.Reach != nil {
		k.limited, k.reach = true, strings.Join(r.Reach, "\n")
	}
	return k
}

type key struct {
	Target
	limited bool
	reach   string
}

// State is what a rule remembers from one process to the next.
type State struct {
	Epoch int64
	Armed bool
	Said  int64     // how many times it has spoken
	Last  time.Time // when it did last; zero: never
	Done  bool      // it speaks once, and has
}

// Mark says that a rule has spoken, or was to be silent, of a spot that is in one status since a time.
type Mark struct {
	RuleID, SpotID string
	Since          time.Time
}

// Counts are how many spots of a set have each status. Spots of a status that only other programs know are not counted.
type Counts struct {
	Free, Occupied, Reserved, Closed, OutOfService, Unknown int
}

// Occupancy is the share of occupied spots, in percent, among those of which it is known whether they may be used: closed, out of service and
// silent ones are left out. known is false where there is none.
func (n Counts) Occupancy() (percent float64, known bool) {
	of := n.Counted()
	if of == 0 {
		return 0, false
	}
	return 100 * float64(n.Occupied) / float64(of), true
}

// Counted is how many spots the occupancy is of.
func (n Counts) Counted() int { return n.Free + n.Occupied + n.Reserved }

func (n *Counts) add(s event.Status, by int) {
	switch s {
	case event.Free:
		n.Free += by
	case event.Occupied:
		n.Occupied += by
	case event.Reserved:
		n.Reserved += by
	case event.Closed:
		n.Closed += by
	case event.OutOfService:
		n.OutOfService += by
	case event.Unknown:
		n.Unknown += by
	}
}
