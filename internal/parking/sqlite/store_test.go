package sqlite_test

import (
	"log/slog"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"parkwire/internal/parking"
	"parkwire/internal/parking/sqlite"
	"parkwire/internal/parking/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t testing.TB, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(sqlite.Options{Path: path, Logger: slog.New(slog.DiscardHandler)})
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

func started(t testing.TB, path string) *sqlite.Store {
	t.Helper()
	s := open(t, path)
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) parking.Store { return started(t, filepath.Join(t.TempDir(), "parkwire.db")) })
}

func BenchmarkStore(b *testing.B) {
	storetest.Benchmark(b, started(b, filepath.Join(b.TempDir(), "parkwire.db")), func() {})
}
