package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"parkwire/internal/event"
	"parkwire/internal/parking/internal/storage"
	"parkwire/internal/relay"
)

// Pending implements [relay.Outbox]. The ids of one spot's rows are in the order of its versions, because they are
// given out while its row is locked. A row may be committed after one with a greater id, but only of another spot.
func (s *Store) Pending(ctx context.Context, limit int) ([]relay.OutboxRow, error) {
	rows, err := look(ctx, s, storage.ScanOutbox, "select "+storage.OutboxColumns+" from outbox order by id limit $1", limit)
	if err != nil {
		return nil, fmt.Errorf("reading the outbox: %w", err)
	}
	return rows, nil
}

// Done implements [relay.Outbox].
func (s *Store) Done(ctx context.Context, ids []int64, upTo event.Cursor) error {
	bound, cancel := s.bound(ctx)
	defer cancel()
	var batch pgx.Batch // one transaction and one round trip
	batch.Queue(`delete from outbox where id = any($1)`, ids)
	batch.Queue(`insert into relay_positions (topic, partition, last_offset)
		select $1, n - 1, last_offset from unnest($2::bigint[]) with ordinality as r (last_offset, n)
		on conflict (topic, partition) do update set last_offset = excluded.last_offset where relay_positions.last_offset < excluded.last_offset`,
		upTo.Topic[:], []int64(upTo.Offsets))
	if err := s.pool.SendBatch(bound, &batch).Close(); err != nil {
		return fmt.Errorf("removing rows from the outbox: %w", s.classify(ctx, err))
	}
	return nil
}

// Positions implements [relay.Outbox].
func (s *Store) Positions(ctx context.Context, topic event.TopicID) (event.Offsets, error) {
	recorded, err := look(ctx, s, storage.ScanPosition, "select partition, last_offset from relay_positions where topic = $1 order by partition", topic[:])
	if err != nil {
		return nil, fmt.Errorf("reading the positions of the relay: %w", err)
	}
	return storage.Offsets(recorded), nil
}

// Wake implements [relay.Outbox].
func (s *Store) Wake() <-chan struct{} { return s.wake }
