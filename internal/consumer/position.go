package consumer

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
	"parkwire/internal/sqldb"
)

// state is what the database says of a consumer.
type state struct {
	found      bool
	topic      string
	id         event.TopicID
	epoch      string // of whoever began to read last
	revision   int64
	rebuilder  string
	beat       int64 // of the rebuilder
	awaitsTwin bool
	next       []int64 // for each partition the offset that comes next; none: nothing is known of it
	times      []int64 // the newest time of a record before it, in Unix milliseconds; 0: none
}

const none = -1

// errFenced says that another process has moved the positions.
var errFenced = errors.New("another process has gone on from this place")

// frameError is what the frame's own statements failed with. It is no fault of the records.
type frameError struct{ error }

func (e frameError) Unwrap() error { return e.error }

// is reports whether two are the same: one was read of what the other had written.
func (s state) is(other state) bool {
	return s.found == other.found && s.epoch == other.epoch && s.revision == other.revision
}

// goesBack reports whether something that was there before is not there any more.
func (s state) goesBack(before state) bool {
	for p, next := range before.next {
		if s.at(p) < next {
			return true
		}
	}
	return before.found && s.id != before.id
}

// at returns the place in a partition.
func (s state) at(p int) int64 {
	if p >= len(s.next) {
		return none
	}
	return s.next[p]
}

func (s state) timeAt(p int) int64 {
	if p >= len(s.times) {
		return 0
	}
	return s.times[p]
}

// place sets the place in a partition.
func (s *state) place(p int, next, time int64) {
	for p >= len(s.next) {
		s.next, s.times = append(s.next, none), append(s.times, 0)
	}
	s.next[p], s.times[p] = next, time
}

func (s state) clone() state {
	s.next, s.times = slices.Clone(s.next), slices.Clone(s.times)
	return s
}

// behind returns the state when records were handled.
func (s state) behind(records []kafkalog.Record) state {
	s = s.clone()
	s.revision++
	for _, r := range records {
		if r.Offset >= 0 { // else it is of the twin
			p := int(r.Partition)
			s.place(p, max(s.at(p), r.Offset+1), max(s.timeAt(p), r.Timestamp.UnixMilli()))
		}
	}
	return s
}

// read returns what the database says of the consumer.
func (c *Consumer) read(ctx context.Context) (s state, err error) {
	err = c.options.DB.View(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		s, err = readState(ctx, tx, c.options.Name)
		return err
	})
	if err != nil {
		return state{}, fmt.Errorf("reading the place in the log: %w", err)
	}
	return s, nil
}

func readState(ctx context.Context, tx *sqldb.Tx, name string) (state, error) {
	rebuilder, beat, err := readRebuilder(ctx, tx, name)
	if err != nil {
		return state{}, err
	}
	s, found, err := sqldb.One(ctx, tx, func(r sqldb.Row) (s state, err error) {
		var id string
		if err := r.Scan(&s.topic, &id, &s.epoch, &s.revision, &s.awaitsTwin); err != nil {
			return s, err
		}
		b, err := hex.DecodeString(id)
		if err != nil || copy(s.id[:], b) != len(s.id) {
			return s, fmt.Errorf("%q is no id of a topic", id)
		}
		return s, nil
	}, "select topic, topic_id, epoch, revision, awaits_twin from consumer_states where consumer = ?", name)
	if err != nil {
		return state{}, err
	}
	s.rebuilder, s.beat, s.found = rebuilder, beat, found
	err = sqldb.Each(ctx, tx, func(r sqldb.Row) error {
		var p, next, time int64
		err := r.Scan(&p, &next, &time)
		if err == nil {
			s.place(int(p), next, time)
		}
		return err
	}, "select partition, next_offset, time_ms from consumer_positions where consumer = ?", name)
	return s, err
}

// readRebuilder returns who rebuilds a consumer, and how often that was heard of; "": nobody.
func readRebuilder(ctx context.Context, tx *sqldb.Tx, name string) (who string, beat int64, err error) {
	_, _, err = sqldb.One(ctx, tx, func(r sqldb.Row) (struct{}, error) { return struct{}{}, r.Scan(&who, &beat) },
		"select rebuilder, beat from consumer_rebuilds where consumer = ?", name)
	return who, beat, err
}

// announce says who rebuilds from now on, whoever was said to do so before; "": nobody. The service's next transaction finds it.
func (c *Consumer) announce(ctx context.Context, tx *sqldb.Tx, who string) error {
	if who == "" {
		_, err := tx.Exec(ctx, "delete from consumer_rebuilds where consumer = ?", c.options.Name)
		return err
	}
	return tx.Insert(ctx, "consumer_rebuilds (consumer, rebuilder, beat)", [][]any{{c.options.Name, who, 0}},
		"on conflict (consumer) do update set rebuilder = excluded.rebuilder, beat = excluded.beat")
}

// move goes from one state to the next, or returns [errFenced]. It is the first thing in a transaction: another process that does the same
// waits for its end, or makes it begin again.
func (c *Consumer) move(ctx context.Context, tx *sqldb.Tx, from, to state) error {
	err := c.moveTo(ctx, tx, from, to)
	if err == nil || errors.Is(err, errFenced) {
		return err
	}
	return frameError{fmt.Errorf("moving the place in the log: %w", err)}
}

func (c *Consumer) moveTo(ctx context.Context, tx *sqldb.Tx, from, to state) error {
	name, id := c.options.Name, hex.EncodeToString(to.id[:])
	var n int64
	var err error
	if from.found {
		n, err = tx.Exec(ctx, `update consumer_states set topic = ?, topic_id = ?, epoch = ?, revision = ?, awaits_twin = ?
			where consumer = ? and epoch = ? and revision = ?`, to.topic, id, to.epoch, to.revision, to.awaitsTwin, name, from.epoch, from.revision)
	} else {
		n, err = tx.Exec(ctx, `insert into consumer_states (consumer, topic, topic_id, epoch, revision, awaits_twin) values (?, ?, ?, ?, ?, ?)
			on conflict (consumer) do nothing`, name, to.topic, id, to.epoch, to.revision, to.awaitsTwin)
	}
	var rebuilder string
	if err == nil && n > 0 {
		rebuilder, _, err = readRebuilder(ctx, tx, name)
	}
	if err != nil {
		return err
	}
	if n == 0 || rebuilder != from.rebuilder {
		return errFenced
	}
	if to.rebuilder != from.rebuilder {
		if err := c.announce(ctx, tx, to.rebuilder); err != nil {
			return err
		}
	}
	if from.id != to.id || len(to.next) < len(from.next) {
		if _, err := tx.Exec(ctx, "delete from consumer_positions where consumer = ?", name); err != nil {
			return err
		}
		from.next, from.times = nil, nil
	}
	var rows [][]any
	for p := range to.next {
		if to.next[p] >= 0 && (to.next[p] != from.at(p) || to.times[p] != from.timeAt(p)) {
			rows = append(rows, []any{name, int64(p), to.next[p], to.times[p]})
		}
	}
	return tx.Insert(ctx, "consumer_positions (consumer, partition, next_offset, time_ms)", rows,
		"on conflict (consumer, partition) do update set next_offset = excluded.next_offset, time_ms = excluded.time_ms")
}

// Position returns a text that is another one after each transaction of the consumer of that name: whoever remembers what it made of the tables
// compares it. It is another one too where the database was restored and the consumer has gone on from there. It is empty where the consumer has not begun yet.
func Position(ctx context.Context, tx *sqldb.Tx, name string) (string, error) {
	text, _, err := sqldb.One(ctx, tx, func(r sqldb.Row) (string, error) {
		var epoch string
		var revision int64
		err := r.Scan(&epoch, &revision)
		return fmt.Sprintf("%s-%d", epoch, revision), err
	}, "select epoch, revision from consumer_states where consumer = ?", name)
	return text, err
}
