package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"parkwire/internal/sqldb"
)

// Look gives a connection to who examines the database, which need not have been started.
func (s *Store) Look(ctx context.Context, look func(context.Context, *pgx.Conn) error) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	return look(ctx, conn.Conn())
}

// MaxConns is how many connections the store takes at most, with the one that leads.
func (s *Store) MaxConns() int { return int(s.pool.Config().MaxConns) + 1 }

// Newest is the version of the schema to which Start brings it.
func Newest() int64 { return sqldb.NewSet("", migrations).Newest(false) }
