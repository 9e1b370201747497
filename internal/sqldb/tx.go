package sqldb

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Tx is a transaction. One goroutine uses it, and only while the function runs that got it.
type Tx struct {
	conn    conn
	reading bool // rows of a query are being read
}

// Row is one row of a query.
type Row interface{ Scan(to ...any) error }

var errReading = errors.New("another statement of this transaction is still being read: a function that gets rows must not use the transaction")

// Exec runs a statement and returns how many rows it wrote.
func (t *Tx) Exec(ctx context.Context, query string, args ...any) (rows int64, err error) {
	if t.reading {
		return 0, errReading
	}
	return t.conn.exec(ctx, query, args)
}

// Insert writes rows into a table with its columns, such as "stays (spot_id, began_ms)", in as few statements as the database allows. suffix
// may be "on conflict (spot_id) do update set began_ms = excluded.began_ms"; then no two of the rows may be in conflict with each other.
func (t *Tx) Insert(ctx context.Context, into string, rows [][]any, suffix string) error {
	if t.reading {
		return errReading
	}
	if len(rows) == 0 {
		return nil
	}
	_, columns, err := target(into)
	if err != nil {
		return err
	}
	for i, row := range rows {
		if len(row) != len(columns) {
			return fmt.Errorf("writing into %s: row %d has %d values for %d columns", into, i, len(row), len(columns))
		}
	}
	if err := t.conn.insert(ctx, into, rows, suffix); err != nil {
		return fmt.Errorf("writing into %s: %w", into, err)
	}
	return nil
}

// Clear deletes every row of tables, however many there are. Who reads them meanwhile, or began to before, sees them as they were.
func (t *Tx) Clear(ctx context.Context, tables ...string) error {
	if t.reading {
		return errReading
	}
	if len(tables) == 0 {
		return nil
	}
	return t.conn.clear(ctx, tables)
}

// All returns what scan makes of each row; nil where there is none.
func All[T any](ctx context.Context, t *Tx, scan func(Row) (T, error), query string, args ...any) ([]T, error) {
	var all []T
	err := Each(ctx, t, func(r Row) error {
		one, err := scan(r)
		if err == nil {
			all = append(all, one)
		}
		return err
	}, query, args...)
	if err != nil {
		return nil, err
	}
	return all, nil
}

// One returns what scan makes of the first row, and whether there is one.
func One[T any](ctx context.Context, t *Tx, scan func(Row) (T, error), query string, args ...any) (one T, found bool, err error) {
	err = Each(ctx, t, func(r Row) (err error) {
		if one, err = scan(r); err != nil {
			return err
		}
		found = true
		return errEnough
	}, query, args...)
	if errors.Is(err, errEnough) {
		err = nil
	}
	return one, found, err
}

var errEnough = errors.New("the first row is enough")

// Each calls fn for every row as it comes. fn must not use t. What a row's bytes are scanned into is fn's to keep.
func Each(ctx context.Context, t *Tx, fn func(Row) error, query string, args ...any) error {
	if t.reading {
		return errReading
	}
	t.reading = true
	defer func() { t.reading = false }()
	return t.conn.query(ctx, query, args, fn)
}

// target reads "table (a, b)".
func target(into string) (table string, columns []string, err error) {
	table, rest, ok := strings.Cut(into, "(")
	inside, after, closed := strings.Cut(rest, ")")
	table = strings.TrimSpace(table)
	for _, c := range strings.Split(inside, ",") {
		columns = append(columns, strings.TrimSpace(c))
	}
	if !ok || !closed || table == "" || strings.TrimSpace(after) != "" || columns[0] == "" {
		return "", nil, fmt.Errorf("%q does not name a table with its columns, as in: stays (spot_id, began_ms)", into)
	}
	return table, columns, nil
}
