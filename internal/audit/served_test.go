package audit

import (
	"crypto/ed25519"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"parkwire/internal/sqldb"
	"parkwire/internal/sqldb/sqldbtest"
)

// sqliteDB is a SQLite file of the test's own.
func sqliteDB(t *testing.T) *sqldb.DB { return sqldbtest.Open(t, sqldbtest.SQLite(t, Sets())) }

// served is the part of a service that answers.
func (w *world) served(key ed25519.PrivateKey) *Service {
	return &Service{db: w.db, key: key, logger: slog.New(slog.DiscardHandler), now: func() time.Time { return w.now }, metrics: newMetrics(nil)}
}

// EachServed gives a test from outside a chain with all sorts of records, on every kind of database, by what it answers alone.
func EachServed(t *testing.T, test func(t *testing.T, handler http.Handler, key ed25519.PrivateKey)) {
	sqldbtest.Each(t, Sets(), func(t *testing.T, open func() *sqldb.DB) {
		w := newWorld(t, open())
		_, key, err := ed25519.GenerateKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		w.fill(20)
		w.apply(&w.events, strange()...)
		w.apply(&w.events, happened("A-1", 1))
		test(t, w.served(key).Handler(), key)
	})
}
