package consumer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
	"parkwire/internal/sleep"
	"parkwire/internal/sqldb"
)

// ErrRebuilding says that somebody else rebuilds the same at present.
var ErrRebuilding = errors.New("it is being rebuilt already")

// ErrAnotherLog says that the database was made of another topic than the one that would be read.
var ErrAnotherLog = errors.New("the database was made of another log than this one; nothing was deleted")

// The service did not hear of the one who rebuilds for a while.
var (
	errTakenOver = errors.New("the service heard nothing of this process for a while and has gone on by itself: what is left it does, or does already")
	errNotBegun  = errors.New("the service heard nothing of this process for a while and has gone on by itself, before anything was deleted")
)

// RebuildOptions say how a consumer is rebuilt. None is required.
type RebuildOptions struct {
	// AnotherLog lets what was made of another topic be deleted. Without it that is refused: Kafka, or the database, may be another one than was meant.
	AnotherLog bool
	// Begins is told, before anything is deleted, how many offsets the log has to read, and the time of its oldest record; zero: it has none.
	Begins func(records int64, oldest time.Time)
	// Progress is told how many of how many are done.
	Progress func(done, total int64)
}

// Rebuild is [Consumer.RebuildWith] that tells its progress, which may be nil.
func (c *Consumer) Rebuild(ctx context.Context, progress func(done, total int64)) error {
	return c.RebuildWith(ctx, RebuildOptions{Progress: progress})
}

// RebuildWith deletes everything that was made of the topic, and makes it again of the log as it is when it begins. Processes of the service that run meanwhile
// wait, and go on behind it. When it is interrupted they do the rest; without any, the next one does that starts. The error of the effect's Reset is
// returned as it is, with nothing changed. It makes no topic: one that does not exist is an error.
//
// It must not run beside [Consumer.Run] of the same Consumer.
func (c *Consumer) RebuildWith(ctx context.Context, o RebuildOptions) error {
	progress := o.Progress
	if progress == nil {
		progress = func(done, total int64) {}
	}
	stand, err := c.survey(ctx, o)
	if err != nil {
		return err
	}
	who, err := c.claim(ctx)
	if err != nil {
		return err
	}
	stop := c.beating(ctx, who)
	defer stop()
	s, err := c.clear(ctx, who, stand, o)
	if err != nil {
		stop()
		return errors.Join(err, c.unclaim(ctx, who))
	}
	total, from := int64(0), s.at.clone()
	for p, end := range stand.End {
		total += end - from.at(p)
	}
	left := func() (n int64) {
		for p, end := range stand.End {
			n += max(0, end-s.at.at(p))
		}
		return n
	}
	for pause := c.patience.retry; ; {
		err = c.readOn(ctx, s, func() (bool, error) {
			progress(total-left(), total)
			return left() == 0, nil
		})
		if err == nil || ctx.Err() != nil || errors.Is(err, errFenced) || errors.Is(err, errReplaced) {
			break
		}
		c.logger.Warn("the log is not read at present; it is tried again", "error", err)
		if !c.pause(ctx, &pause) {
			break
		}
		again, failure := c.reenter(ctx, s)
		if failure == nil {
			s = again
		} else if errors.Is(failure, errFenced) || errors.Is(failure, errReplaced) {
			err = failure
			break
		}
	}
	stop()
	if errors.Is(err, errFenced) {
		return errTakenOver
	}
	// However it ended, the service goes on from here.
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.patience.end)
	defer cancel()
	next := s.at.behind(nil)
	next.rebuilder = ""
	ended := c.options.DB.Update(ending, func(ctx context.Context, tx *sqldb.Tx) error { return c.move(ctx, tx, s.at, next) })
	if ended == nil {
		c.committed(s, next)
	}
	return errors.Join(err, ended)
}

// MayRebuild does what [Consumer.RebuildWith] does before it deletes anything, for a service with several consumers: none is rebuilt where another cannot be.
func (c *Consumer) MayRebuild(ctx context.Context, o RebuildOptions) error {
	_, err := c.survey(ctx, o)
	return err
}

func (c *Consumer) survey(ctx context.Context, o RebuildOptions) (kafkalog.Stand, error) {
	if err := c.options.Log.FindTopics(ctx); err != nil {
		return kafkalog.Stand{}, err
	}
	stand, err := c.options.Log.Stand(ctx, c.options.Topic)
	if err != nil {
		return stand, err
	}
	at, err := c.read(ctx)
	if err == nil {
		err = c.sameLog(at, stand, o)
	}
	if err == nil && o.Begins != nil {
		err = c.tellBegin(ctx, stand, o.Begins)
	}
	return stand, err
}

// sameLog returns [ErrAnotherLog] where the database is of another topic, unless that is meant.
func (c *Consumer) sameLog(at state, stand kafkalog.Stand, o RebuildOptions) error {
	if !at.found || at.id == stand.ID || o.AnotherLog {
		return nil
	}
	return fmt.Errorf("%w: the database is of topic %s with the id %x, and here topic %s has the id %x", ErrAnotherLog, at.topic, at.id[:], c.options.Topic, stand.ID[:])
}

// tellBegin tells how much the log has, and how far that goes back.
func (c *Consumer) tellBegin(ctx context.Context, stand kafkalog.Stand, tell func(records int64, oldest time.Time)) error {
	var records int64
	var oldest time.Time
	for p, begin := range stand.Begin {
		end := stand.End[p]
		if begin >= end {
			continue
		}
		records += end - begin
		from, to := event.NewOffsets(p+1), event.NewOffsets(p+1)
		from[p], to[p] = begin-1, end-1
		err := c.options.Log.RangeOf(ctx, c.options.Topic, from, to, func(r kafkalog.Record) error {
			if oldest.IsZero() || r.Timestamp.Before(oldest) {
				oldest = r.Timestamp
			}
			return errSomething // the first is enough
		})
		if err != nil && !errors.Is(err, errSomething) {
			return err
		}
	}
	tell(records, oldest)
	return nil
}

// reenter looks again where the log begins, which may be later than before.
func (c *Consumer) reenter(ctx context.Context, s *session) (*session, error) {
	stand, err := c.options.Log.Stand(ctx, c.options.Topic)
	if err != nil {
		return nil, err
	}
	if stand.ID != s.at.id {
		return nil, errReplaced
	}
	next, gaps := c.place(s.at, stand)
	return c.enter(ctx, s.at, next, stand, gaps, func(context.Context, *sqldb.Tx) error { return nil })
}

// claim says that this process rebuilds, when nobody else does. The service hears of it with its next transaction.
func (c *Consumer) claim(ctx context.Context) (who string, err error) {
	host, _ := os.Hostname()
	who = fmt.Sprintf("process %d on %s since %s", os.Getpid(), host, time.Now().UTC().Format(time.RFC3339))
	before, err := c.notBeingRebuilt(ctx)
	for pause := c.patience.retry; err == nil; {
		err = c.options.DB.Update(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			now, _, err := readRebuilder(ctx, tx, c.options.Name)
			if err != nil {
				return err
			}
			if now != before {
				return fmt.Errorf("%w by %s", ErrRebuilding, now)
			}
			return c.announce(ctx, tx, who)
		})
		if err == nil {
			return who, nil
		}
		if errors.Is(err, sqldb.ErrUnavailable) && c.pause(ctx, &pause) { // such as a SQLite file that the service writes all the time
			err = nil
		}
	}
	return "", err
}

// unclaim takes the name out where nothing was changed.
func (c *Consumer) unclaim(ctx context.Context, who string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.patience.end)
	defer cancel()
	return c.options.DB.Update(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		now, _, err := readRebuilder(ctx, tx, c.options.Name)
		if err != nil || now != who {
			return err
		}
		return c.announce(ctx, tx, "")
	})
}

// notBeingRebuilt returns when nobody else rebuilds, or nobody who lives; before is then who died.
func (c *Consumer) notBeingRebuilt(ctx context.Context) (before string, err error) {
	first, err := c.read(ctx)
	if err != nil || first.rebuilder == "" {
		return "", err
	}
	for since := time.Now(); time.Since(since) < c.patience.abandon; {
		if err := sleep.For(ctx, c.patience.retry); err != nil {
			return "", err
		}
		now, err := c.read(ctx)
		if err != nil {
			return "", err
		}
		if now.rebuilder == "" {
			return "", nil
		}
		if heardOf(now, first) || now.rebuilder != first.rebuilder {
			return "", fmt.Errorf("%w by %s", ErrRebuilding, now.rebuilder)
		}
	}
	return first.rebuilder, nil
}

// clear takes everything back to the beginning, in one transaction. What the service had begun before it could hear of this it may commit still: then
// it is tried again.
func (c *Consumer) clear(ctx context.Context, who string, stand kafkalog.Stand, o RebuildOptions) (*session, error) {
	for {
		at, err := c.read(ctx)
		if err != nil {
			return nil, err
		}
		if at.rebuilder != who {
			return nil, errNotBegun
		}
		if err := c.sameLog(at, stand, o); err != nil {
			return nil, err
		}
		next, _ := c.place(state{found: at.found, revision: at.revision, id: stand.ID}, stand)
		next.rebuilder, next.awaitsTwin = who, c.options.From != Beginning
		s, err := c.enter(ctx, at, next, stand, nil, func(ctx context.Context, tx *sqldb.Tx) error {
			if err := c.options.Effect.Reset(ctx, tx); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, "delete from rejected_records where consumer = ?", c.options.Name)
			return err
		})
		if !errors.Is(err, errFenced) {
			return s, err
		}
	}
}

// beating shows that this process lives, whatever it waits for, until stop is called: the service must not take it for dead.
func (c *Consumer) beating(ctx context.Context, who string) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var beats sync.WaitGroup
	beats.Go(func() {
		for sleep.For(ctx, c.patience.abandon/5) == nil {
			if err := c.beat(ctx, who); err != nil {
				c.logger.Debug("it cannot be said that this process lives", "error", err)
			}
		}
	})
	return func() { cancel(); beats.Wait() }
}

func (c *Consumer) beat(ctx context.Context, who string) error {
	return c.options.DB.Update(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, "update consumer_rebuilds set beat = beat + 1 where consumer = ? and rebuilder = ?", c.options.Name, who)
		return err
	})
}

// heardOf reports whether who rebuilds has done something in between.
func heardOf(now, before state) bool { return !now.is(before) || now.beat != before.beat }

// notRebuilt waits while another process rebuilds, and returns the state. One of which nothing is heard is dead: then this one goes on.
func (c *Consumer) notRebuilt(ctx context.Context) (state, error) {
	last, err := c.read(ctx)
	if err != nil || last.rebuilder == "" {
		return last, err
	}
	c.logger.Info("it waits while another process rebuilds", "by", last.rebuilder)
	for heard := time.Now(); ; {
		c.set(fmt.Errorf("it is being rebuilt by %s", last.rebuilder))
		if err := sleep.For(ctx, c.patience.look/2); err != nil {
			return state{}, err
		}
		now, err := c.read(ctx)
		switch {
		case err != nil:
			return state{}, err
		case now.rebuilder == "":
			return now, nil
		case heardOf(now, last):
			last, heard = now, time.Now()
		case time.Since(heard) > c.patience.abandon:
			c.logger.Warn("nothing is heard of the process that rebuilds; this one goes on from where it was", "by", now.rebuilder)
			return now, nil
		}
	}
}
