//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kgo"

	"parkwire/internal/alerts"
	"parkwire/internal/audit"
	"parkwire/internal/consumer"
	"parkwire/internal/history"
	"parkwire/internal/kafkalog"
	"parkwire/internal/sqldb"
)

// A contender makes a database of the log, or, without a service, only reads it.
type contender struct {
	name, title string
	service     *service
	postgres    bool
}

// A service is what is rebuilt.
type service struct {
	name, title string
	sets        func() []sqldb.Set
	consumers   func(*kafkalog.Log, *sqldb.DB) ([]*consumer.Consumer, error)
	// appends says that what was made is never deleted: it is made for the first time, by the service as it runs.
	appends bool
	// counts is a query that shows whether everything is there, and what it must say.
	counts string
	want   func(facts) int64
}

var services = []*service{
	{
		name: "history", title: "history", sets: history.Sets,
		consumers: func(l *kafkalog.Log, db *sqldb.DB) ([]*consumer.Consumer, error) {
			return history.New(history.Options{Log: l, DB: db, Logger: quiet()}).Consumers(), nil
		},
		counts: "select count(*) from stays", want: func(f facts) int64 { return f.departures },
	},
	{
		name: "audit", title: "audit", sets: audit.Sets, appends: true,
		consumers: func(l *kafkalog.Log, db *sqldb.DB) ([]*consumer.Consumer, error) {
			return audit.New(audit.Options{Log: l, DB: db, Logger: quiet()}).Consumers(), nil
		},
		counts: "select count(*) from audit_records", want: func(f facts) int64 { return f.events },
	},
	{
		name: "alerts", title: "alerts, without rules", sets: alerts.Sets,
		consumers: func(l *kafkalog.Log, db *sqldb.DB) ([]*consumer.Consumer, error) {
			s, err := alerts.New(alerts.Options{Log: l, DB: db, Logger: quiet()})
			if err != nil {
				return nil, err
			}
			return s.Consumers(), nil
		},
		counts: "select count(*) from alert_spots", want: func(f facts) int64 { return f.spots },
	},
}

func contenders() []contender {
	all := []contender{{name: "reading", title: "reading it alone"}}
	for _, s := range services {
		all = append(all, contender{s.name + "-sqlite", s.title + ", SQLite", s, false}, contender{s.name + "-postgres", s.title + ", PostgreSQL", s, true})
	}
	return all
}

// turn is what a contender gets in a round.
type turn struct {
	log      *kafkalog.Log
	brokers  string
	facts    facts
	dir      string
	postgres string
	round    int
}

func (c contender) measure(ctx context.Context, t turn) (time.Duration, error) {
	if c.service == nil {
		return t.read(ctx)
	}
	options := sqldb.Options{URL: "sqlite:" + filepath.Join(t.dir, fmt.Sprintf("%s-%d.db", c.name, time.Now().UnixNano())), Schema: "parkwire_" + c.service.name, Sets: c.service.sets(), Logger: quiet()}
	if c.postgres {
		options.URL = t.postgres
		if err := dropSchema(ctx, t.postgres, options.Schema); err != nil {
			return 0, err
		}
	}
	db, err := sqldb.Open(options)
	if err != nil {
		return 0, err
	}
	defer func() {
		_ = db.Close() // it is thrown away
		if file, ok := strings.CutPrefix(options.URL, "sqlite:"); ok {
			for _, end := range []string{"", "-wal", "-shm"} {
				_ = os.Remove(file + end)
			}
		}
	}()
	if err := db.Start(ctx); err != nil {
		return 0, err
	}
	consumers, err := c.service.consumers(t.log, db)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	for _, one := range consumers {
		if one.Name() != c.service.name {
			continue // it reads another topic, in which nothing is
		}
		if c.service.appends {
			err = follow(ctx, one, db, t.facts)
		} else {
			err = one.Rebuild(ctx, nil)
		}
		if err != nil {
			return 0, err
		}
	}
	took := time.Since(began)
	return took, c.check(ctx, db, t.facts)
}

// follow lets a consumer run until it has committed the whole log.
func follow(ctx context.Context, one *consumer.Consumer, db *sqldb.DB, f facts) error {
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- one.Run(running) }()
	err := func() error {
		for {
			select {
			case err := <-ended:
				ended <- nil
				return fmt.Errorf("it ended before everything was read: %w", err)
			case <-time.After(10 * time.Millisecond):
			}
			done := int64(0)
			err := db.View(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
				done, _, err = sqldb.One(ctx, tx, func(r sqldb.Row) (n int64, err error) { return n, r.Scan(&n) },
					"select cast(coalesce(sum(next_offset), 0) as bigint) from consumer_positions where consumer = ?", one.Name())
				return err
			})
			if err != nil || done >= f.events {
				return err
			}
		}
	}()
	stop()
	if failed := <-ended; err == nil {
		err = failed
	}
	return err
}

// check looks whether everything is there.
func (c contender) check(ctx context.Context, db *sqldb.DB, f facts) error {
	return db.View(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		n, _, err := sqldb.One(ctx, tx, func(r sqldb.Row) (n int64, err error) { return n, r.Scan(&n) }, c.service.counts)
		if want := c.service.want(f); err == nil && n != want {
			return fmt.Errorf("it is not whole: %q says %d instead of %d", c.service.counts, n, want)
		}
		return err
	})
}

func dropSchema(ctx context.Context, address, name string) error {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "drop schema if exists "+name+" cascade")
	return err
}

// read reads the log with the client library and does nothing with it.
func (t turn) read(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	began := time.Now()
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(t.brokers, ",")...), kgo.ConsumeTopics(t.log.Topic()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
	)
	if err != nil {
		return 0, err
	}
	defer client.Close()
	for n := int64(0); n < t.facts.events; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return 0, err
		}
		n += int64(fetches.NumRecords())
	}
	return time.Since(began), nil
}
