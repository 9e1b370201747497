package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/sqldb"
)

// How much one transaction of retention removes, and how often it looks.
const (
	removedAtOnce = 20_000
	removeEvery   = time.Hour // each time leaves a checkpoint
)

// checkpointView is a checkpoint as it is answered, and as the record of the chain says it. Such records are never changed, so a field that is here stays.
type checkpointView struct {
	Number    int64      `json:"number"`
	Previous  Hash       `json:"previous"`
	First     int64      `json:"first"`
	Last      int64      `json:"last"`
	Count     int64      `json:"count"`
	FirstTime event.Time `json:"firstTime"`
	LastTime  event.Time `json:"lastTime"`
	Before    Hash       `json:"before"`
	LastHash  Hash       `json:"lastHash"`
	RemovedAt event.Time `json:"removedAt"`
	Sequence  int64      `json:"sequence"` // of the record that tells of it
	Hash      Hash       `json:"hash"`
}

func viewCheckpoint(c Checkpoint) checkpointView {
	return checkpointView{
		Number: c.Number, Previous: c.Previous, First: c.First, Last: c.Last, Count: c.Count(), FirstTime: event.At(timeOf(c.FirstTime)), LastTime: event.At(timeOf(c.LastTime)),
		Before: c.Before, LastHash: c.LastHash, RemovedAt: event.At(timeOf(c.RemovedAt)), Sequence: c.Entry, Hash: c.Hash,
	}
}

var (
	errYoung    = errors.New("from here on records are kept")
	errNotWhole = errors.New("nothing is removed from an audit chain that is not whole, lest that cannot be found any more; `parkwire audit verify` says more")
)

// remove replaces the oldest records by a checkpoint, those that were recorded before a time and at most a number of them, and returns how many these were. It goes
// by the time at which records became part of the chain, which never goes back, so that what is removed is its beginning and nothing else.
func remove(ctx context.Context, tx *sqldb.Tx, before, now int64, most int) (int64, error) {
	head, err := takeHead(ctx, tx, now)
	if err != nil {
		return 0, err
	}
	last, found, err := lastCheckpoint(ctx, tx)
	if err != nil {
		return 0, err
	}
	if !found { // then the chain is as behind a checkpoint of nothing
		last = Checkpoint{Hash: head.beginning(), LastHash: head.beginning()}
	}
	var wrong findings
	w := walk{at: last.Last, hash: last.LastHash, find: wrong.add}
	c := Checkpoint{Number: last.Number + 1, Previous: last.Hash, Before: last.LastHash, RemovedAt: max(now, head.RecordedAt)}
	err = sqldb.Each(ctx, tx, func(r sqldb.Row) error {
		e, err := scanEntry(r)
		if err != nil {
			return err
		}
		if e.RecordedAt >= before {
			return errYoung
		}
		w.step(&e)
		if c.First == 0 {
			c.First, c.FirstTime = e.Sequence, e.RecordedAt
		}
		c.Last, c.LastTime, c.LastHash = e.Sequence, e.RecordedAt, e.Hash
		return nil
	}, `select `+read+` from audit_records order by sequence limit ?`, most)
	switch {
	case err != nil && !errors.Is(err, errYoung):
		return 0, fmt.Errorf("looking for records that are old: %w", err)
	case len(wrong.shown) > 0:
		return 0, fmt.Errorf("%w: %v", errNotWhole, wrong.shown[0])
	case c.Last == 0:
		return 0, nil
	}
	c.Entry = head.Sequence + 1
	c.Hash = c.hash()
	return c.Count(), c.replace(ctx, tx, head, now)
}

// replace removes the records of c, and tells of that in both ways.
func (c *Checkpoint) replace(ctx context.Context, tx *sqldb.Tx, head Head, now int64) error {
	value, err := json.Marshal(viewCheckpoint(*c))
	if err != nil {
		return fmt.Errorf("encoding a checkpoint: %w", err)
	}
	err = tx.Insert(ctx, "audit_checkpoints ("+checkpointColumns+")", [][]any{{
		c.Number, c.Previous[:], c.First, c.Last, c.FirstTime, c.LastTime, c.Before[:], c.LastHash[:], c.RemovedAt, c.Entry, c.Hash[:],
	}}, "")
	if err != nil {
		return err
	}
	// The guard of the table lets go of these, and of these only, until the end of the transaction.
	for _, statement := range []struct {
		query string
		args  []any
	}{
		{`update audit_head set removable = ? where one = 1`, []any{c.Last}},
		{`delete from audit_records where sequence <= ?`, []any{c.Last}},
		{`update audit_head set removable = 0 where one = 1`, nil},
		// What was signed of them can be compared with nothing any more, but for the last.
		{`delete from audit_signatures where sequence < ?`, []any{c.Last}},
	} {
		if _, err := tx.Exec(ctx, statement.query, statement.args...); err != nil {
			return fmt.Errorf("removing the records from %d to %d: %w", c.First, c.Last, err)
		}
	}
	return head.appendTo(ctx, tx, now, []Entry{{Kind: KindCheckpoint, Value: value, Time: now}})
}

const checkpointColumns = `number, previous, first_sequence, last_sequence, first_time, last_time, before_hash, last_hash, removed_at, entry, hash`

func scanCheckpoint(r sqldb.Row) (c Checkpoint, err error) {
	var previous, before, last, hash []byte
	err = r.Scan(&c.Number, &previous, &c.First, &c.Last, &c.FirstTime, &c.LastTime, &before, &last, &c.RemovedAt, &c.Entry, &hash)
	c.Previous, c.Before, c.LastHash, c.Hash = hashOf(previous), hashOf(before), hashOf(last), hashOf(hash)
	return c, err
}

func lastCheckpoint(ctx context.Context, tx *sqldb.Tx) (Checkpoint, bool, error) {
	c, found, err := sqldb.One(ctx, tx, scanCheckpoint, `select `+checkpointColumns+` from audit_checkpoints order by number desc limit 1`)
	if err != nil {
		err = fmt.Errorf("reading the last checkpoint: %w", err)
	}
	return c, found, err
}

// checkpointOf returns the checkpoint that stands for a record.
func checkpointOf(ctx context.Context, tx *sqldb.Tx, sequence int64) (Checkpoint, bool, error) {
	c, found, err := sqldb.One(ctx, tx, scanCheckpoint, `select `+checkpointColumns+` from audit_checkpoints where first_sequence <= ? and last_sequence >= ?`, sequence, sequence)
	if err != nil {
		err = fmt.Errorf("looking for the checkpoint of record %d: %w", sequence, err)
	}
	return c, found, err
}

// checkpoints returns all of them in their order.
func checkpoints(ctx context.Context, tx *sqldb.Tx) ([]Checkpoint, error) {
	all, err := sqldb.All(ctx, tx, scanCheckpoint, `select `+checkpointColumns+` from audit_checkpoints order by number`)
	if err != nil {
		return nil, fmt.Errorf("reading the checkpoints: %w", err)
	}
	return all, nil
}
