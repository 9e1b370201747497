// Package relay carries what the parking part committed to its outbox into the event
// log: every row once, in order per spot, whichever process dies meanwhile.
package relay

import (
	"context"

	"parkwire/internal/event"
)

// Outbox is the table of events that were committed together with the state they
// describe and wait to be written to the log. The parking stores implement it.
type Outbox interface {
	// Lead blocks until this process is the only one that leads, then calls lead with a
	// ctx that ends when leadership is lost, and returns lead's error. It returns ctx's
	// error when ctx ends first.
	Lead(ctx context.Context, lead func(ctx context.Context) error) error

	// Pending returns up to limit rows in the order in which they were committed; those
	// of one spot are in order of version.
	Pending(ctx context.Context, limit int) ([]OutboxRow, error)

	// Done removes rows and records upTo, the newest acknowledged offset of each partition
	// of a topic, in one transaction. Offsets only ever grow: where a recorded one is larger,
	// it stays. Those of another topic are others: a log that was lost and made again begins
	// at 0 again.
	Done(ctx context.Context, ids []int64, upTo event.Cursor) error

	// Positions returns what Done recorded for that topic; nil before its first call.
	Positions(ctx context.Context, topic event.TopicID) (event.Offsets, error)

	// Wake returns a channel that receives after rows were committed by this process.
	// One token stands for any number of rows. Rows that other processes commit are
	// found by polling.
	Wake() <-chan struct{}
}

// OutboxRow is one event that waits to be written to the log.
type OutboxRow struct {
	ID      int64
	SpotID  string // the record's key
	EventID string // UUIDv7; by it a row is recognised that was produced before a crash
	Value   []byte // the event as [event.Encode] wrote it

	// Tombstone says that the spot was removed, so that its record in parking-spots ends.
	Tombstone bool
	// Traceparent is the W3C trace context of the request that caused the event, or empty.
	Traceparent string
}
