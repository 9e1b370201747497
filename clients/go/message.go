package parkwire

import (
	"encoding/json"
	"time"

	"parkwire/internal/event"
)

// Status is what a spot is: "free", "occupied", "reserved", "closed", "out_of_service", "unknown" or, in the last event of a spot, "removed".
type Status = event.Status

// Change is what happened to a spot: "added", "occupied", "released", "reserved", "reservation_ended", "signal_lost", "signal_restored",
// "closed", "reopened", "faulted", "repaired", "edited" or "removed".
type Change = event.Change

// The statuses.
const (
	Free         = event.Free
	Occupied     = event.Occupied
	Reserved     = event.Reserved
	Closed       = event.Closed
	OutOfService = event.OutOfService
	Unknown      = event.Unknown
	Removed      = event.Removed
)

// A Message is what a subscription brings: an [Event], a [State], a [Conflated], a [Gap] or a [Foreign]. Further kinds may be added, so
// a type switch should leave alone what it does not know.
type Message interface{ size() int }

// Event is one change of one spot. Programs other than Parkwire may write events too, and then only SpotID is certain to be there.
type Event struct {
	SpotID    string
	Status    Status
	Timestamp time.Time // when the change was accepted; UTC, milliseconds

	ID             string // UUIDv7
	Change         Change
	PreviousStatus Status    // empty in "added"
	Version        int64     // 1, 2, 3 … per spot, without a hole; 0 in events of other programs
	LotID, ZoneID  string    // ZoneID is empty where the spot is in none
	ObservedAt     time.Time // when the sensor or the operator saw it
	Source         string    // sensor, operator or system

	// Cursor names the place in the log behind this event, for [After]. It is empty in an event that came together with later
	// ones, and in those of a [State], which has its own.
	Cursor string
	Raw    json.RawMessage // the JSON as it came
}

// State is everything that matches a subscription, at one moment: the newest event of each spot. It replaces what was known before.
// The changes that follow it are those that happened later, all of them.
type State struct {
	Spots  []Event // in no particular order
	Cursor string  // behind which the changes follow
	// Reason is empty in the first state, and says in a later one why changes between are not known: "cursor-expired" (they are
	// older than what the log keeps) or "other-log" (the platform was set up anew).
	Reason string
}

// Conflated says that this program read so slowly that the platform left something out: of what came after a cursor
// only the newest event of each spot follows. GET /api/v1/events?after= has all of them.
type Conflated struct {
	After   string
	Omitted int // events, of all subscriptions of the client together
}

// Gap says that versions of a spot are missing between After and Version, for no reason that the platform gave. That is a defect, of
// the platform or of this package; it is logged too. The event with Version follows.
type Gap struct {
	SpotID         string
	After, Version int64
}

// Foreign is what another program published to clients on the platform's bus. It has no place in the log. It comes where the JSON
// matches as an event does; what cannot be read as one comes to the empty filter.
type Foreign struct {
	JSON json.RawMessage // a string where what was published is no JSON
}

// overhead is about what a message occupies beside its bytes.
const overhead = 256

func (e Event) size() int { return overhead + len(e.Raw) }

func (s State) size() int {
	n := overhead
	for _, e := range s.Spots {
		n += e.size()
	}
	return n
}

func (Conflated) size() int { return overhead }
func (Gap) size() int       { return overhead }
func (f Foreign) size() int { return overhead + len(f.JSON) }

// decodeEvent reads an event that any program may have written.
func decodeEvent(raw json.RawMessage) (Event, error) {
	e, err := event.Decode(raw)
	if err != nil {
		return Event{}, err
	}
	return Event{
		SpotID: e.SpotID, Status: e.Status, Timestamp: e.Timestamp.Time, ID: e.EventID, Change: e.Change, PreviousStatus: e.PreviousStatus,
		Version: e.Version, LotID: e.LotID, ZoneID: e.ZoneID, ObservedAt: e.ObservedAt.Time, Source: e.Source, Raw: raw,
	}, nil
}
