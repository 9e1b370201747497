package config_test

import (
	"errors"
	"strings"
	"testing"

	"parkwire/internal/config"
)

func TestFurtherServicesStoreInASchemaOfTheirOwnWhereThereIsPostgreSQL(t *testing.T) {
	l, r := sources{args: []string{"--database-url=postgres://u:hunter2@h/d", "--kafka-brokers=k:9092"}}.resolve(t, config.History)
	if r.HistoryDatabaseURL != "postgres://u:hunter2@h/d" || r.AuditDatabaseURL != "" || r.Schema(config.History) != "parkwire_history" || r.UsesDataDir || r.Serves != "history" {
		t.Errorf("got %+v", r)
	}
	if got := setting(t, l, "history-database-url"); got.Source != "database-url, schema parkwire_history" || strings.Contains(got.Value, "hunter2") {
		t.Errorf("it is said to be %+v", got)
	}
	_, r = sources{args: []string{"--database-url=postgres://h/d", "--audit-database-url=sqlite:/a.db", "--services-prefix=north-2", "--kafka-brokers=k:9092"}}.resolve(t, config.All)
	if r.HistoryDatabaseURL != "postgres://h/d" || r.AuditDatabaseURL != "sqlite:/a.db" || r.Schema(config.Alerts) != "north_2_alerts" {
		t.Errorf("got %+v", r)
	}
}

// A file in the data folder of one process would be another one than in that of the next.
func TestAFurtherServiceAloneDoesNotUseTheDataFolder(t *testing.T) {
	l, err := sources{args: []string{"--database-url=sqlite:/parkwire.db", "--kafka-brokers=k:9092"}}.load(t)
	if err != nil {
		t.Fatal(err)
	}
	_, err = l.Resolve(config.Audit)
	var errs config.Errors
	if !errors.As(err, &errs) || len(errs) != 1 || errs[0].Field != "audit-database-url" {
		t.Errorf("got %v", err)
	}
	_, r := sources{args: []string{"--audit-database-url=sqlite:/audit.db", "--kafka-brokers=k:9092"}}.resolve(t, config.Audit)
	if r.AuditDatabaseURL != "sqlite:/audit.db" || r.UsesDataDir {
		t.Errorf("got %+v", r)
	}
}

func TestAGatewayDoesWithoutFurtherServices(t *testing.T) {
	_, r := sources{args: []string{"--parking-urls=http://p:5000", "--live-urls=http://l:5000", "--alerts-urls=http://a:5000", "--jwt-key=" + strings.Repeat("k", 32)}}.resolve(t, config.Gateway)
	if len(r.HistoryURLs) > 0 || len(r.AuditURLs) > 0 || len(r.AlertsURLs) != 1 || r.HistoryDatabaseURL != "" {
		t.Errorf("got %+v", r)
	}
}

func TestCommandsFindTheDatabasesOfServices(t *testing.T) {
	for _, c := range []struct {
		args        []string
		url, schema string

		passwordFile string
	}{
		{nil, "sqlite:data/audit.db", "parkwire_audit", ""},
		{[]string{"--data-dir=/d"}, "sqlite:/d/audit.db", "parkwire_audit", ""},
		{[]string{"--database-url=postgres://h/d", "--services-prefix=x"}, "postgres://h/d", "x_audit", ""},
		{[]string{"--database-url=postgres://h/d", "--audit-database-url=sqlite:/a.db"}, "sqlite:/a.db", "parkwire_audit", ""},
		{[]string{"--database-url=postgres://h/d", "--database-password-file=/p"}, "postgres://h/d", "parkwire_audit", "/p"},
		{[]string{"--database-url=postgres://h/d", "--database-password-file=/p", "--audit-database-password-file=/a"}, "postgres://h/d", "parkwire_audit", "/a"},
		{[]string{"--database-url=postgres://h/d", "--database-password-file=/p", "--audit-database-url=postgres://i/d"}, "postgres://i/d", "parkwire_audit", ""},
	} {
		l, err := sources{args: c.args}.load(t)
		if err != nil {
			t.Fatal(err)
		}
		if d, err := l.ResolveDatabase(config.Audit); err != nil || d.URL != c.url || d.Schema != c.schema || d.PasswordFile != c.passwordFile || d.Connections != 10 {
			t.Errorf("%v: %+v, %v", c.args, d, err)
		}
	}
	l, _ := sources{}.load(t)
	if _, err := l.ResolveDatabase(config.Parking); err == nil {
		t.Error("parking has a database of its own")
	}
}

func TestSettingsOfFurtherServicesMustMakeSense(t *testing.T) {
	for field, arg := range map[string]string{
		"history-urls": "--history-urls=history:5000", "audit-database-url": "--audit-database-url=mysql://h", "history-minutes-retention": "--history-minutes-retention=1s",
		"history-rollups-retention": "--history-rollups-retention=-1h", "audit-head-interval": "--audit-head-interval=0s",
	} {
		_, err := sources{args: []string{arg}}.load(t)
		var errs config.Errors
		if !errors.As(err, &errs) || len(errs) != 1 || errs[0].Field != field {
			t.Errorf("%s: got %v", arg, err)
		}
	}
	for text, taken := range map[string]bool{"parkwire": true, "a-b-2": true, "pgx": true, "": false, "A": false, "2x": false, "a_b": false, "pg-x": false, "pg_x": false, "a b": false, strings.Repeat("x", 41): false} {
		if _, err := (sources{args: []string{"--services-prefix=" + text}}.load(t)); (err == nil) != taken {
			t.Errorf("%q: %v", text, err)
		}
	}
}
