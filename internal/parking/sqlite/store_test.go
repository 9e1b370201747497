package sqlite_test

import (
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
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

func TestTransactionsAndConnectionsAreMeasured(t *testing.T) {
	registry := prometheus.NewRegistry()
	s, err := sqlite.Open(sqlite.Options{Path: filepath.Join(t.TempDir(), "parkwire.db"), Registerer: registry})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_ = s.Update(t.Context(), addLot) // not started yet
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second is refused: the lot is there
		_ = s.Update(t.Context(), addLot)
	}
	const name = "parkwire_store_update_duration_seconds"
	if n := testutil.CollectAndCount(registry, name); n != 3 {
		t.Errorf("%d outcomes are counted, want committed, refused and unavailable", n)
	}
	if n := testutil.CollectAndCount(registry, "parkwire_store_connections"); n != 2 {
		t.Errorf("%d states of connections are shown", n)
	}
}
