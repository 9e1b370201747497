package postgres

import (
	"context"
	"fmt"

	"parkwire/internal/parking/internal/storage"
	"parkwire/internal/relay"
)

// The order by gives the ids in the order of the records.
const insertRecords = `insert into records (topic, key, value) select topic, key, value
	from unnest($1::text[], $2::text[], $3::bytea[]) with ordinality as r (topic, key, value, n) order by n`

func (t *tx) AppendRecords(ctx context.Context, records []relay.Record) error {
	if len(records) == 0 {
		return nil
	}
	type R = relay.Record
	_, err := t.affect(ctx, insertRecords, column(records, func(r R) string { return string(r.Topic) }),
		column(records, func(r R) string { return r.Key }), column(records, func(r R) []byte { return r.Value }))
	if err != nil {
		return fmt.Errorf("adding records: %w", err)
	}
	t.recorded = true
	return nil
}

// PendingRecords implements [relay.Records]. Their order is as that of events, see Pending.
func (s *Store) PendingRecords(ctx context.Context, limit int) ([]relay.RecordRow, error) {
	rows, err := look(ctx, s, storage.ScanRecord, "select "+storage.RecordColumns+" from records order by id limit $1", limit)
	if err != nil {
		return nil, fmt.Errorf("reading the records: %w", err)
	}
	return rows, nil
}

// RecordsDone implements [relay.Records].
func (s *Store) RecordsDone(ctx context.Context, ids []int64) error {
	bound, cancel := s.bound(ctx)
	defer cancel()
	if _, err := s.pool.Exec(bound, `delete from records where id = any($1)`, ids); err != nil {
		return fmt.Errorf("removing records: %w", s.classify(ctx, err))
	}
	return nil
}

// RecordsWake implements [relay.Records].
func (s *Store) RecordsWake() <-chan struct{} { return s.recordsWake }
