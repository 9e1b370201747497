// Package postgres keeps the state of the parking part in PostgreSQL, which several processes share.
package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"parkwire/internal/database"
	"parkwire/internal/parking"
	"parkwire/internal/parking/internal/storage"
	"parkwire/internal/secret"
)

// Options say where the server is.
type Options struct {
	URL          string // what it sets itself is left as it is, see [database.Postgres]
	PasswordFile string // instead of a password in the URL
	// MaxConns bounds the connections of the pool, where the URL does not; 0: 16. One more leads the relay. Few are needed: a transaction
	// takes milliseconds, and a server does most work with about two connections a core.
	MaxConns int
	// Timeout bounds each call, with its waiting and retries; 0: 15 s. The server gives a statement two thirds of it.
	Timeout    time.Duration
	Logger     *slog.Logger          // nil: slog.Default()
	Registerer prometheus.Registerer // nil: metrics are not registered
}

// Store implements [parking.Store].
type Store struct {
	server      database.Postgres
	pool        *pgxpool.Pool
	timeout     time.Duration
	logger      *slog.Logger
	health      *database.Health
	measures    *storage.Measures
	wake        chan struct{}
	recordsWake chan struct{}

	closing  context.Context // ends with Close
	close    context.CancelFunc
	watching sync.WaitGroup
	watch    sync.Once
}

var _ parking.Store = (*Store)(nil)

// Open prepares a store and does no I/O; that begins with Start.
func Open(o Options) (*Store, error) {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	o.Timeout = cmp.Or(o.Timeout, 15*time.Second)
	server := database.Postgres{
		URL: o.URL, Password: secret.Text{File: o.PasswordFile, Setting: "database-password-file"}, MaxConns: cmp.Or(o.MaxConns, 16),
		Runtime: map[string]string{
			"application_name":  "parkwire",
			"statement_timeout": fmt.Sprint(o.Timeout.Milliseconds() * 2 / 3),
			// A process that froze or was cut off must not keep its spots locked.
			"idle_in_transaction_session_timeout": fmt.Sprint(o.Timeout.Milliseconds() * 2 / 3),
			// Either takes longer to begin than any query here takes.
			"jit":                             "off",
			"max_parallel_workers_per_gather": "0",
		},
	}
	config, err := server.Config()
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config) // connects when somebody needs a connection
	if err != nil {
		return nil, fmt.Errorf("preparing the connections to the database: %w", err)
	}
	s := &Store{
		server: server, pool: pool, timeout: o.Timeout, logger: o.Logger, health: database.NewHealth(o.Logger, parking.ErrUnavailable), wake: make(chan struct{}, 1), recordsWake: make(chan struct{}, 1),
		measures: storage.NewMeasures(o.Registerer, func() storage.Connections {
			stat := pool.Stat()
			return storage.Connections{InUse: int(stat.AcquiredConns()), Idle: int(stat.IdleConns())}
		}),
	}
	s.closing, s.close = context.WithCancel(context.Background())
	return s, nil
}

// Start implements [parking.Store].
func (s *Store) Start(ctx context.Context) error {
	if err := s.health.Await(ctx, s.migrate); err != nil {
		return fmt.Errorf("preparing the database: %w", err)
	}
	s.watch.Do(func() { s.watching.Go(s.probe) })
	return nil
}

// probe keeps the health up to date until the store is closed.
func (s *Store) probe() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-s.closing.Done():
			return
		}
		ctx, cancel := context.WithTimeout(s.closing, 3*time.Second)
		err := s.pool.Ping(ctx)
		cancel()
		stat := s.pool.Stat()
		if err != nil && stat.AcquiredConns() >= stat.MaxConns() {
			continue // busy, which says nothing about the server
		}
		if s.closing.Err() == nil {
			s.health.Report(s.classify(s.closing, err))
		}
	}
}

// Ready returns nil, or why the server did not answer in the last second.
func (s *Store) Ready() error { return s.health.Ready() }

// Close waits for the calls that are under way.
func (s *Store) Close() error {
	s.close()
	s.watching.Wait()
	s.pool.Close()
	return nil
}

var errClosed = storage.Unavailable(errors.New("the store is closed"))

// bound returns the context of one call.
func (s *Store) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.timeout)
}

// look reads rows of what is committed.
func look[T any](ctx context.Context, s *Store, scan func(storage.Row) (T, error), query string, args ...any) ([]T, error) {
	bound, cancel := s.bound(ctx)
	defer cancel()
	rows, err := s.pool.Query(bound, query, args...)
	if err != nil {
		return nil, s.classify(ctx, err)
	}
	all, err := collect(rows, scan)
	return all, s.classify(ctx, err)
}

// collect reads all rows; nil where there are none.
func collect[T any](rows pgx.Rows, scan func(storage.Row) (T, error)) ([]T, error) {
	return pgx.AppendRows([]T(nil), rows, func(r pgx.CollectableRow) (T, error) { return scan(r) })
}
