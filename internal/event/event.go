// Package event is the contract that every part shares: the parking event, its
// JSON encoding, and the cursor that names a place in the event log.
package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"parkwire/internal/plainjson"
)

// Type is the value of the field "type" of every event. It never changes; what
// happened is in [Event.Change].
const Type = "ParkingSpotUpdated"

// Status is what a spot is to somebody who looks for one.
type Status string

// The statuses, in the order in which they win when several apply.
const (
	Removed      Status = "removed" // only in the last event of a spot
	Closed       Status = "closed"
	OutOfService Status = "out_of_service"
	Unknown      Status = "unknown"
	Occupied     Status = "occupied"
	Reserved     Status = "reserved"
	Free         Status = "free"
)

// Change is what happened to a spot.
type Change string

// The changes.
const (
	ChangeAdded            Change = "added"
	ChangeOccupied         Change = "occupied"
	ChangeReleased         Change = "released"
	ChangeReserved         Change = "reserved"
	ChangeReservationEnded Change = "reservation_ended"
	ChangeSignalLost       Change = "signal_lost"
	ChangeSignalRestored   Change = "signal_restored"
	ChangeClosed           Change = "closed"
	ChangeReopened         Change = "reopened"
	ChangeFaulted          Change = "faulted"
	ChangeRepaired         Change = "repaired"
	ChangeEdited           Change = "edited"
	ChangeRemoved          Change = "removed"
)

// Statuses and Changes list every value that Parkwire writes, for validation.
// Events of other programs may carry others and are delivered all the same.
var (
	Statuses = []Status{Removed, Closed, OutOfService, Unknown, Occupied, Reserved, Free}
	Changes  = []Change{
		ChangeAdded, ChangeOccupied, ChangeReleased, ChangeReserved, ChangeReservationEnded, ChangeSignalLost,
		ChangeSignalRestored, ChangeClosed, ChangeReopened, ChangeFaulted, ChangeRepaired, ChangeEdited, ChangeRemoved,
	}
)

// Event is one change of one spot. The first four fields are fixed for ever:
// programs that know only them read and write events. The others are empty in
// events that such programs wrote.
type Event struct {
	Type      string `json:"type"`
	SpotID    string `json:"spotId"`
	Status    Status `json:"status"`
	Timestamp Time   `json:"timestamp"` // when the change was accepted

	EventID        string `json:"eventId,omitempty"` // UUIDv7
	Change         Change `json:"change,omitempty"`
	PreviousStatus Status `json:"previousStatus,omitempty"` // absent in "added"
	Version        int64  `json:"version,omitempty"`        // 1, 2, 3 … per spot, without a hole
	LotID          string `json:"lotId,omitempty"`
	ZoneID         string `json:"zoneId,omitempty"`
	ObservedAt     Time   `json:"observedAt,omitzero"` // when the sensor or the operator saw it
	Source         string `json:"source,omitempty"`    // sensor, operator or system
}

// Encode returns e as one JSON object.
func Encode(e Event) ([]byte, error) {
	e.Type = Type
	if b, ok := encodePlain(e); ok {
		return b, nil
	}
	b, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encoding the event of spot %q: %w", e.SpotID, err)
	}
	return b, nil
}

// The reasons for which a record is no event.
var (
	ErrNotUTF8   = errors.New("the value is not valid UTF-8")
	ErrNotObject = errors.New("the value is not a JSON object")
	ErrNoSpotID  = errors.New(`the field "spotId" is missing or is not a non-empty string`)
)

// Decode reads a record that any program may have written. Only a JSON object with
// a spotId is required; a field of another type than ours, or a timestamp that cannot
// be read, is left empty rather than refused, because the bytes themselves are what is
// delivered and the fields only serve to filter and count. Names are taken exactly, as every other
// reader of the event does, and not in any case, as [json.Unmarshal] into a struct does.
func Decode(value []byte) (Event, error) {
	if e, ok := decodePlain(value); ok {
		return e, nil
	}
	return decodeAny(value)
}

func decodeAny(value []byte) (Event, error) {
	if !utf8.Valid(value) {
		return Event{}, ErrNotUTF8
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(value, &fields); err != nil || fields == nil {
		return Event{}, ErrNotObject
	}
	var e Event
	if !readString(fields["spotId"], &e.SpotID) || e.SpotID == "" {
		return Event{}, ErrNoSpotID
	}
	readString(fields["type"], &e.Type)
	readString(fields["status"], &e.Status)
	readString(fields["eventId"], &e.EventID)
	readString(fields["change"], &e.Change)
	readString(fields["previousStatus"], &e.PreviousStatus)
	readString(fields["lotId"], &e.LotID)
	readString(fields["zoneId"], &e.ZoneID)
	readString(fields["source"], &e.Source)
	e.Version, _ = strconv.ParseInt(string(fields["version"]), 10, 64)
	_ = e.Timestamp.UnmarshalJSON(fields["timestamp"])
	_ = e.ObservedAt.UnmarshalJSON(fields["observedAt"])
	return e, nil
}

// readString reads a JSON string, and reports whether it was one. Other values leave to as it is.
func readString[S ~string](raw json.RawMessage, to *S) bool {
	if len(raw) < 2 || raw[0] != '"' {
		return false
	}
	if plain := raw[1 : len(raw)-1]; bytes.IndexByte(plain, '\\') < 0 {
		*to = S(plain)
		return true
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return false
	}
	*to = S(s)
	return true
}

// Position is where an event stands in the log.
type Position struct {
	Partition int32 `json:"partition"`
	Offset    int64 `json:"offset"`
	// After is the offset before it that was published for this partition. A
	// receiver whose newest offset is smaller has missed something.
	After int64 `json:"after"`
	// Topic is the log's [TopicID.Short]; 0 where the publisher does not say, as those did not that were made before it.
	Topic uint64 `json:"-"`
	// Traceparent is of the trace that follows the event; "" for nearly all.
	Traceparent string `json:"-"`
}

// AppendLogPosition appends to dst the JSON object value with more fields at its end: "logTopic", "logTrace" where a trace follows the event, and
// "log". Everything in value stays as its writer wrote it. The first two stand outside of "log" because receivers that know
// only "log" take nothing else in it; they deliver them as fields of the event.
func AppendLogPosition(dst, value []byte, p Position) []byte {
	dst = appendOpenObject(dst, value)
	if p.Topic != 0 {
		dst = fmt.Appendf(dst, `%s%016x",`, topicField, p.Topic)
		if p.Traceparent != "" { // never without the topic, by which it is told from a field that the event has itself
			dst = append(dst, traceField...)
			dst = append(dst, p.Traceparent...)
			dst = append(dst, `",`...)
		}
	}
	dst = append(dst, `"log":{"partition":`...)
	dst = strconv.AppendInt(dst, int64(p.Partition), 10)
	dst = append(dst, `,"offset":`...)
	dst = strconv.AppendInt(dst, p.Offset, 10)
	dst = append(dst, `,"after":`...)
	dst = strconv.AppendInt(dst, p.After, 10)
	return append(dst, "}}"...)
}

// CutLogPosition undoes [AppendLogPosition]. It reports false for every message that this did not write, that
// is, one that some other program published: cut in another place than it was put together, an event might be none any more.
func CutLogPosition(message []byte) (value []byte, p Position, ok bool) {
	i := bytes.LastIndex(message, []byte(`"log":{"partition":`))
	if i < 1 || !bytes.HasSuffix(message, []byte("}}")) {
		return message, Position{}, false
	}
	if !p.read(message[i+len(`"log":`) : len(message)-1]) {
		return message, Position{}, false
	}
	// Who may publish on the bus may write anything here, and receivers index by it.
	if p.Partition < 0 || p.Partition >= maxPartitions || p.Offset < 0 || p.After < None || p.After >= p.Offset {
		return message, Position{}, false
	}
	head := bytes.TrimSuffix(message[:i], []byte(","))
	before, traceparent := cutField(head, traceField, traceparentLength)
	if strings.Trim(traceparent, "0123456789abcdef-") != "" {
		before, traceparent = head, ""
	}
	if before, topic := cutField(before, topicField, 16); topic != "" {
		if id, err := strconv.ParseUint(topic, 16, 64); err == nil {
			head, p.Topic, p.Traceparent = before, id, traceparent
		}
	}
	value = append(append(make([]byte, 0, len(head)+1), head...), '}')
	if len(bytes.TrimSpace(head)) == 0 || !bytes.Equal(AppendLogPosition(make([]byte, 0, len(message)), value, p), message) {
		return message, Position{}, false
	}
	return value, p, true
}

// read reads what [AppendLogPosition] wrote. It may take more than that: who calls it compares.
func (p *Position) read(object []byte) bool {
	return plainjson.Fields(object, func(name, value []byte) bool {
		n, err := strconv.ParseInt(string(value), 10, 64)
		switch string(name) {
		case "partition":
			p.Partition = int32(n)
		case "offset":
			p.Offset = n
		case "after":
			p.After = n
		}
		return err == nil
	})
}

const (
	topicField = `"logTopic":"`
	traceField = `"logTrace":"`
	// traceparentLength is that of a W3C traceparent.
	traceparentLength = 55
)

// cutField cuts a field off the end of what stands before the position, whose value has so many bytes.
func cutField(head []byte, field string, length int) (before []byte, value string) {
	i := len(head) - len(field) - length - 1
	if i < 1 || !bytes.HasPrefix(head[i:], []byte(field)) || head[len(head)-1] != '"' {
		return head, ""
	}
	return bytes.TrimSuffix(head[:i], []byte(",")), string(head[i+len(field) : len(head)-1])
}

// AppendCursor appends to dst the JSON object value with one more field, "cursor", at
// its end. The cursor is URL-safe and so needs no escaping.
func AppendCursor(dst, value []byte, cursor string) []byte {
	dst = appendOpenObject(dst, value)
	dst = append(dst, `"cursor":"`...)
	dst = append(dst, cursor...)
	return append(dst, `"}`...)
}

// appendOpenObject appends value without its closing brace, ready for one more field.
func appendOpenObject(dst, value []byte) []byte {
	body := bytes.TrimRight(value, " \t\r\n")
	body = bytes.TrimRight(body[:len(body)-1], " \t\r\n")
	dst = append(dst, body...)
	if body[len(body)-1] != '{' {
		dst = append(dst, ',')
	}
	return dst
}

// Time is a time in UTC, written as RFC 3339 with milliseconds, as JavaScript's
// toISOString does.
type Time struct{ time.Time }

// Layout is how [Time] is written.
const Layout = "2006-01-02T15:04:05.000Z"

// At returns t as a Time, cut to milliseconds.
func At(t time.Time) Time { return Time{t.UTC().Truncate(time.Millisecond)} }

func (t Time) String() string { return t.UTC().Format(Layout) }

// MarshalJSON writes t in [Layout].
func (t Time) MarshalJSON() ([]byte, error) { return t.UTC().AppendFormat(nil, `"`+Layout+`"`), nil }

// UnmarshalJSON reads any RFC 3339 time.
func (t *Time) UnmarshalJSON(b []byte) error {
	if n := len(b); n > 2 && b[0] == '"' && b[n-1] == '"' { // as nearly all are, without an escape
		if u, err := time.Parse(time.RFC3339Nano, string(b[1:n-1])); err == nil {
			t.Time = u.UTC()
			return nil
		}
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	u, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return fmt.Errorf("%q is no RFC 3339 time, such as 2026-11-24T03:35:00.123Z", s)
	}
	t.Time = u.UTC()
	return nil
}
