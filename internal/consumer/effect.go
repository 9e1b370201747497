package consumer

import (
	"context"
	"errors"
	"fmt"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
	"parkwire/internal/sqldb"
)

// An Effect is what a service makes of a topic. Its methods are called one after the other.
type Effect interface {
	// Load forgets what is remembered, and reads it from the database: before the first batch, and in the transaction of the next one
	// after one that was not committed, or that somebody else committed.
	Load(ctx context.Context, tx *sqldb.Tx) error
	// Apply takes records, in order per partition. It is all of it in the transaction that moves the positions.
	Apply(ctx context.Context, tx *sqldb.Tx, records []kafkalog.Record) error
	// Reset deletes everything that was made of the topic. Load comes next.
	Reset(ctx context.Context, tx *sqldb.Tx) error
}

// A Gapper is an [Effect] that wants to know what it will never see.
type Gapper interface {
	// Gap is called in a transaction before anything behind the gap is applied.
	Gap(ctx context.Context, tx *sqldb.Tx, g Gap) error
}

// A Gap is a part of the log that was gone before it was read: it had expired, or the topic was deleted and made again.
type Gap struct {
	Partition int32
	From, To  int64 // offsets of the first and the last record that are missing
	// Replaced says that the topic is another one than before. From is the place in the one before it, and To is -1: nobody knows how many are missing.
	Replaced bool
}

// A Checker is an [Effect] that looks at each record before its batch is applied. What it refuses is set aside, at no cost for the others.
type Checker interface {
	Check(r kafkalog.Record) error
}

// Each is the short way to an [Effect]: fn gets each record, and reset deletes what it made. It remembers nothing, so that there is nothing to load.
func Each(fn func(ctx context.Context, tx *sqldb.Tx, r kafkalog.Record) error, reset func(ctx context.Context, tx *sqldb.Tx) error) Effect {
	return each{fn, reset}
}

type each struct {
	fn    func(context.Context, *sqldb.Tx, kafkalog.Record) error
	reset func(context.Context, *sqldb.Tx) error
}

func (each) Load(context.Context, *sqldb.Tx) error           { return nil }
func (e each) Reset(ctx context.Context, tx *sqldb.Tx) error { return e.reset(ctx, tx) }
func (e each) Apply(ctx context.Context, tx *sqldb.Tx, records []kafkalog.Record) error {
	var refused []error
	for i, r := range records {
		err := e.fn(ctx, tx, r)
		if reason := unwrapRefusal(err); reason != nil {
			refused = append(refused, Refuse(i, reason))
		} else if err != nil && len(refused) == 0 {
			return fmt.Errorf("partition %d, offset %d: %w", r.Partition, r.Offset, err)
		} else if err != nil {
			break // perhaps because of what was refused
		}
	}
	return errors.Join(refused...)
}

// Refuse is what Apply returns of a record that it cannot use: the one at index is set aside in the table rejected_records, and the batch is done again
// without it. Several are joined by [errors.Join]. A function given to [Each] has one record: its index is 0.
func Refuse(index int, reason error) error { return &refusal{index, reason} }

type refusal struct {
	index  int
	reason error
}

func (r *refusal) Error() string {
	return fmt.Sprintf("record %d of the batch is refused: %v", r.index, r.reason)
}
func (r *refusal) Unwrap() error { return r.reason }

func unwrapRefusal(err error) error {
	var r *refusal
	if !errors.As(err, &r) {
		return nil
	}
	return r.reason
}

// refusals returns the reasons of an error by the indexes that it refuses; none where it is another error.
func refusals(err error, n int) map[int]error {
	found := map[int]error{}
	var walk func(error)
	walk = func(err error) {
		switch e := err.(type) {
		case nil:
		case *refusal:
			if e.index >= 0 && e.index < n {
				found[e.index] = e.reason
			}
		case interface{ Unwrap() []error }:
			for _, one := range e.Unwrap() {
				walk(one)
			}
		case interface{ Unwrap() error }:
			walk(e.Unwrap())
		}
	}
	walk(err)
	return found
}

// Event is a record that is an event.
type Event struct {
	kafkalog.Record
	event.Event
}

// Events makes an Apply of one that takes events: consumer.Events(s.apply)(ctx, tx, records). What is no event is set aside before apply is called.
func Events(apply func(ctx context.Context, tx *sqldb.Tx, events []Event) error) func(ctx context.Context, tx *sqldb.Tx, records []kafkalog.Record) error {
	return func(ctx context.Context, tx *sqldb.Tx, records []kafkalog.Record) error {
		all := make([]Event, len(records))
		var refused []error
		for i, r := range records {
			decoded, err := event.Decode(r.Value)
			if err != nil {
				refused = append(refused, Refuse(i, err))
			}
			all[i] = Event{r, decoded}
		}
		if len(refused) > 0 {
			return errors.Join(refused...)
		}
		return apply(ctx, tx, all)
	}
}

// CheckEvent is a Check for effects that take events.
func CheckEvent(r kafkalog.Record) error {
	_, err := event.Decode(r.Value)
	return err
}
