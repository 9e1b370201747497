package parking

import (
	"bufio"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/parking/internal/spotfile"
	"parkwire/internal/rest"
)

// maxImported bounds the rows of one file; those of a file of which all or nothing is wanted are bounded by maxAdded.
const maxImported = 50_000

const (
	typeTabs     = "text/tab-separated-values"
	typeGeoJSON  = "application/geo+json"
	wantDegrees  = "Give latitude and longitude as degrees with a decimal point, such as 48.137 and 11.575."
	wantImported = "Let it be free, occupied, unknown, closed or out_of_service, or leave it empty."
)

// importRow is a spot as a file describes it.
type importRow struct {
	place int
	spot  Spot // as it is where it is new
	given [spotfile.Faulted + 1]bool
}

// onto returns the spot with what the file says of it. What the file has no word about stays, and so does what spots are
// at present: that is for readings and operators to say.
func (r importRow) onto(s Spot) Spot {
	if r.given[spotfile.ZoneID] {
		s.ZoneID = r.spot.ZoneID
	}
	if r.given[spotfile.Name] {
		s.Name = r.spot.Name
	}
	if r.given[spotfile.Category] {
		s.Category = r.spot.Category
	}
	if r.given[spotfile.Lat] || r.given[spotfile.Lon] {
		s.Location = r.spot.Location
	}
	if r.given[spotfile.Heartbeat] {
		s.Heartbeat = r.spot.Heartbeat
	}
	return s
}

// importFile is what a file says, and what is wrong with it.
type importFile struct {
	rows    []importRow
	faults  []importFault
	columns []spotfile.Column
	lines   bool // places are lines, rather than features
}

// readImport reads the whole body, row by row, before anything is done.
func (s *Service) readImport(w http.ResponseWriter, r *http.Request, lotID string, most int) (importFile, error) {
	body := bufio.NewReader(http.MaxBytesReader(w, r.Body, rest.MaxBody))
	table, err := isTable(r, body)
	if err != nil {
		return importFile{}, err
	}
	file, read := importFile{lines: table}, spotfile.ReadGeoJSON
	if table {
		read = spotfile.ReadCSV
	}
	seen, latest, count := map[string]int{}, s.now().Add(maxAhead), 0
	file.columns, err = read(body, func(record *spotfile.Record) error {
		if count++; count > most {
			return tooManyRows(most)
		}
		reading := rowReader{record: record, row: importRow{place: record.Place}, fault: record.Fault}
		reading.read(lotID, latest)
		id := reading.row.spot.ID
		if before, twice := seen[id]; twice && reading.fault == nil {
			reading.fail(spotfile.SpotID, fmt.Sprintf("The spot is in the file already, at %d.", before), "Leave one of the two out.")
		}
		if reading.fault != nil {
			file.faults = append(file.faults, file.fault(record.Place, id, *reading.fault))
			return nil
		}
		seen[id] = record.Place
		file.rows = append(file.rows, reading.row)
		return nil
	})
	var unreadable *spotfile.Error
	switch {
	case errors.As(err, &unreadable):
		err = rest.InvalidBody(unreadable.Detail + " Nothing was changed.")
	case err != nil:
		err = rest.BodyError(r, err)
	}
	return file, err
}

// isTable says by the header, or where there is none by the first byte, whether the body is a table or a collection of features.
func isTable(r *http.Request, body *bufio.Reader) (bool, error) {
	kind, err := rest.ContentType(r, rest.TypeCSV, typeTabs, typeGeoJSON, rest.TypeJSON)
	if err != nil {
		return false, err
	}
	_, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch strings.ToLower(params["charset"]) {
	case "", "utf-8", "utf8", "us-ascii":
	default:
		return false, rest.MediaType(r.Header.Get("Content-Type"), rest.TypeCSV+"; charset=utf-8", typeGeoJSON)
	}
	if kind == "" {
		first, _ := body.Peek(1)
		return string(first) != "{", nil
	}
	return kind == rest.TypeCSV || kind == typeTabs, nil
}

// rowReader reads one record. The first thing that is wrong is kept.
type rowReader struct {
	record *spotfile.Record
	row    importRow
	fault  *spotfile.Fault
}

func (r *rowReader) fail(field spotfile.Field, reason, remedy string) {
	if r.fault == nil {
		r.fault = &spotfile.Fault{Field: field.String(), Reason: reason, Remedy: remedy}
	}
}

// text returns what is said of a field; "" where nothing is.
func (r *rowReader) text(field spotfile.Field) string {
	text, there := r.record.Text(field)
	if there && int(field) < len(r.row.given) {
		r.row.given[field] = true
	}
	return text
}

// checked is text that must be valid where there is any.
func (r *rowReader) checked(field spotfile.Field, want string, valid func(string) bool) string {
	text := r.text(field)
	if text != "" && !valid(text) {
		r.wrong(field, text, "Make it "+want+".")
	}
	return text
}

func (r *rowReader) wrong(field spotfile.Field, text, remedy string) {
	r.fail(field, fmt.Sprintf("%s is no %s.", spotfile.Shorten(text), field), remedy)
}

func (r *rowReader) read(lotID string, latest time.Time) {
	s := &r.row.spot
	if s.ID = r.checked(spotfile.SpotID, rest.WantID, rest.ValidID); s.ID == "" {
		r.fail(spotfile.SpotID, "The row does not say which spot it is about.", "Give every spot an id, or leave the row out.")
	}
	if lot := r.text(spotfile.LotID); lot != "" && lot != lotID {
		r.fail(spotfile.LotID, fmt.Sprintf("The row is about the lot %s, and this import about %s.", spotfile.Shorten(lot), spotfile.Shorten(lotID)),
			"Import it to that lot, or leave the column out.")
	}
	s.ZoneID = r.checked(spotfile.ZoneID, rest.WantID, rest.ValidID)
	s.Name = r.checked(spotfile.Name, rest.WantName, rest.ValidName)
	s.Category = Standard
	if text := r.text(spotfile.Category); text != "" {
		if s.Category = Category(word(text)); !validCategory(s.Category) {
			r.wrong(spotfile.Category, text, "Let it be "+wantCategory+", or leave it empty.")
		}
	}
	s.Location = r.location()
	if text := r.text(spotfile.Heartbeat); text != "" {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil || !validHeartbeat(seconds) {
			r.wrong(spotfile.Heartbeat, text, "Make it "+wantHeartbeat+".")
		}
		s.Heartbeat = time.Duration(seconds) * time.Second
	}
	r.state(latest)
}

func (r *rowReader) location() *Location {
	lat, lon := r.text(spotfile.Lat), r.text(spotfile.Lon)
	if lat == "" && lon == "" {
		return nil
	}
	var at Location
	for _, part := range []struct {
		field spotfile.Field
		text  string
		to    *float64
		valid func(float64) bool
	}{{spotfile.Lat, lat, &at.Lat, rest.ValidLat}, {spotfile.Lon, lon, &at.Lon, rest.ValidLon}} {
		degrees, err := strconv.ParseFloat(part.text, 64)
		if err != nil || !part.valid(degrees) {
			r.wrong(part.field, part.text, wantDegrees)
		}
		*part.to = degrees
	}
	return &at
}

// state reads the first status, of spots that are added.
func (r *rowReader) state(latest time.Time) {
	status, ok := statusOf(r.text(spotfile.Status))
	if !ok {
		r.wrong(spotfile.Status, r.text(spotfile.Status), wantImported)
	}
	var observedAt time.Time
	if text := r.text(spotfile.ObservedAt); text != "" {
		t, err := time.Parse(time.RFC3339Nano, strings.Replace(text, " ", "T", 1))
		switch at := event.At(t); {
		case err != nil || !rest.ValidTime(at):
			r.wrong(spotfile.ObservedAt, text, "Make it "+rest.WantTime+".")
		case t.After(latest):
			r.fail(spotfile.ObservedAt, "It is "+wantPast[len("a time that "):]+".", "Leave the time out, or set the clock that it came from.")
		default:
			observedAt = at.Time
		}
	}
	s := &r.row.spot
	s.begin(status, observedAt)
	if text := r.text(spotfile.Occupancy); text != "" {
		seen, ok := statusOf(text)
		if s.Occupancy = Occupancy(seen); !ok || seen != event.Free && seen != event.Occupied && seen != event.Unknown {
			r.wrong(spotfile.Occupancy, text, "Let it be free, occupied or unknown, or leave it empty.")
		}
	}
	r.flag(spotfile.Closed, &s.Closed)
	r.flag(spotfile.Faulted, &s.Faulted)
}

func (r *rowReader) flag(field spotfile.Field, to *bool) {
	switch text := r.text(field); word(text) {
	case "":
	case "true", "yes", "1":
		*to = true
	case "false", "no", "0":
		*to = false
	default:
		r.wrong(field, text, "Let it be true or false, or leave it empty.")
	}
}

// word is text as it is compared: "Out of service" is out_of_service.
func word(text string) string {
	return strings.NewReplacer(" ", "_", "-", "_").Replace(strings.ToLower(text))
}

// statusOf understands the words that exports use. A reservation belongs to who made it, so that "reserved" is free here.
func statusOf(text string) (event.Status, bool) {
	switch s := event.Status(word(text)); s {
	case "", "unoccupied", "vacant", "available", event.Reserved:
		return event.Free, true
	case "present", "taken":
		return event.Occupied, true
	default:
		return s, validFirst(s)
	}
}
