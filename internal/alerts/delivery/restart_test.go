package delivery_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/uuid"

	"parkwire/internal/alerts/delivery"
	"parkwire/internal/outward"
	"parkwire/internal/sqldb"
	"parkwire/internal/sqldb/sqldbtest"
)

const envChild = "PARKWIRE_TEST_DELIVERY_CHILD"

// decisions is a table of what was decided, as alerts has one.
var decisions = sqldb.Set{Name: "decisions", Files: fstest.MapFS{"00001_decisions.sql": {Data: []byte(
	"-- +goose Up\ncreate table decisions (id text not null primary key);\n")}}}

func childSets() []sqldb.Set { return []sqldb.Set{decisions, delivery.Migrations()} }

// childService is the service that is ended in the middle of its work. Attempts have so much time that none fails because the machine is busy: what
// the receiver took would come again. By the clock each round is minutes after the one before, so that no lease of that has to be waited for.
func childService(db *sqldb.DB, round string) (*delivery.Service, error) {
	n, err := strconv.Atoi(round)
	if err != nil {
		return nil, err
	}
	sending := quick
	sending.Lease = time.Minute
	return delivery.New(delivery.Options{
		DB: db, Allow: loopback, Sending: sending, Logger: slog.New(slog.DiscardHandler), Agent: round,
		HTTP: outward.Options{Connect: 30 * time.Second, Headers: 30 * time.Second, Whole: 40 * time.Second},
		Now:  func() time.Time { return time.Now().Add(time.Duration(n) * 2 * time.Minute) },
	})
}

// child is the process that the test below ends: it decides all the time, in transactions that enqueue, and delivers, until SIGTERM.
func child() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := decideAndDeliver(ctx, os.Getenv(envChild), os.Getenv(envChild+"_SCHEMA"), os.Getenv(envChild+"_CHANNEL")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func decideAndDeliver(ctx context.Context, url, schema, channel string) error {
	db, err := sqldb.Open(sqldb.Options{URL: url, Schema: schema, Sets: childSets(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.Start(ctx); err != nil {
		return err
	}
	service, err := childService(db, os.Getenv(envChild+"_ROUND"))
	if err != nil {
		return err
	}
	var deciding sync.WaitGroup
	deciding.Go(func() {
		for ctx.Err() == nil {
			id := uuid.Must(uuid.NewV7()).String()
			err := db.Update(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
				if _, err := tx.Exec(ctx, "insert into decisions (id) values (?)", id); err != nil {
					return err
				}
				_, err := delivery.Enqueue(ctx, tx, time.Now(), []delivery.Alert{{
					DecisionID: id, RuleID: "r", Subject: "anna", Channels: []string{channel}, Type: delivery.TypeFired, At: time.Now(),
					Text: "The spot A-1 is free.", Data: json.RawMessage(`{"id":"` + id + `"}`),
				}})
				return err
			})
			if err == nil {
				service.Wake()
			}
			select {
			case <-ctx.Done():
			case <-time.After(2 * time.Millisecond):
			}
		}
	})
	err = service.Run(ctx)
	deciding.Wait()
	return err
}

// taken is what a receiver has of each message.
type taken struct {
	mu     sync.Mutex
	times  map[string]int   // answered with 200
	rounds map[string][]int // in which each came
	of     map[string]string
}

func (k *taken) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.times)
}

// The service is ended twenty times in the middle of its deliveries, by SIGTERM and SIGKILL in turns. Each decision that was committed reaches the
// receiver under one id, and only where a process was killed may one come again.
func TestTwentyRestartsLoseNothingAndRepeatOnlyWhatWasKilled(t *testing.T) {
	sqldbtest.EachOptions(t, childSets(), func(t *testing.T, o sqldb.Options) {
		const restarts = 20
		got := &taken{times: map[string]int{}, rounds: map[string][]int{}, of: map[string]string{}}
		rec := newReceiver(t, func(n int, r received, w http.ResponseWriter, _ *http.Request) {
			time.Sleep(5 * time.Millisecond) // the work of a receiver, so that some attempts are under way at any time
			if n%10 == 0 {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			got.mu.Lock()
			defer got.mu.Unlock()
			got.times[r.id]++
			round, err := strconv.Atoi(r.header.Get("User-Agent"))
			if err != nil {
				t.Errorf("a request comes from nowhere: %v", err)
			}
			got.rounds[r.id] = append(got.rounds[r.id], round)
			got.of[r.id] = decisionOf(t, r)
		})
		db := sqldbtest.Open(t, o)
		channel, _ := newStand(t, db, nil).webhook(rec.URL)
		killed := map[int]bool{}
		for round := range restarts {
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), envChild+"="+o.URL, envChild+"_SCHEMA="+o.Schema, envChild+"_CHANNEL="+channel, envChild+"_ROUND="+strconv.Itoa(round))
			cmd.Stderr = os.Stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			before := got.count()
			eventually(t, func() bool { return got.count() >= before+10+round })
			how := syscall.SIGTERM
			if killed[round] = round%2 == 1; killed[round] {
				how = syscall.SIGKILL
			}
			if err := cmd.Process.Signal(how); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err != nil && how == syscall.SIGTERM {
				t.Fatalf("the process that was to end did not end well: %v", err)
			}
		}
		service, err := childService(db, strconv.Itoa(restarts))
		if err != nil {
			t.Fatal(err)
		}
		last := &stand{t, db, service}
		stop := last.run()
		eventually(t, func() bool { return open(t, db) == 0 })
		stop()
		check(t, db, got, killed)
	})
}

// open counts what is not delivered yet.
func open(t *testing.T, db *sqldb.DB) int64 {
	return number(t, db, "select count(*) from alert_deliveries where state in ('waiting', 'sending')")
}

func number(t *testing.T, db *sqldb.DB, query string) (n int64) {
	t.Helper()
	err := db.View(t.Context(), func(ctx context.Context, tx *sqldb.Tx) (err error) {
		n, _, err = sqldb.One(ctx, tx, func(r sqldb.Row) (n int64, err error) { return n, r.Scan(&n) }, query)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func check(t *testing.T, db *sqldb.DB, got *taken, killed map[int]bool) {
	t.Helper()
	var decided []string
	err := db.View(t.Context(), func(ctx context.Context, tx *sqldb.Tx) (err error) {
		decided, err = sqldb.All(ctx, tx, func(r sqldb.Row) (id string, err error) { return id, r.Scan(&id) }, "select id from decisions order by id")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	got.mu.Lock()
	defer got.mu.Unlock()
	if told := slices.Sorted(maps.Values(got.of)); !slices.Equal(told, decided) {
		t.Errorf("%d decisions were committed, and %d ids came that tell of them", len(decided), len(told))
	}
	repeats := 0
	for id, n := range got.times {
		for _, round := range got.rounds[id][:n-1] {
			repeats++
			if !killed[round] {
				t.Errorf("%s came again (%v), though the process that sent it in round %d was not killed", id, got.rounds[id], round)
			}
		}
	}
	interrupted := number(t, db, "select cast(sum(interrupted) as bigint) from alert_deliveries")
	if int64(repeats) > interrupted {
		t.Errorf("%d messages came again, and %d attempts are known to have been cut off", repeats, interrupted)
	}
	t.Logf("%d decisions, %d attempts cut off by SIGKILL, %d of which had reached the receiver and came again", len(decided), interrupted, repeats)
}

func TestAProcessThatEndsWaitsForItsAttempts(t *testing.T) {
	sqldbtest.Each(t, sets, func(t *testing.T, openDB func() *sqldb.DB) {
		db := openDB()
		first := newStand(t, db, nil)
		release := make(chan struct{})
		rec := newReceiver(t, func(_ int, _ received, _ http.ResponseWriter, _ *http.Request) { <-release })
		id, _ := first.webhook(rec.URL)
		stop := first.run()
		first.decide(3, id)
		eventually(t, func() bool { return len(rec.all()) == 3 })
		ended := make(chan struct{})
		go func() { defer close(ended); stop() }()
		select {
		case <-ended:
			t.Fatal("it ended in the middle of an attempt")
		case <-time.After(50 * time.Millisecond):
		}
		close(release)
		<-ended
		if n := open(t, db); n != 0 {
			t.Errorf("of %d deliveries it is not known what became", n)
		}
		second := newStand(t, db, nil)
		second.run()
		second.decide(1, id)
		second.await(id, "delivered", 4)
		if n := len(rec.all()); n != 4 {
			t.Errorf("4 decisions were told %d times", n)
		}
	})
}

// However long it takes until an attempt can be recorded, by the clock: who makes it does not take it for that of a process that died.
func TestAProcessRepeatsNothingThatItHasInHand(t *testing.T) {
	sqldbtest.Each(t, sets, func(t *testing.T, openDB func() *sqldb.DB) {
		var ahead atomic.Int64 // of the clock
		s := newStand(t, openDB(), func(o *delivery.Options) {
			o.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		})
		rec := newReceiver(t, func(n int, _ received, _ http.ResponseWriter, _ *http.Request) {
			if n == 1 {
				ahead.Store(int64(time.Minute)) // six leases
				time.Sleep(300 * time.Millisecond)
			}
		})
		id, _ := s.webhook(rec.URL)
		s.run()
		s.decide(1, id)
		s.await(id, "delivered", 1)
		if n := len(rec.all()); n != 1 {
			t.Errorf("it was sent %d times", n)
		}
		if n := number(t, s.db, "select cast(sum(interrupted) as bigint) from alert_deliveries"); n != 0 {
			t.Errorf("%d attempts are taken for cut off", n)
		}
	})
}

// On one database, as several instances of the service have it.
func TestSeveralServicesShareDeliveriesAndRepeatNone(t *testing.T) {
	sqldbtest.Each(t, sets, func(t *testing.T, openDB func() *sqldb.DB) {
		rec := newReceiver(t, nil)
		stands := []*stand{newStand(t, openDB(), nil), newStand(t, openDB(), nil)}
		id, _ := stands[0].webhook(rec.URL)
		for _, s := range stands {
			s.run()
		}
		for i := range 15 {
			stands[i%2].decide(10, id)
		}
		stands[0].await(id, "delivered", 150)
		ids := map[string]int{}
		for _, r := range rec.all() {
			if ids[r.id]++; ids[r.id] > 1 {
				t.Errorf("%s came again", r.id)
			}
		}
		if len(ids) != 150 {
			t.Errorf("%d of 150 came", len(ids))
		}
	})
}
