package consumer

import (
	"context"
	"crypto/rand"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"parkwire/internal/kafkalog"
	"parkwire/internal/kafkalog/logtest"
	"parkwire/internal/sqldb"
)

// A key of many random bytes is more than an index takes.
func TestARecordOfAnyKeyIsSetAside(t *testing.T) {
	eachDatabase(t, func(w *world) {
		key := make([]byte, 60_000)
		_, _ = rand.Read(key)
		isPoison := func(r kafkalog.Record) bool { return len(r.Key) > 1000 }
		w.write(1)
		logtest.Write(t, w.brokers, &kgo.Record{Topic: w.log.Topic(), Key: key, Value: []byte("poison")})
		w.write(1)
		c := w.consumer(&chain{name: testName, faults: func(r kafkalog.Record) error {
			if isPoison(r) {
				return errRefused
			}
			return nil
		}})
		w.running(c)
		w.reaches("the healthy ones", isPoison)
		w.eventually("the other to be set aside", func() bool { return len(w.rejected()) == 1 })
		w.eventually("readiness", func() bool { return c.Ready() == nil })
		w.view(func(ctx context.Context, tx *sqldb.Tx) error {
			kept, _, err := sqldb.One(ctx, tx, func(r sqldb.Row) (b []byte, err error) { return b, r.Scan(&b) }, "select record_key from rejected_records")
			if string(kept) != string(key) {
				t.Errorf("of its key %d bytes are kept", len(kept))
			}
			return err
		})
	})
}

// no makes the database refuse to set a record aside, until it is taken back.
func (w *world) no(offset int64) (yes func()) {
	do := func(statement string) {
		w.t.Helper()
		err := w.db.Update(w.t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			_, err := tx.Exec(ctx, statement)
			return err
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
	if filepath.Base(w.t.Name()) == "sqlite" {
		do(fmt.Sprintf("create trigger no before insert on rejected_records when new.record_offset = %d begin select raise(abort, 'no'); end", offset))
		return func() { do("drop trigger no") }
	}
	do(fmt.Sprintf("alter table rejected_records add constraint no check (record_offset <> %d)", offset))
	return func() { do("alter table rejected_records drop constraint no") }
}

func TestNoOtherRecordIsBlamedForOneThatCannotBeSetAside(t *testing.T) {
	eachDatabase(t, func(w *world) {
		yes := w.no(5)
		isBad := func(r kafkalog.Record) bool { return r.Partition == 0 && (r.Offset == 2 || r.Offset == 5) }
		w.write(10)
		c := w.consumer(&chain{name: testName, faults: func(r kafkalog.Record) error {
			if isBad(r) {
				return errRefused
			}
			return nil
		}})
		w.running(c)
		w.eventually("the reason to be told", func() bool { return saysOf(c, "a record cannot be set aside") })
		w.same("set aside", w.rejected(), []string{"0@2: refused"})
		yes()
		w.reaches("all others", isBad)
		w.eventually("both to be set aside", func() bool { return len(w.rejected()) == 2 })
		w.same("set aside in the end", w.rejected(), []string{"0@2: refused", "0@5: refused"})
		w.eventually("readiness", func() bool { return c.Ready() == nil })
	})
}

func TestNoRecordIsBlamedForTablesThatAreMissing(t *testing.T) {
	eachDatabase(t, func(w *world) {
		rename := func(from, to string) {
			t.Helper()
			err := w.db.Update(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
				_, err := tx.Exec(ctx, "alter table "+from+" rename to "+to)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		c := w.consumer(&chain{name: testName})
		w.running(c)
		w.write(1)
		w.reaches("before", nil)
		w.eventually("it to read", func() bool { return c.watch.isReading() })
		rename("consumer_states", "hidden")
		w.write(1)
		w.eventually("the reason to be told", func() bool { return saysOf(c, "consumer_states") })
		time.Sleep(20 * quick.retry) // for more tries than a record has
		rename("hidden", "consumer_states")
		w.write(1)
		w.reaches("afterwards", nil)
		w.same("set aside", w.rejected(), nil)
	})
}

func TestWhatIsSetAsideDoesNotFillTheDisk(t *testing.T) {
	eachDatabase(t, func(w *world) {
		const keeps = 10
		c := w.consumer(&chain{name: testName, faults: func(r kafkalog.Record) error {
			if strings.HasPrefix(string(r.Value), "record") {
				return errRefused
			}
			return nil
		}})
		c.keep = keeps * leastRejected
		w.write(20)
		w.running(c)
		total := func() int64 { return w.written[0] + w.written[1] + w.written[2] }
		refused := func(n int64) {
			t.Helper()
			w.eventually("all to be refused", func() bool { return w.metric(c, "rejected_records_total", "reason", "refused") == float64(n) })
			if n := len(w.rejected()); n != keeps {
				t.Errorf("%d are kept", n)
			}
			w.eventually("what is dropped to be counted", func() bool { return w.metric(c, "dropped_records_total") == float64(n-keeps) })
		}
		refused(total())
		for range 5 {
			w.write(1)
			refused(total())
		}
		kept := strings.Join(w.rejected(), " ")
		for p := range w.written {
			if !strings.Contains(kept, fmt.Sprintf("%d@%d: ", p, w.written[p]-1)) {
				t.Errorf("the newest of partition %d is not among %s", p, kept)
			}
		}
	})
}
