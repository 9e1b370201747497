package history

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
	"parkwire/internal/sqldb/sqldbtest"
)

// discarded counts what is answered, and keeps nothing of it. It looks how much memory is in use meanwhile.
type discarded struct {
	header       http.Header
	status       int
	bytes, looks int
	most         uint64
}

func (d *discarded) Header() http.Header    { return d.header }
func (d *discarded) WriteHeader(status int) { d.status = status }

func (d *discarded) Write(b []byte) (int, error) {
	d.bytes += len(b)
	if d.looks++; d.looks%64 == 0 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		d.most = max(d.most, m.HeapInuse)
	}
	return len(b), nil
}

// BenchmarkReports asks for reports of a lot of 500 spots with 1,000,000 events, which are 500,000 stays in 200 days, on SQLite.
func BenchmarkReports(b *testing.B) {
	db := sqldbtest.Open(b, sqldbtest.SQLite(b, Sets()))
	w := newWorld(b, db)
	const spots, perDay = 500, 5
	days := 200
	if testing.Short() { // does it work?
		days = 3
	}
	begin := clock("2026-01-01T00:00:00Z")
	all := make([]*told, spots)
	for i := range all {
		all[i] = spotOf(fmt.Sprintf("spot-%03d", i))
		all[i].zone = fmt.Sprintf("Z%d", i%5)
	}
	for day := range days {
		var records []kafkalog.Record
		for n := range perDay {
			for i, s := range all {
				at := begin.AddDate(0, 0, day).Add(time.Duration(n)*4*time.Hour + time.Duration(i*17%180)*time.Minute)
				records = append(records, s.becomes(at.Format(time.RFC3339), event.Occupied, event.ChangeOccupied),
					s.becomes(at.Add(time.Duration(30+i%60)*time.Minute).Format(time.RFC3339), event.Free, event.ChangeReleased))
			}
		}
		w.apply(records...)
	}
	s := w.serve("2026-07-20T00:00:00Z")
	handler := s.service.Handler()
	const period = "from=2026-01-01&to=2026-07-20"
	for _, path := range []string{
		"/lots/L/metrics?interval=day&" + period, "/lots/L/metrics?interval=hour&" + period, "/lots/L/metrics?interval=hour&from=2026-06-01&to=2026-06-02",
		"/lots/L/metrics?interval=hour&format=parquet&" + period, "/lots/L/heatmap?" + period, "/lots/L/heatmap?from=2026-06-01&to=2026-06-29", "/lots/L/stays?limit=100&" + period,
		"/lots/L/stays?format=csv&" + period, "/lots/L/stays?format=parquet&" + period,
	} {
		b.Run(path, func(b *testing.B) {
			var d discarded
			for b.Loop() {
				d = discarded{header: http.Header{}}
				handler.ServeHTTP(&d, httptest.NewRequestWithContext(context.Background(), "GET", "/api/v1"+path, nil))
				if d.status != 200 {
					b.Fatalf("%d", d.status)
				}
			}
			b.ReportMetric(float64(d.bytes), "bytes")
			b.ReportMetric(float64(d.most)/(1<<20), "MB-in-use")
		})
	}
}
