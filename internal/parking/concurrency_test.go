package parking_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"parkwire/internal/event"
	"parkwire/internal/parking/postgres"
)

const envDatabase = "PARKWIRE_TEST_DATABASE_URL"

// Readings, operators and supervision at once: versions keep without a hole, and the newest event is the state.
func TestEverythingAtOnce(t *testing.T) { everythingAtOnce(t, newPlatform(t)) }

// The same with three processes on one database.
func TestEverythingAtOnceInSeveralProcesses(t *testing.T) {
	address := ownSchema(t)
	var platforms []*platform
	for range 3 {
		store, err := postgres.Open(postgres.Options{URL: address, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		platforms = append(platforms, newPlatformOn(t, store))
	}
	everythingAtOnce(t, platforms...)
}

func everythingAtOnce(t *testing.T, platforms ...*platform) {
	p, ids := platforms[0], []string{"c-1", "c-2", "c-3", "c-4"}
	p.addLot(t, "central", ids...)
	do[zone](t, p, 201, "POST", "/api/v1/lots/central/zones", body{"id": "z", "name": "Z"})
	do[lot](t, p, 200, "PATCH", "/api/v1/lots/central", body{"heartbeatSeconds": 1})
	for _, each := range platforms {
		each.run(t)
	}
	var workers sync.WaitGroup
	for w := range 9 {
		each := platforms[w%len(platforms)]
		workers.Go(func() {
			for i := range 25 {
				each.clock.advance(20 * time.Millisecond)
				id := ids[(i+w)%len(ids)]
				method, path, content := "POST", "/api/v1/observations", any(nil)
				switch w % 3 {
				case 0:
					content = []body{reading(id, i%2 == 0, each.clock.Now()), reading(ids[w%4], i%3 == 0, each.clock.Now())}
				case 1:
					path = "/api/v1/spots/" + id + "/" + []string{"occupy", "release", "close", "reopen"}[i%4]
				default:
					method, path, content = "PATCH", "/api/v1/spots/"+id, body{"zoneId": []any{"z", nil}[i/4%2]}
				}
				if a := each.send(method, path, content); a.Code != 200 && a.Code != 409 {
					t.Errorf("%s %s: %d: %s", method, path, a.Code, a.Body)
				}
			}
		})
	}
	workers.Wait()
	events, _ := p.published(t)
	newest := map[string]event.Event{}
	for _, e := range events {
		newest[e.SpotID] = e
	}
	if len(events) < 40 {
		t.Errorf("there are only %d events; the test shows little", len(events))
	}
	for _, id := range ids {
		if s := p.spot(t, id); s.Version < newest[id].Version {
			t.Errorf("%s is at version %d, its newest event is %d", id, s.Version, newest[id].Version)
		}
	}
	if c := do[lot](t, p, 200, "GET", "/api/v1/lots/central", nil).Counts; c.Free+c.Occupied+c.Reserved+c.Closed+c.OutOfService+c.Unknown != c.Total {
		t.Errorf("the counts do not add up: %+v", c)
	}
}

// ownSchema makes a schema for the test in the real database, and returns an address for it.
func ownSchema(t *testing.T) string {
	t.Helper()
	address := os.Getenv(envDatabase)
	if address == "" {
		if os.Getenv("PARKWIRE_TEST_DISTRIBUTED") == "1" {
			t.Fatalf("%s is not set, although PARKWIRE_TEST_DISTRIBUTED=1 promises it", envDatabase)
		}
		t.Skipf("skipped: %s is not set; test/kit/postgres.sh starts a server", envDatabase)
	}
	name := "parking_" + strings.ToLower(rand.Text())
	execute := func(query string) {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		conn, err := pgx.Connect(ctx, address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(ctx)
		if _, err := conn.Exec(ctx, query); err != nil {
			t.Fatal(err)
		}
	}
	execute("create schema " + name)
	t.Cleanup(func() { execute("drop schema " + name + " cascade") })
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Set("search_path", name)
	u.RawQuery = query.Encode()
	return u.String()
}
