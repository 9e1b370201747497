package history

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
	"parkwire/internal/kafkalog/logtest"
	"parkwire/internal/sqldb"
	"parkwire/internal/sqldb/sqldbtest"
)

// rush is the log of a small car park, of which nothing is random: each spot of 40 is occupied and left 25 times, later and later.
func rush(taken time.Time) (log []kafkalog.Record) {
	var spots []*told
	for i := range 40 {
		s := spotOf(string(rune('A'+i%26)) + string(rune('a'+i/26)))
		s.zone = string(rune('X' + i%3))
		spots = append(spots, s)
		log = append(log, s.becomes("2026-11-01T00:00:00Z", event.Free, event.ChangeAdded))
	}
	for n := range 25 {
		for i, s := range spots {
			at := clock("2026-11-01T06:00:00Z").Add(time.Duration(n*3*60+7*i) * time.Minute)
			log = append(log, s.becomes(at.Format(time.RFC3339), event.Occupied, event.ChangeOccupied),
				s.becomes(at.Add(time.Duration(20+n+i)*time.Minute).Format(time.RFC3339), event.Free, event.ChangeReleased))
		}
	}
	for i := range log {
		log[i].Timestamp = taken.Add(time.Duration(i) * time.Millisecond)
	}
	return log
}

func TestServicesThatFollowOneAnotherKnowWhatOneWould(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		sqldbtest.Each(t, Sets(), func(t *testing.T, open func() *sqldb.DB) {
			options := logtest.Options(t, brokers)
			log := logtest.Open(t, options)
			logtest.Ensure(t, log)
			db := open()

			// One spot has not changed for longer than the log holds: it is in the twin alone.
			still := spotOf("still")
			still.version, still.was = 4, event.Free
			last := still.becomes("2026-10-01T09:00:00Z", event.Occupied, event.ChangeOccupied)
			logtest.Write(t, brokers, &kgo.Record{Topic: options.SpotsTopic, Key: last.Key, Value: last.Value, Timestamp: time.Now().Add(-time.Hour)})

			records := rush(time.Now().Add(-time.Minute))
			third := len(records) / 3
			write := func(part []kafkalog.Record) {
				t.Helper()
				var all []*kgo.Record
				for _, r := range part {
					all = append(all, &kgo.Record{Topic: options.Topic, Key: r.Key, Value: r.Value, Timestamp: r.Timestamp})
				}
				logtest.Write(t, brokers, all...)
			}

			// The first one reads some of it, the next goes on.
			write(records[:third])
			run(t, log, db, func(s *Service) { awaitPresent(t, s, db, third) })
			write(records[third : 2*third])
			run(t, log, db, func(s *Service) {
				write(records[2*third:])
				awaitPresent(t, s, db, len(records))
				if err := s.Ready(); err != nil {
					t.Errorf("it is not ready: %v", err)
				}
			})
			w := newWorld(t, db)
			same(t, "the intervals of the spot in the twin", w.intervals("still"), []string{"occupied 2026-10-01T09:00-… L/Z"})
			week := w.rollup(Scope{Lot: "L"}, "2026-11-01T00:00:00Z", "2026-11-08T00:00:00Z")
			if week.sessions != 1000 || week.times.Total() != 41*7*24*time.Hour {
				t.Errorf("the week is %+v", week)
			}
			before := w.dump()

			s := New(Options{Log: log, DB: db, Logger: logtest.Logger()})
			ctx, cancel := context.WithTimeout(t.Context(), logtest.Patience)
			defer cancel()
			for _, c := range s.Consumers() {
				if err := c.Rebuild(ctx, nil); err != nil {
					t.Fatal(err)
				}
			}
			if after := w.dump(); after != before {
				t.Errorf("rebuilt, the tables are\n%s\nand were\n%s", after, before)
			}
		})
	})
}

// run lets a service run while do does something.
func run(t *testing.T, log *kafkalog.Log, db *sqldb.DB, do func(s *Service)) {
	t.Helper()
	s := New(Options{Log: log, DB: db, Retention: DefaultRetention, Logger: logtest.Logger()})
	if !s.Until().IsZero() {
		t.Error("the past is known before anything was read")
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the service ended with %v", err)
		}
	}()
	do(s)
}

// awaitPresent waits until the service knows the past up to now, with some events of it.
func awaitPresent(t *testing.T, s *Service, db *sqldb.DB, events int) {
	t.Helper()
	deadline := time.Now().Add(logtest.Patience)
	for {
		var applied int64
		err := db.View(t.Context(), func(ctx context.Context, tx *sqldb.Tx) (err error) {
			applied, _, err = sqldb.One(ctx, tx, func(r sqldb.Row) (n int64, err error) { return n, r.Scan(&n) },
				"select cast(coalesce(sum(changes), 0) as bigint) from quarter_changes")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if until := s.Until(); applied == int64(events) && time.Since(until) < 10*time.Second {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %v the service knows %d of %d events, up to %v: %v", logtest.Patience, applied, events, s.Until(), s.Ready())
		}
		time.Sleep(10 * time.Millisecond)
	}
}
