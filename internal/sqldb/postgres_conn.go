package sqldb

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"parkwire/internal/database"
)

// serverConn is a connection while a transaction has it.
type serverConn struct {
	server   *server
	caller   context.Context // of who began the transaction
	bound    context.Context // the same, which also ends when the server is gone
	one      *pgx.Conn
	conflict bool // the server refused something only because of other transactions
}

// check classifies an error and remembers a conflict, whatever is made of it.
func (c *serverConn) check(err error) error {
	c.conflict = c.conflict || database.Conflict(err)
	if err != nil && c.caller.Err() == nil && c.bound != nil && c.bound.Err() != nil {
		return unavailable(err)
	}
	return c.server.classify(c.caller, err)
}

func (c *serverConn) exec(ctx context.Context, query string, args []any) (int64, error) {
	tag, err := c.one.Exec(ctx, c.server.queries.numbered(query), args...)
	return tag.RowsAffected(), c.check(err)
}

func (c *serverConn) query(ctx context.Context, query string, args []any, each func(Row) error) error {
	rows, err := c.one.Query(ctx, c.server.queries.numbered(query), args...)
	if err != nil {
		return c.check(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return c.check(rows.Err())
}

// clear deletes row by row. To truncate would take no time, but who began to read before that was committed, and comes to the table afterwards, would find it
// empty beside others that are as they were; and everybody would wait for who reads it at the moment. It takes as long as it takes.
func (c *serverConn) clear(ctx context.Context, tables []string) error {
	if _, err := c.exec(ctx, "set local statement_timeout = 0", nil); err != nil {
		return err
	}
	for _, table := range tables {
		if _, err := c.exec(ctx, "delete from "+table, nil); err != nil {
			return err
		}
	}
	_, err := c.exec(ctx, "set local statement_timeout to default", nil)
	return err
}

// classify marks the errors that come from the server or the way to it rather than from what was asked. When the caller's ctx has ended,
// that is the reason.
func (s *server) classify(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	case s.closing.Err() != nil:
		return errClosed
	case database.HasCode(err, "57014"): // the statement took too long, and would again
		return err
	case database.Unreachable(err):
		return unavailable(s.reached.Explain(err))
	}
	return err
}

// queries remembers queries with their parameters numbered, as PostgreSQL wants them.
type queries struct {
	known  sync.Map // string to string
	tables sync.Map // string to []column, of what is inserted into
}

const rememberQueries = 10_000 // bytes; a longer one was made up for one time

func (q *queries) numbered(query string) string {
	if !strings.Contains(query, "?") {
		return query
	}
	if n, ok := q.known.Load(query); ok {
		return n.(string)
	}
	n := numbered(query)
	if len(query) < rememberQueries {
		q.known.Store(query, n)
	}
	return n
}

// numbered writes $1, $2 … for each ? that stands in no quotes and no comment.
func numbered(query string) string {
	var b strings.Builder
	n := 0
	for i := 0; i < len(query); i++ {
		switch c := query[i]; {
		case c == '?':
			n++
			b.WriteString("$" + strconv.Itoa(n))
			continue
		case c == '\'' || c == '"':
			if end := strings.IndexByte(query[i+1:], c); end >= 0 { // a doubled quote begins another string
				b.WriteString(query[i : i+1+end])
				i += end + 1
			}
		case strings.HasPrefix(query[i:], "--"):
			end := strings.IndexByte(query[i:], '\n')
			if end < 0 {
				b.WriteString(query[i:])
				return b.String()
			}
			b.WriteString(query[i : i+end])
			i += end
		}
		b.WriteByte(query[i])
	}
	return b.String()
}
