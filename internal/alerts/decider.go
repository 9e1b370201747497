package alerts

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"parkwire/internal/alerts/decide"
	"parkwire/internal/consumer"
	"parkwire/internal/directory"
	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
	"parkwire/internal/sqldb"
)

// decider is what the service makes of the log: it keeps spots, has the engine decide, and writes what follows, all in the transaction that
// moves the place in the log. The consumer calls it in one goroutine, and has it load anew whatever goes wrong, so that memory is never
// ahead of the database.
type decider struct {
	options Options
	metrics *metrics
	book    *directory.Book
	current func() bool // whether everything that the log has was read

	ticks     chan struct{} // see Ticks
	attention chan struct{} // has pace look at once

	// What follows belongs to the consumer's goroutine.
	engine   *decide.Engine
	stale    map[string]decide.Spot // as they were before a rebuild
	unbegun  []unbegun              // rules that begin anew
	removed  []string               // rules that were removed while nobody decided
	sequence int64                  // of the last decision
	traces   map[int]string         // of changes that made rules speak, by the numbers of the decisions that wait to be taken
	whole    bool                   // the twin was taken: counts are true
	caughtUp bool                   // what is so is not much older than the present: rules may speak of it

	rules     atomic.Int64
	revision  atomic.Int64 // of the rules that the engine has
	described atomic.Int64 // revision of the directory that the engine has
	late      atomic.Bool  // it has to be found out whether what is so is the present

	mu       sync.Mutex
	next     time.Time // when the engine has something to do
	uncommit outcome   // of the transaction under way
}

// unbegun is a rule of which nothing was kept but what it had said before it was changed.
type unbegun struct {
	decide.Rule
	said []decide.Mark
}

// outcome is what is counted when it is committed.
type outcome struct {
	decisions        map[decide.Kind]int
	suppressed, late int
	causes           []time.Time // when the events were appended that made rules speak
}

func newDecider(o Options) *decider {
	d := &decider{options: o, book: directory.NewBook(), ticks: make(chan struct{}, 1), attention: make(chan struct{}, 1)}
	d.engine = decide.New(d.book.Clock)
	d.current = func() bool { return true }
	d.revision.Store(-1)
	return d
}

func (d *decider) now() time.Time { return event.At(d.options.Clock()).Time }

// moment is the present. Rules do not speak of what may have changed long ago.
func (d *decider) moment() decide.Moment { return decide.Moment{Now: d.now(), Late: !d.caughtUp} }

// Load implements [consumer.Effect].
func (d *decider) Load(ctx context.Context, tx *sqldb.Tx) error {
	if _, err := d.book.Refresh(ctx, tx); err != nil {
		return err
	}
	d.engine, d.stale, d.unbegun, d.removed = decide.New(d.book.Clock), map[string]decide.Spot{}, nil, nil
	d.whole, d.caughtUp = false, false
	d.described.Store(d.book.Revision())
	d.take(outcome{})
	kept, stale, err := loadSpots(ctx, tx)
	if err != nil {
		return err
	}
	for _, s := range kept {
		s.Category = d.category(s.ID)
		d.engine.Keep(s)
	}
	for _, s := range stale {
		d.stale[s.ID] = s
	}
	gone, err := loadGone(ctx, tx)
	if err != nil {
		return err
	}
	for _, s := range gone {
		d.engine.Gone(s)
	}
	_ = d.engine.Take() // which is there already
	rules, states, marks, err := loadRules(ctx, tx)
	if err != nil {
		return err
	}
	for _, r := range rules {
		if state, kept := states[r.ID]; kept && state.Epoch == r.Epoch {
			d.engine.Restore(r, state, marks[r.ID])
		} else {
			d.unbegun = append(d.unbegun, unbegun{r, marks[r.ID]})
		}
	}
	if d.removed, err = removedRules(ctx, tx); err != nil {
		return err
	}
	revision, err := countRules.read(ctx, tx)
	if err != nil {
		return err
	}
	d.revision.Store(revision)
	d.sequence, err = countDecisions.read(ctx, tx)
	return err
}

// Reset implements [consumer.Effect]. Rules and what they have said stay: what is told twice is worse than what is not forgotten. Spots are kept
// aside, since the twin does not say since when a spot is occupied that was edited meanwhile.
func (d *decider) Reset(ctx context.Context, tx *sqldb.Tx) error {
	_, err := tx.Exec(ctx, "update alert_spots set stale = ?", true)
	return err
}

// Check implements [consumer.Checker].
func (d *decider) Check(r kafkalog.Record) error { return consumer.CheckEvent(r) }

// Apply implements [consumer.Effect].
func (d *decider) Apply(ctx context.Context, tx *sqldb.Tx, records []kafkalog.Record) error {
	return consumer.Events(d.apply)(ctx, tx, records)
}

func (d *decider) apply(ctx context.Context, tx *sqldb.Tx, events []consumer.Event) error {
	var done outcome
	began := false
	d.traces = nil
	for _, e := range events {
		if e.Offset < 0 {
			d.engine.Keep(d.spotOfTwin(e))
			continue
		}
		now := d.now()
		late := now.Sub(e.Record.Timestamp) > d.options.Fresh
		if d.caughtUp = !late; late {
			done.late++
		}
		if !began {
			began = true
			if err := d.begin(ctx, tx); err != nil {
				return err
			}
			d.advance()
		}
		before := d.engine.Decided()
		d.engine.Apply(d.changeOf(e), d.moment())
		for i := before; i < d.engine.Decided(); i++ {
			done.causes = append(done.causes, e.Record.Timestamp)
			if traceparent := e.FollowedTrace(); traceparent != "" {
				if d.traces == nil {
					d.traces = map[int]string{}
				}
				d.traces[i] = traceparent
			}
		}
	}
	if began {
		d.advance() // what is due at once
	}
	return d.write(ctx, tx, done)
}

// Ticks implements [consumer.Ticker].
func (d *decider) Ticks() <-chan struct{} { return d.ticks }

// Tick does what is due by the passing of time, and takes rules and descriptions that changed.
func (d *decider) Tick(ctx context.Context, tx *sqldb.Tx) error {
	if !d.caughtUp {
		d.caughtUp = d.current()
	}
	if err := d.begin(ctx, tx); err != nil {
		return err
	}
	if err := d.describe(ctx, tx); err != nil {
		return err
	}
	d.advance()
	return d.write(ctx, tx, outcome{})
}

func (d *decider) advance() {
	if d.caughtUp {
		d.engine.Advance(d.now())
	}
}

// Gap implements [consumer.Gapper]: what became of the spots is told by the twin, which comes next.
func (d *decider) Gap(ctx context.Context, tx *sqldb.Tx, _ consumer.Gap) error {
	if err := d.Reset(ctx, tx); err != nil {
		return err
	}
	return d.Load(ctx, tx)
}

// spotOfTwin is what the newest event of a spot says. Where that tells of something else than a change of status, it does not say since when
// the spot is as it is.
func (d *decider) spotOfTwin(e consumer.Event) decide.Spot {
	s := d.changeOf(e).Spot
	if known, kept := d.stale[s.ID]; kept && known.Status == s.Status && (known.Version == s.Version || e.Change == event.ChangeEdited) {
		s.Since = known.Since
	}
	return s
}

func (d *decider) changeOf(e consumer.Event) decide.Change {
	c := decide.Change{
		Spot: decide.Spot{
			ID: e.SpotID, LotID: e.LotID, ZoneID: e.ZoneID, Category: d.category(e.SpotID), Status: e.Status, Version: e.Version,
			Since: e.Event.Timestamp.Time,
		},
		Occurred: e.Event.Timestamp.Time,
	}
	if c.Occurred.IsZero() {
		c.Occurred = event.At(e.Record.Timestamp).Time
		c.Since = c.Occurred
	}
	if !e.ObservedAt.IsZero() {
		c.Since = event.At(e.ObservedAt.Time).Time
	}
	if c.LotID == "" { // as other programs write it
		if known, ok := d.book.Spot(e.SpotID); ok && !known.Removed {
			c.LotID, c.ZoneID = known.LotID, known.ZoneID
		}
	}
	return c
}

func (d *decider) category(spotID string) string {
	s, _ := d.book.Spot(spotID)
	return s.Category
}

// begin takes note of what is written by others, before anything is decided.
func (d *decider) begin(ctx context.Context, tx *sqldb.Tx) error {
	if !d.whole {
		d.whole = true
		if len(d.stale) > 0 {
			if _, err := tx.Exec(ctx, "delete from alert_spots where stale = ?", true); err != nil {
				return fmt.Errorf("forgetting spots that are gone: %w", err)
			}
			d.stale = map[string]decide.Spot{}
		}
		if err := forgetGone(ctx, tx, d.now().Add(-keepGone)); err != nil {
			return err
		}
	}
	for _, r := range d.unbegun {
		d.engine.Begin(r.Rule, r.said, d.moment())
	}
	for _, id := range d.removed {
		if err := forgetRule(ctx, tx, id); err != nil {
			return err
		}
	}
	d.unbegun, d.removed = nil, nil
	revision, err := countRules.read(ctx, tx)
	if err != nil || revision == d.revision.Load() {
		return err
	}
	changed, err := rulesSince(ctx, tx, d.revision.Load())
	if err != nil {
		return err
	}
	for _, r := range changed {
		if !r.removed {
			d.engine.Put(r.Rule, d.moment())
			continue
		}
		d.engine.Drop(r.ID)
		if err := forgetRule(ctx, tx, r.ID); err != nil {
			return err
		}
	}
	d.revision.Store(revision)
	return nil
}

// describe takes categories, time zones and names that changed.
func (d *decider) describe(ctx context.Context, tx *sqldb.Tx) error {
	if _, err := d.book.Refresh(ctx, tx); err != nil {
		return err
	}
	if revision := d.book.Revision(); revision != d.described.Load() {
		d.engine.DescribeAll(func(id string) (lotID, zoneID, category string, known bool) {
			s, known := d.book.Spot(id)
			return s.LotID, s.ZoneID, s.Category, known
		}, d.moment())
		d.engine.Reconsider() // hours may be others
		d.described.Store(revision)
	}
	return nil
}

// write keeps what the engine did.
func (d *decider) write(ctx context.Context, tx *sqldb.Tx, done outcome) error {
	c := d.engine.Take()
	if err := saveChanges(ctx, tx, c, d.now()); err != nil {
		return err
	}
	if len(c.Decisions) > 0 {
		last, err := d.saveDecisions(ctx, tx, c.Decisions)
		if err != nil {
			return err
		}
		d.sequence = last
	}
	d.traces = nil
	done.suppressed = c.Suppressed
	done.decisions = map[decide.Kind]int{}
	for _, one := range c.Decisions {
		done.decisions[one.Rule.Condition.Kind]++
	}
	d.take(done)
	return nil
}

// take sets what is to be counted, and when the engine has something to do next.
func (d *decider) take(done outcome) {
	next := d.engine.Next()
	if d.late.Store(!d.caughtUp); !d.caughtUp {
		next = time.Time{} // nothing is due before that is known
	}
	d.rules.Store(int64(d.engine.Rules()))
	d.mu.Lock()
	defer d.mu.Unlock()
	d.uncommit, d.next = done, next
}

// committed counts what the last transaction did, and has pace look when there is something to do.
func (d *decider) committed() {
	d.mu.Lock()
	done := d.uncommit
	d.uncommit = outcome{}
	d.mu.Unlock()
	d.metrics.decided(done, d.options.Clock())
	d.attend()
}
