package delivery

import (
	"context"
	"fmt"
	"time"

	"parkwire/internal/sqldb"
)

// farewell is for how long a process that ends tries to record what became of its attempts.
const farewell = 5 * time.Second

// outcome is an attempt that was made.
type outcome struct {
	claimed
	result
	at time.Time
}

// after is what the delivery is from now on.
func (s *Service) after(o outcome) (state string, next time.Time, reason string) {
	switch o.verdict {
	case taken:
		return stateDelivered, time.Time{}, ""
	case never, ended:
		return stateDead, time.Time{}, o.reason
	}
	if o.attempts >= s.options.Sending.Attempts {
		return stateDead, time.Time{}, fmt.Sprintf("given up after %d attempts: %s", o.attempts, o.reason)
	}
	next = o.at.Add(max(s.pause(o.attempts), min(o.result.after, s.options.Sending.LongestBackoff)))
	if age := s.age(o.kind); next.After(o.created.Add(age)) {
		return stateDead, time.Time{}, fmt.Sprintf("given up after %s: %s", age, o.reason)
	}
	return stateWaiting, next, o.reason
}

// decided is an outcome and what follows from it.
type decided struct {
	outcome
	state  string
	next   time.Time
	reason string
}

// keep records outcomes together until there are no more of them. What cannot be recorded it tries again, when the process ends for a while.
func (s *Service) keep(ctx context.Context, outcomes <-chan outcome) {
	var last context.Context // once the process ends
	for first := range outcomes {
		batch := s.gather(first, outcomes)
		pause := 10 * time.Millisecond
		for {
			use := context.WithoutCancel(ctx)
			if ctx.Err() != nil {
				if last == nil {
					var cancel context.CancelFunc
					last, cancel = context.WithTimeout(use, farewell)
					defer cancel()
				}
				use = last
			}
			err := s.record(use, batch)
			s.failed(ctx, err)
			if err == nil || last != nil && last.Err() != nil {
				break
			}
			select {
			case <-time.After(pause):
			case <-done(last):
			}
			pause = min(2*pause, time.Second)
		}
		for _, d := range batch {
			s.slots.give(d.lane, 1)
			s.hold(d.lease, -1)
		}
		s.Wake()
	}
}

func done(ctx context.Context) <-chan struct{} {
	if ctx == nil {
		return nil
	}
	return ctx.Done()
}

// gather takes what else is there. What follows is decided once, so that a transaction that is run again says the same.
func (s *Service) gather(first outcome, more <-chan outcome) []decided {
	var batch []decided
	add := func(o outcome) {
		state, next, reason := s.after(o)
		batch = append(batch, decided{o, state, next, reason})
	}
	add(first)
	for len(batch) < s.options.Sending.All {
		select {
		case o, open := <-more:
			if !open {
				return batch
			}
			add(o)
		default:
			return batch
		}
	}
	return batch
}

func (s *Service) record(ctx context.Context, batch []decided) error {
	lost := 0
	err := s.options.DB.Update(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		lost = 0
		for _, d := range batch {
			n, err := tx.Exec(ctx, `update alert_deliveries set state = ?, next_at = ?, lease = '', last_status = ?, last_error = ?, finished_at = ?
				where delivery_id = ? and state = 'sending' and lease = ?`,
				d.state, millis(d.next), d.status, d.reason, d.finished(), d.id, d.lease)
			if err != nil {
				return fmt.Errorf("recording a delivery: %w", err)
			}
			if n == 0 {
				lost++
				continue
			}
			if d.typ == typeConfirm && d.state != stateWaiting {
				if _, err := tx.Exec(ctx, `update alert_deliveries set `+withoutCode+` where delivery_id = ?`, d.id); err != nil {
					return fmt.Errorf("forgetting a code: %w", err)
				}
			}
			if err := s.recordChannel(ctx, tx, d); err != nil {
				return fmt.Errorf("recording how a channel does: %w", err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.metrics.recorded(batch, lost)
	return nil
}

func (d decided) finished() int64 {
	if d.state == stateWaiting {
		return 0
	}
	return d.at.UnixMilli()
}

// recordChannel keeps on the channel since when it fails. One that succeeds is written now and then only.
func (s *Service) recordChannel(ctx context.Context, tx *sqldb.Tx, d decided) error {
	now := d.at.UnixMilli()
	if d.verdict == taken {
		_, err := tx.Exec(ctx, `update alert_channels set failing_since = 0, delivered_at = ? where channel_id = ? and (failing_since > 0 or delivered_at < ?)`,
			now, d.channel, d.at.Add(-time.Minute).UnixMilli())
		return err
	}
	state, reason := stateDisabled, d.reason
	if d.kind == kindPush {
		state = stateEnded
	}
	if d.verdict == ended {
		_, err := tx.Exec(ctx, `update alert_channels set state = ?, reason = ?, updated_at = ?, private = case when ? = 'ended' then '{}' else private end
			where channel_id = ? and target = ?`, state, reason, now, state, d.channel, d.channelOf.Target)
		return err
	}
	day := now / max((s.options.Sending.DisableAfter/disableDays).Milliseconds(), 1)
	_, err := tx.Exec(ctx, `update alert_channels set failing_since = case when failing_since = 0 then ? else failing_since end,
		failing_days = case when failing_since = 0 then 1 else failing_days + 1 end, failing_day = ?
		where channel_id = ? and (failing_since = 0 or failing_day <> ?)`, now, day, d.channel, day)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `update alert_channels set state = 'disabled', reason = ?, updated_at = ?
		where channel_id = ? and state = 'active' and failing_since > 0 and failing_since < ? and failing_days >= ?`,
		fmt.Sprintf("nothing was delivered for %s: %s", s.options.Sending.DisableAfter, reason), now, d.channel,
		d.at.Add(-s.options.Sending.DisableAfter).UnixMilli(), disableDays)
	return err
}

// disableDays is on how many days, which are parts of [Sending.DisableAfter], something was tried in vain before a channel is disabled: one to which
// there is seldom something to be sent fails for long after a single failure.
const disableDays = 5

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
