package storage

import (
	"parkwire/internal/database"
	"parkwire/internal/parking"
)

// Unavailable puts [parking.ErrUnavailable] before err.
func Unavailable(err error) error { return database.Mark(parking.ErrUnavailable, err) }

// Wake gives a token to who waits, if there is something to do. One token stands for all.
func Wake(who chan<- struct{}, something bool) {
	if !something {
		return
	}
	select {
	case who <- struct{}{}:
	default:
	}
}
