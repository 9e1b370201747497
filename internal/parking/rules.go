package parking

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"parkwire/internal/event"
)

// What values may be, each as words for clients and as a test. The words are in api/openapi.yaml too.

const (
	maxID        = 128 // bytes
	maxText      = 200 // characters
	maxAddress   = 500
	maxHeartbeat = 7 * 24 * time.Hour
)

const (
	wantID        = `a string of 1 to 128 bytes without "/", control characters, or space at its ends, such as "A-017"`
	wantAddress   = `a string of up to 500 characters without control characters, such as "1 Station Road"`
	wantName      = `a string of 1 to 200 characters without control characters, such as "Central Garage"`
	wantReference = `a string of 1 to 200 characters without control characters, such as "order-1744"`
	wantTimeZone  = `the IANA name of a time zone, such as "Europe/Berlin"`
	wantLat       = `a number of degrees from -90 to 90, such as 52.52`
	wantLon       = `a number of degrees from -180 to 180, such as 13.405`
	wantHeartbeat = `a whole number of seconds from 0 (no supervision) to 604800, such as 3600`
	wantLevel     = `a whole number from -100 to 1000, such as -1`
	wantBool      = `true or false`
	wantTime      = `an RFC 3339 time from 1970 on, such as "2026-11-24T03:35:00.123Z"`
	wantPast      = `a time that is not in the future by more than 60 s`
	wantFuture    = `a time in the future`
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

// validID says what may be an id. Anything a person may have painted on the ground is right, as long as it is
// one segment of a path: "/" ends one, and "." and ".." mean another place.
func validID(id string) bool {
	return id != "" && len(id) <= maxID && id != "." && id != ".." && strings.TrimSpace(id) == id &&
		consists(id, unicode.IsPrint) && !strings.Contains(id, "/")
}

func validName(text string) bool { return strings.TrimSpace(text) != "" && validText(text, maxText) }

func validAddress(text string) bool { return validText(text, maxAddress) }

func validText(text string, most int) bool {
	return utf8.RuneCountInString(text) <= most && consists(text, func(r rune) bool {
		return unicode.IsGraphic(r) || r == '\u200c' || r == '\u200d' // which part and join letters, and make one of several emoji
	})
}

// consists refuses U+FFFD too, which is what bytes that are no UTF-8 have become.
func consists(text string, of func(rune) bool) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return !of(r) || r == utf8.RuneError })
}

func validTimeZone(name string) bool {
	if name == "" || name == "Local" {
		return false
	}
	_, err := time.LoadLocation(name)
	return err == nil
}

func validLat(degrees float64) bool { return degrees >= -90 && degrees <= 90 }

func validLon(degrees float64) bool { return degrees >= -180 && degrees <= 180 }

func validHeartbeat(seconds int64) bool {
	return seconds >= 0 && seconds <= int64(maxHeartbeat/time.Second)
}

func validLevel(level int) bool { return level >= -100 && level <= 1000 }

func validSequence(n int64) bool { return n >= 0 }

// validTime refuses what is no time of an observation: a device whose clock was never set, a zero value.
func validTime(t event.Time) bool { return t.Year() >= 1970 && t.Year() <= 9999 }

func validCategory(c Category) bool { return slices.Contains(Categories, c) }

func validFirst(s event.Status) bool {
	switch s {
	case event.Free, event.Occupied, event.Unknown, event.Closed, event.OutOfService:
		return true
	}
	return false
}

func readLocation(o *object, l *Location) {
	required(o, "lat", &l.Lat, wantLat, validLat)
	required(o, "lon", &l.Lon, wantLon, validLon)
}

// readHeartbeat reads seconds.
func readHeartbeat(o *object, to *time.Duration) {
	seconds := int64(*to / time.Second)
	optional(o, "heartbeatSeconds", &seconds, wantHeartbeat, validHeartbeat)
	*to = time.Duration(seconds) * time.Second
}

// readTime reads a time, optional or required by how, as precisely as it is kept.
func readTime(o *object, name string, to *time.Time, how func(*object, string, *event.Time, string, func(event.Time) bool)) {
	t := event.Time{Time: *to}
	how(o, name, &t, wantTime, validTime)
	if !t.IsZero() {
		t = event.At(t.Time)
	}
	*to = t.Time
}
