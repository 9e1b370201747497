package alerts

import (
	"log/slog"
	"testing"

	"parkwire/internal/kafkalog"
	"parkwire/internal/rest"
	"parkwire/internal/rest/resttest"
	"parkwire/internal/sqldb/sqldbtest"
)

func TestTheDescriptionHasWhatIsServed(t *testing.T) {
	log, err := kafkalog.Open(kafkalog.Options{Brokers: []string{"127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	s, err := New(Options{Log: log, DB: sqldbtest.Open(t, sqldbtest.SQLite(t, Sets())), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	resttest.Documented(t, rest.Prefix, s.routes(), "alerts")
}
