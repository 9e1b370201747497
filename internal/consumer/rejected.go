package consumer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"parkwire/internal/sqldb"
)

// Bounds of what is kept of a record that is set aside, in bytes.
const (
	maxRejectedValue  = 64 << 10
	maxRejectedReason = 4 << 10
)

// Bounds of what a consumer keeps of all that it set aside, in bytes: somebody who writes to the wrong topic must not fill the disk. A record counts for at least
// leastRejected, so that there are not more than 8,192 of them. The oldest are dropped.
const (
	keepRejected  = 64 << 20
	leastRejected = 8 << 10
)

// setAside writes the records that are not applied, with the reason, into the table rejected_records. They stay there until there are too many behind them, somebody
// deletes them, or the service is rebuilt. It returns how many were dropped.
func (c *Consumer) setAside(ctx context.Context, tx *sqldb.Tx, at state, b batch) (dropped int64, err error) {
	if b.reasons == nil {
		return 0, nil
	}
	name := c.options.Name
	filled, _, err := sqldb.One(ctx, tx, func(r sqldb.Row) (n int64, err error) { return n, r.Scan(&n) },
		"select filled from rejected_records where consumer = ? order by filled desc limit 1", name)
	if err != nil {
		return 0, asideError{err}
	}
	var rows [][]any
	var places []int64 // filled of each
	id, now := hex.EncodeToString(at.id[:]), time.Now().UnixMilli()
	for i, reason := range b.reasons {
		if reason == nil {
			continue
		}
		r := b.records[i]
		hash, key, value, text := sha256.Sum256(r.Key), cut(r.Key), cut(r.Value), printable(reason.Error())
		filled += max(leastRejected, int64(len(key)+len(value)+len(text)))
		places = append(places, filled)
		rows = append(rows, []any{name, id, int64(r.Partition), r.Offset, at.topic, text, hash[:], key, value, r.Timestamp.UnixMilli(), now, filled})
	}
	if over := filled - c.keep; over > 0 && len(rows) > 0 {
		if dropped, err = tx.Exec(ctx, "delete from rejected_records where consumer = ? and filled <= ?", name, over); err != nil {
			return 0, asideError{err}
		}
		newest := slices.IndexFunc(places, func(filled int64) bool { return filled > over })
		dropped += int64(newest)
		rows = rows[newest:]
	}
	err = tx.Insert(ctx, "rejected_records (consumer, topic_id, partition, record_offset, topic, reason, key_hash, record_key, record_value, time_ms, rejected_ms, filled)",
		rows, "on conflict do nothing")
	if err != nil {
		return 0, asideError{err}
	}
	return dropped, nil
}

// asideError is no fault of the records that are applied.
type asideError struct{ error }

func (e asideError) Unwrap() error { return e.error }

// wasSetAside says what became of a batch when that is committed.
func (c *Consumer) wasSetAside(b batch, dropped int64) {
	c.metrics.dropped.Add(float64(dropped))
	for i, reason := range b.reasons {
		if errors.As(reason, new(failure)) {
			c.logger.Error("a record was set aside: it failed again and again", "partition", b.records[i].Partition, "offset", b.records[i].Offset, "error", reason)
		}
	}
}

// cut returns the beginning of what may be very long; never nil.
func cut(b []byte) []byte { return append([]byte{}, b[:min(len(b), maxRejectedValue)]...) }

// printable is a text that every database takes.
func printable(text string) string {
	text = text[:min(len(text), maxRejectedReason)]
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}
