package parking

import (
	"slices"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/rest"
)

// What values may be beside those of [rest], each as words for clients and as a test. The words are in api/openapi.yaml too.

const (
	maxAddress   = 500 // characters
	maxHeartbeat = 7 * 24 * time.Hour
)

const (
	wantAddress   = `a string of up to 500 characters without control characters, such as "1 Station Road"`
	wantReference = `a string of 1 to 200 characters without control characters, such as "order-1744"`
	wantHeartbeat = `a whole number of seconds from 0 (no supervision) to 604800, such as 3600`
	wantLevel     = `a whole number from -100 to 1000, such as -1`
	wantPast      = `a time that is not in the future by more than 60 s`
	wantSequence  = `a whole number from 0 on, such as 42`
	wantCategory  = `one of standard, accessible, electric, family, motorcycle, short_stay`
	wantScopes    = `a list of read, ingest, operate, admin, each at most once, such as ["ingest"]`
	wantLots      = `a list of 1 to 1000 ids of lots, of up to 24576 bytes together in percent encoding, such as ["central"]; left out: all lots`
	wantGrace     = `a whole number of seconds from 0 to 2592000, such as 86400`
	wantTokenID   = `the id of a token (its claim "jti"), of 1 to 200 bytes`
	wantSubject   = `the subject of tokens (their claim "sub"), of 1 to 200 bytes; an API key is revoked by DELETE /api/v1/keys/{keyId}`
	wantRevision  = `a whole number from 0 on`
	wantFirst     = `one of free, occupied, unknown, closed, out_of_service`
	wantStatus    = `one of closed, out_of_service, unknown, occupied, reserved, free`
)

func validAddress(text string) bool { return rest.ValidText(text, maxAddress) }

func validHeartbeat(seconds int64) bool {
	return seconds >= 0 && seconds <= int64(maxHeartbeat/time.Second)
}

func validLevel(level int) bool { return level >= -100 && level <= 1000 }

func validSequence(n int64) bool { return n >= 0 }

func validCategory(c Category) bool { return slices.Contains(Categories, c) }

func validFirst(s event.Status) bool {
	switch s {
	case event.Free, event.Occupied, event.Unknown, event.Closed, event.OutOfService:
		return true
	}
	return false
}

func readLocation(o *rest.Object, l *Location) {
	rest.Required(o, "lat", &l.Lat, rest.WantLat, rest.ValidLat)
	rest.Required(o, "lon", &l.Lon, rest.WantLon, rest.ValidLon)
}

// readHeartbeat reads seconds.
func readHeartbeat(o *rest.Object, to *time.Duration) {
	seconds := int64(*to / time.Second)
	rest.Optional(o, "heartbeatSeconds", &seconds, wantHeartbeat, validHeartbeat)
	*to = time.Duration(seconds) * time.Second
}
