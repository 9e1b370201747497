package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/parking"
	"parkwire/internal/parking/postgres"
)

var when = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func addLot(id string) func(context.Context, parking.Tx) error {
	return func(ctx context.Context, tx parking.Tx) error {
		return tx.AddLot(ctx, parking.Lot{ID: id, CreatedAt: when, UpdatedAt: when})
	}
}

func addSpots(ids ...string) func(context.Context, parking.Tx) error {
	return func(ctx context.Context, tx parking.Tx) error {
		var spots []parking.Spot
		for _, id := range ids {
			spots = append(spots, parking.Spot{ID: id, LotID: "l", Occupancy: parking.Vacant, Version: 1, AddedAt: when, ChangedAt: when})
		}
		return tx.SaveSpots(ctx, spots)
	}
}

func update(t *testing.T, s parking.Store, changes ...func(context.Context, parking.Tx) error) {
	t.Helper()
	for _, change := range changes {
		if err := s.Update(t.Context(), change); err != nil {
			t.Fatal(err)
		}
	}
}

// eventually waits until check returns nil.
func eventually(t *testing.T, what string, check func() error) {
	t.Helper()
	var err error
	for range 1200 {
		if err = check(); err == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("%s: %v", what, err)
}

// says is a log that counts lines.
type says struct {
	mu sync.Mutex
	b  strings.Builder
}

func (s *says) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *says) count(what string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Count(s.b.String(), what)
}

func TestStartWaitsForTheServerAndSaysSoOnce(t *testing.T) {
	url := ownSchema(t, server(t))
	p := proxyTo(t, url)
	p.setCut(true)
	var log says
	s := open(t, postgres.Options{URL: through(t, url, p.addr), Logger: slog.New(slog.NewTextHandler(&log, nil))})
	started := make(chan error, 1)
	go func() { started <- s.Start(t.Context()) }()
	eventually(t, "it says that it waits", func() error {
		if log.count("waiting for the database") == 0 {
			return errors.New("nothing was said")
		}
		return nil
	})
	time.Sleep(time.Second) // in which it could say it again
	if err := s.Ready(); !errors.Is(err, parking.ErrUnavailable) {
		t.Errorf("ready: %v", err)
	}
	p.setCut(false)
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	if err := s.Ready(); err != nil {
		t.Errorf("ready: %v", err)
	}
	if n := log.count("waiting for the database"); n != 1 {
		t.Errorf("it said %d times that it waits", n)
	}
}

func TestStartEndsWithItsContext(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // a port that nobody listens on
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	s := open(t, postgres.Options{URL: fmt.Sprintf("postgres://parkwire:hunter2@%s/parkwire?sslmode=disable", l.Addr())})
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if err := s.Start(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("start: %v", err)
	}
	if err := s.Ready(); !errors.Is(err, parking.ErrUnavailable) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("ready: %v", err)
	}
}

func TestWhoIsNotLetInSaysWhy(t *testing.T) {
	for name, c := range map[string]struct{ user, database, why string }{
		"no such user":     {"nobody", "parkwire", "nobody"},
		"no such database": {"parkwire", "elsewhere", `database "elsewhere" does not exist`},
	} {
		t.Run(name, func(t *testing.T) {
			url := strings.Replace(server(t), "parkwire:", c.user+":", 1)
			url = strings.Replace(url, "/parkwire?", "/"+c.database+"?", 1)
			s := open(t, postgres.Options{URL: url})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			started := make(chan error, 1)
			go func() { started <- s.Start(ctx) }()
			eventually(t, "it says why", func() error {
				if err := s.Ready(); err == nil || !strings.Contains(err.Error(), c.why) {
					return fmt.Errorf("ready: %w", err)
				}
				return nil
			})
			cancel()
			if err := <-started; !errors.Is(err, context.Canceled) {
				t.Errorf("start: %v", err)
			}
		})
	}
}

func TestASchemaThatIsMissingIsToldAtOnce(t *testing.T) {
	s := open(t, postgres.Options{URL: setting(t, server(t), "search_path", "nowhere")})
	if err := s.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "create schema") {
		t.Errorf("start: %v", err)
	}
}

func TestProcessesThatStartAtOnceDoNotCollide(t *testing.T) {
	url := ownSchema(t, server(t))
	var group sync.WaitGroup
	for range 6 {
		s := open(t, postgres.Options{URL: url})
		group.Go(func() {
			if err := s.Start(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

func TestACutConnectionIsToldAndHealsByItself(t *testing.T) {
	url := ownSchema(t, server(t))
	p := proxyTo(t, url)
	s := started(t, postgres.Options{URL: through(t, url, p.addr)})
	update(t, s, addLot("before"))
	p.setCut(true)
	if err := s.Update(t.Context(), addLot("during")); !errors.Is(err, parking.ErrUnavailable) {
		t.Errorf("a transaction: %v", err)
	}
	if _, err := s.Lots(t.Context(), parking.LotQuery{Limit: 1}); !errors.Is(err, parking.ErrUnavailable) {
		t.Errorf("a query: %v", err)
	}
	if err := s.Done(t.Context(), []int64{1}, event.Cursor{}); !errors.Is(err, parking.ErrUnavailable) {
		t.Errorf("the outbox: %v", err)
	}
	eventually(t, "it is not ready", func() error {
		if s.Ready() == nil {
			return errors.New("it is ready")
		}
		return nil
	})
	p.setCut(false)
	eventually(t, "it is ready again", s.Ready)
	update(t, s, addLot("after"))
	if lots, err := s.Lots(t.Context(), parking.LotQuery{Limit: 9}); err != nil || len(lots) != 2 {
		t.Errorf("the lots are %v, %v", lots, err)
	}
}

func TestACommitWhoseOutcomeIsUnknownIsUnavailable(t *testing.T) {
	url := ownSchema(t, server(t))
	p := proxyTo(t, url)
	s := started(t, postgres.Options{URL: through(t, url, p.addr)})
	calls := 0
	err := s.Update(t.Context(), func(ctx context.Context, tx parking.Tx) error {
		calls++
		defer p.setCut(true)
		return addLot("a")(ctx, tx)
	})
	if !errors.Is(err, parking.ErrUnavailable) || calls != 1 {
		t.Errorf("after %d calls: %v", calls, err)
	}
}

func TestAServerThatNoLongerAnswersIsUnavailableInTime(t *testing.T) {
	url := ownSchema(t, server(t))
	p := proxyTo(t, url)
	s := started(t, postgres.Options{URL: through(t, url, p.addr), Timeout: time.Second})
	update(t, s, addLot("a"))
	p.setFrozen(true)
	start := time.Now()
	err := s.Update(t.Context(), addLot("b"))
	if took := time.Since(start); !errors.Is(err, parking.ErrUnavailable) || took > 30*time.Second {
		t.Errorf("after %v: %v", took, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := s.Update(ctx, addLot("c")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("where the caller's time ended: %v", err)
	}
	p.setCut(true)
}

func TestADeadlockIsResolvedByRunningOneAgain(t *testing.T) {
	s := started(t, postgres.Options{URL: ownSchema(t, server(t))})
	update(t, s, addLot("l"), addSpots("a", "b"))
	var met sync.WaitGroup
	met.Add(2)
	var group sync.WaitGroup
	for _, order := range [][]string{{"a", "b"}, {"b", "a"}} {
		group.Go(func() {
			first := true
			err := s.Update(t.Context(), func(ctx context.Context, tx parking.Tx) error {
				for i, id := range order {
					found, err := tx.Spots(ctx, []string{id})
					if err != nil {
						return fmt.Errorf("mine: %w", err)
					}
					spot := found[id]
					spot.Version++
					if err := tx.SaveSpots(ctx, []parking.Spot{spot}); err != nil {
						return err
					}
					if i == 0 && first {
						first = false
						met.Done()
						met.Wait()
					}
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	spots, err := s.Spots(t.Context(), parking.SpotQuery{Limit: 2})
	if err != nil || spots[0].Version != 3 || spots[1].Version != 3 {
		t.Errorf("the spots are %v, %v", spots, err)
	}
}

// The removed spots of a lot lose it, and so are locked, while readings that sensors still send about them lock them too.
func TestRemovingALotLocksItsRemovedSpotsInOrder(t *testing.T) {
	s := started(t, postgres.Options{URL: ownSchema(t, server(t))})
	remove := func(id string) func(context.Context, parking.Tx) error {
		return func(ctx context.Context, tx parking.Tx) error {
			found, err := tx.Spots(ctx, []string{id})
			if err != nil {
				return err
			}
			spot := found[id]
			spot.Removed = true
			return tx.SaveSpots(ctx, []parking.Spot{spot})
		}
	}
	update(t, s, addLot("l"), addSpots("b"), addSpots("a"), remove("b"), remove("a"))
	var runs atomic.Int32
	var group sync.WaitGroup
	update(t, s, func(ctx context.Context, tx parking.Tx) error {
		runs.Add(1)
		if _, err := tx.Spots(ctx, []string{"a"}); err != nil {
			return err
		}
		if runs.Load() == 1 {
			group.Go(func() {
				err := s.Update(t.Context(), func(ctx context.Context, tx parking.Tx) error { runs.Add(1); return tx.RemoveLot(ctx, "l") })
				if err != nil {
					t.Error(err)
				}
			})
			time.Sleep(300 * time.Millisecond) // until it waits for a
		}
		_, err := tx.Spots(ctx, []string{"b"})
		return err
	})
	group.Wait()
	if n := runs.Load(); n != 2 {
		t.Errorf("the two transactions took %d runs", n)
	}
}

func TestOverdueLeavesOutWhatIsLocked(t *testing.T) {
	s := started(t, postgres.Options{URL: ownSchema(t, server(t))})
	update(t, s, func(ctx context.Context, tx parking.Tx) error {
		return tx.AddLot(ctx, parking.Lot{ID: "l", Heartbeat: time.Second, CreatedAt: when, UpdatedAt: when})
	}, addSpots("a", "b"))
	update(t, s, func(ctx context.Context, tx parking.Tx) error {
		if _, err := tx.Spots(ctx, []string{"a"}); err != nil {
			return err
		}
		return s.Update(ctx, func(ctx context.Context, tx parking.Tx) error {
			overdue, err := tx.Overdue(ctx, when.Add(time.Hour), 10)
			if err == nil && (len(overdue) != 1 || overdue[0].ID != "b") {
				t.Errorf("overdue: %v", overdue)
			}
			return err
		})
	})
}
