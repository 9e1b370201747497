// Package sqldbtest gives tests a database of their own: a SQLite file always, and a schema on the server that
// PARKWIRE_TEST_DATABASE_URL names too, so that one suite holds for both.
package sqldbtest

import (
	"context"
	"crypto/rand"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"parkwire/internal/sqldb"
	"parkwire/test/e2e/stack"
)

// Patience is how long tests wait for a database.
const Patience = 60 * time.Second

const envDatabase = "PARKWIRE_TEST_DATABASE_URL"

// Each runs test on every kind of database. open opens and starts the test's own database, each time the same; it is closed after
// the test, or by the test.
func Each(t *testing.T, sets []sqldb.Set, run func(t *testing.T, open func() *sqldb.DB)) {
	EachOptions(t, sets, func(t *testing.T, o sqldb.Options) {
		run(t, func() *sqldb.DB { return Open(t, o) })
	})
}

// EachOptions is [Each] for tests that give the database to another process, or open it themselves.
func EachOptions(t *testing.T, sets []sqldb.Set, run func(t *testing.T, o sqldb.Options)) {
	t.Run("sqlite", func(t *testing.T) {
		stack.WantEmbedded(t)
		run(t, SQLite(t, sets))
	})
	t.Run("postgres", func(t *testing.T) { run(t, Postgres(t, sets)) })
}

// SQLite returns the options of a file of the test's own.
func SQLite(t testing.TB, sets []sqldb.Set) sqldb.Options {
	return sqldb.Options{URL: "sqlite:" + filepath.Join(t.TempDir(), "test.db"), Schema: "parkwire_test", Sets: sets, Logger: slog.New(slog.DiscardHandler)}
}

// Postgres returns the options of a schema of the test's own. The test is skipped without a server, or fails where there must be one.
func Postgres(t testing.TB, sets []sqldb.Set) sqldb.Options {
	t.Helper()
	address := os.Getenv(envDatabase)
	if address == "" {
		if os.Getenv("PARKWIRE_TEST_DISTRIBUTED") == "1" {
			t.Fatalf("%s is not set", envDatabase)
		}
		t.Skipf("skipped: %s is not set; test/kit/postgres.sh starts a server", envDatabase)
	}
	name := "test_" + strings.ToLower(rand.Text())
	t.Cleanup(func() { execute(t, address, "drop schema if exists "+name+" cascade") })
	return sqldb.Options{URL: address, Schema: name, Sets: sets, Logger: slog.New(slog.DiscardHandler)}
}

// Open opens and starts a database, which is closed after the test.
func Open(t testing.TB, o sqldb.Options) *sqldb.DB {
	t.Helper()
	d, err := sqldb.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("closing the database: %v", err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	if err := d.Start(ctx); err != nil {
		t.Fatal(err)
	}
	return d
}

func execute(t testing.TB, address, query string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, query); err != nil {
		t.Fatal(err)
	}
}
