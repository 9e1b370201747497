package consumer

import (
	"context"
	"encoding/hex"
	"strings"
	"time"

	"parkwire/internal/sqldb"
)

// Bounds of what is kept of a record that is set aside, in bytes.
const (
	maxRejectedValue  = 64 << 10
	maxRejectedReason = 4 << 10
)

// setAside writes the records that are not applied, with the reason, into the table rejected_records. They stay there until somebody deletes them, or the
// service is rebuilt.
func (c *Consumer) setAside(ctx context.Context, tx *sqldb.Tx, at state, b batch) error {
	if b.reasons == nil {
		return nil
	}
	var rows [][]any
	id, now := hex.EncodeToString(at.id[:]), time.Now().UnixMilli()
	for i, reason := range b.reasons {
		if reason == nil {
			continue
		}
		r := b.records[i]
		rows = append(rows, []any{c.options.Name, id, int64(r.Partition), r.Offset, at.topic, printable(reason.Error()),
			cut(r.Key), cut(r.Value), r.Timestamp.UnixMilli(), now})
	}
	return tx.Insert(ctx, "rejected_records (consumer, topic_id, partition, record_offset, topic, reason, record_key, record_value, time_ms, rejected_ms)",
		rows, "on conflict do nothing")
}

// cut returns the beginning of what may be very long; never nil.
func cut(b []byte) []byte { return append([]byte{}, b[:min(len(b), maxRejectedValue)]...) }

// printable is a text that every database takes.
func printable(text string) string {
	text = text[:min(len(text), maxRejectedReason)]
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}
