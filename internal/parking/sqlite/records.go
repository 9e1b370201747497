package sqlite

import (
	"context"
	"encoding/json"
	"fmt"

	"parkwire/internal/parking/internal/storage"
	"parkwire/internal/relay"
)

func (t *tx) AppendRecords(ctx context.Context, records []relay.Record) error {
	for _, r := range records {
		var value any // null where there is none
		if r.Value != nil {
			value = r.Value
		}
		if err := t.w.exec(`insert into records (topic, key, value) values (?, ?, ?)`, string(r.Topic), r.Key, value); err != nil {
			return fmt.Errorf("adding a record of %s: %w", r.Key, err)
		}
		t.recorded = true
	}
	return ctx.Err()
}

// PendingRecords implements [relay.Records].
func (s *Store) PendingRecords(ctx context.Context, limit int) ([]relay.RecordRow, error) {
	rows, err := look(ctx, s, storage.ScanRecord, "select "+storage.RecordColumns+" from records order by id limit ?", limit)
	if err != nil {
		return nil, fmt.Errorf("reading the records: %w", err)
	}
	return rows, nil
}

// RecordsDone implements [relay.Records].
func (s *Store) RecordsDone(ctx context.Context, ids []int64) error {
	list, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	err = s.write(ctx, func(w *writer) error {
		return w.exec(`delete from records where id in (select value from json_each(?))`, string(list))
	})
	if err != nil {
		return fmt.Errorf("removing records: %w", err)
	}
	return nil
}

// RecordsWake implements [relay.Records].
func (s *Store) RecordsWake() <-chan struct{} { return s.recordsWake }
