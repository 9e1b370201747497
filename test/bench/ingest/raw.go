//go:build linux

package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"parkwire/test/e2e/stack"
)

// The limit: what the database takes of the rows alone, by the fastest statements that it has, without HTTP, JSON or rules. A batch that changes something
// also adds a row of 300 bytes for each change, which is what an outbox must hold at least.

const eventBytes = 300

func rawSQLite(t stack.T, s settings) *target {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "raw.db")+syncFull)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	const rows = 20 // a statement; more gain nothing
	if _, err := db.Exec(`create table spots (id text primary key, occupied integer not null, observed_at integer not null, sensor_id text not null) without rowid;
		create table events (id integer primary key autoincrement, value blob not null)`); err != nil {
		t.Fatal(err)
	}
	several := func(query, row, rest string) *sql.Stmt {
		statement, err := db.Prepare(query + row + strings.Repeat(", "+row, rows-1) + rest)
		if err != nil {
			t.Fatal(err)
		}
		return statement
	}
	keep := several("insert into spots (id, occupied, observed_at, sensor_id) values ", "(?, ?, ?, ?)", ` on conflict (id) do update set
		occupied = excluded.occupied, observed_at = excluded.observed_at, sensor_id = excluded.sensor_id`)
	add := several("insert into events (value) values ", "(?)", "")
	event := make([]byte, eventBytes)
	return rawLoop(s, 1, func(ids []string, at time.Time, change, occupied bool) error {
		tx, err := db.Begin()
		if err != nil {
			return err
		}
		defer tx.Rollback()
		for ; len(ids) > 0; ids = ids[rows:] {
			var spots, events []any
			for _, id := range ids[:rows] {
				spots, events = append(spots, id, occupied, at.UnixMilli(), "sensor-of-"+id), append(events, event)
			}
			if _, err := tx.Stmt(keep).Exec(spots...); err != nil {
				return err
			}
			if !change {
				continue
			}
			if _, err := tx.Stmt(add).Exec(events...); err != nil {
				return err
			}
		}
		return tx.Commit()
	})
}

func rawPostgres(t stack.T, s settings, url string) *target {
	ctx := context.Background()
	const connections = 2
	free := make(chan *pgx.Conn, connections)
	for range connections {
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close(ctx) })
		free <- conn
	}
	conn := <-free
	if _, err := conn.Exec(ctx, `create table spots (id text primary key, occupied boolean not null, observed_at timestamptz not null, sensor_id text not null) with (fillfactor = 80);
		create table events (id bigint generated always as identity primary key, value bytea not null)`); err != nil {
		t.Fatal(err)
	}
	free <- conn
	const keep = `insert into spots select id, $2, $3, 'sensor-of-' || id from unnest($1::text[]) as r (id) order by id on conflict (id) do update set
		occupied = excluded.occupied, observed_at = excluded.observed_at, sensor_id = excluded.sensor_id`
	var events [][]byte
	for range perLot {
		events = append(events, make([]byte, eventBytes))
	}
	return rawLoop(s, connections, func(ids []string, at time.Time, change, occupied bool) error {
		conn := <-free
		defer func() { free <- conn }()
		var batch pgx.Batch // one transaction
		batch.Queue(keep, ids, occupied, at)
		if change {
			batch.Queue(`insert into events (value) select * from unnest($1::bytea[])`, events)
		}
		return conn.SendBatch(ctx, &batch).Close()
	})
}

// rawLoop writes batch after batch, by several at once.
func rawLoop(s settings, writers int, write func(ids []string, at time.Time, change, occupied bool) error) *target {
	at, spots := time.Now().Add(-time.Hour), s.spots()
	return &target{raw: func(length time.Duration, change bool) (readings int64, took time.Duration, err error) {
		var mu sync.Mutex
		var wait sync.WaitGroup
		began, n := time.Now(), 0
		for range writers {
			wait.Go(func() {
				for {
					mu.Lock()
					if err != nil || time.Since(began) >= length {
						mu.Unlock()
						return
					}
					ids, sweep := spots[n%len(spots)], n/len(spots)
					n++
					at = at.Add(time.Millisecond)
					now := at
					mu.Unlock()
					failure := write(ids, now, change, change && sweep%2 == 0)
					mu.Lock()
					if failure != nil {
						err = failure
					}
					readings += int64(len(ids))
					mu.Unlock()
				}
			})
		}
		wait.Wait()
		return readings, time.Since(began), err
	}}
}

// postgres is a server of our own.
type postgres struct{ kit, url string }

func startPostgres(folder string) (*postgres, error) {
	p := &postgres{kit: filepath.Join(folder, "kit")}
	out, err := p.script("start")
	p.url = out
	return p, err
}

func (p *postgres) stop() {
	if _, err := p.script("wipe"); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

func (p *postgres) script(what string) (string, error) {
	command := exec.Command(filepath.Join(stack.Root(), "test/kit/postgres.sh"), what)
	command.Env = append(os.Environ(), "KIT_DIR="+p.kit, "KIT_POSTGRES_FSYNC=on")
	var said strings.Builder
	command.Stderr = &said
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("test/kit/postgres.sh %s: %w %s", what, err, said.String())
	}
	return strings.TrimSpace(string(out)), nil
}

// database makes an empty schema, which goes with t, and returns the URL that uses it.
func (p *postgres) database(t stack.T) string {
	ctx, name := context.Background(), "ingest_"+strings.ToLower(rand.Text()[:8])
	do := func(query string) error {
		conn, err := pgx.Connect(ctx, p.url)
		if err != nil {
			return err
		}
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, query)
		return err
	}
	if err := do("create schema " + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := do("drop schema " + name + " cascade"); err != nil {
			t.Logf("the schema %s was left behind: %v", name, err)
		}
	})
	return p.url + "&search_path=" + name
}
