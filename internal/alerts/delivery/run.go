package delivery

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"parkwire/internal/sqldb"
	"parkwire/internal/trace"
)

// How often what is not urgent is looked after, and how much of it in a transaction.
const (
	countEvery = 10 * time.Second
	ageEvery   = time.Minute
	pruneEvery = 10 * time.Minute
	pruneBatch = 1000
)

// Run sends what is to be delivered until ctx ends. Then it begins nothing any more, waits for the attempts under way, each of which takes 10 s at
// most, and records what became of them.
func (s *Service) Run(ctx context.Context) error {
	outcomes := make(chan outcome, s.options.Sending.All)
	var attempts, keeper sync.WaitGroup
	keeper.Go(func() { s.keep(ctx, outcomes) })
	defer func() {
		attempts.Wait()
		close(outcomes)
		keeper.Wait()
		s.client.Close()
	}()
	var due housekeeping
	var turns sweep
	for ctx.Err() == nil {
		err := s.housekeep(ctx, &due)
		var all []claimed
		more := false
		next := s.now().Add(s.options.Sending.Poll)
		if err == nil && s.slots.free() > 0 { // else who gives one back wakes it
			all, more, err = s.round(ctx, &turns)
			next = turns.next
		}
		s.failed(ctx, err)
		if err != nil { // others could not record what they did, either
			due.leases = s.now().Add(farewell)
		}
		for _, d := range all {
			attempts.Go(func() { outcomes <- s.made(context.WithoutCancel(ctx), d) })
		}
		if err == nil && more {
			continue
		}
		timer := time.NewTimer(min(max(next.Sub(s.now()), time.Millisecond), s.options.Sending.Poll))
		select {
		case <-ctx.Done():
		case <-s.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
	return nil
}

// made makes an attempt, and tells the circuits.
func (s *Service) made(ctx context.Context, d claimed) outcome {
	began := time.Now()
	span := s.options.Tracer.Begin(d.traceparent, "deliver "+d.kind, trace.Client, began)
	d.traceparent = span.Onward(d.traceparent)
	r := s.attempt(ctx, d)
	if span != nil {
		span.Set("server.address", d.host, "http.response.status_code", r.status, "parkwire.attempt", d.attempts)
		if r.verdict != taken {
			span.Fail(errors.New(r.reason))
		}
		span.End()
	}
	s.metrics.attempted(d.kind, r, time.Since(began))
	if r.err != nil { // of which its subject is not told everything
		s.logger.Debug("an attempt failed", "channel", d.channel, "kind", d.kind, "host", d.host, "error", r.err)
	}
	now := s.now()
	keys := d.keys()
	if s.circuits.end(keys[0], r.reached, now) {
		s.logger.Warn("a host does not answer, so nothing is delivered there for a while", "host", d.host, "kind", d.kind, "reason", r.reason)
	}
	if s.circuits.end(keys[2], r.verdict == taken, now) {
		s.logger.Info("a channel fails, so nothing is delivered there for a while", "channel", d.channel, "kind", d.kind, "reason", r.reason)
	}
	if r.after > 0 {
		s.circuits.leave(keys[2], now.Add(min(r.after, s.options.Sending.LongestBackoff)))
	}
	return outcome{d, r, now}
}

// housekeeping is when each task is due.
type housekeeping struct{ leases, count, age, prune time.Time }

// housekeep does what is due of: taking over from processes that died, counting, giving up what is too old, forgetting what is over.
func (s *Service) housekeep(ctx context.Context, due *housekeeping) error {
	now := s.now()
	for _, task := range []struct {
		due   *time.Time
		every time.Duration
		do    func(context.Context, time.Time) error
	}{
		{&due.leases, s.options.Sending.Lease / 6, s.takeOver},
		{&due.count, countEvery, s.count},
		{&due.age, ageEvery, s.giveUp},
		{&due.prune, pruneEvery, s.prune},
	} {
		if now.Before(*task.due) {
			continue
		}
		if err := task.do(ctx, now); err != nil {
			return err
		}
		*task.due = now.Add(task.every)
	}
	return nil
}

// takeOver lets what another process did not finish be sent again. Nobody knows whether it was sent: it may come twice, under the same id.
// What this process has in hand it will record itself, however long the database is away or busy.
func (s *Service) takeOver(ctx context.Context, now time.Time) error {
	left, args := "state = 'sending' and next_at < ?", append([]any{now.UnixMilli()}, s.held()...)
	if held := len(args) - 1; held > 0 {
		left += " and lease not in (" + placeholders(held) + ")"
	}
	var found int64
	err := s.options.DB.View(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		found, _, err = sqldb.One(ctx, tx, scanNumber, `select count(*) from alert_deliveries where `+left, args...)
		return err
	})
	if err != nil || found == 0 {
		return err
	}
	var n int64
	err = s.options.DB.Update(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		n, err = tx.Exec(ctx, `update alert_deliveries set state = 'waiting', lease = '', interrupted = interrupted + 1, next_at = ?,
			last_error = 'the process ended in the middle of an attempt' where `+left, append([]any{now.UnixMilli()}, args...)...)
		return err
	})
	if err != nil {
		return fmt.Errorf("taking over deliveries: %w", err)
	}
	if n > 0 {
		s.metrics.interrupted.Add(float64(n))
		s.logger.Warn("attempts were cut off, and are made again under the same ids", "deliveries", n)
	}
	return nil
}

func scanNumber(r sqldb.Row) (n int64, err error) { return n, r.Scan(&n) }

// count tells the metrics what waits.
func (s *Service) count(ctx context.Context, _ time.Time) error {
	type counted struct {
		waiting int64
		oldest  int64
	}
	var c counted
	err := s.options.DB.View(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		c, _, err = sqldb.One(ctx, tx, func(r sqldb.Row) (c counted, err error) { return c, r.Scan(&c.waiting, &c.oldest) },
			`select count(*), coalesce(min(created_at), 0) from alert_deliveries where state = 'waiting'`)
		return err
	})
	if err != nil {
		return fmt.Errorf("counting deliveries: %w", err)
	}
	s.metrics.wait(c.waiting, c.oldest)
	return nil
}

// giveUp ends what is too old, of which nothing may have been attempted since its circuit is open.
func (s *Service) giveUp(ctx context.Context, now time.Time) error {
	for _, kind := range []string{KindWebhook, kindPush, kindMail} {
		var found int64
		err := s.options.DB.View(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) { // so that seldom anybody else is in the way of the next
			found, _, err = sqldb.One(ctx, tx, scanNumber, `select count(*) from alert_deliveries where state = 'waiting' and kind = ? and created_at < ?`, kind, now.Add(-s.age(kind)).UnixMilli())
			return err
		})
		if err != nil {
			return fmt.Errorf("looking for deliveries that are too old: %w", err)
		}
		if found == 0 {
			continue
		}
		for ; found > 0; found -= pruneBatch {
			err = s.options.DB.Update(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
				return die(ctx, tx, now, fmt.Sprintf("given up after %s", s.age(kind)), `delivery_id in (
					select delivery_id from alert_deliveries where state = 'waiting' and kind = ? and created_at < ? order by delivery_id limit ?)`,
					kind, now.Add(-s.age(kind)).UnixMilli(), pruneBatch)
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// prune forgets what was sent or given up long ago, and channels of browsers that have ended.
func (s *Service) prune(ctx context.Context, now time.Time) error {
	before := now.Add(-s.options.Sending.Keep).UnixMilli()
	for {
		var n int64
		err := s.options.DB.Update(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
			n, err = tx.Exec(ctx, `delete from alert_deliveries where delivery_id in (
				select delivery_id from alert_deliveries where finished_at > 0 and finished_at < ? order by finished_at limit ?)`, before, pruneBatch)
			return err
		})
		if err != nil {
			return fmt.Errorf("forgetting deliveries: %w", err)
		}
		if n < pruneBatch {
			break
		}
	}
	err := s.options.DB.Update(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `delete from alert_channels where state = 'ended' and updated_at < ?`, before)
		return err
	})
	if err != nil {
		return fmt.Errorf("forgetting channels that have ended: %w", err)
	}
	return nil
}
