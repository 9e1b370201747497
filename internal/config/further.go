package config

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"parkwire/internal/mail"
	"parkwire/internal/webpush"
)

// further is one of the services that read the log and keep what they make of it in a database of their own.
type further struct {
	target                    Target
	databaseURL, passwordFile *string
	connections               int
	urls                      *[]string
}

func (c *Config) further() []further {
	return []further{
		{History, &c.HistoryDatabaseURL, &c.HistoryDatabasePasswordFile, c.HistoryDatabaseConnections, &c.HistoryURLs},
		{Audit, &c.AuditDatabaseURL, &c.AuditDatabasePasswordFile, c.AuditDatabaseConnections, &c.AuditURLs},
		{Alerts, &c.AlertsDatabaseURL, &c.AlertsDatabasePasswordFile, c.AlertsDatabaseConnections, &c.AlertsURLs},
	}
}

// A Database is where a service stores what it keeps.
type Database struct {
	URL, PasswordFile string
	Schema            string // of PostgreSQL
	Connections       int    // to PostgreSQL, at most
}

// Database returns that of one of these services.
func (c *Config) Database(service Target) (Database, error) {
	for _, s := range c.further() {
		if s.target == service {
			return Database{*s.databaseURL, *s.passwordFile, c.Schema(service), s.connections}, nil
		}
	}
	return Database{}, fmt.Errorf("%s is no service with a database of its own; those are history, audit and alerts", service)
}

// Schema is the name of the PostgreSQL schema of a service, and its database's in metrics.
func (c *Config) Schema(service Target) string {
	return strings.ReplaceAll(c.ServicesPrefix, "-", "_") + "_" + string(service)
}

// storeFurther fills in where a service stores what it keeps, unless it is said. A service alone has no data folder, which
// another process could not find.
func (l *Loader) storeFurther(r *Resolved, s further) {
	name := string(s.target) + "-database-url"
	switch scheme, _, _ := strings.Cut(r.DatabaseURL, ":"); {
	case *s.databaseURL != "":
	case scheme == "postgres" || scheme == "postgresql":
		*s.databaseURL = r.DatabaseURL
		l.origins[name] = Origin{"database-url, schema " + r.Schema(s.target)}
		if *s.passwordFile == "" {
			*s.passwordFile = r.DatabasePasswordFile
			l.origins[string(s.target)+"-database-password-file"] = Origin{"database-password-file"}
		}
	case r.Target == All:
		*s.databaseURL = SQLite + filepath.Join(r.DataDir, string(s.target)+".db")
		r.UsesDataDir = true
		l.origins[name] = Origin{"embedded, in data-dir"}
	}
}

// ResolveDatabase returns where a service stores what it keeps, for commands that look at that without running the service. As in
// `parkwire all` it is in the data folder where nothing else is said.
func (l *Loader) ResolveDatabase(service Target) (Database, error) {
	r := &Resolved{Config: l.config, Target: All}
	for _, s := range r.further() {
		if s.target == service {
			l.storeFurther(r, s)
		}
	}
	return r.Config.Database(service)
}

// validateFurther checks the settings of these services, each by itself.
func (l *Loader) validateFurther() {
	c := &l.config
	l.check("services-prefix", prefix(c.ServicesPrefix))
	for _, s := range c.further() {
		for _, u := range *s.urls {
			l.check(string(s.target)+"-urls", instanceURL(u))
		}
		if *s.databaseURL != "" {
			l.check(string(s.target)+"-database-url", scheme(*s.databaseURL, "postgres", "postgresql", "sqlite"))
		}
	}
	l.check("history-minutes-retention", atLeast(c.HistoryMinutesRetention, time.Hour))
	l.check("history-intervals-retention", atLeast(c.HistoryIntervalsRetention, time.Hour))
	l.check("history-rollups-retention", atLeast(c.HistoryRollupsRetention, 0))
	l.check("audit-retention", atLeast(c.AuditRetention, 0))
	l.check("audit-head-interval", atLeast(c.AuditHeadInterval, time.Second))
	l.check("alerts-rules-per-subject", within(c.AlertsRulesPerSubject, 1, 100_000))
	l.check("alerts-retention", atLeast(c.AlertsRetention, time.Hour))
	if c.AlertsVAPIDSubject != "" {
		l.check("alerts-vapid-subject", webpush.CheckContact(c.AlertsVAPIDSubject))
	}
	if c.AlertsSMTPURL != "" {
		l.check("alerts-smtp-url", mail.CheckURL(c.AlertsSMTPURL, c.AlertsSMTPPasswordFile != ""))
		_, err := mail.ParseAddress(c.AlertsMailFrom)
		l.check("alerts-mail-from", reasonOf(err))
	}
}

func reasonOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// pushKey lets the key for push services be a file in the data folder, where there is one and it is needed.
func (l *Loader) pushKey(r *Resolved) {
	if r.AlertsVAPIDSubject == "" || r.AlertsVAPIDKeyFile != "" || r.Target != All {
		return
	}
	r.AlertsVAPIDKeyFile = filepath.Join(r.DataDir, "vapid.key")
	r.MakePushKey, r.UsesDataDir = true, true
	l.origins["alerts-vapid-key-file"] = Origin{"in data-dir"}
}

// prefix is what names of groups and schemas may begin with. Schemas have _ for -, so that two that differ in that alone would share theirs, and those
// that begin with pg_ are PostgreSQL's own.
func prefix(text string) string {
	legal := func(r rune) bool { return r == '-' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' }
	if text == "" || len(text) > 40 || text[0] < 'a' || text[0] > 'z' || strings.HasPrefix(text, "pg-") || strings.ContainsFunc(text, func(r rune) bool { return !legal(r) }) {
		return fmt.Sprintf("%q is no beginning of names: a lower case letter, then lower case letters, digits and -, at most 40, and not pg-", text)
	}
	return ""
}
