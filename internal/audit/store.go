package audit

import (
	"context"
	"embed"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"parkwire/internal/sqldb"
)

//go:embed migrations
var files embed.FS

// Migrations are the tables of the chain, and what guards them.
func Migrations() sqldb.Set { return sqldb.NewSet("audit", files) }

// columns of a record, as they are written.
const columns = `sequence, previous, hash, recorded_at, time, kind, topic, part, place, record_key, value,
	record_id, subject, client, request_id, resource_type, resource_id, spot_id, lot_id, action, repeats`

// read are the columns as they are read. SQLite gives a value that is empty as if it were none.
const read = columns + `, record_key is not null, value is not null`

// row are the values of the columns.
func (e *Entry) row() []any {
	row := make([]any, 0, 21)
	row = append(row, e.Sequence, e.Previous[:], e.Hash[:], e.RecordedAt, e.Time, string(e.Kind), e.Topic, e.Partition, e.Offset,
		orNull(e.Key), orNull(e.Value))
	for _, text := range e.texts() {
		if *text == "" {
			row = append(row, nil)
		} else {
			row = append(row, *text)
		}
	}
	return append(row, e.Repeats)
}

// orNull keeps nothing and what is empty apart.
func orNull(value []byte) any {
	if value == nil {
		return nil
	}
	return value
}

// scanEntry reads a row of [read]. What the database has is taken as it is, whatever that is: verification says what is wrong with it.
func scanEntry(r sqldb.Row) (Entry, error) {
	var e Entry
	var previous, hash []byte
	texts := e.texts()
	var found [len(texts)]*string
	to := []any{&e.Sequence, &previous, &hash, &e.RecordedAt, &e.Time, &e.Kind, &e.Topic, &e.Partition, &e.Offset, &e.Key, &e.Value}
	for i := range found {
		to = append(to, &found[i])
	}
	var hasKey, hasValue bool
	if err := r.Scan(append(to, &e.Repeats, &hasKey, &hasValue)...); err != nil {
		return Entry{}, err
	}
	if hasKey && e.Key == nil {
		e.Key = []byte{}
	}
	if hasValue && e.Value == nil {
		e.Value = []byte{}
	}
	for i, text := range found {
		if text != nil {
			*texts[i] = *text
		}
	}
	e.Previous, e.Hash = hashOf(previous), hashOf(hash)
	return e, nil
}

// findHead returns the head; false where the chain has not begun.
func findHead(ctx context.Context, tx *sqldb.Tx) (Head, bool, error) {
	h, found, err := sqldb.One(ctx, tx, func(r sqldb.Row) (h Head, err error) {
		var hash []byte
		err = r.Scan(&h.Chain, &h.CreatedAt, &h.Sequence, &hash, &h.RecordedAt)
		h.Hash = hashOf(hash)
		return h, err
	}, `select chain, created_at, sequence, hash, recorded_at from audit_head where one = 1`)
	if err != nil {
		err = fmt.Errorf("reading the head of the chain: %w", err)
	}
	return h, found, err
}

// hashAt returns the hash of a record, also of one that was removed where a checkpoint has it. known is false where it was removed, and no checkpoint has it; the
// zero Hash is that of a record that is missing.
func hashAt(ctx context.Context, tx *sqldb.Tx, sequence int64) (hash Hash, known bool, err error) {
	hash, found, err := sqldb.One(ctx, tx, func(r sqldb.Row) (Hash, error) {
		var raw []byte
		err := r.Scan(&raw)
		return hashOf(raw), err
	}, `select hash from audit_records where sequence = ?`, sequence)
	if err != nil || found {
		return hash, true, err
	}
	removed, err := checkpoints(ctx, tx)
	hash, found = kept(removed, sequence)
	return hash, found || len(removed) == 0 || removed[len(removed)-1].Last < sequence, err
}

// takeHead returns the head, which nobody else can take until the transaction ends. Where there is none the chain begins.
func takeHead(ctx context.Context, tx *sqldb.Tx, now int64) (Head, error) {
	n, err := tx.Exec(ctx, `update audit_head set taken = taken + 1 where one = 1`)
	if err != nil {
		return Head{}, fmt.Errorf("taking the head of the chain: %w", err)
	}
	if n == 0 {
		return begin(ctx, tx, now)
	}
	h, _, err := findHead(ctx, tx)
	return h, err
}

func begin(ctx context.Context, tx *sqldb.Tx, now int64) (Head, error) {
	h := Head{Chain: uuid.NewString(), CreatedAt: now, RecordedAt: now}
	h.Hash = h.beginning()
	err := tx.Insert(ctx, "audit_head (one, chain, created_at, sequence, hash, recorded_at, taken, removable)",
		[][]any{{1, h.Chain, h.CreatedAt, h.Sequence, h.Hash[:], h.RecordedAt, 1, 0}}, "")
	if err != nil {
		return Head{}, fmt.Errorf("beginning the chain: %w", err)
	}
	return h, nil
}

// appendTo gives entries their places behind the head, which the transaction has taken, and moves it.
func (h *Head) appendTo(ctx context.Context, tx *sqldb.Tx, now int64, entries []Entry) error {
	if len(entries) == 0 {
		return nil
	}
	var sum hasher
	rows := make([][]any, len(entries))
	h.RecordedAt = max(h.RecordedAt, now)
	for i := range entries {
		e := &entries[i]
		h.Sequence++
		e.Sequence, e.Previous, e.RecordedAt = h.Sequence, h.Hash, h.RecordedAt
		e.Hash = sum.record(e)
		h.Hash = e.Hash
		rows[i] = e.row()
	}
	if err := tx.Insert(ctx, "audit_records ("+columns+")", rows, ""); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `update audit_head set sequence = ?, hash = ?, recorded_at = ? where one = 1`, h.Sequence, h.Hash[:], h.RecordedAt)
	if err != nil {
		return fmt.Errorf("moving the head of the chain: %w", err)
	}
	return nil
}

// lookup is how many ids are looked up at once. A statement that always has as many parameters is prepared once.
const lookup = 250

// lookupQuery tells which of the ids there are already. PostgreSQL takes an index for each of them by itself; of "record_id in (…)" it thinks, while it has
// no statistics of the table, that nearly every record is among so many, and reads all.
var lookupQuery = `select v.column1 from (values (?)` + strings.Repeat(", (?)", lookup-1) + `) as v
	where (select count(*) from audit_records r where r.record_id = v.column1) > 0`

// known returns which of the ids are in the chain.
func known(ctx context.Context, tx *sqldb.Tx, ids []any) (found []string, err error) {
	for len(ids) > 0 {
		n := min(lookup, len(ids))
		args := append(make([]any, 0, lookup), ids[:n]...)
		for len(args) < lookup {
			args = append(args, args[0])
		}
		some, err := sqldb.All(ctx, tx, func(r sqldb.Row) (id string, err error) { return id, r.Scan(&id) }, lookupQuery, args...)
		if err != nil {
			return nil, fmt.Errorf("looking for records that are in the chain already: %w", err)
		}
		found = append(found, some...)
		ids = ids[n:]
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

// candidates bounds with how many records of one id a record is compared. Who uses one id for many different records is told of repetitions less, and does not make the
// chain slow.
const candidates = 16

// markRepetitions says of entries that are to be appended behind a sequence which of them say what was said before, in the chain or
// among themselves. A record is a repetition only where it has the same id and is the same to the byte: whoever uses the id of another for
// something else hides nothing by that.
func markRepetitions(ctx context.Context, tx *sqldb.Tx, after int64, entries []Entry) error {
	ids := make([]any, 0, len(entries))
	for i := range entries {
		if entries[i].ID != "" {
			ids = append(ids, entries[i].ID)
		}
	}
	again, err := known(ctx, tx, ids)
	if err != nil {
		return err
	}
	known := map[string][]Entry{} // by id; several where one id stands for several records
	for _, id := range again {
		known[id], err = sqldb.All(ctx, tx, scanEntry, `select `+read+` from audit_records where repeats = 0 and record_id = ? order by sequence limit ?`, id, candidates)
		if err != nil {
			return fmt.Errorf("looking for the record %q: %w", id, err)
		}
	}
	for i := range entries {
		e := &entries[i]
		e.Repeats = 0
		if e.ID == "" {
			continue
		}
		for j := range known[e.ID] {
			if before := &known[e.ID][j]; before.same(e) {
				e.Repeats = before.Sequence
				break
			}
		}
		if e.Repeats == 0 && len(known[e.ID]) < candidates {
			first := *e
			first.Sequence = after + int64(i) + 1
			known[e.ID] = append(known[e.ID], first)
		}
	}
	return nil
}
