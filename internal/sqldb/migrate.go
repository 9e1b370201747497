package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"slices"

	"github.com/pressly/goose/v3"
)

// migrate brings every set up to date. The caller keeps other processes away meanwhile.
func migrate(ctx context.Context, dialect goose.Dialect, db *sql.DB, sets []Set) error {
	for _, set := range sets {
		files := layers{set.Postgres, set.Files}
		if dialect == goose.DialectSQLite3 {
			files[0] = set.SQLite
		}
		provider, err := goose.NewProvider(dialect, db, files, goose.WithLogger(goose.NopLogger()), goose.WithDisableGlobalRegistry(true),
			goose.WithTableName(set.Table()))
		if err != nil {
			return fmt.Errorf("migrations of %s: %w", set.Name, err)
		}
		if _, err := provider.Up(ctx); err != nil {
			return fmt.Errorf("bringing the tables of %s up to date: %w", set.Name, err)
		}
	}
	return nil
}

// layers are folders laid over each other: a file is that of the first that has it. Any may be nil.
type layers [2]fs.FS

func (l layers) Open(name string) (fs.File, error) {
	err := error(&fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist})
	for _, folder := range l {
		if folder == nil {
			continue
		}
		var f fs.File
		if f, err = folder.Open(name); err == nil {
			return f, nil
		}
	}
	return nil, err
}

func (l layers) Glob(pattern string) ([]string, error) {
	var all []string
	for _, folder := range l {
		if folder == nil {
			continue
		}
		found, err := fs.Glob(folder, pattern)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// NewSet returns the set of a package that embeds a folder "migrations"; what one of the two databases needs otherwise is in
// "migrations/sqlite" and "migrations/postgres".
func NewSet(name string, files fs.FS) Set {
	sub := func(folder string) fs.FS {
		f, err := fs.Sub(files, folder)
		if err != nil { // of names that are no paths alone
			return nil
		}
		return f
	}
	return Set{Name: name, Files: sub("migrations"), SQLite: sub("migrations/sqlite"), Postgres: sub("migrations/postgres")}
}
