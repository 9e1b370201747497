package consumer

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
	"parkwire/internal/sleep"
	"parkwire/internal/sqldb"
)

// work is what a process says of its own reading.
type work struct {
	mu      sync.Mutex
	trouble error // why it does not read, or not get on
	group   error // why it could not take over
}

// Bounds of a poll. While the service catches up a transaction has many records, and costs each little; while it is up to date it has those that there
// are.
const (
	most     = 25_000
	pollWait = time.Second // after which it is looked whether there should have been something
)

// errReplaced says that the topic is another one than at the start.
var errReplaced = errors.New("the topic was deleted and made again")

// set says what the trouble is; nil: none.
func (c *Consumer) set(err error) {
	c.work.mu.Lock()
	defer c.work.mu.Unlock()
	before := c.work.trouble
	c.work.trouble = err
	switch {
	case err != nil && (before == nil || before.Error() != err.Error()):
		c.logger.Debug("it does not get on", "error", err)
	case err == nil && before != nil:
		c.logger.Debug("it gets on")
	}
}

func (c *Consumer) setGroup(err error) {
	c.work.mu.Lock()
	defer c.work.mu.Unlock()
	c.work.group = err
}

// run takes part in the group, and reads when it is its turn. A topic that was made again has a new member.
func (c *Consumer) run(ctx context.Context) error {
	pause := c.patience.retry
	for ctx.Err() == nil {
		turn, err := c.options.Log.NewTurn(c.group, c.options.Topic)
		if err != nil {
			return err
		}
		same, end := context.WithCancel(ctx)
		c.watch.setTurn(turn, end)
		for same.Err() == nil {
			if err := c.takeTurn(same, turn, &pause); errors.Is(err, errReplaced) {
				break
			}
		}
		c.watch.setTurn(nil, nil)
		end()
		turn.Close()
	}
	return nil
}

// takeTurn waits for this process's turn, and reads until it ends, or something goes wrong.
func (c *Consumer) takeTurn(ctx context.Context, turn *kafkalog.Turn, pause *time.Duration) error {
	c.set(nil) // standing by is no trouble
	mine, end, err := turn.Await(ctx)
	if err != nil {
		return err
	}
	defer end()
	s, err := c.begin(mine)
	if err == nil {
		session, lose := context.WithCancelCause(mine)
		c.watch.setReading(lose)
		c.setGroup(nil)
		*pause = c.patience.retry
		err = c.follow(session, s)
		c.watch.setReading(nil)
		if cause := context.Cause(session); errors.Is(cause, errFenced) {
			err = cause
		}
		lose(nil)
	}
	switch {
	case ctx.Err() != nil, mine.Err() != nil:
		return nil
	case errors.Is(err, errFenced):
		c.metrics.fenced.Inc()
		c.logger.Info("another process has gone on from the place of this one, which looks where that is")
		_ = sleep.For(mine, c.patience.retry)
		return err
	case errors.Is(err, errReplaced):
		c.logger.Warn("the topic was deleted and made again", "topic", c.options.Topic)
		return err
	case errors.Is(err, kafkalog.ErrExpired): // the next begin says what is missing
		c.set(err)
		_ = sleep.For(mine, c.patience.retry)
		return err
	}
	c.set(err)
	c.logger.Warn("the log is not read at present; it is tried again", "error", err)
	c.pause(mine, pause)
	return err
}

// begin finds the place, tells the effect of what is missing, and makes it load what is known. It moves the revision, so that who read before fails.
func (c *Consumer) begin(ctx context.Context) (*session, error) {
	at, err := c.notRebuilt(ctx)
	if err != nil {
		return nil, err
	}
	asked := time.Now()
	stand, err := c.options.Log.Stand(ctx, c.options.Topic)
	if err != nil {
		return nil, err
	}
	if at, err = c.notBeyond(ctx, at, &stand); err != nil {
		return nil, err
	}
	next, gaps := c.place(at, stand)
	next.rebuilder = ""
	s, err := c.enter(ctx, at, next, stand, gaps, func(context.Context, *sqldb.Tx) error { return nil })
	if err == nil {
		c.watch.saw(stand, asked) // so that an effect whose database has everything knows that at its first tick
	}
	return s, err
}

// notBeyond waits while the log ends before the place, as it may for a moment when another broker leads. What goes on has lost its end.
func (c *Consumer) notBeyond(ctx context.Context, at state, stand *kafkalog.Stand) (state, error) {
	beyond := func() bool {
		for p, end := range stand.End {
			if at.id == stand.ID && at.at(p) > end {
				return true
			}
		}
		return false
	}
	for since := time.Now(); beyond(); {
		if time.Since(since) > c.patience.truncate {
			c.logger.Error("the log has lost its end: it ends before what was read of it, and goes on from there", "topic", c.options.Topic, "ends", stand.End)
			at = at.clone()
			for p, end := range stand.End {
				if at.at(p) > end {
					at.next[p] = end
				}
			}
			return at, nil
		}
		c.set(errors.New("the log ends before what was read of it"))
		if err := sleep.For(ctx, c.patience.retry); err != nil {
			return at, err
		}
		now, err := c.options.Log.Stand(ctx, c.options.Topic)
		if err != nil {
			return at, err
		}
		*stand = now
	}
	return at, nil
}

// place returns where it goes on from, and what is missing.
func (c *Consumer) place(at state, stand kafkalog.Stand) (next state, gaps []Gap) {
	next = at.clone()
	next.topic, next.id, next.revision = c.options.Topic, stand.ID, at.revision+1
	if at.found && at.id != stand.ID {
		for p, offset := range at.next {
			if offset >= 0 {
				gaps = append(gaps, Gap{Partition: int32(p), From: offset, To: -1, Replaced: true})
			}
		}
	}
	if !at.found || at.id != stand.ID {
		next.next, next.times = nil, nil
		next.awaitsTwin = c.options.From != Beginning
	}
	for p, begin := range stand.Begin {
		switch offset := next.at(p); {
		case offset == none:
			next.place(p, begin, 0)
		case offset < begin:
			gaps = append(gaps, Gap{Partition: int32(p), From: offset, To: begin - 1})
			next.place(p, begin, next.timeAt(p))
			next.awaitsTwin = next.awaitsTwin || c.options.From == Twin // it tells what became of the spots meanwhile
		}
	}
	return next, gaps
}

// enter begins a session with the state next. more is done in the same transaction, first.
func (c *Consumer) enter(ctx context.Context, at, next state, stand kafkalog.Stand, gaps []Gap,
	more func(context.Context, *sqldb.Tx) error) (*session, error) {
	var twin []kafkalog.Record
	if next.awaitsTwin {
		records, covered, err := c.readTwin(ctx)
		if err != nil {
			return nil, err
		}
		twin = records
		if c.options.From == Twin {
			for p, begin := range stand.Begin { // an answer behind the end is of another log
				next.place(p, min(max(next.at(p), begin, covered.At(int32(p))+1), stand.End[p]), next.timeAt(p))
			}
		}
	}
	s := &session{at: at}
	tried := batch{records: twin}
	next.epoch = rand.Text()
	for {
		records, place := tried.applied()
		to := next.clone()
		to.awaitsTwin = false
		var dropped int64
		err := c.options.DB.Update(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
			s.loaded = false
			if err := c.move(ctx, tx, at, to); err != nil {
				return err
			}
			if err := more(ctx, tx); err != nil {
				return err
			}
			if err := c.load(ctx, tx, s); err != nil {
				return err
			}
			if err := c.tell(ctx, tx, gaps); err != nil {
				return err
			}
			if err := c.applyTwin(ctx, tx, records); err != nil {
				return err
			}
			dropped, err = c.setAside(ctx, tx, to, tried)
			return err
		})
		if err == nil {
			s.loaded = true
			c.counted(gaps)
			c.wasSetAside(tried, dropped)
			c.committed(s, to)
			c.set(nil)
			return s, nil
		}
		refused := refusals(err, len(records))
		if errors.As(err, new(twinError)) && len(refused) == 0 {
			var failure error
			if refused, failure = c.culprits(ctx, s, records); failure != nil {
				return nil, failure
			}
		}
		if len(refused) == 0 {
			return nil, err
		}
		for i, reason := range refused {
			tried.refuse(place(i), reason)
		}
	}
}

// tell tells the effect what it will never see.
func (c *Consumer) tell(ctx context.Context, tx *sqldb.Tx, gaps []Gap) error {
	gapper, ok := c.options.Effect.(Gapper)
	if !ok {
		return nil
	}
	for _, g := range gaps {
		if err := guard(func() error { return gapper.Gap(ctx, tx, g) }); err != nil {
			return fmt.Errorf("noting what the log has lost: %w", err)
		}
	}
	return nil
}

func (c *Consumer) counted(gaps []Gap) {
	for _, g := range gaps {
		if !g.Replaced {
			c.metrics.lost.Add(float64(g.To - g.From + 1))
		}
		c.logger.Error("the log does not hold any more what was to be read of it", "topic", c.options.Topic, "partition", g.Partition,
			"from", g.From, "to", g.To, "anotherTopic", g.Replaced)
	}
}

// follow reads until ctx ends, or something goes wrong.
func (c *Consumer) follow(ctx context.Context, s *session) error {
	return c.readOn(ctx, s, func() (bool, error) { return false, nil })
}

// readOn reads from the session's place on until done.
func (c *Consumer) readOn(ctx context.Context, s *session, done func() (bool, error)) error {
	reader, err := c.options.Log.NewReader(c.options.Topic, s.at.next)
	if err != nil {
		return err
	}
	defer reader.Close()
	ticks := c.ticks()
	for {
		if is, err := done(); is || err != nil {
			return err
		}
		records, ticked, err := poll(ctx, reader, ticks)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		idle := len(records) == 0 && errors.Is(err, context.DeadlineExceeded)
		if len(records) > 0 {
			if err := c.handle(ctx, s, records); err != nil {
				return err
			}
		}
		if ticked {
			if err := c.tick(ctx, s); err != nil {
				return err
			}
		}
		switch {
		case ticked && errors.Is(err, context.Canceled):
		case idle:
			if err := c.passHoles(ctx, s); err != nil {
				return err
			}
		case err != nil:
			return err
		}
	}
}

// passHoles goes on behind offsets that hold no record: the ends of transactions, records of those that were aborted, and what was compacted. Nobody returns
// these, so that it would never be where the log ends.
func (c *Consumer) passHoles(ctx context.Context, s *session) error {
	stand, err := c.options.Log.Stand(ctx, c.options.Topic)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return nil // the log is away, which it says itself; the reader goes on when it is back
	case stand.ID != s.at.id:
		return errReplaced
	}
	next := s.at.behind(nil)
	passed := false
	for p, end := range stand.End {
		from, to := event.NewOffsets(p+1), event.NewOffsets(p+1)
		from[p], to[p] = s.at.at(p)-1, end-1
		if s.at.at(p) >= end {
			continue
		}
		err := c.options.Log.RangeOf(ctx, c.options.Topic, from, to, func(kafkalog.Record) error { return errSomething })
		switch {
		case err == nil:
			next.place(p, end, s.at.timeAt(p))
			passed = true
		case errors.Is(err, errSomething): // the reader comes to it
		case ctx.Err() != nil:
			return ctx.Err()
		}
	}
	if !passed {
		return nil
	}
	err = c.options.DB.Update(ctx, func(ctx context.Context, tx *sqldb.Tx) error { return c.move(ctx, tx, s.at, next) })
	if err == nil {
		c.committed(s, next)
	}
	return err
}

var errSomething = errors.New("there is a record")
