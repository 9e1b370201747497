package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// Kind is what a record of the chain tells of.
type Kind string

// The kinds.
const (
	KindEvent      Kind = "event"      // of the topic of events: what happened to a spot
	KindChange     Kind = "change"     // of the topic of changes: who changed what
	KindUnreadable Kind = "unreadable" // of either topic, and neither: it is kept as it is
	KindGap        Kind = "gap"        // records that Kafka had no longer when they were to be read
	KindCheckpoint Kind = "checkpoint" // records that were removed because they are old, see [Checkpoint]
)

// Kinds are all of them.
var Kinds = []Kind{KindEvent, KindChange, KindUnreadable, KindGap, KindCheckpoint}

// Hash is SHA-256 over the encoding of a record.
type Hash [sha256.Size]byte

func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText writes it in hexadecimal digits.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// hashOf takes what a database has for a hash. What has another length is none, and nothing fits it.
func hashOf(raw []byte) (h Hash) {
	if len(raw) == len(h) {
		copy(h[:], raw)
	}
	return h
}

// UnmarshalText reads 64 hexadecimal digits.
func (h *Hash) UnmarshalText(text []byte) error {
	raw, err := hex.DecodeString(string(text))
	if err != nil || len(raw) != len(h) {
		return fmt.Errorf("%q is no hash, which is 64 hexadecimal digits", cut(string(text), 80))
	}
	copy(h[:], raw)
	return nil
}

// An Entry is one record of the chain. Key and Value are what Kafka had, to the byte; nil where there was none. The texts behind them are read from
// the value so that one can search for them: "" where it has none. All of it is in the hash.
type Entry struct {
	Sequence   int64 // 1, 2, 3 … without a hole
	Previous   Hash  // of the record before it
	RecordedAt int64 // when it became part of the chain, in Unix milliseconds; never less than that of the record before it
	Time       int64 // when it happened, as it says itself, in Unix milliseconds

	Kind      Kind
	Topic     string // "" for what this service has to say itself
	Partition int64
	Offset    int64
	Key       []byte
	Value     []byte

	ID           string // eventId, or id of a change
	Subject      string // who
	Client       string // from where: an address
	RequestID    string
	ResourceType string
	ResourceID   string
	SpotID       string
	LotID        string
	Action       string // what an event calls change, and a change calls outcome

	Repeats int64 // the record that says the same, and said it before; 0: none

	Hash Hash // of all of the above
}

// texts are the fields to search by, in the order in which they are hashed.
func (e *Entry) texts() [9]*string {
	return [...]*string{&e.ID, &e.Subject, &e.Client, &e.RequestID, &e.ResourceType, &e.ResourceID, &e.SpotID, &e.LotID, &e.Action}
}

// textNames are how these are called in JSON.
var textNames = [...]string{"id", "subject", "client", "requestId", "resourceType", "resourceId", "spotId", "lotId", "action"}

// same reports whether both say the same, wherever in the log.
func (e *Entry) same(other *Entry) bool {
	return e.ID == other.ID && e.Topic == other.Topic && sameBytes(e.Key, other.Key) && sameBytes(e.Value, other.Value)
}

// sameBytes tells nothing and what is empty apart.
func sameBytes(a, b []byte) bool { return bytes.Equal(a, b) && (a == nil) == (b == nil) }

// A Head is where a chain ends, or ended: who noted it finds out later whether everything up to it is still as it was.
type Head struct {
	Chain      string // the id of the chain
	CreatedAt  int64  // when the chain began, in Unix milliseconds
	Sequence   int64  // of the newest record; 0: there is none yet
	Hash       Hash   // of it; of the beginning, where there is none
	RecordedAt int64
}

func (h Head) String() string { return fmt.Sprintf("%d:%s", h.Sequence, h.Hash) }

// A Checkpoint stands for records that were removed, from First to Last.
type Checkpoint struct {
	Number    int64 // 1, 2, 3 …
	Previous  Hash  // of the checkpoint before it, or of the beginning of the chain
	First     int64
	Last      int64
	FirstTime int64 // when they were recorded, in Unix milliseconds
	LastTime  int64
	Before    Hash  // of the record before First
	LastHash  Hash  // of the record Last
	RemovedAt int64 // in Unix milliseconds
	Entry     int64 // the record of the chain that tells of it
	Hash      Hash
}

// Count is how many records it stands for.
func (c Checkpoint) Count() int64 { return c.Last - c.First + 1 }

// timeOf is a time as it is shown.
func timeOf(milliseconds int64) time.Time { return time.UnixMilli(milliseconds).UTC() }

// cut keeps what others sent readable inside a sentence.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return text[:runeStart(text, most)] + "…"
}

// runeStart is the last place up to at where a letter begins.
func runeStart(text string, at int) int {
	for at > 0 && text[at]&0xC0 == 0x80 {
		at--
	}
	return at
}
