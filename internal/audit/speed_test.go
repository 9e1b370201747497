package audit

import (
	"context"
	"fmt"
	"testing"

	"parkwire/internal/kafkalog"
	"parkwire/internal/sqldb"
	"parkwire/internal/sqldb/sqldbtest"
)

// eachDatabase runs a benchmark on every kind of database.
func eachDatabase(b *testing.B, run func(b *testing.B, db *sqldb.DB)) {
	b.Run("sqlite", func(b *testing.B) { run(b, sqldbtest.Open(b, sqldbtest.SQLite(b, Sets()))) })
	b.Run("postgres", func(b *testing.B) { run(b, sqldbtest.Open(b, sqldbtest.Postgres(b, Sets()))) })
}

// appended appends n events of 1,000 spots, in batches as the frame gives them.
func appended(b *testing.B, db *sqldb.DB, from, n int) {
	b.Helper()
	const batch = 1000
	w := newWorld(nil, db)
	for done := 0; done < n; done += batch {
		records := make([]kafkalog.Record, min(batch, n-done))
		for i := range records {
			at := from + done + i
			records[i] = happened(fmt.Sprintf("A-%d", at%1000), at)
			records[i].Offset, records[i].Timestamp = int64(at), noon
		}
		err := db.Update(b.Context(), func(ctx context.Context, tx *sqldb.Tx) error { return w.events.Apply(ctx, tx, records) })
		if err != nil {
			b.Fatal(err)
		}
	}
}

// go test -run - -bench . -benchtime 100000x ./internal/audit
func BenchmarkAppend(b *testing.B) {
	eachDatabase(b, func(b *testing.B, db *sqldb.DB) {
		b.ResetTimer()
		appended(b, db, 0, b.N)
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
	})
}

func BenchmarkVerify(b *testing.B) {
	eachDatabase(b, func(b *testing.B, db *sqldb.DB) {
		appended(b, db, 0, b.N)
		b.ResetTimer()
		if r, err := Verify(b.Context(), db, Verification{}); err != nil || !r.OK || r.Records != int64(b.N) {
			b.Fatalf("%+v, %v", r, err)
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
	})
}
