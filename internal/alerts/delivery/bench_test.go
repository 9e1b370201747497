package delivery_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"parkwire/internal/alerts/delivery"
	"parkwire/internal/sqldb"
	"parkwire/internal/sqldb/sqldbtest"
)

// BenchmarkDeliveries says how many webhooks a second one service sends to 50 channels of ten subjects, from when they are decided until each is recorded as
// delivered, beside 100,000 that wait for an endpoint which is away.
func BenchmarkDeliveries(b *testing.B) {
	for name, options := range map[string]func(testing.TB, []sqldb.Set) sqldb.Options{"sqlite": sqldbtest.SQLite, "postgres": sqldbtest.Postgres} {
		for _, dead := range []int{0, 100_000} {
			b.Run(fmt.Sprintf("%s/dead=%d", name, dead), func(b *testing.B) {
				db := sqldbtest.Open(b, options(b, sets))
				benchmark(b, db, dead)
			})
		}
	}
}

func benchmark(b *testing.B, db *sqldb.DB, dead int) {
	var got atomic.Int64
	rec := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		got.Add(1)
	}))
	defer rec.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	service, err := delivery.New(delivery.Options{DB: db, Allow: loopback, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	bad := addChannel(b, db, "nobody", gone.URL)
	for range dead / 5000 {
		enqueue(b, db, "nobody", bad, 5000)
	}
	var channels, subjects []string
	for i := range 50 {
		subjects = append(subjects, fmt.Sprintf("subject-%d", i%10))
		channels = append(channels, addChannel(b, db, subjects[i], rec.URL))
	}
	ctx, cancel := context.WithCancel(b.Context())
	var wait sync.WaitGroup
	wait.Go(func() { _ = service.Run(ctx) })
	defer func() { cancel(); wait.Wait() }()
	for began := time.Now(); dead > 0 && time.Since(began) < time.Second; { // its circuit opens
		time.Sleep(10 * time.Millisecond)
	}
	b.ResetTimer()
	for i := range b.N {
		enqueue(b, db, subjects[i%50], channels[i%50], 100)
		service.Wake()
	}
	for got.Load() < int64(100*b.N) {
		time.Sleep(time.Millisecond)
	}
	b.StopTimer()
	b.ReportMetric(float64(100*b.N)/b.Elapsed().Seconds(), "deliveries/s")
	b.ReportMetric(0, "ns/op")
}

func addChannel(b *testing.B, db *sqldb.DB, subject, url string) string {
	b.Helper()
	id := uuid.Must(uuid.NewV7()).String()
	err := db.Update(b.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `insert into alert_channels (channel_id, subject, kind, name, target, host, state, reason, private, created_at, updated_at, failing_since, delivered_at)
			values (?, ?, 'webhook', 'x', ?, ?, 'active', '', '{"secrets":[{"text":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}]}', 1, 1, 0, 0)`, id, subject, url, url)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return id
}

func enqueue(b *testing.B, db *sqldb.DB, subject, channel string, n int) {
	b.Helper()
	alerts := make([]delivery.Alert, n)
	for i := range alerts {
		id := uuid.Must(uuid.NewV7()).String()
		alerts[i] = delivery.Alert{
			DecisionID: id, RuleID: "r", Subject: subject, Channels: []string{channel}, Type: delivery.TypeFired, At: time.Now(), LotID: "l",
			Text: "The spot A-1 is free.", Data: json.RawMessage(`{"id":"` + id + `"}`),
		}
	}
	err := db.Update(b.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := delivery.Enqueue(ctx, tx, time.Now(), alerts)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
}
