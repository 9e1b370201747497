package parking

import (
	"time"

	"parkwire/internal/event"
)

// The transitions change a spot's value and return the event to publish, or nil where there is none because the
// spot is so already. They do no I/O; whoever calls them gives the event its id. A refusal is a problem, and
// leaves the spot as it was.

// raise counts the next version and returns the event that tells of it. was is the status before, "" for a new
// spot. The time never goes back, whatever the clock does, so that order by time and by version agree.
func (s *Spot) raise(change event.Change, was event.Status, source Source, now, observedAt time.Time) *event.Event {
	if now.Before(s.ChangedAt) {
		now = s.ChangedAt
	}
	s.Version++
	s.ChangedAt = now
	return &event.Event{
		SpotID: s.ID, Status: s.Status(), Timestamp: event.At(now), Change: change, PreviousStatus: was, Version: s.Version,
		LotID: s.LotID, ZoneID: s.ZoneID, ObservedAt: event.At(observedAt), Source: string(source),
	}
}

// begin gives a new spot its first status. Where nobody has observed it yet, observedAt is zero, and any reading
// is newer.
func (s *Spot) begin(status event.Status, observedAt time.Time) {
	s.Occupancy = Vacant
	switch status {
	case event.Occupied:
		s.Occupancy = Taken
	case event.Unknown:
		s.Occupancy = NotKnown
	case event.Closed:
		s.Closed = true
	case event.OutOfService:
		s.Faulted = true
	}
	s.LastObservedAt = observedAt
}

// add makes s known. removed is what there was under the same id before, or the zero Spot: its versions go on.
func (s *Spot) add(removed Spot, now time.Time) *event.Event {
	s.Version, s.ChangedAt, s.AddedAt = removed.Version, removed.ChangedAt, now
	return s.raise(event.ChangeAdded, "", SourceOperator, now, s.LastObservedAt)
}

func (s *Spot) remove(now time.Time) *event.Event {
	was := s.Status()
	s.Removed, s.Reservation = true, nil
	return s.raise(event.ChangeRemoved, was, SourceOperator, now, time.Time{})
}

// differences names what is described differently in to.
func (s Spot) differences(to Spot) (fields []string) {
	differs := func(field string, is bool) {
		if is {
			fields = append(fields, field)
		}
	}
	differs("zoneId", s.ZoneID != to.ZoneID)
	differs("name", s.Name != to.Name)
	differs("category", s.Category != to.Category)
	differs("location", s.Location != to.Location && (s.Location == nil || to.Location == nil || *s.Location != *to.Location))
	differs("heartbeatSeconds", s.Heartbeat != to.Heartbeat)
	return fields
}

// edit takes over what describes the spot in to: zone, name, category, location, heartbeat.
func (s *Spot) edit(to Spot, now time.Time) *event.Event {
	if len(s.differences(to)) == 0 {
		return nil
	}
	s.ZoneID, s.Name, s.Category, s.Location, s.Heartbeat = to.ZoneID, to.Name, to.Category, to.Location, to.Heartbeat
	return s.raise(event.ChangeEdited, s.Status(), SourceOperator, now, time.Time{})
}

func (s *Spot) occupy(now time.Time) (*event.Event, error) {
	return s.see(Taken, event.ChangeOccupied, now)
}

// release makes the spot free, or reserved where it has a reservation.
func (s *Spot) release(now time.Time) (*event.Event, error) {
	return s.see(Vacant, event.ChangeReleased, now)
}

// see is an operator's look at the spot. Sensors' readings from before it are late.
func (s *Spot) see(occupancy Occupancy, change event.Change, now time.Time) (*event.Event, error) {
	switch {
	case s.Closed:
		return nil, transitionRefused(s, "is closed; reopen it first")
	case s.Faulted:
		return nil, transitionRefused(s, "is out of service; repair it first")
	}
	was, same := s.Status(), s.Occupancy == occupancy
	s.Occupancy, s.SignalLost = occupancy, false
	if now.After(s.LastObservedAt) {
		s.LastObservedAt, s.LastSequence = now, 0
	}
	if same {
		return nil, nil
	}
	return s.raise(change, was, SourceOperator, now, now), nil
}

func (s *Spot) close(now time.Time) (*event.Event, error) {
	return s.flag(&s.Closed, true, event.ChangeClosed, now), nil
}

func (s *Spot) reopen(now time.Time) (*event.Event, error) {
	return s.flag(&s.Closed, false, event.ChangeReopened, now), nil
}

func (s *Spot) fault(now time.Time) (*event.Event, error) {
	return s.flag(&s.Faulted, true, event.ChangeFaulted, now), nil
}

func (s *Spot) repair(now time.Time) (*event.Event, error) {
	return s.flag(&s.Faulted, false, event.ChangeRepaired, now), nil
}

// flag sets Closed or Faulted. What sensors and operators did meanwhile shows in the status that then holds.
func (s *Spot) flag(which *bool, to bool, change event.Change, now time.Time) *event.Event {
	if *which == to {
		return nil
	}
	was := s.Status()
	*which = to
	return s.raise(change, was, SourceOperator, now, time.Time{})
}
