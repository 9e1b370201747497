package app

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"net/http"
	"os"

	"parkwire/internal/alerts"
	"parkwire/internal/alerts/delivery"
	"parkwire/internal/audit"
	"parkwire/internal/config"
	"parkwire/internal/feeds"
	"parkwire/internal/history"
	"parkwire/internal/identity/access"
	"parkwire/internal/mail"
	"parkwire/internal/webpush"
)

func (a *App) makeHistoryDatabase() (part, error) {
	return a.makeDatabase(config.History, history.Sets())
}

// makeHistory makes the history service, which serves the open feeds too.
func (a *App) makeHistory() (part, error) {
	c, logger := a.config, a.logger("history")
	s := history.New(history.Options{
		Log: a.log, DB: a.databases[config.History], Logger: logger, Registerer: a.registry, Tracer: a.tracer,
		Retention: history.Retention{Minutes: c.HistoryMinutesRetention, Intervals: c.HistoryIntervalsRetention, Rollups: c.HistoryRollupsRetention},
	})
	open := feeds.New(feeds.Options{DB: a.databases[config.History], Until: s.Until, OnStreet: c.FeedsOnStreet, Logger: logger, Registerer: a.registry})
	mux := http.NewServeMux()
	mux.Handle("/", s.Handler())
	mux.Handle("/feeds/", open.Handler())
	return a.makeFurther(config.History, s, mux, func(context.Context) { open.Drain() }), nil
}

func (a *App) makeAuditDatabase() (part, error) {
	return a.makeDatabase(config.Audit, audit.Sets())
}

func (a *App) makeAudit() (part, error) {
	c := a.config
	var key ed25519.PrivateKey
	if c.AuditKeyFile != "" {
		var err error
		if key, err = audit.ReadKey(c.AuditKeyFile); err != nil {
			return part{}, fmt.Errorf("--audit-key-file: %w", err)
		}
	}
	s := audit.New(audit.Options{
		Log: a.log, DB: a.databases[config.Audit], Retention: c.AuditRetention, HeadInterval: c.AuditHeadInterval, Key: key,
		Logger: a.logger("audit"), Registerer: a.registry, Tracer: a.tracer,
	})
	return a.makeFurther(config.Audit, s, s.Handler(), nil), nil
}

func (a *App) makeAlertsDatabase() (part, error) {
	return a.makeDatabase(config.Alerts, alerts.Sets())
}

// makeAlerts makes the alert service. What was revoked ends its streams as those of notifications.
func (a *App) makeAlerts() (part, error) {
	c, logger, granted := a.config, a.logger("alerts"), access.NewSet(nil)
	sending, err := a.makeDelivery()
	if err != nil {
		return part{}, err
	}
	s, err := alerts.New(alerts.Options{
		Log: a.log, DB: a.databases[config.Alerts], RulesPerSubject: c.AlertsRulesPerSubject, Retention: c.AlertsRetention,
		Access: granted, Delivery: sending, Logger: logger, Registerer: a.registry, Tracer: a.tracer,
	})
	if err != nil {
		return part{}, err
	}
	p := a.makeFurther(config.Alerts, s, s.Handler(), s.Drain)
	p.run = both(p.run, func(ctx context.Context) error { return granted.FollowLog(ctx, a.log, logger) })
	return p, nil
}

// makeDelivery says how alerts leave the platform.
func (a *App) makeDelivery() (o delivery.Options, err error) {
	c := a.config
	o.Allow, o.PushContact = c.AlertsWebhookAllow, c.AlertsVAPIDSubject
	if c.AlertsVAPIDSubject != "" {
		if c.MakePushKey {
			if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
				return o, fmt.Errorf("--data-dir: %w", err)
			}
		}
		if o.PushKey, err = webpush.LoadKey(c.AlertsVAPIDKeyFile, c.MakePushKey); err != nil {
			return o, fmt.Errorf("--alerts-vapid-key-file: %w", err)
		}
	}
	if c.AlertsSMTPURL != "" {
		host, _ := os.Hostname() // "": the server is told another name
		if o.Mail, err = mail.New(mail.Options{URL: c.AlertsSMTPURL, PasswordFile: c.AlertsSMTPPasswordFile, From: c.AlertsMailFrom, Hello: host}); err != nil {
			return o, fmt.Errorf("--alerts-smtp-url: %w", err)
		}
	}
	return o, nil
}
