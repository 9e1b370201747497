package parking

import (
	"time"

	"parkwire/internal/event"
)

// maxAhead is how far a sensor's clock may be ahead of the platform's. A reading from further in the future would make
// every later one late, until that time has come.
const maxAhead = 60 * time.Second

// outcome is what became of a reading.
type outcome uint8

const (
	accepted     outcome = iota // it changed the state
	unchanged                   // it said what was known
	late                        // older than the last accepted one
	inFuture                    // rejected: see maxAhead
	noSuchSpot                  // rejected
	noSuchSensor                // rejected
	notPlaced                   // rejected: the sensor stands on no spot
	notDecoded                  // rejected: nobody knows what the sensor said
)

// outcomes are the names under which they are counted.
var outcomes = [...]string{"accepted", "unchanged", "late", "rejected"}

func (o outcome) String() string { return outcomes[min(int(o), len(outcomes)-1)] }

// observe takes a sensor's reading. On a spot that is closed or out of service it is kept and not published:
// the event that ends that state tells of it.
func (s *Spot) observe(o Observation, now time.Time) (outcome, *event.Event) {
	occupancy, change := Vacant, event.ChangeReleased
	if o.Occupied {
		occupancy, change = Taken, event.ChangeOccupied
	}
	switch {
	case o.ObservedAt.After(now.Add(maxAhead)):
		return inFuture, nil
	case o.ObservedAt.Before(s.LastObservedAt):
		return late, nil
	case o.ObservedAt.Equal(s.LastObservedAt) && o.Sequence <= s.LastSequence:
		if occupancy == s.Occupancy {
			return unchanged, nil
		}
		return late, nil
	}
	was, same, lost := s.Status(), occupancy == s.Occupancy, s.SignalLost
	s.Occupancy, s.SignalLost = occupancy, false
	s.LastObservedAt, s.LastSequence = o.ObservedAt, o.Sequence
	if o.SensorID != "" {
		s.SensorID = o.SensorID
	}
	switch {
	case same:
		return unchanged, nil
	case s.Closed || s.Faulted:
		return accepted, nil
	case lost:
		change = event.ChangeSignalRestored
	}
	return accepted, s.raise(change, was, SourceSensor, now, o.ObservedAt)
}

// hear takes a sign of life that says nothing of vehicles: the spot is what it was, and stays unknown where it is.
func (s *Spot) hear(at time.Time) {
	if at.After(s.LastHeardAt) {
		s.LastHeardAt = at
	}
}

// elapse does what is due by the passing of time: a reservation ends, a silent sensor's spot becomes unknown. lot
// is the heartbeat interval of the spot's lot.
func (s *Spot) elapse(lot time.Duration, now time.Time) []*event.Event {
	var events []*event.Event
	if s.Reservation != nil && s.Reservation.over(now) {
		events = append(events, s.endReservation(SourceSystem, now))
	}
	if e := s.loseSignal(lot, now); e != nil {
		events = append(events, e)
	}
	return events
}

func (s *Spot) loseSignal(lot time.Duration, now time.Time) *event.Event {
	heartbeat := s.Heartbeat
	if heartbeat == 0 {
		heartbeat = lot
	}
	heard := s.LastObservedAt
	if heard.IsZero() {
		heard = s.AddedAt
	}
	if s.LastHeardAt.After(heard) {
		heard = s.LastHeardAt
	}
	if heartbeat == 0 || s.Occupancy == NotKnown || now.Sub(heard) <= heartbeat {
		return nil
	}
	was := s.Status()
	s.Occupancy, s.SignalLost = NotKnown, true
	if s.Closed || s.Faulted {
		return nil // as with readings: the end of that state will tell
	}
	return s.raise(event.ChangeSignalLost, was, SourceSystem, now, time.Time{})
}
