package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"parkwire/internal/sleep"
)

// sqliteConn is one connection with its prepared statements.
type sqliteConn struct {
	one           *sql.Conn
	prepared      map[string]*sql.Stmt
	interruptible bool // by the end of a context
}

// Bounds of a connection.
const (
	maxPrepared   = 200    // statements; who makes up a new text each time must not fill the memory
	maxParameters = 32_766 // of a statement, as SQLite is built
	maxInserted   = 256    // rows of a statement: more of them are not faster

	beginPatience = 20 * time.Second // for other processes
)

func newSQLiteConn(one *sql.Conn) *sqliteConn {
	return &sqliteConn{one: one, prepared: map[string]*sql.Stmt{}}
}

// bound is the context of one statement.
func (c *sqliteConn) bound(ctx context.Context) (context.Context, error) {
	if err := ctx.Err(); err != nil || c.interruptible {
		return ctx, err
	}
	return context.WithoutCancel(ctx), nil
}

func (c *sqliteConn) prepare(query string) (*sql.Stmt, error) {
	if stmt, ok := c.prepared[query]; ok {
		return stmt, nil
	}
	if len(c.prepared) >= maxPrepared {
		c.forget()
	}
	stmt, err := c.one.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, classifySQLite(err)
	}
	c.prepared[query] = stmt
	return stmt, nil
}

func (c *sqliteConn) forget() {
	for query, stmt := range c.prepared {
		stmt.Close()
		delete(c.prepared, query)
	}
}

// run runs a statement that is part of a transaction's frame.
func (c *sqliteConn) run(query string) error {
	_, err := c.exec(context.Background(), query, nil)
	return err
}

// begin waits for its turn among the processes that write. SQLite has no queue, and looks itself ten times a second: where another process writes all
// the time, that hits the moment between two of its transactions too rarely. Immediate: a transaction that reads first and writes then would be refused
// where another process wrote between.
func (c *sqliteConn) begin(ctx context.Context) error {
	for since := time.Now(); ; {
		err := c.run("begin immediate")
		var e *sqlite.Error
		if !errors.As(err, &e) || e.Code()&0xff != sqlite3.SQLITE_BUSY || time.Since(since) > beginPatience {
			return err
		}
		if err := sleep.About(ctx, time.Millisecond); err != nil {
			return err
		}
	}
}

func (c *sqliteConn) exec(ctx context.Context, query string, args []any) (int64, error) {
	ctx, err := c.bound(ctx)
	if err != nil {
		return 0, err
	}
	stmt, err := c.prepare(query)
	if err != nil {
		return 0, err
	}
	result, err := stmt.ExecContext(ctx, args...)
	if err != nil {
		return 0, classifySQLite(errors.Join(ctx.Err(), err))
	}
	return result.RowsAffected()
}

func (c *sqliteConn) query(ctx context.Context, query string, args []any, each func(Row) error) error {
	ctx, err := c.bound(ctx)
	if err != nil {
		return err
	}
	stmt, err := c.prepare(query)
	if err != nil {
		return err
	}
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return classifySQLite(errors.Join(ctx.Err(), err))
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return classifySQLite(errors.Join(ctx.Err(), err))
	}
	return nil
}

// insert writes rows in statements of a few sizes, so that few have to be prepared.
func (c *sqliteConn) insert(ctx context.Context, into string, rows [][]any, suffix string) error {
	columns := len(rows[0])
	one := "(?" + strings.Repeat(", ?", columns-1) + ")"
	args := make([]any, 0, min(len(rows), maxInserted)*columns)
	for n := maxInserted; len(rows) > 0; n /= 4 {
		if n*columns > maxParameters && n > 1 {
			continue
		}
		query := ""
		for len(rows) >= n {
			if query == "" {
				query = "insert into " + into + " values " + one + strings.Repeat(", "+one, n-1) + " " + suffix
			}
			args = args[:0]
			for _, row := range rows[:n] {
				args = append(args, row...)
			}
			if _, err := c.exec(ctx, query, args); err != nil {
				return err
			}
			rows = rows[n:]
		}
	}
	return nil
}

// clear deletes without a condition, which SQLite does by giving up the tables' pages.
func (c *sqliteConn) clear(ctx context.Context, tables []string) error {
	for _, table := range tables {
		if _, err := c.exec(ctx, "delete from "+table, nil); err != nil {
			return err
		}
	}
	return nil
}

func (c *sqliteConn) close() {
	c.forget()
	c.one.Close()
}
