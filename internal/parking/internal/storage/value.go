package storage

import "parkwire/internal/parking"

// Null returns nil, which is written as null, for the zero value.
func Null[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// Lat and Lon return the coordinates of a location, nil without one.
func Lat(l *parking.Location) *float64 {
	if l == nil {
		return nil
	}
	return &l.Lat
}

// Lon is beside [Lat].
func Lon(l *parking.Location) *float64 {
	if l == nil {
		return nil
	}
	return &l.Lon
}

// Reservation returns what the columns of a reservation hold; the zero one is that of a spot without.
func Reservation(s parking.Spot) parking.Reservation {
	if s.Reservation == nil {
		return parking.Reservation{}
	}
	return *s.Reservation
}
