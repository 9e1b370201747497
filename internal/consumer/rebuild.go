package consumer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"parkwire/internal/kafkalog"
	"parkwire/internal/sqldb"
)

// ErrRebuilding says that somebody else rebuilds the same at present.
var ErrRebuilding = errors.New("it is being rebuilt already")

// errTakenOver says that the service did not hear of the one who rebuilds for a while.
var errTakenOver = errors.New("the service heard nothing of this process for a while and has gone on by itself: what is left it does, or does already")

// Rebuild deletes everything that was made of the topic, and makes it again of the log as it is when it begins. progress, which may be nil, is told how many of how many
// records are done. Processes of the service that run meanwhile wait, and go on behind it. When it is interrupted they do the rest; without any, the
// next one does that starts. The error of the effect's Reset is returned as it is, with nothing changed.
//
// It must not run beside [Consumer.Run] of the same Consumer.
func (c *Consumer) Rebuild(ctx context.Context, progress func(done, total int64)) error {
	if progress == nil {
		progress = func(done, total int64) {}
	}
	if err := c.options.Log.EnsureTopics(ctx); err != nil {
		return err
	}
	stand, err := c.options.Log.Stand(ctx, c.options.Topic)
	if err != nil {
		return err
	}
	who, err := c.claim(ctx)
	if err != nil {
		return err
	}
	s, err := c.clear(ctx, who, stand)
	if err != nil {
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
			if left() > 0 && time.Since(c.watch.movedAt()) > c.patience.abandon/5 {
				return false, c.beat(ctx, s) // the log is away: the service must not take this process for dead
			}
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
	if errors.Is(err, errFenced) {
		return errTakenOver
	}
	// However it ended, the service goes on from here.
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.patience.longest)
	defer cancel()
	next := s.at.behind(nil)
	next.rebuilder = ""
	ended := c.options.DB.Update(ending, func(ctx context.Context, tx *sqldb.Tx) error { return c.move(ctx, tx, s.at, next) })
	if ended == nil {
		c.committed(s, next)
	}
	return errors.Join(err, ended)
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
			now, err := readRebuilder(ctx, tx, c.options.Name)
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
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.patience.longest)
	defer cancel()
	return c.options.DB.Update(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		now, err := readRebuilder(ctx, tx, c.options.Name)
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
		if err := sleep(ctx, c.patience.retry); err != nil {
			return "", err
		}
		now, err := c.read(ctx)
		if err != nil {
			return "", err
		}
		if now.rebuilder == "" {
			return "", nil
		}
		if now.revision != first.revision || now.rebuilder != first.rebuilder {
			return "", fmt.Errorf("%w by %s", ErrRebuilding, now.rebuilder)
		}
	}
	return first.rebuilder, nil
}

// clear takes everything back to the beginning, in one transaction. What the service had begun before it could hear of this it may commit still: then
// it is tried again.
func (c *Consumer) clear(ctx context.Context, who string, stand kafkalog.Stand) (*session, error) {
	for {
		at, err := c.read(ctx)
		if err != nil {
			return nil, err
		}
		if at.rebuilder != who {
			return nil, errTakenOver
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

// beat shows that this process lives.
func (c *Consumer) beat(ctx context.Context, s *session) error {
	next := s.at.behind(nil)
	err := c.options.DB.Update(ctx, func(ctx context.Context, tx *sqldb.Tx) error { return c.move(ctx, tx, s.at, next) })
	if err == nil {
		c.committed(s, next)
	}
	return err
}

// notRebuilt waits while another process rebuilds, and returns the state. One of which nothing is heard is dead: then this one goes on.
func (c *Consumer) notRebuilt(ctx context.Context) (state, error) {
	last, err := c.read(ctx)
	if err != nil || last.rebuilder == "" {
		return last, err
	}
	c.logger.Info("it waits while another process rebuilds", "by", last.rebuilder)
	for heard := time.Now(); ; {
		c.set(fmt.Errorf("it is being rebuilt by %s", last.rebuilder))
		if err := sleep(ctx, c.patience.look/2); err != nil {
			return state{}, err
		}
		now, err := c.read(ctx)
		switch {
		case err != nil:
			return state{}, err
		case now.rebuilder == "":
			return now, nil
		case now.revision != last.revision:
			last, heard = now, time.Now()
		case time.Since(heard) > c.patience.abandon:
			c.logger.Warn("nothing is heard of the process that rebuilds; this one goes on from where it was", "by", now.rebuilder)
			return now, nil
		}
	}
}
