package rest

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"parkwire/internal/event"
)

// What values may be that all services have, each as words for clients and as a test. The words are in api/openapi.yaml too.

const (
	maxID   = 128 // bytes
	maxText = 200 // characters
)

// The words.
const (
	WantID            = `a string of 1 to 128 bytes without "/", control characters, or space at its ends, such as "A-017"`
	WantName          = `a string of 1 to 200 characters without control characters, such as "Central Garage"`
	WantTimeZone      = `the IANA name of a time zone, such as "Europe/Berlin"`
	WantLat           = `a number of degrees from -90 to 90, such as 52.52`
	WantLon           = `a number of degrees from -180 to 180, such as 13.405`
	WantBool          = `true or false`
	WantTime          = `an RFC 3339 time from 1970 on, such as "2026-11-24T03:35:00.123Z"`
	WantTimeParameter = `an RFC 3339 time, such as 2026-11-24T03:35:00Z ("+" is %2B in an address)`
	WantFuture        = `a time in the future`
)

// ValidID says what may be an id. Anything a person may have painted on the ground is right, as long as it is
// one segment of a path: "/" ends one, and "." and ".." mean another place.
func ValidID(id string) bool {
	return id != "" && len(id) <= maxID && id != "." && id != ".." && strings.TrimSpace(id) == id &&
		consists(id, unicode.IsPrint) && !strings.Contains(id, "/")
}

// ValidName says what may be a name that people give.
func ValidName(text string) bool { return strings.TrimSpace(text) != "" && ValidText(text, maxText) }

// ValidText says what may be a text for people, of at most so many characters.
func ValidText(text string, most int) bool {
	return utf8.RuneCountInString(text) <= most && consists(text, func(r rune) bool {
		return unicode.IsGraphic(r) || r == '\u200c' || r == '\u200d' // which part and join letters, and make one of several emoji
	})
}

// consists refuses U+FFFD too, which is what bytes that are no UTF-8 have become.
func consists(text string, of func(rune) bool) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return !of(r) || r == utf8.RuneError })
}

// ValidTimeZone takes no "Local", which is another zone on each machine.
func ValidTimeZone(name string) bool {
	if name == "" || name == "Local" {
		return false
	}
	_, err := time.LoadLocation(name)
	return err == nil
}

// ValidLat says what may be the degrees of a latitude.
func ValidLat(degrees float64) bool { return degrees >= -90 && degrees <= 90 }

// ValidLon says what may be those of a longitude.
func ValidLon(degrees float64) bool { return degrees >= -180 && degrees <= 180 }

// ValidTime refuses what is no time of an observation: a device whose clock was never set, a zero value.
func ValidTime(t event.Time) bool { return t.Year() >= 1970 && t.Year() <= 9999 }

// ReadTime reads a time, by [Optional] or [Required] of [event.Time] as how says, as precisely as it is kept.
func ReadTime(o *Object, name string, to *time.Time, how func(*Object, string, *event.Time, string, func(event.Time) bool)) {
	t := event.Time{Time: *to}
	how(o, name, &t, WantTime, ValidTime)
	if !t.IsZero() {
		t = event.At(t.Time)
	}
	*to = t.Time
}
