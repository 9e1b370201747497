package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// file is a SQLite file. One connection writes, in the order in which it is asked; others read what was committed, at the same time. Other
// processes may do the same with the file: SQLite orders them, and each transaction sees what the others committed.
type file struct {
	path     string
	readOnly bool
	sets     []Set
	writing  *sql.DB
	reading  *sql.DB
	turn     chan struct{}    // holds a token while the writer is used
	readers  chan *sqliteConn // a token for each connection that may read; nil: not opened yet
	size     int              // of readers

	closing context.Context
	close_  context.CancelFunc
	started atomic.Bool

	mu     sync.Mutex
	writer *sqliteConn
	closed bool
}

// Every commit waits until the disk has it (synchronous = full): what a service told others must still be so after the loss of power.
const sqlitePragmas = "_pragma=journal_mode(wal)&_pragma=synchronous(full)" +
	"&_pragma=foreign_keys(on)&_pragma=temp_store(memory)&_pragma=cache_size(-32768)&_pragma=wal_autocheckpoint(4000)"

func openSQLite(path string, o Options) (*file, error) {
	if path == "" {
		return nil, errors.New("the path of the SQLite file is empty; " + anExample)
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("the path of the SQLite file: %w", err)
	}
	address := (&url.URL{Scheme: "file", Path: path}).String() + "?"
	if o.ReadOnly {
		address += "mode=ro"
	} else {
		address += sqlitePragmas
	}
	f := &file{path: path, readOnly: o.ReadOnly, sets: o.Sets, turn: make(chan struct{}, 1), size: max(4, 2*runtime.GOMAXPROCS(0))}
	if f.writing, err = sql.Open("sqlite", address+"&_pragma=busy_timeout(5)"); err == nil {
		f.reading, err = sql.Open("sqlite", address+"&_pragma=busy_timeout(20000)&_pragma=query_only(on)")
	}
	if err != nil {
		return nil, f.named(err)
	}
	f.reading.SetMaxIdleConns(f.size)
	f.readers = make(chan *sqliteConn, f.size)
	for range f.size {
		f.readers <- nil
	}
	f.closing, f.close_ = context.WithCancel(context.Background())
	return f, nil
}

func (f *file) named(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("SQLite file %s: %w", f.path, err)
}

func (f *file) start(ctx context.Context) error {
	if f.closing.Err() != nil {
		return errClosed
	}
	if f.readOnly {
		// It is made by whoever writes it, who may not have come to it yet.
		if _, err := os.Stat(f.path); err != nil {
			return f.named(unavailable(err))
		}
		f.started.Store(true)
		return lasting(f.view(ctx, func(ctx context.Context, c conn) error { // the smallest thing for which the file is looked at
			return c.query(ctx, "select count(*) from sqlite_schema", nil, func(Row) error { return nil })
		}))
	}
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return f.named(err)
	}
	unlock, err := lockFile(ctx, f.path+".lock")
	if err != nil {
		return f.named(err)
	}
	defer unlock()
	if err := migrate(ctx, goose.DialectSQLite3, f.writing, f.sets); err != nil {
		return f.named(lasting(classifySQLite(err)))
	}
	if err := f.take(ctx); err != nil {
		return err
	}
	defer f.pass()
	if f.writer == nil {
		one, err := f.writing.Conn(ctx)
		if err != nil {
			return f.named(classifySQLite(err))
		}
		f.writer = newSQLiteConn(one)
	}
	f.started.Store(true)
	return nil
}

// take waits until nobody else writes.
func (f *file) take(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case f.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	case <-f.closing.Done():
		return errClosed
	}
	if f.closing.Err() != nil {
		f.pass()
		return errClosed
	}
	return nil
}

func (f *file) pass() { <-f.turn }

// update implements backend. Statements are not interrupted when ctx ends, for an interrupted commit would leave its outcome open; between
// two of them the context is looked at.
func (f *file) update(ctx context.Context, do func(context.Context, conn) error) (conflict bool, err error) {
	if err := f.take(ctx); err != nil {
		return false, err
	}
	defer f.pass()
	if f.readOnly {
		return false, f.named(errors.New("it was opened to read only"))
	}
	if f.writer == nil {
		return false, errNotStarted
	}
	c := f.writer
	if err := c.begin(ctx); err != nil {
		return false, fmt.Errorf("beginning a transaction: %w", f.named(err))
	}
	committed := false
	defer func() { // also where do panics
		if !committed {
			_ = c.run("rollback") // fails where the error ended the transaction already
		}
	}()
	if err := do(ctx, c); err != nil {
		return false, err
	}
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if err := c.run("commit"); err != nil {
		return false, fmt.Errorf("committing: %w", f.named(err))
	}
	committed = true
	return false, nil
}

func (f *file) view(ctx context.Context, do func(context.Context, conn) error) error {
	var c *sqliteConn
	select {
	case c = <-f.readers:
	case <-ctx.Done():
		return ctx.Err()
	case <-f.closing.Done():
		return errClosed
	}
	defer func() { f.readers <- c }()
	switch {
	case f.closing.Err() != nil:
		return errClosed
	case !f.started.Load():
		return errNotStarted
	}
	if c == nil {
		one, err := f.reading.Conn(ctx)
		if err != nil {
			return f.named(classifySQLite(err))
		}
		c = newSQLiteConn(one)
		c.interruptible = true
	}
	if err := c.run("begin"); err != nil {
		c.close()
		c = nil
		return fmt.Errorf("beginning to read: %w", f.named(err))
	}
	defer func() {
		if err := c.run("rollback"); err != nil {
			c.close()
			c = nil
		}
	}()
	return do(ctx, c)
}

func (f *file) connections() (inUse, idle int) {
	writing := len(f.turn)
	reading := f.size - len(f.readers)
	return reading + writing, len(f.readers) + 1 - writing
}

// close waits for what is under way.
func (f *file) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil
	}
	f.closed = true
	f.close_()
	f.turn <- struct{}{}
	defer f.pass()
	if f.writer != nil {
		// Keeps what the planner knows of the tables fresh; quick, and no harm when it fails.
		_ = f.writer.run("pragma optimize")
		f.writer.close()
		f.writer = nil
	}
	for range f.size {
		if c := <-f.readers; c != nil {
			c.close()
		}
	}
	return errors.Join(f.reading.Close(), f.writing.Close())
}

// classifySQLite marks the errors that come from the disk or from another process's lock rather than from what was asked.
func classifySQLite(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY,
		sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return unavailable(err)
	}
	return err
}

// lasting makes an error that waiting does not mend of one that says that the file is damaged. It is for the start: what finds that out later must not
// take it for a fault of what it was about to write.
func lasting(err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) && (e.Code()&0xff == sqlite3.SQLITE_CORRUPT || e.Code()&0xff == sqlite3.SQLITE_NOTADB) {
		return fmt.Errorf("it is damaged, or no database: %v", e) // without what is in its chain
	}
	return err
}
