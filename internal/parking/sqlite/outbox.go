package sqlite

import (
	"context"
	"encoding/json"
	"fmt"

	"parkwire/internal/event"
	"parkwire/internal/parking/internal/storage"
	"parkwire/internal/relay"
)

// Lead implements [relay.Outbox]. The file's lock makes this process the only one, so goroutines alone take turns.
func (s *Store) Lead(ctx context.Context, lead func(context.Context) error) error {
	select {
	case s.leading <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.closing.Done():
		return errClosed
	}
	defer func() { <-s.leading }()
	if s.closing.Err() != nil {
		return errClosed
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.closing, cancel)()
	return lead(ctx)
}

// Pending implements [relay.Outbox].
func (s *Store) Pending(ctx context.Context, limit int) ([]relay.OutboxRow, error) {
	rows, err := look(ctx, s, storage.ScanOutbox, "select "+storage.OutboxColumns+" from outbox order by id limit ?", limit)
	if err != nil {
		return nil, fmt.Errorf("reading the outbox: %w", err)
	}
	return rows, nil
}

// Done implements [relay.Outbox].
func (s *Store) Done(ctx context.Context, ids []int64, upTo event.Cursor) error {
	list, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	err = s.write(ctx, func(w *writer) error {
		if err := w.exec(`delete from outbox where id in (select value from json_each(?))`, string(list)); err != nil {
			return err
		}
		for partition, offset := range upTo.Offsets {
			if err := w.exec(`insert into relay_positions (topic, partition, last_offset) values (?, ?, ?)
				on conflict (topic, partition) do update set last_offset = max(last_offset, excluded.last_offset)`, upTo.Topic[:], partition, offset); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("removing rows from the outbox: %w", err)
	}
	return nil
}

// Positions implements [relay.Outbox].
func (s *Store) Positions(ctx context.Context, topic event.TopicID) (event.Offsets, error) {
	recorded, err := look(ctx, s, storage.ScanPosition, "select partition, last_offset from relay_positions where topic = ? order by partition", topic[:])
	if err != nil {
		return nil, fmt.Errorf("reading the positions of the relay: %w", err)
	}
	return storage.Offsets(recorded), nil
}

// Wake implements [relay.Outbox].
func (s *Store) Wake() <-chan struct{} { return s.wake }
