package sqlite

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
	rows, err := look(ctx, s, storage.ScanAccess, accessRows+"kind = ? and id > ? order by id limit ?", kind, after, limit)
	if err != nil {
		return nil, fmt.Errorf("reading every %s: %w", kind, err)
	}
	return rows, nil
}

// AccessRow implements [parking.Store].
func (s *Store) AccessRow(ctx context.Context, kind, id string) (parking.AccessRow, error) {
	return storage.Single(look(ctx, s, storage.ScanAccess, accessRows+"kind = ? and id = ?", kind, id))(kind, id)
}

// AccessSince implements [parking.Store].
func (s *Store) AccessSince(ctx context.Context, revision int64, limit int) ([]parking.AccessRow, error) {
	rows, err := look(ctx, s, storage.ScanAccess, accessRows+"revision > ? order by revision limit ?", revision, limit)
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

const nextRevision = `update access_revision set revision = max(revision + 1, cast(unixepoch('subsec') * 1000 as integer)) returning revision`

func (t *tx) NextAccessRevision(ctx context.Context) (int64, error) {
	next, err := read(ctx, t.w, storage.ScanNumber, nextRevision)
	if err != nil {
		return 0, fmt.Errorf("counting keys and revocations: %w", err)
	}
	return next[0], nil
}

func (t *tx) AccessRow(ctx context.Context, kind, id string) (parking.AccessRow, error) {
	return storage.Single(read(ctx, t.w, storage.ScanAccess, accessRows+"kind = ? and id = ?", kind, id))(kind, id)
}

func (t *tx) SaveAccess(ctx context.Context, r parking.AccessRow) error {
	err := t.w.exec("insert or replace into access ("+storage.AccessColumns+") values (?, ?, ?, ?, ?)", r.Kind, r.ID, r.Revision, r.Value, millis(r.KeptUntil))
	if err != nil {
		return fmt.Errorf("saving %s %q: %w", r.Kind, r.ID, err)
	}
	return ctx.Err()
}

// RepeatAccess implements [relay.Records].
func (s *Store) RepeatAccess(ctx context.Context) error {
	err := s.write(ctx, func(w *writer) error {
		return w.exec("insert into records (topic, key, value) select 'access', kind || ':' || id, value from access order by revision")
	})
	if err != nil {
		return fmt.Errorf("repeating what was said of keys and revocations: %w", err)
	}
	return nil
}

func (t *tx) DropAccess(ctx context.Context, now time.Time, limit int) ([]parking.AccessRow, error) {
	dropped, err := read(ctx, t.w, storage.ScanAccess, "delete from access where (kind, id) in (select kind, id from access where kept_until < ? order by kept_until limit ?) returning "+
		storage.AccessColumns, now.UnixMilli(), limit)
	if err != nil {
		return nil, fmt.Errorf("removing keys and revocations that have ended: %w", err)
	}
	return dropped, nil
}
