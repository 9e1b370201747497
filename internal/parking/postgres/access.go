package postgres

import (
	"context"
	"fmt"
	"time"

	"parkwire/internal/parking"
	"parkwire/internal/parking/internal/storage"
)

const accessRows = "select " + storage.AccessColumns + " from access where "

// AccessRows implements [parking.Store].
func (s *Store) AccessRows(ctx context.Context, kind, after string, limit int) ([]parking.AccessRow, error) {
	rows, err := look(ctx, s, storage.ScanAccess, accessRows+"kind = $1 and id > $2 order by id limit $3", kind, after, limit)
	if err != nil {
		return nil, fmt.Errorf("reading every %s: %w", kind, err)
	}
	return rows, nil
}

// AccessRow implements [parking.Store].
func (s *Store) AccessRow(ctx context.Context, kind, id string) (parking.AccessRow, error) {
	return storage.Single(look(ctx, s, storage.ScanAccess, accessRows+"kind = $1 and id = $2", kind, id))(kind, id)
}

// AccessSince implements [parking.Store].
func (s *Store) AccessSince(ctx context.Context, revision int64, limit int) ([]parking.AccessRow, error) {
	rows, err := look(ctx, s, storage.ScanAccess, accessRows+"revision > $1 order by revision limit $2", revision, limit)
	if err != nil {
		return nil, fmt.Errorf("reading keys and revocations: %w", err)
	}
	return rows, nil
}

// AccessRevision implements [parking.Store].
func (s *Store) AccessRevision(ctx context.Context) (int64, error) {
	found, err := look(ctx, s, storage.ScanNumber, "select revision from access_revision")
	if err != nil {
		return 0, fmt.Errorf("reading the revision of keys and revocations: %w", err)
	}
	return found[0], nil
}

const nextRevision = `update access_revision set revision = greatest(revision + 1, (extract(epoch from clock_timestamp()) * 1000)::bigint)
	returning revision`

// NextAccessRevision locks the one row until the transaction ends, so that what is read by revision has no holes that are filled later.
func (t *tx) NextAccessRevision(ctx context.Context) (int64, error) {
	next, err := read(ctx, t, storage.ScanNumber, nextRevision)
	if err != nil {
		return 0, fmt.Errorf("counting keys and revocations: %w", err)
	}
	return next[0], nil
}

func (t *tx) AccessRow(ctx context.Context, kind, id string) (parking.AccessRow, error) {
	return storage.Single(read(ctx, t, storage.ScanAccess, accessRows+"kind = $1 and id = $2", kind, id))(kind, id)
}

func (t *tx) SaveAccess(ctx context.Context, r parking.AccessRow) error {
	_, err := t.affect(ctx, "insert into access ("+storage.AccessColumns+`) values ($1, $2, $3, $4, $5) on conflict (kind, id) do update
		set revision = excluded.revision, value = excluded.value, kept_until = excluded.kept_until`, r.Kind, r.ID, r.Revision, r.Value, instant(r.KeptUntil))
	if err != nil {
		return fmt.Errorf("saving %s %q: %w", r.Kind, r.ID, err)
	}
	return nil
}

// RepeatAccess implements [relay.Records].
func (s *Store) RepeatAccess(ctx context.Context) error {
	return s.update(ctx, func(ctx context.Context, changing parking.Tx) error {
		t := changing.(*tx)
		if err := t.lockAccess(ctx); err != nil {
			return err
		}
		_, err := t.affect(ctx, "insert into records (topic, key, value) select 'access', kind || ':' || id, value from access order by revision")
		if err != nil {
			return fmt.Errorf("repeating what was said of keys and revocations: %w", err)
		}
		return nil
	})
}

// lockAccess lets nobody else say or drop anything of keys and revocations until the transaction ends.
func (t *tx) lockAccess(ctx context.Context) error {
	if _, err := read(ctx, t, storage.ScanNumber, "select revision from access_revision for update"); err != nil {
		return fmt.Errorf("locking keys and revocations: %w", err)
	}
	return nil
}

func (t *tx) DropAccess(ctx context.Context, now time.Time, limit int) ([]parking.AccessRow, error) {
	if err := t.lockAccess(ctx); err != nil {
		return nil, err
	}
	dropped, err := read(ctx, t, storage.ScanAccess, `delete from access where (kind, id) in
		(select kind, id from access where kept_until < $1 order by kept_until limit $2 for update skip locked) returning `+
		storage.AccessColumns, instant(now), limit)
	if err != nil {
		return nil, fmt.Errorf("removing keys and revocations that have ended: %w", err)
	}
	return dropped, nil
}
