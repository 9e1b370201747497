package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"

	"parkwire/internal/sleep"
)

// How long a leader may go unheard of before the server gives its place to another, and how it keeps it: it
// asks all the time and gives up, when there is no answer, well before the server does.
const (
	leaderSilence = "6s"
	leaderPing    = 250 * time.Millisecond // a leader that was cut off is to notice before its successor has looked around
	leaderAnswer  = 2 * time.Second
	leaderRetry   = 500 * time.Millisecond
)

// Lead implements [relay.Outbox].
func (s *Store) Lead(ctx context.Context, lead func(context.Context) error) error {
	for pause := leaderRetry; ; pause = min(2*pause, 5*time.Second) {
		begun := false
		err := s.holding(ctx, "relay", func(ctx context.Context) error { begun = true; return lead(ctx) })
		switch {
		case begun:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case s.closing.Err() != nil:
			return errClosed
		}
		// The server is away; Ready tells, and the log did.
		if err := sleep.About(ctx, pause); err != nil {
			return err
		}
	}
}

// holding calls do while it holds the advisory lock of that name, on a connection of its own. Each schema has its
// own locks. The ctx of do ends when the lock is lost.
//
// The lock belongs to a transaction, not to the session: a pooler such as PgBouncer can then be in between, and the server
// itself ends a transaction whose owner is silent, so that a frozen or cut off process does not keep the lock for
// as long as TCP believes in it. It is asked for again and again rather than waited for, because a statement that waits
// holds a snapshot, and dead rows of the outbox could not be cleared away.
func (s *Store) holding(ctx context.Context, name string, do func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.closing, cancel)()
	config := s.pool.Config().ConnConfig
	config.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.DeadlineContextWatcherHandler{Conn: conn.Conn()} // no answer in time: give up at once
	}
	if err := s.server.Renew(ctx, config); err != nil {
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaderAnswer)
		defer cancel()
		conn.Close(ctx) // and with it the transaction and the lock
	}()
	for {
		got, err := tryLock(ctx, conn, name)
		if err != nil {
			return err
		}
		if got {
			break
		}
		if err := sleep.About(ctx, leaderRetry); err != nil {
			return err
		}
	}
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		defer cancel()
		s.keep(ctx, conn, name)
	}()
	err = do(ctx)
	cancel()
	<-kept
	return err
}

// tryLock leaves the transaction open when it got the lock.
func tryLock(ctx context.Context, conn *pgx.Conn, name string) (got bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, leaderAnswer)
	defer cancel()
	if _, err := conn.Exec(ctx, "begin"); err != nil {
		return false, err
	}
	err = conn.QueryRow(ctx, `select pg_try_advisory_xact_lock(hashtextextended('parkwire ' || $1 || ' ' || coalesce(current_schema(), ''), 0)),
		set_config('idle_in_transaction_session_timeout', $2, true)`, name, leaderSilence).Scan(&got, nil)
	if err != nil || got {
		return got, err
	}
	_, err = conn.Exec(ctx, "rollback")
	return false, err
}

// keep returns when ctx ends or the server no longer answers on the connection.
func (s *Store) keep(ctx context.Context, conn *pgx.Conn, name string) {
	tick := time.NewTicker(leaderPing)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		answer, cancel := context.WithTimeout(ctx, leaderAnswer)
		err := conn.Ping(answer)
		cancel()
		if err != nil {
			if ctx.Err() == nil {
				s.logger.Warn("the lock of the database was lost", "lock", name, "err", err)
			}
			return
		}
	}
}
