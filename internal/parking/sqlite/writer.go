package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"parkwire/internal/parking/internal/storage"
)

// A writer is the connection that writes, with its prepared statements. Statements are not interrupted when a
// context ends, for none takes long and an interrupted commit would leave its outcome open; between two of them
// the context is looked at.
type writer struct {
	conn     *sql.Conn
	prepared map[string]*sql.Stmt
	memory   memory
}

var background = context.Background()

// transaction runs do, and commits when it returns nil.
func (w *writer) transaction(ctx context.Context, do func(*writer) error) error {
	// Immediate: a transaction that reads first and writes then would be refused where another program wrote between.
	if err := w.exec("begin immediate"); err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	committed := false
	defer func() { // also where do panics
		if !committed {
			_ = w.exec("rollback") // fails where the error ended the transaction already
		}
	}()
	version, err := read(ctx, w, scanVersion, "pragma data_version")
	if err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	w.memory.begin(version[0])
	if err := do(w); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := w.exec("commit"); err != nil {
		w.memory.forget()
		return fmt.Errorf("committing: %w", err)
	}
	committed = true
	w.memory.committed()
	return nil
}

func scanVersion(r storage.Row) (v int64, err error) { return v, r.Scan(&v) }

func (w *writer) prepare(query string) (*sql.Stmt, error) {
	if stmt, ok := w.prepared[query]; ok {
		return stmt, nil
	}
	stmt, err := w.conn.PrepareContext(background, query)
	if err != nil {
		return nil, classify(err)
	}
	w.prepared[query] = stmt
	return stmt, nil
}

func (w *writer) exec(query string, args ...any) error {
	_, err := w.affect(query, args...)
	return err
}

// affect returns how many rows were written.
func (w *writer) affect(query string, args ...any) (int, error) {
	stmt, err := w.prepare(query)
	if err != nil {
		return 0, err
	}
	result, err := stmt.ExecContext(background, args...)
	if err != nil {
		return 0, classify(err)
	}
	n, err := result.RowsAffected()
	return int(n), err
}

func (w *writer) close() error {
	var errs []error
	for _, stmt := range w.prepared {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(append(errs, w.conn.Close())...)
}

// rows reads all rows of a prepared query.
func rows[T any](ctx context.Context, stmt *sql.Stmt, scan func(storage.Row) (T, error), args ...any) (all []T, err error) {
	found, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return nil, classify(err)
	}
	defer found.Close()
	for found.Next() {
		one, err := scan(found)
		if err != nil {
			return nil, classify(err)
		}
		all = append(all, one)
	}
	return all, classify(found.Err())
}

// read reads rows inside a transaction.
func read[T any](ctx context.Context, w *writer, scan func(storage.Row) (T, error), query string, args ...any) ([]T, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	stmt, err := w.prepare(query)
	if err != nil {
		return nil, err
	}
	return rows(background, stmt, scan, args...)
}

// look reads rows of what is committed.
func look[T any](ctx context.Context, s *Store, scan func(storage.Row) (T, error), query string, args ...any) ([]T, error) {
	stmt, err := s.reader.prepare(ctx, query)
	if err != nil {
		return nil, s.unlessClosed(classify(err))
	}
	all, err := rows(ctx, stmt, scan, args...)
	return all, s.unlessClosed(err)
}

// classify marks the errors that come from the disk or from another program's lock rather than from what was asked.
func classify(err error) error {
	if err == nil {
		return nil
	}
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY,
		sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_CORRUPT:
		return storage.Unavailable(err)
	}
	return err
}

// constraint reports whether a statement broke a rule of the given kind.
func constraint(err error, code int) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code() == code
}
