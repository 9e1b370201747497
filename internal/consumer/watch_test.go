package consumer

import (
	"context"
	"testing"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
	"parkwire/internal/sqldb"
)

func TestWhatGoesBackIsNotCurrent(t *testing.T) {
	stand := kafkalog.Stand{ID: event.TopicID{1}, Begin: []int64{0, 0}, End: []int64{10, 10}}
	at := func(epoch string, revision int64, next ...int64) state {
		return state{found: true, id: stand.ID, epoch: epoch, revision: revision, next: next, times: make([]int64, len(next))}
	}
	c := &Consumer{}
	w := &c.watch
	current := func(is bool, when string) {
		t.Helper()
		if _, got := c.Through(); got != is {
			t.Errorf("%s: current is %v", when, got)
		}
	}
	w.saw(stand, time.Now())
	w.reached(at("a", 7, 10, 10))
	w.saw(stand, time.Now())
	current(true, "at the end")
	w.reached(at("a", 8, 10, 10))
	current(true, "after a tick")
	// The database is an older one than before, and its revision is one that was there already.
	if !w.found(at("a", 5, 4, 10), w.committed()) {
		t.Error("another place is no news")
	}
	current(false, "where the database was restored")
	if n := w.lag(); n != 6 {
		t.Errorf("%d records are missing", n)
	}
	w.reached(at("b", 6, 4, 10)) // who goes on from there
	w.saw(stand, time.Now())
	current(false, "when it is looked at again")
	w.reached(at("b", 7, 10, 10))
	w.saw(stand, time.Now())
	current(true, "at the end again")
	before := w.committed()
	w.reached(at("b", 8, 10, 10))
	if w.found(at("b", 7, 2, 2), before) || w.lag() != 0 {
		t.Error("what was read before the last commit is taken for news")
	}
	if !w.found(state{}, w.committed()) {
		t.Error("a database without anything is no news")
	}
	current(false, "where everything is gone")
}

func TestASessionEndsWhereTheDatabaseIsNotWhatItGoesOnFrom(t *testing.T) {
	mine := state{found: true, id: event.TopicID{1}, epoch: "mine", revision: 7}
	for name, test := range map[string]struct {
		found state
		ends  bool
	}{
		"as it was":              {state{found: true, epoch: "mine", revision: 7}, false},
		"its own, not heard yet": {state{found: true, epoch: "mine", revision: 8}, false},
		"another one reads":      {state{found: true, epoch: "another", revision: 8}, true},
		"it is to be rebuilt":    {state{found: true, epoch: "mine", revision: 7, rebuilder: "process 1"}, true},
		"of a backup":            {state{found: true, epoch: "mine", revision: 6}, true},
		"nothing":                {state{}, true},
	} {
		ended := false
		w := &watch{}
		w.setReading(func(err error) { ended = err == errFenced })
		w.reached(mine)
		test.found.id = mine.id
		w.found(test.found, w.committed())
		if ended != test.ends {
			t.Errorf("%s: ended is %v", name, ended)
		}
	}
}

// The tables are put back to what they were, as a backup does, under a service that runs and has nothing to do.
func TestAnIdleServiceGoesOnFromADatabaseThatWasRestored(t *testing.T) {
	eachDatabase(t, func(w *world) {
		w.write(10)
		c := w.consumer(&chain{name: testName})
		w.running(c)
		w.reaches("before the backup", nil)
		position := func() (text string) {
			w.view(func(ctx context.Context, tx *sqldb.Tx) (err error) {
				text, err = Position(ctx, tx, testName)
				return err
			})
			return text
		}
		links := w.links()
		saved, err := c.read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		w.write(10)
		w.reaches("after the backup", nil)
		last := position()
		err = w.db.Update(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			for p, l := range links {
				if _, err := tx.Exec(ctx, "update chains set records = ?, sum = ? where name = ? and partition = ?", l.records, l.sum, testName, p); err != nil {
					return err
				}
				if _, err := tx.Exec(ctx, "update consumer_positions set next_offset = ? where consumer = ? and partition = ?", saved.next[p], testName, p); err != nil {
					return err
				}
			}
			_, err := tx.Exec(ctx, "update consumer_states set revision = ? where consumer = ?", saved.revision, testName)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		w.reaches("from the backup on", nil)
		w.write(5)
		w.reaches("and further", nil)
		if now := position(); now == last {
			t.Errorf("the position is %s still", now)
		}
	})
}
