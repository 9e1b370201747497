package storage

import (
	"time"

	"parkwire/internal/parking"
)

// Extent is how much of a spot is different: each is more than the one before.
type Extent int

// The extents.
const (
	Nothing  Extent = iota
	Observed        // only what every reading changes
	Changed         // also what an event of a reading changes
	Anything
)

// Difference tells how much of what is stored of a spot is different.
func Difference(a, b parking.Spot) Extent {
	if a == b {
		return Nothing
	}
	for _, s := range []*parking.Spot{&a, &b} {
		s.LastObservedAt, s.LastHeardAt, s.LastSequence, s.SensorID = time.Time{}, time.Time{}, 0, ""
	}
	if a == b {
		return Observed
	}
	for _, s := range []*parking.Spot{&a, &b} {
		s.Occupancy, s.SignalLost, s.Version, s.ChangedAt = "", false, 0, time.Time{}
	}
	if a == b {
		return Changed
	}
	return Anything
}
