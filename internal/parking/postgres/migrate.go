package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the schema up to date. Of several processes that start at once one does so, and the others wait.
func (s *Store) migrate(ctx context.Context) error {
	err := s.holding(ctx, "migrations", func(ctx context.Context) error {
		config := s.pool.Config().ConnConfig
		delete(config.RuntimeParams, "statement_timeout") // an index on a large table takes its time
		db := stdlib.OpenDB(*config, stdlib.OptionBeforeConnect(s.server.Renew))
		defer db.Close()
		var schema *string
		if err := db.QueryRowContext(ctx, "select current_schema()").Scan(&schema); err != nil {
			return err
		}
		if schema == nil {
			return errors.New("none of the schemas that search_path names exists, or may be used; make it first: create schema …")
		}
		files, err := fs.Sub(migrations, "migrations")
		if err != nil {
			return err
		}
		provider, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithLogger(goose.NopLogger()),
			goose.WithDisableGlobalRegistry(true))
		if err != nil {
			return err
		}
		_, err = provider.Up(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("bringing the schema up to date: %w", s.classify(ctx, err))
	}
	return nil
}
