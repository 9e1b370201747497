//go:build linux

package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "modernc.org/sqlite"
)

// The handler that people write: readings are decoded by encoding/json, and each is an upsert. Of what Parkwire does it does little: no token, no
// limits, nothing is validated, nobody hears of a change, and there is no history. What is acknowledged is on the disk, as with Parkwire.

type reading struct {
	SpotID     string    `json:"spotId"`
	Occupied   bool      `json:"occupied"`
	ObservedAt time.Time `json:"observedAt"`
	SensorID   string    `json:"sensorId"`
}

const upsert = `insert into spots (id, occupied, observed_at, sensor_id) values ($1, $2, $3, $4) on conflict (id) do update set
	occupied = excluded.occupied, observed_at = excluded.observed_at, sensor_id = excluded.sensor_id where spots.observed_at < excluded.observed_at`

const syncFull = "?_pragma=busy_timeout(5000)&_pragma=journal_mode(wal)&_pragma=synchronous(full)"

// A keeper upserts the readings of one request, several in a transaction.
type keeper func(ctx context.Context, all []reading) error

func serve(kind, database, address string) error {
	keep, err := map[string]func(string) (keeper, error){"sqlite": keepInSQLite, "postgres": keepInPostgres}[kind](database)
	if err != nil {
		return err
	}
	http.HandleFunc("POST /observations", func(w http.ResponseWriter, r *http.Request) {
		var all []reading
		for d := json.NewDecoder(r.Body); ; {
			var one reading
			if err := d.Decode(&one); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			all = append(all, one)
		}
		if err := keep(r.Context(), all); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"received":%d}`, len(all))
	})
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	fmt.Println("listening")
	return http.Serve(l, nil)
}

func keepInSQLite(path string) (keeper, error) {
	db, err := sql.Open("sqlite", "file:"+path+syncFull)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // more get in each other's way
	if _, err := db.Exec(`create table spots (id text primary key, occupied integer not null, observed_at integer not null, sensor_id text not null) without rowid`); err != nil {
		return nil, err
	}
	statement, err := db.Prepare(upsert)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, all []reading) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		inTx := tx.Stmt(statement)
		for _, r := range all {
			if _, err := inTx.ExecContext(ctx, r.SpotID, r.Occupied, r.ObservedAt.UnixMilli(), r.SensorID); err != nil {
				return err
			}
		}
		return tx.Commit()
	}, nil
}

func keepInPostgres(url string) (keeper, error) {
	pool, err := pgxpool.New(context.Background(), url)
	if err != nil {
		return nil, err
	}
	if _, err := pool.Exec(context.Background(), `create table spots (id text primary key, occupied boolean not null, observed_at timestamptz not null, sensor_id text not null)`); err != nil {
		return nil, err
	}
	return func(ctx context.Context, all []reading) error {
		if len(all) == 1 {
			r := all[0]
			_, err := pool.Exec(ctx, upsert, r.SpotID, r.Occupied, r.ObservedAt, r.SensorID)
			return err
		}
		return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			for _, r := range all {
				if _, err := tx.Exec(ctx, upsert, r.SpotID, r.Occupied, r.ObservedAt, r.SensorID); err != nil {
					return err
				}
			}
			return nil
		})
	}, nil
}
