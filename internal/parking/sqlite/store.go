// Package sqlite keeps the state of the parking part in one file, for a platform that is one process.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parkwire/internal/database"
	"parkwire/internal/parking"
	"parkwire/internal/parking/internal/storage"
)

// Options say where the database is.
type Options struct {
	Path       string                // of the file. It and its folder are made where they are missing.
	Logger     *slog.Logger          // nil: slog.Default()
	Registerer prometheus.Registerer // nil: metrics are not registered
}

// Store implements [parking.Store]. One connection writes, in the order in which it is asked; others read what was
// committed, at the same time.
type Store struct {
	path        string
	health      *database.Health
	measures    *storage.Measures
	reader      *reader
	leading     chan struct{} // holds a token while somebody leads
	wake        chan struct{}
	recordsWake chan struct{}
	closing     context.Context
	close       context.CancelFunc

	turn chan struct{} // holds a token while the fields below are used
	db   *sql.DB       // of the writer
	*writer
	lock *os.File
}

var _ parking.Store = (*Store)(nil)

var errInUse = errors.New("another process uses the database: end that, or choose another file")

// Every commit waits until the disk has it (synchronous = full), so that what was acknowledged survives the
// loss of power. That costs one fsync a commit, which writing in groups spreads over many changes.
const pragmas = "_pragma=busy_timeout(5000)&_pragma=journal_mode(wal)&_pragma=synchronous(full)" +
	"&_pragma=foreign_keys(on)&_pragma=temp_store(memory)&_pragma=cache_size(-16384)"

// Open prepares a store and does no I/O; that begins with Start.
func Open(o Options) (*Store, error) {
	if o.Path == "" {
		return nil, errors.New("the path of the SQLite file is empty; an example is sqlite:/var/lib/parkwire/parkwire.db")
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	path, err := filepath.Abs(o.Path)
	if err != nil {
		return nil, fmt.Errorf("the path of the SQLite file: %w", err)
	}
	address := (&url.URL{Scheme: "file", Path: path}).String() + "?" + pragmas
	writing, err := sql.Open("sqlite", address)
	if err != nil {
		return nil, fmt.Errorf("SQLite file %s: %w", path, err)
	}
	reading, err := sql.Open("sqlite", address+"&_pragma=query_only(on)")
	if err != nil {
		return nil, fmt.Errorf("SQLite file %s: %w", path, err)
	}
	readers := max(4, 2*runtime.GOMAXPROCS(0))
	reading.SetMaxOpenConns(readers)
	reading.SetMaxIdleConns(readers)
	s := &Store{
		path: path, health: database.NewHealth(o.Logger, parking.ErrUnavailable), reader: &reader{db: reading, prepared: map[string]*sql.Stmt{}},
		leading: make(chan struct{}, 1), wake: make(chan struct{}, 1), recordsWake: make(chan struct{}, 1), turn: make(chan struct{}, 1), db: writing,
	}
	s.measures = storage.NewMeasures(o.Registerer, func() storage.Connections {
		stats := reading.Stats()
		return storage.Connections{InUse: stats.InUse + len(s.turn), Idle: stats.Idle + 1 - len(s.turn)}
	})
	s.closing, s.close = context.WithCancel(context.Background())
	return s, nil
}

// Start takes the file's lock, and fails where another process has it.
func (s *Store) Start(ctx context.Context) error {
	if err := s.take(ctx); err != nil {
		return err
	}
	defer s.pass()
	if s.writer != nil {
		return nil
	}
	if s.lock == nil {
		if err := os.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
			return fmt.Errorf("SQLite file %s: %w", s.path, err)
		}
		lock, err := lockFile(s.path + ".lock")
		if err != nil {
			return fmt.Errorf("SQLite file %s: %w", s.path, err)
		}
		s.lock = lock
	}
	return s.health.Await(ctx, func(ctx context.Context) error {
		if err := migrate(ctx, s.db); err != nil {
			return fmt.Errorf("SQLite file %s: %w", s.path, classify(err))
		}
		conn, err := s.db.Conn(ctx)
		if err != nil {
			return fmt.Errorf("SQLite file %s: %w", s.path, classify(err))
		}
		s.writer = &writer{conn: conn, prepared: map[string]*sql.Stmt{}}
		return nil
	})
}

// Ready returns nil, or what was wrong with the last transaction.
func (s *Store) Ready() error { return s.health.Ready() }

// Close ends every use of the file and releases its lock.
func (s *Store) Close() error {
	s.close()
	s.turn <- struct{}{}
	defer s.pass()
	var errs []error
	if s.writer != nil {
		// Keeps what the planner knows of the tables fresh; quick, and no harm when it fails.
		_ = s.writer.exec("pragma optimize")
		errs = append(errs, s.writer.close())
		s.writer = nil
	}
	errs = append(errs, s.reader.close(), s.db.Close())
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
		s.lock = nil
	}
	return errors.Join(errs...)
}

// take waits until nobody else writes.
func (s *Store) take(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.closing.Done():
		return errClosed
	}
	if s.closing.Err() != nil {
		s.pass()
		return errClosed
	}
	return nil
}

func (s *Store) pass() { <-s.turn }

// unlessClosed returns err, or that the store is closed where that is why there is one.
func (s *Store) unlessClosed(err error) error {
	if err != nil && s.closing.Err() != nil {
		return errClosed
	}
	return err
}

var errClosed = storage.Unavailable(errors.New("the store is closed"))

// Update implements [parking.Store]. Only one runs at a time, so none is ever called again.
func (s *Store) Update(ctx context.Context, change func(context.Context, parking.Tx) error) error {
	start := time.Now()
	t := &tx{}
	err := s.write(ctx, func(w *writer) error { t.w = w; return change(ctx, t) })
	s.measures.Updated(start, err)
	if err == nil {
		storage.Wake(s.wake, t.appended)
		storage.Wake(s.recordsWake, t.recorded)
	}
	return err
}

// write runs do in a transaction.
func (s *Store) write(ctx context.Context, do func(*writer) error) error {
	if err := s.take(ctx); err != nil {
		return err
	}
	defer s.pass()
	if s.writer == nil {
		return storage.Unavailable(errors.New("the store was not started"))
	}
	err := s.writer.transaction(ctx, do)
	if err == nil || errors.Is(err, parking.ErrUnavailable) {
		s.health.Report(err)
	}
	return err
}

// A reader shares its connections and prepared statements between goroutines.
type reader struct {
	db *sql.DB

	mu       sync.Mutex
	prepared map[string]*sql.Stmt // by query; there are only so many
}

func (r *reader) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if stmt, ok := r.prepared[query]; ok {
		return stmt, nil
	}
	stmt, err := r.db.PrepareContext(ctx, query)
	if err == nil {
		r.prepared[query] = stmt
	}
	return stmt, err
}

func (r *reader) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, stmt := range r.prepared {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(append(errs, r.db.Close())...)
}
