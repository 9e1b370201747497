package history

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"parkwire/internal/consumer"
	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
	"parkwire/internal/sqldb"
)

// effect is what history makes of the log of events. What it remembers is what the database holds: nothing has to be read again while
// records are applied.
type effect struct {
	spots   map[string]*spot
	places  map[place]*place
	reached map[int32]int64 // by partition: when the log took the newest record that was applied
	moved   map[int32]bool  // of reached: what is to be written
	book    *book
	metrics *metrics

	tally counts // of the batch that is applied

	mu     sync.Mutex // guards what [effect.committed] and others ask for
	done   counts     // of what was applied; it counts once that is committed
	newest int64      // the newest time of an event that was committed
}

// counts are what a batch comes to.
type counts struct {
	changes               map[event.Change]int
	intervals, stays      int
	repeated, lost, moved int
	spots                 int // of which anything is known
	newest                int64
}

func (c *counts) add(o counts) {
	if c.changes == nil {
		c.changes = map[event.Change]int{}
	}
	for change, n := range o.changes {
		c.changes[change] += n
	}
	c.intervals += o.intervals
	c.stays += o.stays
	c.repeated += o.repeated
	c.lost += o.lost
	c.moved += o.moved
	c.spots = max(c.spots, o.spots)
	c.newest = max(c.newest, o.newest)
}

func newEffect(m *metrics) *effect {
	e := &effect{book: newBook(), metrics: m}
	e.empty()
	return e
}

func (e *effect) empty() {
	e.spots, e.places = map[string]*spot{}, map[place]*place{}
	e.reached, e.moved = map[int32]int64{}, map[int32]bool{}
	e.book.clear()
	e.tally = counts{changes: map[event.Change]int{}}
	e.mu.Lock()
	e.done = counts{}
	e.mu.Unlock()
}

// Load implements [consumer.Effect].
func (e *effect) Load(ctx context.Context, tx *sqldb.Tx) error {
	e.empty()
	if err := e.load(ctx, tx); err != nil {
		return fmt.Errorf("reading what history knows: %w", err)
	}
	for _, s := range e.spots {
		e.tally.newest = max(e.tally.newest, s.last)
	}
	e.hand()
	return nil
}

// hand adds what was applied to what will count when it is committed.
func (e *effect) hand() {
	e.tally.spots = len(e.spots)
	e.mu.Lock()
	e.done.add(e.tally)
	e.mu.Unlock()
	e.tally = counts{changes: map[event.Change]int{}}
}

// Apply implements [consumer.Effect].
func (e *effect) Apply(ctx context.Context, tx *sqldb.Tx, records []kafkalog.Record) error {
	// All are read first: what is no event is refused before anything is changed.
	events := make([]event.Event, len(records))
	var refused []error
	for i, r := range records {
		var err error
		if events[i], err = event.Decode(r.Value); err != nil {
			refused = append(refused, consumer.Refuse(i, err))
		}
	}
	if len(refused) > 0 {
		return errors.Join(refused...)
	}
	for i, r := range records {
		e.take(r, events[i])
	}
	return e.write(ctx, tx)
}

// Gap implements [consumer.Gapper]: what was in the log is gone, so nobody knows what became of the spots of a partition since the newest record
// before it.
func (e *effect) Gap(ctx context.Context, tx *sqldb.Tx, g consumer.Gap) error {
	since, heard := e.reached[g.Partition]
	for _, s := range e.spots {
		if s.partition == g.Partition && present(s.status) && heard {
			e.lose(s, max(since, s.since), since)
		}
	}
	return e.write(ctx, tx)
}

// lose makes a spot unknown from a moment on, since something that the log said of it was not read.
func (e *effect) lose(s *spot, at, recorded int64) {
	s.turn(turning{to: event.Unknown, hole: true, place: s.place, at: at, recorded: recorded}, e.book)
	e.book.save(s)
	e.tally.lost++
}

// Reset implements [consumer.Effect].
func (e *effect) Reset(ctx context.Context, tx *sqldb.Tx) error {
	e.empty()
	return tx.Clear(ctx, tables...)
}

// clockSkew is how far the clock of a sensor may be ahead of that of the platform, which refuses readings from further in the future.
const clockSkew = 60 * time.Second

// timeOf returns when an event happened: when it was observed, else when it was accepted, else when the log took it. A time that cannot be is none:
// one before 1970, or from the future of the log; a single one of those would make all that follow come late.
func timeOf(r kafkalog.Record, v event.Event) (at time.Time, corrected bool) {
	latest := r.Timestamp.Add(clockSkew)
	for _, t := range [...]event.Time{v.ObservedAt, v.Timestamp} {
		switch {
		case t.IsZero():
		case t.UnixMilli() < 0 || !r.Timestamp.IsZero() && t.After(latest):
			corrected = true
		default:
			return t.Time, corrected
		}
	}
	return r.Timestamp, corrected
}

// take applies one event.
func (e *effect) take(r kafkalog.Record, v event.Event) {
	fromTwin := r.Offset < 0
	when, corrected := timeOf(r, v)
	at, recorded := max(0, when.UnixMilli()), max(0, r.Timestamp.UnixMilli())
	if recorded == 0 {
		recorded = at
	}
	if !fromTwin {
		e.reached[r.Partition], e.moved[r.Partition] = max(e.reached[r.Partition], recorded), true
	}
	s := e.spots[v.SpotID]
	if s == nil {
		s = &spot{id: v.SpotID, place: e.at("", "")}
		e.spots[v.SpotID] = s
	}
	if v.Version > 0 {
		switch {
		case v.Version <= s.version && s.twin && !fromTwin:
			s.forget(e.book) // the log itself tells of this spot, and better
		case v.Version <= s.version:
			e.tally.repeated++
			return
		case s.version > 0 && v.Version > s.version+1 && present(s.status):
			e.lose(s, max(s.last, s.since), recorded)
		}
		s.version, s.twin = v.Version, fromTwin
	}
	if corrected {
		e.tally.moved++
	}
	t := turning{to: known(v.Status), place: s.place, at: at, recorded: recorded, before: v.PreviousStatus}
	if v.Change == event.ChangeRemoved {
		t.to = event.Removed
	}
	if t.before != none {
		t.before = known(t.before)
	}
	if v.LotID != "" {
		t.place = e.at(v.LotID, v.ZoneID)
	}
	s.turn(t, e.book)
	s.partition, s.last, s.recorded = r.Partition, at, recorded
	e.book.save(s)
	e.tally.newest = max(e.tally.newest, at)
	if !fromTwin {
		change := v.Change
		if !slices.Contains(event.Changes, change) {
			change = "" // whatever other programs may call it
		}
		e.book.happened(s.place, at, change)
		e.tally.changes[change]++
	}
}

// at returns the place of a lot and a zone.
func (e *effect) at(lot, zone string) *place {
	key := place{lot, zone}
	p := e.places[key]
	if p == nil {
		p = &key
		e.places[key] = p
	}
	return p
}

// committed is told after each commit, and once the memory was loaded. Another goroutine may do so.
func (e *effect) committed() {
	e.mu.Lock()
	done := e.done
	e.done = counts{}
	e.newest = max(e.newest, done.newest)
	e.mu.Unlock()
	e.metrics.committed(done)
}

// known returns the newest time of an event that was committed.
func (e *effect) known() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return time.UnixMilli(e.newest)
}
