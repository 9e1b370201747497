package consumer

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"parkwire/internal/kafkalog"
	"parkwire/internal/kafkalog/logtest"
	"parkwire/internal/sqldb"
	"parkwire/internal/sqldb/sqldbtest"
)

// Whatever fails, in whichever order, and whoever reads: in the end each record was applied once, in order, or set aside, and the latter only where it
// is the record that fails.
func TestWhateverFailsEachRecordIsAppliedOnceOrSetAside(t *testing.T) {
	brokers := []string{logtest.Broker(t, "").Addr()}
	db := sqldbtest.Open(t, sqldbtest.SQLite(t, testSets))
	w := newWorld(t, brokers, func() *sqldb.DB { return db })
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		name := fmt.Sprint("run ", run)
		if run <= 40 {
			w.write(1)
		}
		// Of these records each fails in one way for ever, and of those each fails a few times in another one.
		type place struct {
			partition int32
			offset    int64
		}
		places := rapid.Custom(func(rt *rapid.T) place {
			return place{rapid.Int32Range(0, 2).Draw(rt, "partition"), rapid.Int64Range(0, w.written[0]-1).Draw(rt, "offset")}
		})
		always := rapid.MapOfN(places, rapid.SampledFrom([]string{"refused", "error", "panic"}), 0, 4).Draw(rt, "bad for ever")
		sometimes := rapid.MapOfN(places, rapid.IntRange(1, tries-1), 0, 4).Draw(rt, "bad a few times")
		ways := rapid.SliceOfN(rapid.SampledFrom([]string{"error", "panic", "database", "context"}), 8, 8).Draw(rt, "ways in which these fail")
		var stop context.CancelFunc
		effect := &chain{name: name, faults: func(r kafkalog.Record) error {
			at := place{r.Partition, r.Offset}
			how := always[at]
			if how == "" && sometimes[at] > 0 {
				sometimes[at]--
				how, ways = ways[0], ways[1:]
			}
			switch how {
			case "refused":
				return errRefused
			case "error":
				return errors.New("it fails")
			case "panic":
				panic("a bug")
			case "database":
				return sqldb.ErrUnavailable
			case "context":
				stop()
			}
			return nil
		}}
		c := w.consumer(effect, func(o *Options) { o.Name = name })
		c.patience.retry, c.patience.longest = 0, 0
		for reached := false; !reached; {
			ctx, cancel := context.WithCancel(t.Context())
			stop = cancel
			s, err := c.begin(ctx)
			if err == nil && rapid.IntRange(0, 9).Draw(rt, "another one comes") == 0 {
				other := w.consumer(&chain{name: name}, func(o *Options) { o.Name = name })
				_, err = other.begin(ctx)
			}
			if err == nil {
				err = c.readOn(ctx, s, func() (bool, error) {
					reached = s.at.at(0) == w.written[0] && s.at.at(1) == w.written[1] && s.at.at(2) == w.written[2]
					return reached, nil
				})
			}
			if err != nil && ctx.Err() == nil && !errors.Is(err, errFenced) {
				rt.Fatal(err)
			}
			cancel()
		}
		got := map[int32]link{}
		var aside int64
		err := db.View(t.Context(), func(ctx context.Context, tx *sqldb.Tx) (err error) {
			if got, err = readLinks(ctx, tx, name); err != nil {
				return err
			}
			aside, _, err = sqldb.One(ctx, tx, func(r sqldb.Row) (n int64, err error) { return n, r.Scan(&n) },
				"select count(*) from rejected_records where consumer = ?", name)
			return err
		})
		if err != nil {
			rt.Fatal(err)
		}
		want := w.expected(func(r kafkalog.Record) bool { return always[place{r.Partition, r.Offset}] != "" })
		if fmt.Sprint(got) != fmt.Sprint(want) || aside != int64(len(always)) {
			rt.Fatalf("got %v and %d set aside, want %v and %d", got, aside, want, len(always))
		}
	})
}
