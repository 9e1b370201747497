package postgres_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"parkwire/internal/parking"
	"parkwire/internal/parking/postgres"
	"parkwire/internal/parking/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const envDatabase = "PARKWIRE_TEST_DATABASE_URL"

// server returns the address of the real server. The test is skipped without one, or fails where there must be one.
func server(t testing.TB) string {
	t.Helper()
	address := os.Getenv(envDatabase)
	if address == "" {
		absent(t, envDatabase+" is not set; test/kit/postgres.sh starts a server")
	}
	return address
}

func absent(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("PARKWIRE_TEST_DISTRIBUTED") == "1" {
		t.Fatalf("%s, although PARKWIRE_TEST_DISTRIBUTED=1 promises it", why)
	}
	t.Skipf("skipped: %s", why)
}

// ownSchema makes a schema for the test and returns the address with it as the search path.
func ownSchema(t testing.TB, address string) string {
	t.Helper()
	name := "store_" + strings.ToLower(rand.Text())
	execute(t, address, "create schema "+name)
	t.Cleanup(func() { execute(t, address, "drop schema "+name+" cascade") })
	return setting(t, address, "search_path", name)
}

func execute(t testing.TB, address, query string, args ...any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, query, args...); err != nil {
		t.Fatal(err)
	}
}

// setting returns the address with one more parameter.
func setting(t testing.TB, address, name, value string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Set(name, value)
	u.RawQuery = query.Encode()
	return u.String()
}

// through returns the address with another host.
func through(t testing.TB, address, host string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = host
	return u.String()
}

func open(t testing.TB, o postgres.Options) *postgres.Store {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s, err := postgres.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return s
}

func started(t testing.TB, o postgres.Options) *postgres.Store {
	t.Helper()
	s := open(t, o)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := s.Start(ctx); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConformance(t *testing.T) {
	address := server(t)
	storetest.Run(t, func(t *testing.T) parking.Store {
		return started(t, postgres.Options{URL: ownSchema(t, address)})
	})
}

func BenchmarkStore(b *testing.B) {
	url := ownSchema(b, server(b))
	storetest.Benchmark(b, started(b, postgres.Options{URL: url}), func() { execute(b, url, "vacuum analyze spots") })
}
