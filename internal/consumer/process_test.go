package consumer

import (
	"context"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"parkwire/internal/kafkalog"
	"parkwire/internal/kafkalog/logtest"
	"parkwire/internal/sqldb"
	"parkwire/internal/sqldb/sqldbtest"
)

// A child is a consumer in a process of its own, so that it can be killed in the middle of anything. It is this test's binary.
const (
	childTopic    = "PARKWIRE_TEST_CHILD_TOPIC"
	childBrokers  = "PARKWIRE_TEST_CHILD_BROKERS"
	childDatabase = "PARKWIRE_TEST_CHILD_DATABASE"
	childSchema   = "PARKWIRE_TEST_CHILD_SCHEMA"
	childDoes     = "PARKWIRE_TEST_CHILD_DOES"
)

// runChild is what such a process does.
func runChild() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	o := topics(os.Getenv(childTopic))
	o.Brokers, o.Logger = strings.Split(os.Getenv(childBrokers), ","), logtest.Logger()
	l, err := kafkalog.Open(o)
	if err != nil {
		return err
	}
	defer l.Close()
	db, err := sqldb.Open(sqldb.Options{URL: os.Getenv(childDatabase), Schema: os.Getenv(childSchema), Sets: testSets, Logger: logtest.Logger()})
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.Start(ctx); err != nil {
		return err
	}
	// Batches take a moment, so that a kill comes in the middle of many.
	c := New(Options{Name: testName, Log: l, DB: db, Logger: logtest.Logger(), Effect: &chain{name: testName, faults: func(r kafkalog.Record) error {
		if r.Offset%100 == 0 {
			time.Sleep(time.Millisecond)
		}
		return nil
	}}})
	c.patience.abandon = 2 * time.Second
	switch os.Getenv(childDoes) {
	case "rebuild":
		return c.Rebuild(ctx, nil)
	case "read": // without a group, in which whoever comes waits until it knows that the one before is dead
		s, err := c.begin(ctx)
		if err != nil {
			return err
		}
		return c.follow(ctx, s)
	}
	return c.Run(ctx)
}

// topics are those of a world by the name of the first.
func topics(events string) kafkalog.Options {
	run := strings.TrimSuffix(events, "-events")
	return kafkalog.Options{Topic: events, SpotsTopic: run + "-spots", RejectedTopic: run + "-rejected", AuditTopic: run + "-audit",
		AccessTopic: run + "-access", GroupPrefix: events + "-", Partitions: 3}
}

func (w *world) child(o sqldb.Options, does string) *exec.Cmd {
	w.t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), append([]string{childDoes + "=" + does}, childTopic+"="+w.log.Topic(), childBrokers+"="+strings.Join(w.brokers, ","),
		childDatabase+"="+o.URL, childSchema+"="+o.Schema)...)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { kill(cmd) })
	return cmd
}

func kill(cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// applied is how many records the chain has.
func (w *world) applied() (n int64) {
	for _, l := range w.links() {
		n += l.records
	}
	return n
}

// Processes are killed with SIGKILL in the middle of batches, while records are written.
func TestEveryRecordIsAppliedOnceThoughProcessesAreKilled(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		sqldbtest.EachOptions(t, testSets, func(t *testing.T, o sqldb.Options) {
			w := newWorld(t, brokers, func() *sqldb.DB { return sqldbtest.Open(t, o) })
			for round := range 8 {
				w.write(500)
				before := w.applied()
				reader := w.child(o, "read")
				w.eventually("somebody to read", func() bool { return w.applied() > before })
				w.write(500)
				time.Sleep(time.Duration(round*5) * time.Millisecond) // somewhere in a batch
				kill(reader)
			}
			rebuilding := w.child(o, "rebuild")
			w.eventually("the beginning of a rebuild", func() bool {
				s, err := w.consumer(&chain{name: testName}).read(t.Context())
				return err == nil && s.rebuilder != ""
			})
			kill(rebuilding)
			w.write(10)
			last := w.child(o, "read")
			w.reaches("after a rebuild that was killed", nil)
			w.same("set aside", w.rejected(), nil)
			kill(last)
		})
	})
}

func TestAnotherProcessTakesOverFromOneThatWasKilled(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		sqldbtest.EachOptions(t, testSets, func(t *testing.T, o sqldb.Options) {
			w := newWorld(t, brokers, func() *sqldb.DB { return sqldbtest.Open(t, o) })
			w.write(1000)
			first := w.child(o, "run")
			w.eventually("the first to read", func() bool { return w.applied() > 0 })
			second := w.child(o, "run")
			w.write(1000)
			kill(first)
			w.reaches("by the second", nil)
			_ = second.Process.Signal(syscall.SIGTERM)
			if err := second.Wait(); err != nil {
				t.Errorf("the second one ended with %v", err)
			}
		})
	})
}
