package load

import (
	"context"
	"fmt"
	"time"
)

// warmUp publishes what is not counted: to everybody, so that everybody has a cursor.
func (r *runner) warmUp(ctx context.Context) error {
	if r.publisher == nil {
		return nil
	}
	for range r.Warmup {
		if err := r.publish(ctx, max(1, r.Lots)); err != nil {
			return err
		}
		if !r.await(ctx, r.settled) {
			r.gaveUp = r.waiting("of the warm-up")
			return ctx.Err()
		}
	}
	return nil
}

func (r *runner) waiting(of string) string {
	return fmt.Sprintf("%d events %s had not come for %v", max(0, r.board.behind()), of, r.Patience)
}

// play does what the pattern says.
func (r *runner) play(ctx context.Context) error {
	if r.gaveUp != "" {
		return nil
	}
	switch {
	case r.publisher == nil:
		return r.hold(ctx)
	case r.Pattern == lone:
		return r.playRounds(ctx, 1)
	case r.Pattern == burst:
		return r.playRounds(ctx, r.Burst)
	}
	return r.playRate(ctx)
}

// hold waits.
func (r *runner) hold(ctx context.Context) error {
	for began := time.Now(); ctx.Err() == nil && r.pool.failure() == nil && (r.For == 0 || time.Since(began) < r.For); {
		time.Sleep(10 * time.Millisecond)
	}
	return nil
}

// playRounds publishes some events at once whenever all have the last ones.
func (r *runner) playRounds(ctx context.Context, n int) error {
	began := time.Now()
	for done := 0; (r.Events == 0 || done < r.Events) && (r.For == 0 || time.Since(began) < r.For); done += n {
		complete, err := r.round(ctx, n)
		if err != nil || ctx.Err() != nil {
			return err
		}
		if !complete {
			r.gaveUp = r.waiting("of a round")
			return nil
		}
	}
	return nil
}

func (r *runner) round(ctx context.Context, n int) (complete bool, err error) {
	before, number := r.delivered(), r.board.common.round.Add(1)
	began := time.Now()
	if err := r.publish(ctx, n); err != nil {
		return false, err
	}
	if !r.await(ctx, r.settled) {
		return false, nil
	}
	first, last := time.Duration(0), time.Duration(0)
	for _, c := range r.board.counts {
		if c.round.Load() != number {
			continue
		}
		last = max(last, time.Duration(c.last.Load()-began.UnixNano()))
		if at := time.Duration(c.first.Load() - began.UnixNano()); first == 0 || at < first {
			first = at
		}
	}
	deliveries := r.delivered() - before
	r.rounds = append(r.rounds, Round{
		Seconds: last.Seconds(), FirstSeconds: first.Seconds(), Deliveries: deliveries, DeliveriesPerSecond: float64(deliveries) / max(last, 1).Seconds(),
	})
	return true, nil
}

// playRate publishes at a rate, and lets clients go and come in waves and storms.
func (r *runner) playRate(ctx context.Context) error {
	began, done := time.Now(), 0
	nextCut := r.Every
	for ctx.Err() == nil && r.pool.failure() == nil && (r.Events == 0 || done < r.Events) {
		now := time.Since(began)
		if r.For > 0 && now >= r.For {
			break
		}
		// What is late comes at once, but no more than could be sent.
		due := int(now.Seconds()*r.Rate) + 1 - done
		if r.Events > 0 {
			due = min(due, r.Events-done)
		}
		if due = min(due, 10_000); due > 0 {
			if err := r.publish(ctx, due); err != nil {
				return err
			}
			done += due
		}
		if (r.Pattern == waves || r.Pattern == storm) && now >= nextCut {
			nextCut += r.Every
			r.cut()
		}
		r.followCuts()
		wait := time.Duration(float64(done)/r.Rate*float64(time.Second)) - time.Since(began)
		time.Sleep(min(max(wait, 0), 10*time.Millisecond))
	}
	r.await(context.WithoutCancel(ctx), func() bool { r.followCuts(); return r.settled() })
	r.followCuts()
	return nil
}

// cut ends connections.
func (r *runner) cut() {
	o := order{Do: "cut", Share: r.Cut, Abrupt: r.Pattern == storm, Away: r.Away}
	if o.Abrupt {
		o.Away = 0
	}
	r.cuts = append(r.cuts, Cut{began: time.Now(), before: sum(r.board, func(c *counts) int64 { return c.cut.Load() }), At: time.Since(r.began).Seconds()})
	r.pool.say(o)
}

// followCuts notes when those of the last cut are back, and when they have what they missed.
func (r *runner) followCuts() {
	if len(r.cuts) == 0 {
		return
	}
	c := &r.cuts[len(r.cuts)-1]
	if c.CaughtUpSeconds > 0 {
		return
	}
	c.Clients = sum(r.board, func(c *counts) int64 { return c.cut.Load() }) - c.before
	if c.Clients == 0 || r.open() < r.ever() {
		return
	}
	if c.BackSeconds == 0 {
		for _, one := range r.board.counts {
			c.BackSeconds = max(c.BackSeconds, float64(one.opened.Load()-c.began.UnixNano())/1e9)
		}
	}
	if r.board.behind() < r.open() { // less than one event each: nobody is behind the others
		c.CaughtUpSeconds = time.Since(c.began).Seconds()
	}
}
