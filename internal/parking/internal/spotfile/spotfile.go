// Package spotfile reads files of spots as cities and operators have them, CSV and GeoJSON: it finds out which column is
// which, and gives one record after another as text. What the text must be is for the reader of the records to say.
package spotfile

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"unicode"
)

// Field is something that a record may say of a spot.
type Field int

// The fields. Where a file has a location in one column, it is given as Lat and Lon.
const (
	SpotID Field = iota
	LotID
	ZoneID
	Name
	Category
	Lat
	Lon
	Heartbeat
	Status
	Occupancy
	Closed
	Faulted
	ObservedAt
	location // "lat, lon" or "POINT (lon lat)"
	fields   // how many there are
)

// known are the names of each field: first as it is documented and exported, then others by which it goes, the best first.
// They are compared without case, spaces and punctuation.
var known = [fields][]string{
	SpotID:     {"spotId", "spot", "kerbsideId", "bayId", "stallId", "spaceId", "markerId", "bay", "stall", "space", "id"},
	LotID:      {"lotId", "lot"},
	ZoneID:     {"zoneId", "zone", "zoneNumber", "parkingZone"},
	Name:       {"name", "spotName", "label", "description", "roadSegmentDescription"},
	Category:   {"category", "spotCategory"},
	Lat:        {"lat", "latitude", "y"},
	Lon:        {"lon", "lng", "long", "longitude", "x"},
	Heartbeat:  {"heartbeatSeconds", "heartbeat"},
	Status:     {"status", "statusDescription", "state"},
	Occupancy:  {"occupancy"},
	Closed:     {"closed"},
	Faulted:    {"faulted"},
	ObservedAt: {"observedAt", "lastObservedAt", "statusTimestamp"},
	location:   {"location", "coordinates", "geoPoint", "point", "latLon"},
}

func (f Field) String() string { return known[f][0] }

// Names returns all names of a field, the documented one first.
func (f Field) Names() []string { return slices.Clone(known[f]) }

// A Column is a column of a table, or a property of features, and the field that it was read as.
type Column struct {
	Name  string `json:"name"`
	Field string `json:"field,omitempty"` // "" where nothing is read from it
}

// A Record is one row of a table, or one feature.
type Record struct {
	Place int    // the line where the row begins, or which feature it is; from 1
	Fault *Fault // not nil where the record cannot be read

	texts [fields]string
	there [fields]bool
}

// Text returns what the record says of a field, without space around it, and whether it says anything. "" says that there is none.
func (r *Record) Text(f Field) (string, bool) { return r.texts[f], r.there[f] }

func (r *Record) set(f Field, text string) { r.texts[f], r.there[f] = strings.TrimSpace(text), true }

// A Fault is what is wrong with a record.
type Fault struct{ Field, Reason, Remedy string }

// An Error says why a file cannot be read at all.
type Error struct{ Detail string }

func (e *Error) Error() string { return e.Detail }

// ErrTooMany may be returned by who takes records; reading then ends with it.
var ErrTooMany = errors.New("there are more records than may be")

// A name is which field a column is, and how good a name of it: lower is better.
type name struct {
	field Field
	rank  int
}

// find returns which field a column is by its name.
func find(text string) (name, bool) {
	text = plain(text)
	for f, texts := range known {
		for rank, one := range texts {
			if strings.EqualFold(text, one) {
				return name{Field(f), rank}, true
			}
		}
	}
	return name{}, false
}

// plain leaves of a name what matters.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return r
	}, text)
}

// columns finds out which column is which field: of several that may be, the best name, then the first. -1 is none.
func columns(header []string) (of [fields]int) {
	var best [fields]int
	for f := range of {
		of[f] = -1
	}
	for i, text := range header {
		if n, ok := find(text); ok && (of[n.field] < 0 || n.rank < best[n.field]) {
			of[n.field], best[n.field] = i, n.rank
		}
	}
	if of[Lat] >= 0 && of[Lon] >= 0 {
		of[location] = -1
	}
	return of
}

func describe(header []string, of [fields]int) []Column {
	all := make([]Column, len(header))
	for i, text := range header {
		all[i].Name = text
	}
	for f, i := range of {
		if i >= 0 {
			all[i].Field = Field(f).String()
		}
	}
	return all
}

// locate takes apart a location that is one text.
func (r *Record) locate() {
	if !r.there[location] {
		return
	}
	text := r.texts[location]
	if text == "" {
		r.set(Lat, "")
		r.set(Lon, "")
		return
	}
	if inner, ok := cutAround(strings.ToUpper(text), "POINT", ")"); ok {
		if parts := strings.Fields(strings.TrimLeft(inner, " (")); len(parts) == 2 {
			r.set(Lon, parts[0])
			r.set(Lat, parts[1])
			return
		}
	}
	inner, _ := cutAround(text, "(", ")")
	lat, lon, ok := strings.Cut(cmp.Or(inner, text), ",")
	if !ok {
		r.Fault = &Fault{"location", "This is no location: " + Shorten(text) + ".", `Write it as "lat, lon", such as "48.137, 11.575", or in two columns lat and lon.`}
		return
	}
	r.set(Lat, lat)
	r.set(Lon, lon)
}

func cutAround(text, before, after string) (string, bool) {
	text, begins := strings.CutPrefix(text, before)
	text, ends := strings.CutSuffix(text, after)
	if !begins || !ends {
		return "", false
	}
	return text, true
}

// Shorten quotes what a file says so that it stays readable inside a sentence.
func Shorten(text string) string {
	const most = 60
	text = strings.ToValidUTF8(text, "�")
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return `"` + text + `"`
}
