package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"parkwire/internal/database"
	"parkwire/internal/parking"
	"parkwire/internal/parking/internal/storage"
	"parkwire/internal/sleep"
)

// attempts bounds how often a transaction is run that others get in the way of. Rows are locked in one order, so
// that once is nearly always enough.
const attempts = 10

// Update implements [parking.Store].
func (s *Store) Update(ctx context.Context, change func(context.Context, parking.Tx) error) error {
	start := time.Now()
	err := s.update(ctx, change)
	s.measures.Updated(start, err)
	return err
}

func (s *Store) update(ctx context.Context, change func(context.Context, parking.Tx) error) error {
	bound, cancel := s.bound(ctx)
	defer cancel()
	for n := 1; ; n++ {
		t := &tx{store: s, caller: ctx}
		err := t.run(bound, change)
		if err == nil {
			storage.Wake(s.wake, t.appended)
			storage.Wake(s.recordsWake, t.recorded)
			return nil
		}
		if !t.conflict || n == attempts {
			return err
		}
		s.measures.Retried()
		if sleep.About(bound, time.Duration(n)*5*time.Millisecond) != nil {
			return err
		}
	}
}

// tx implements [parking.Tx].
type tx struct {
	store    *Store
	caller   context.Context // of Update's caller; what the methods get is bounded besides
	conn     *pgx.Conn
	appended bool                    // to the outbox
	recorded bool                    // something in the records
	conflict bool                    // the server refused something only because of other transactions
	known    map[string]parking.Spot // the spots that are in the table, as they were read or saved last
}

func (t *tx) run(ctx context.Context, change func(context.Context, parking.Tx) error) error {
	conn, err := t.store.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("beginning a transaction: %w", t.check(err))
	}
	defer conn.Release() // closes what is not idle
	t.conn = conn.Conn()
	if _, err := t.conn.Exec(ctx, "begin isolation level read committed"); err != nil {
		return fmt.Errorf("beginning a transaction: %w", t.check(err))
	}
	committed := false
	defer func() { // also where change panics
		if !committed && !t.conn.IsClosed() {
			ending, cancel := t.store.bound(context.WithoutCancel(ctx))
			defer cancel()
			_, _ = t.conn.Exec(ending, "rollback") // where it fails the connection is not used again
		}
	}()
	if err := change(ctx, t); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return t.check(err)
	}
	// From here on it no longer matters what the caller does: half a commit would leave the outcome open.
	ending, cancel := t.store.bound(context.WithoutCancel(ctx))
	defer cancel()
	tag, err := t.conn.Exec(ending, "commit")
	if err == nil && tag.String() == "ROLLBACK" {
		err = errors.New("a statement before had failed")
	}
	if err != nil {
		return fmt.Errorf("committing: %w", t.store.classify(context.WithoutCancel(ctx), err))
	}
	committed = true
	return nil
}

// check classifies an error and remembers a conflict, whatever change makes of it.
func (t *tx) check(err error) error {
	t.conflict = t.conflict || database.Conflict(err)
	return t.store.classify(t.caller, err)
}

func (t *tx) affect(ctx context.Context, query string, args ...any) (int, error) {
	tag, err := t.conn.Exec(ctx, query, args...)
	return int(tag.RowsAffected()), t.check(err)
}

// read reads rows inside a transaction.
func read[T any](ctx context.Context, t *tx, scan func(storage.Row) (T, error), query string, args ...any) ([]T, error) {
	rows, err := t.conn.Query(ctx, query, args...)
	if err != nil {
		return nil, t.check(err)
	}
	all, err := collect(rows, scan)
	return all, t.check(err)
}
