package sqldb

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Look gives a connection to PostgreSQL to who examines the database, which need not have been started.
func (d *DB) Look(ctx context.Context, look func(context.Context, *pgx.Conn) error) error {
	s, ok := d.backend.(*server)
	if !ok {
		return errors.New("it is a file, and no server")
	}
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	return look(ctx, conn.Conn())
}

// MaxConns is how many connections to PostgreSQL the database takes at most.
func (d *DB) MaxConns() int {
	if s, ok := d.backend.(*server); ok {
		return int(s.pool.Config().MaxConns)
	}
	return 0
}

// Table is where the set keeps how far it is.
func (s Set) Table() string { return "goose_" + s.Name }

// Newest is the version to which the set brings a SQLite file, or PostgreSQL.
func (s Set) Newest(file bool) (newest int64) {
	files := layers{s.Postgres, s.Files}
	if file {
		files[0] = s.SQLite
	}
	names, _ := files.Glob("*.sql")
	for _, name := range names {
		number, _, _ := strings.Cut(name, "_")
		n, _ := strconv.ParseInt(number, 10, 64)
		newest = max(newest, n)
	}
	return newest
}
