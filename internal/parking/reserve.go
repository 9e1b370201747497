package parking

import (
	"fmt"
	"time"

	"parkwire/internal/event"
)

// over reports whether the reservation has ended by itself.
func (r Reservation) over(now time.Time) bool { return !r.Until.IsZero() && !now.Before(r.Until) }

// reserve holds the spot for reference until a time, which is in the future, or without end. Who reserves again
// under the same reference moves the end. Two who give no reference count as the same.
func (s *Spot) reserve(reference string, until, now time.Time) (*event.Event, error) {
	held := s.Reservation
	if held != nil && held.over(now) {
		held = nil // supervision is about to end it
	}
	mine := held != nil && held.Reference == reference
	switch {
	case mine && held.Until.Equal(until):
		return nil, nil
	case held != nil && !mine:
		detail := "is reserved already"
		if !held.Until.IsZero() {
			detail += fmt.Sprintf(" until %v", event.At(held.Until))
		}
		return nil, transitionRefused(s, detail+"; end that reservation first")
	case s.Closed:
		return nil, transitionRefused(s, "is closed and cannot be reserved; reopen it first")
	case s.Faulted:
		return nil, transitionRefused(s, "is out of service and cannot be reserved; repair it first")
	case s.Occupancy == Taken:
		return nil, transitionRefused(s, "is occupied and cannot be reserved; choose another, or wait until it is free")
	}
	was, since := s.Status(), now
	if mine {
		since = held.ReservedAt
	}
	s.Reservation = &Reservation{Reference: reference, ReservedAt: since, Until: until}
	return s.raise(event.ChangeReserved, was, SourceOperator, now, time.Time{}), nil
}

func (s *Spot) endReservation(source Source, now time.Time) *event.Event {
	if s.Reservation == nil {
		return nil
	}
	was := s.Status()
	s.Reservation = nil
	return s.raise(event.ChangeReservationEnded, was, source, now, time.Time{})
}
