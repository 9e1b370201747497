package parking

import (
	"context"
	"errors"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/relay"
)

// The errors of a [Store] that its users tell apart, in the chain of what it returns.
var (
	ErrNotFound = errors.New("there is none with this id")
	ErrTaken    = errors.New("the id is taken")
	ErrInUse    = errors.New("it still has spots")
	// ErrClaimed: another transaction works under the same key and has not ended.
	ErrClaimed = errors.New("another request under the same key is under way")
	// ErrUnavailable is in the chain of every error that comes from the database being away or
	// overloaded rather than from what was asked. Nothing was changed, or, where the connection was lost
	// in the middle of a commit, everything was.
	ErrUnavailable = errors.New("the database cannot be reached")
)

// Store keeps lots, zones and spots, and the outbox of the events about them. All times are kept
// to the millisecond, in UTC. Its methods may be called by several goroutines, and, on a database that is
// shared, by several processes.
type Store interface {
	relay.Outbox
	relay.Records

	// Start brings the schema up to date. It waits while the database is away, and says so in the
	// log once.
	Start(ctx context.Context) error
	// Ready returns nil, or why the store cannot be used at present.
	Ready() error
	Close() error

	// Update calls change in a transaction and commits when it returns nil. It calls change again, from the
	// start, when the database could not order the transaction among others; change must therefore
	// have no effects but by Tx. The error of change is returned as it is.
	Update(ctx context.Context, change func(ctx context.Context, tx Tx) error) error

	// Lots returns the lots that match, by id.
	Lots(ctx context.Context, q LotQuery) ([]LotState, error)
	Lot(ctx context.Context, id string) (LotState, error)
	// Zones returns the zones of a lot, by id; ErrNotFound where there is no such lot.
	Zones(ctx context.Context, lotID string) ([]ZoneState, error)
	// Spots returns the spots that match, by id. Removed spots are not there.
	Spots(ctx context.Context, q SpotQuery) ([]Spot, error)
	Spot(ctx context.Context, id string) (Spot, error)
	// History returns up to limit entries of a spot, the newest first, of those with an ID below before (0: all).
	History(ctx context.Context, spotID string, before int64, limit int) ([]HistoryEntry, error)
	// PruneHistory removes up to limit entries recorded before t and returns how many there were.
	PruneHistory(ctx context.Context, t time.Time, limit int) (int, error)
	// Sensors returns the sensors that match, by id.
	Sensors(ctx context.Context, q SensorQuery) ([]Sensor, error)
	Sensor(ctx context.Context, id string) (Sensor, error)
	// AccessRows returns up to limit keys or revocations whose id follows after, by id.
	AccessRows(ctx context.Context, kind, after string, limit int) ([]AccessRow, error)
	AccessRow(ctx context.Context, kind, id string) (AccessRow, error)
	// AccessSince returns up to limit keys and revocations with a revision above that, by revision. Whoever has those up to one has
	// missed none below it.
	AccessSince(ctx context.Context, revision int64, limit int) ([]AccessRow, error)
	// AccessRevision returns the newest revision; 0 where there never was any.
	AccessRevision(ctx context.Context) (int64, error)
	// Answer returns what was kept under a key at since or later; ErrNotFound where nothing was.
	Answer(ctx context.Context, key AnswerKey, since time.Time) (KeptAnswer, error)
	// PruneAnswers removes up to limit answers kept before t and returns how many there were.
	PruneAnswers(ctx context.Context, t time.Time, limit int) (int, error)
}

// Tx is what a transaction can do. What it reads of lots and spots stays as it is until the end of
// the transaction. To avoid deadlocks spots are locked in the order of their ids by one call of Spots.
type Tx interface {
	// Lot reads a lot, which cannot be removed meanwhile.
	Lot(ctx context.Context, id string) (Lot, error)
	AddLot(ctx context.Context, lot Lot) error // ErrTaken
	SaveLot(ctx context.Context, lot Lot) error
	RemoveLot(ctx context.Context, id string) error // with its zones; ErrNotFound, ErrInUse

	// ZonesOf reads and locks the zones of a lot, by id.
	ZonesOf(ctx context.Context, lotID string) ([]Zone, error)
	Zone(ctx context.Context, id string) (Zone, error)
	// Zones reads those of the zones that exist, which cannot be removed meanwhile.
	Zones(ctx context.Context, ids []string) (map[string]Zone, error)
	AddZone(ctx context.Context, zone Zone) error // ErrTaken
	SaveZone(ctx context.Context, zone Zone) error
	RemoveZone(ctx context.Context, id string) error // ErrNotFound, ErrInUse

	// Spots reads and locks those of the spots that exist or existed: Removed tells.
	Spots(ctx context.Context, ids []string) (map[string]Spot, error)
	// Overdue reads and locks up to limit spots that something is due for at now: a reservation has ended, or
	// the last reading (or, without one, the adding) and the last sign of life of a spot that is not unknown already are longer ago than its heartbeat interval. Spots
	// that another transaction holds are left out.
	Overdue(ctx context.Context, now time.Time, limit int) ([]Spot, error)
	// SaveSpots adds spots or replaces what is stored of them. ErrTaken where another transaction added one first.
	SaveSpots(ctx context.Context, spots []Spot) error

	// Sensors reads and locks those of the sensors that exist. Who needs sensors and spots asks for the sensors first.
	Sensors(ctx context.Context, ids []string) (map[string]Sensor, error)
	AddSensor(ctx context.Context, sensor Sensor) error      // ErrTaken; ErrNotFound where there never was such a spot
	SaveSensors(ctx context.Context, sensors []Sensor) error // ErrNotFound
	RemoveSensor(ctx context.Context, id string) error       // ErrNotFound

	// Append adds events to the outbox, in order, and their entries to the history. The store
	// gives rows and entries their IDs.
	Append(ctx context.Context, rows []relay.OutboxRow, entries []HistoryEntry) error
	// AppendRecords adds records, in order, which are sent when the transaction is committed.
	AppendRecords(ctx context.Context, records []relay.Record) error

	// NextAccessRevision returns the next revision of keys and revocations. No other transaction gets one until this one ends. It is at least
	// the time in milliseconds since 1970, so that a database that was restored from a backup does not count what was counted before: what is
	// said then is newer than whatever was said, also to who heard that and knows nothing of the backup.
	NextAccessRevision(ctx context.Context) (int64, error)
	AccessRow(ctx context.Context, kind, id string) (AccessRow, error) // ErrNotFound
	SaveAccess(ctx context.Context, row AccessRow) error               // added, or in the place of the one before
	// DropAccess removes up to limit rows that are kept until a time before now, and returns them.
	DropAccess(ctx context.Context, now time.Time, limit int) ([]AccessRow, error)

	// ClaimAnswer takes a key for this transaction, and returns what was kept under it at since or later: ErrNotFound where
	// nothing was, ErrClaimed where another transaction has the key. It does not wait for that one.
	ClaimAnswer(ctx context.Context, key AnswerKey, since time.Time) (KeptAnswer, error)
	// KeepAnswer keeps an answer, in the place of an older one under the same key.
	KeepAnswer(ctx context.Context, a KeptAnswer) error
}

// AccessRow is what is kept of an API key or of a revocation: see [access.Entry], which Value is.
type AccessRow struct {
	Kind, ID  string
	Revision  int64
	Value     []byte    // JSON
	KeptUntil time.Time // zero: for ever
}

// AnswerKey is a key that a client gave one of its requests, see the header Idempotency-Key.
type AnswerKey struct{ Subject, Key string }

// KeptAnswer is what a request under a key was answered.
type KeptAnswer struct {
	AnswerKey
	Fingerprint []byte // of the request
	Status      int
	Location    string // header; "" for none
	ETag        string // header; "" for none
	Body        []byte // JSON
	KeptAt      time.Time
}

// LotState is a lot with what its spots are.
type LotState struct {
	Lot
	Counts Counts
}

// ZoneState is a zone with what its spots are.
type ZoneState struct {
	Zone
	Counts Counts
}

// LotQuery selects lots.
type LotQuery struct {
	IDs   []string // nil: all
	After string   // whose id follows
	Limit int
}

// SpotQuery selects spots: those that match one of the values in each field that has any.
type SpotQuery struct {
	Lots         []string // nil: all; where it is empty nothing matches
	Zones        []string
	Statuses     []event.Status
	Within       *Box
	ChangedSince time.Time // changed at this time or later
	After        string    // whose id follows
	Limit        int
}

// SensorQuery selects sensors: those on one of the spots, where there are any.
type SensorQuery struct {
	Lots  []string // on spots of these; nil: all, also those that stand nowhere
	Spots []string
	After string // whose id follows
	Limit int
}

// Box is a rectangle of degrees. Where West is greater than East it crosses the 180th meridian.
type Box struct{ West, South, East, North float64 }

// HistoryEntry is something that happened to a spot: an event, or a reading that came too late to be one.
type HistoryEntry struct {
	ID             int64
	SpotID         string
	Change         event.Change // [ChangeLate] for a late reading
	Status         event.Status // what a late reading said: free or occupied
	PreviousStatus event.Status
	Version        int64 // 0 for a late reading
	EventID        string
	ObservedAt     time.Time
	RecordedAt     time.Time
	Source         Source
	By             string // subject of the token, where one was shown
}

// ChangeLate is in [HistoryEntry.Change] for a reading that is older than the last accepted one.
const ChangeLate event.Change = "late_reading"
