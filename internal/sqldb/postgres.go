package sqldb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"parkwire/internal/database"
	"parkwire/internal/secret"
	"parkwire/internal/sleep"
)

// server is a schema in PostgreSQL.
type server struct {
	reached database.Postgres
	pool    *pgxpool.Pool
	schema  string
	options Options
	health  *database.Health
	queries queries
	silence time.Duration // of the server, after which transactions are given up

	closing context.Context
	close_  context.CancelFunc
	watch   sync.Once
	ended   sync.WaitGroup

	mu    sync.Mutex
	alive context.Context // ends when the server has been silent for too long; made anew when it answers
	lost  context.CancelFunc
}

// How long things may take.
const (
	answering = 3 * time.Second  // of a probe
	patience  = 10 * time.Second // of silence
	ending    = 15 * time.Second // of a commit, or a rollback
	statement = 5 * time.Minute  // of one statement: a rollup of years, a deletion after a change of the retention
)

const maxConns = 10 // the consumers, what works behind, and some requests at once

var schemaName = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)

func openPostgres(o Options, h *database.Health) (*server, error) {
	setting := o.Schema[strings.LastIndex(o.Schema, "_")+1:] + "-database"
	reached := database.Postgres{
		URL: o.URL, Password: secret.Text{File: o.PasswordFile, Setting: setting + "-password-file"}, Setting: setting + "-url", MaxConns: cmp.Or(o.MaxConns, maxConns),
		Runtime: map[string]string{
			"application_name":  "parkwire",
			"statement_timeout": fmt.Sprint(statement.Milliseconds()),
			// A process that froze or was cut off must not keep what it has locked.
			"idle_in_transaction_session_timeout": fmt.Sprint((2 * patience).Milliseconds()),
			"jit":                                 "off", // takes longer to begin than nearly any query here takes
		},
	}
	config, err := reached.Config()
	if err != nil {
		return nil, err
	}
	if !schemaName.MatchString(o.Schema) {
		return nil, fmt.Errorf("the schema %q of the database is not made of lower case letters, digits and _", o.Schema)
	}
	config.ConnConfig.RuntimeParams["search_path"] = o.Schema
	if o.ReadOnly {
		config.ConnConfig.RuntimeParams["default_transaction_read_only"] = "on"
	}
	s := &server{reached: reached, schema: o.Schema, options: o, health: h, silence: patience}
	s.closing, s.close_ = context.WithCancel(context.Background())
	s.alive, s.lost = context.WithCancel(s.closing)
	if s.pool, err = pgxpool.NewWithConfig(context.Background(), config); err != nil { // connects when somebody needs a connection
		return nil, fmt.Errorf("preparing the connections to the database: %w", err)
	}
	return s, nil
}

func (s *server) start(ctx context.Context) error {
	if s.closing.Err() != nil {
		return errClosed
	}
	err := s.pool.Ping(ctx)
	if err == nil && !s.options.ReadOnly {
		err = s.migrate(ctx)
	}
	if err != nil {
		return s.classify(ctx, err)
	}
	s.watch.Do(func() { s.ended.Go(s.probe) })
	return nil
}

// migrate makes the schema and its tables. Of several processes that start at once one does so, and the others wait. The lock belongs to a
// transaction, not to the session: a pooler such as PgBouncer can then be in between.
func (s *server) migrate(ctx context.Context) error {
	config := s.pool.Config().ConnConfig
	delete(config.RuntimeParams, "statement_timeout") // an index on a large table takes its time
	delete(config.RuntimeParams, "idle_in_transaction_session_timeout")
	if err := s.reached.Renew(ctx, config); err != nil {
		return err
	}
	holder, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer holder.Close(context.WithoutCancel(ctx)) // and with it the transaction and the lock
	for got := false; ; {
		if _, err := holder.Exec(ctx, "begin"); err != nil {
			return err
		}
		err := holder.QueryRow(ctx, `select pg_try_advisory_xact_lock(hashtextextended('parkwire ' || $1, 0))`, s.schema).Scan(&got)
		if err != nil {
			return err
		}
		if got {
			break
		}
		if _, err := holder.Exec(ctx, "rollback"); err != nil {
			return err
		}
		if err := sleep.About(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
	db := stdlib.OpenDB(*config, stdlib.OptionBeforeConnect(s.reached.Renew))
	defer db.Close()
	var there bool
	if err := db.QueryRowContext(ctx, "select exists (select from pg_namespace where nspname = $1)", s.schema).Scan(&there); err != nil {
		return err
	}
	if !there {
		if _, err := db.ExecContext(ctx, "create schema "+s.schema); err != nil {
			return fmt.Errorf("making the schema %s: %w", s.schema, err)
		}
	}
	return migrate(ctx, goose.DialectPostgres, db, s.options.Sets)
}

// probe keeps the health up to date, and ends what waits for a server that is gone, until the database is closed.
func (s *server) probe() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	answered := time.Now()
	for {
		select {
		case <-tick.C:
		case <-s.closing.Done():
			return
		}
		ctx, cancel := context.WithTimeout(s.closing, answering)
		err := s.pool.Ping(ctx)
		cancel()
		stat := s.pool.Stat()
		switch {
		case s.closing.Err() != nil:
			return
		case err != nil && stat.AcquiredConns() >= stat.MaxConns():
			continue // busy, which says nothing about the server
		}
		s.health.Report(s.classify(s.closing, err))
		s.mu.Lock()
		if err == nil {
			answered = time.Now()
			if s.alive.Err() != nil {
				s.alive, s.lost = context.WithCancel(s.closing)
			}
		} else if time.Since(answered) > s.silence {
			s.lost()
		}
		s.mu.Unlock()
	}
}

// bound returns the context of one transaction. It ends with ctx, and when the server is gone.
func (s *server) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	s.mu.Lock()
	alive := s.alive
	s.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(alive, cancel)
	return ctx, func() { stop(); cancel() }
}

func (s *server) update(ctx context.Context, do func(context.Context, conn) error) (conflict bool, err error) {
	c := &serverConn{server: s, caller: ctx}
	err = c.run(ctx, "begin isolation level serializable", func(ctx context.Context) error { return do(ctx, c) })
	return c.conflict, err
}

func (s *server) view(ctx context.Context, do func(context.Context, conn) error) error {
	c := &serverConn{server: s, caller: ctx}
	return c.run(ctx, "begin isolation level repeatable read read only", func(ctx context.Context) error { return do(ctx, c) })
}

func (s *server) connections() (inUse, idle int) {
	stat := s.pool.Stat()
	return int(stat.AcquiredConns()), int(stat.IdleConns())
}

func (s *server) close() error {
	s.close_()
	s.ended.Wait()
	s.pool.Close()
	return nil
}

// run runs do in a transaction that begins as begin says.
func (c *serverConn) run(ctx context.Context, begin string, do func(context.Context) error) error {
	s := c.server
	ctx, cancel := s.bound(ctx)
	defer cancel()
	c.bound = ctx
	pooled, err := s.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("beginning a transaction: %w", c.check(err))
	}
	defer pooled.Release() // closes what is not idle
	c.one = pooled.Conn()
	if _, err := c.one.Exec(ctx, begin); err != nil {
		return fmt.Errorf("beginning a transaction: %w", c.check(err))
	}
	committed := false
	defer func() { // also where do panics
		if !committed && !c.one.IsClosed() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ending)
			defer cancel()
			_, _ = c.one.Exec(ctx, "rollback") // where it fails the connection is not used again
		}
	}()
	if err := do(ctx); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return c.check(err)
	}
	// From here on it no longer matters what the caller does: half a commit would leave the outcome open.
	late, cancelLate := context.WithTimeout(context.WithoutCancel(ctx), ending)
	defer cancelLate()
	tag, err := c.one.Exec(late, "commit")
	if err == nil && tag.String() == "ROLLBACK" {
		err = errors.New("a statement before had failed")
	}
	if err != nil {
		c.caller, c.bound = context.WithoutCancel(ctx), nil
		return fmt.Errorf("committing: %w", c.check(err))
	}
	committed = true
	return nil
}
