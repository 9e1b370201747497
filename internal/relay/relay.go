package relay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
	"parkwire/internal/trace"
)

// Options configure a [Relay]. Outbox, Records and Log are required.
type Options struct {
	Outbox  Outbox
	Records Records
	Log     *kafkalog.Log

	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Tracer     *trace.Tracer // nil: no traces

	// Batch is how many rows are under way to the log at once, and as many to its twin. Default 1000. More than that are never
	// repeated after a crash.
	Batch int
	// PollInterval is how soon rows of other processes are found. Default 200 ms. Those of this one are found at once.
	PollInterval time.Duration
	// Settle is how long a new leader that finds rows waits before it looks which of them are in the log already, lest
	// what its predecessor sent last arrives after the look. Default 1 s.
	Settle time.Duration
	// RepeatAccess is how often everything that is known of [Access] is said again. Default 10 min.
	RepeatAccess time.Duration
	// Patience is how long Kafka may take to acknowledge a batch before everything begins again from what is
	// in the log. Default 30 s. Shorter troubles are bridged by the producer.
	Patience time.Duration
}

// Relay carries the rows of an outbox into the log while this process leads.
type Relay struct {
	options Options
	metrics *metrics

	mu      sync.Mutex
	leading bool
	err     error     // why rows wait
	failed  time.Time // when that was found last
	sending time.Time // since when a batch waits for Kafka; zero when none does
	pending int       // rows that the last look found
	oldest  time.Time // when the first of them was accepted

	records    int   // that the last look found
	recordsErr error // why they wait
}

// Bounds that nobody needs to change.
const (
	slowAfter     = 5 * time.Second // without an acknowledgement the relay is not ready
	settleEvery   = time.Minute     // how often an idle leader records where the log ends
	markEvery     = 12 * time.Hour  // how often the twin is told of that again: Kafka drops such records after a day
	minRetryPause = 50 * time.Millisecond
	maxRetryPause = time.Second
	// farewell is how long a leader that is none any more listens for what is under way. With the time that it takes to
	// notice (a quarter of a second where the database cut it off) it is over before a successor looks, see Options.Settle.
	farewell = 500 * time.Millisecond
	// standstill is how long one round may take. A process that stood still for longer, or that Kafka let wait for as
	// long, may have been replaced, and hear of that only in a moment. It must be less than an outbox takes to replace it.
	standstill = 5 * time.Second
)

var errStoodStill = errors.New("a round took so long that another process may lead by now")

// New makes a relay; [Relay.Run] starts it.
func New(o Options) *Relay {
	o.Logger = cmp.Or(o.Logger, slog.Default())
	o.Batch = cmp.Or(o.Batch, 1000)
	o.PollInterval = cmp.Or(o.PollInterval, 200*time.Millisecond)
	o.Settle = cmp.Or(o.Settle, time.Second)
	o.RepeatAccess = cmp.Or(o.RepeatAccess, 10*time.Minute)
	o.Patience = cmp.Or(o.Patience, 30*time.Second)
	r := &Relay{options: o}
	r.metrics = newMetrics(o.Registerer, r.waiting, r.recordsWaiting, r.isLeading)
	return r
}

// Run relays whenever this process leads, until ctx ends.
func (r *Relay) Run(ctx context.Context) error {
	pause := minRetryPause
	for {
		err := r.options.Log.EnsureTopics(ctx)
		if err == nil {
			err = r.options.Outbox.Lead(ctx, func(ctx context.Context) error {
				pause = minRetryPause
				r.leads(true)
				defer r.leads(false)
				return r.lead(ctx)
			})
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && !errors.Is(err, context.Canceled) { // that is leadership that went elsewhere
			r.cannot(err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		pause = min(2*pause, maxRetryPause)
	}
}

// leadership is what a leader knows.
type leadership struct {
	*Relay
	producer *kafkalog.Producer
	written  map[string]place // the rows that stand in the log and not, or not certainly, in the twin yet, by EventID
	covered  event.Offsets    // what is recorded: every event of ours up to there is in log and twin
	marked   time.Time        // when the twin was told of that without an event
}

// place is where a row stands in the log.
type place struct {
	partition int32
	offset    int64
	earlier   bool // an earlier leader wrote it
}

// lead carries rows, and records beside them, until ctx ends or something fails. It begins by finding out what is in the log already; whoever
// calls it again after a failure therefore repeats nothing.
func (r *Relay) lead(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var beside sync.WaitGroup
	defer beside.Wait()
	defer cancel()
	beside.Go(func() { r.carryRecords(ctx) })
	l := &leadership{Relay: r}
	if err := l.look(ctx); err != nil {
		return err
	}
	var err error
	if l.producer, err = r.options.Log.NewProducer(); err != nil {
		return err
	}
	defer l.producer.Close()
	var settled time.Time
	looked := time.Now()
	for {
		rows, err := r.options.Outbox.Pending(ctx, 2*r.options.Batch)
		if err != nil {
			return fmt.Errorf("reading the outbox: %w", err)
		}
		if time.Since(looked) > standstill+r.options.PollInterval {
			return errStoodStill
		}
		looked = time.Now()
		r.found(rows)
		if len(rows) > 0 {
			if err := l.carry(ctx, rows); err != nil {
				return err
			}
			continue
		}
		clear(l.written) // the rows that could be there already are gone
		r.worked()
		if time.Since(settled) > settleEvery {
			if err := l.settle(ctx); err != nil {
				return err
			}
			settled = time.Now()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.options.Outbox.Wake():
		case <-time.After(r.options.PollInterval):
		}
	}
}

// settle records that nothing of the outbox can be in the log up to its present end without being done. A later leader
// need not read that, and whoever lists the spots need not be sent it: what is in the log was committed before. The end is
// asked for first, so that this holds even if another process leads too: what stands before it and is not done would be found.
// The twin is told too, lest whoever reads it reads much of the log behind it that other programs wrote.
func (l *leadership) settle(ctx context.Context) error {
	heads, err := l.options.Log.Heads(ctx)
	if err != nil {
		return err
	}
	rows, err := l.options.Outbox.Pending(ctx, 1)
	if err != nil {
		return fmt.Errorf("reading the outbox: %w", err)
	}
	if len(rows) > 0 {
		return nil // next time
	}
	if !l.covered.Contains(heads) {
		if err := l.options.Outbox.Done(ctx, nil, l.upTo(heads)); err != nil {
			return fmt.Errorf("clearing the outbox: %w", err)
		}
		l.covered, l.marked = l.covered.Join(heads), time.Time{}
	}
	if time.Since(l.marked) < markEvery || len(l.covered) == 0 || slices.Max(l.covered) == event.None {
		return nil
	}
	if err := l.producer.Send(ctx, l.options.Patience, settledMessage(l.options.Log.SpotsTopic(), l.upTo(l.covered)))[0].Err; err != nil {
		return fmt.Errorf("writing to the compacted topic (Kafka): %w", err)
	}
	l.marked = time.Now()
	return nil
}

func (r *Relay) upTo(offsets event.Offsets) event.Cursor {
	return event.Cursor{Topic: r.options.Log.TopicID(), Offsets: offsets}
}

// look finds out which of the oldest rows a leader wrote to the log and could not remove any more.
func (l *leadership) look(ctx context.Context) error {
	l.written = map[string]place{}
	rows, err := l.options.Outbox.Pending(ctx, 1)
	if err != nil {
		return fmt.Errorf("reading the outbox: %w", err)
	}
	if len(rows) > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(l.options.Settle):
		}
	}
	if l.covered, err = l.options.Outbox.Positions(ctx, l.options.Log.TopicID()); err != nil {
		return fmt.Errorf("reading the outbox: %w", err)
	}
	if len(rows) == 0 {
		return nil
	}
	// Also behind a transaction of another program that has not ended, where nobody else gets to see it yet.
	ends, err := l.options.Log.Ends(ctx)
	if err != nil {
		return err
	}
	// A database that was restored from a backup has positions of long ago, and very much comes behind them. All
	// that was under way is among the first rows.
	if rows, err = l.options.Outbox.Pending(ctx, 20*l.options.Batch); err != nil {
		return fmt.Errorf("reading the outbox: %w", err)
	}
	waits := make(map[string]bool, len(rows))
	for _, row := range rows {
		waits[row.EventID] = true
	}
	return l.options.Log.RangeUncommitted(ctx, l.covered, ends, func(record kafkalog.Record) error {
		if source, _ := record.Header("ce_source"); string(source) != Source {
			return nil
		}
		id, _ := record.Header("ce_id")
		if _, twice := l.written[string(id)]; waits[string(id)] && !twice {
			l.written[string(id)] = place{record.Partition, record.Offset, true}
		}
		return nil
	})
}

// carry writes rows to the log, those that are there already to the twin, and removes these. So the twin never has what the log has
// not, and for whoever reads both the log's end bounds what the twin can tell; and the next rows need not wait while the
// twin is written. After an error it has removed the rows before the first that Kafka did not acknowledge.
func (l *leadership) carry(ctx context.Context, rows []OutboxRow) error {
	var messages []kafkalog.Message
	traces := traces{tracer: l.options.Tracer, topic: l.options.Log.Topic()}
	covered, fresh := []byte(l.upTo(l.covered).String()), 0
	for i, row := range rows {
		if _, there := l.written[row.EventID]; there {
			messages = append(messages, spotMessage(l.options.Log.SpotsTopic(), row, covered))
			continue
		}
		if fresh++; fresh > l.options.Batch {
			rows = rows[:i]
			break
		}
		messages = append(messages, eventMessage(l.options.Log.Topic(), row, traces.follow(row.Traceparent)))
	}
	// What is under way cannot be called back, so at the end of leadership its acknowledgement is still heard.
	late, cancel := outlive(ctx, farewell)
	defer cancel()
	l.waits(true)
	results := l.producer.Send(late, l.options.Patience, messages...)
	l.waits(false)

	var failure error
	var done []OutboxRow // up to the first that is not in the twin
	logged := make(map[string]place, fresh)
	for i, row := range rows {
		_, there := l.written[row.EventID]
		switch err := results[i].Err; {
		case err != nil:
			failure = cmp.Or(failure, fmt.Errorf("writing event %s of spot %s to the event log (Kafka): %w", row.EventID, row.SpotID, err))
			traces.fail(row.Traceparent, err)
		case !there:
			logged[row.EventID] = place{partition: results[i].Partition, offset: results[i].Offset}
		case len(done) == i:
			done = append(done, row)
		}
	}
	traces.end()
	maps.Copy(l.written, logged)
	l.delayed(rows, logged)
	if len(done) > 0 {
		if err := l.remove(late, done); err != nil {
			return errors.Join(failure, err)
		}
	}
	if failure == nil {
		l.worked()
	}
	return failure
}

// delayed measures how long the oldest of the rows took that are in the log now.
func (l *leadership) delayed(rows []OutboxRow, logged map[string]place) {
	for _, row := range rows {
		if _, fresh := logged[row.EventID]; !fresh {
			continue
		}
		if at := acceptedAt(row); !at.IsZero() {
			l.metrics.delay.Observe(max(0, time.Since(at).Seconds()))
		}
		return
	}
}

// remove takes rows out of the outbox that are in log and twin, and records the positions that these leave behind: up to there
// no row of the log is left in the outbox.
func (l *leadership) remove(ctx context.Context, done []OutboxRow) error {
	var ids []int64
	var positions event.Offsets
	for _, row := range done {
		at := l.written[row.EventID]
		delete(l.written, row.EventID)
		ids, positions = append(ids, row.ID), positions.Advance(at.partition, at.offset)
		if at.earlier {
			l.metrics.repeated.Inc()
		}
	}
	for _, left := range l.written {
		if positions.Covers(left.partition, left.offset) {
			positions[left.partition] = left.offset - 1
		}
	}
	if err := l.options.Outbox.Done(ctx, ids, l.upTo(positions)); err != nil {
		return fmt.Errorf("clearing the outbox: %w", err)
	}
	l.covered = l.covered.Join(positions)
	l.metrics.carried.Add(float64(len(ids)))
	return nil
}

// outlive returns a context that ends some time after ctx.
func outlive(ctx context.Context, by time.Duration) (context.Context, context.CancelFunc) {
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-late.Done():
		case <-time.After(by):
			cancel()
		}
	})
	return late, func() { stop(); cancel() }
}

// Ready returns nil, or why rows wait in the outbox. A process that does not lead is ready.
func (r *Relay) Ready() error {
	if err := r.options.Log.Ready(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil && r.concerned() {
		return fmt.Errorf("events wait in the outbox: %w", r.err)
	}
	if r.recordsErr != nil {
		return fmt.Errorf("records wait in the outbox: %w", r.recordsErr)
	}
	if !r.sending.IsZero() && time.Since(r.sending) > slowAfter {
		return errors.New("events wait in the outbox: the event log (Kafka) does not acknowledge any")
	}
	return nil
}

func (r *Relay) cannot(err error) {
	r.metrics.failures.Inc()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.options.Logger.Warn("events wait in the outbox", "error", err)
	}
	r.err, r.failed = err, time.Now()
}

func (r *Relay) leads(yes bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leading = yes
}

func (r *Relay) isLeading() float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.leading {
		return 1
	}
	return 0
}

// concerned reports whether rows that wait are this process's business. One that failed, and then neither leads nor
// fails again, waits for another process that leads. The caller holds mu.
func (r *Relay) concerned() bool { return r.leading || time.Since(r.failed) < slowAfter }

// found records what the leader found at its last look.
func (r *Relay) found(rows []OutboxRow) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pending, r.oldest = len(rows), time.Time{}
	if len(rows) > 0 {
		r.oldest = acceptedAt(rows[0])
	}
}

// waiting returns how many rows the leader found, and the age of the oldest; nothing where another process leads.
func (r *Relay) waiting() (rows int, lag time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.concerned() {
		return 0, 0
	}
	if !r.oldest.IsZero() {
		lag = max(0, time.Since(r.oldest))
	}
	return r.pending, lag
}

func (r *Relay) worked() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		r.options.Logger.Info("events leave the outbox again")
	}
	r.err = nil
}

func (r *Relay) waits(yes bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sending = time.Time{}
	if yes {
		r.sending = time.Now()
	}
}
