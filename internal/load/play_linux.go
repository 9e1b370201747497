package load

import (
	"cmp"
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

// playPhase does what a pattern says, and measures it. It returns an error when the clients cannot be held.
func (r *runner) playPhase(ctx context.Context, pattern string) error {
	p := Phase{Pattern: pattern, Rounds: []Round{}}
	delivered, before := r.delivered(), r.use()
	p.Began = before.at.UnixNano()
	r.board.common.measuring.Store(1)
	r.failed = r.play(ctx, pattern, &p)
	if r.publisher != nil {
		flushing, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.Patience)
		r.failed = cmp.Or(r.failed, r.publisher.flush(flushing))
		cancel()
	}
	// What was published must arrive, even if somebody does not want to wait for more.
	if r.gaveUp == "" && !r.await(context.WithoutCancel(ctx), r.settled) {
		r.gaveUp = r.waiting("of " + pattern)
	}
	used := r.use().since(before)
	p.Ended = before.at.Add(used.wall).UnixNano()
	r.board.common.measuring.Store(0)
	results, err := r.pool.ask(order{Do: "collect"})
	if err != nil {
		return err
	}
	r.latency = newHistogram()
	for _, one := range results {
		r.latency.include(one.Latency)
	}
	p.Latency, p.CPU, p.Delivered = latencyOf(r.latency), used.judge(), r.delivered()-delivered
	r.phases = append(r.phases, p)
	return nil
}

func (r *runner) play(ctx context.Context, pattern string, p *Phase) error {
	switch {
	case r.publisher == nil, pattern == idle:
		return r.hold(ctx)
	case pattern == lone:
		return r.playRounds(ctx, 1, p)
	case pattern == burst:
		return r.playRounds(ctx, r.Burst, p)
	}
	return r.playRate(ctx, pattern)
}

// hold waits.
func (r *runner) hold(ctx context.Context) error {
	for began := time.Now(); ctx.Err() == nil && r.pool.failure() == nil && (r.For == 0 || time.Since(began) < r.For); {
		time.Sleep(10 * time.Millisecond)
	}
	return nil
}

// playRounds publishes some events at once whenever all have the last ones.
func (r *runner) playRounds(ctx context.Context, n int, p *Phase) error {
	for range r.Rounds {
		one, err := r.round(ctx, n)
		if err != nil || ctx.Err() != nil || one == nil {
			return err
		}
		p.Rounds = append(p.Rounds, *one)
	}
	return nil
}

// round returns nil where it does not come to its end.
func (r *runner) round(ctx context.Context, n int) (*Round, error) {
	before, number := r.delivered(), r.board.common.round.Add(1)
	began := time.Now()
	if err := r.publish(ctx, n); err != nil {
		return nil, err
	}
	if !r.await(ctx, r.settled) {
		if ctx.Err() == nil {
			r.gaveUp = r.waiting("of a round")
		}
		return nil, nil
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
	return &Round{last.Seconds(), first.Seconds(), deliveries, float64(deliveries) / max(last, 1).Seconds()}, nil
}

// playRate publishes at a rate, and lets clients go and come in waves and storms.
func (r *runner) playRate(ctx context.Context, pattern string) error {
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
		if (pattern == waves || pattern == storm) && now >= nextCut && r.cutsDone() {
			nextCut = now + r.Every
			r.cut(pattern == storm)
		}
		r.followCuts()
		wait := time.Duration(float64(done)/r.Rate*float64(time.Second)) - time.Since(began)
		time.Sleep(min(max(wait, 0), 10*time.Millisecond))
	}
	r.await(context.WithoutCancel(ctx), func() bool { r.followCuts(); return r.settled() })
	r.followCuts()
	return nil
}

// cutsDone reports whether every child has done what the last cut asks for.
func (r *runner) cutsDone() bool {
	for _, c := range r.board.counts {
		if c.cuts.Load() < int64(len(r.cuts)) {
			return false
		}
	}
	return true
}

// cut ends connections.
func (r *runner) cut(abrupt bool) {
	r.followCuts() // of the one before nothing more is noted
	o := order{Do: "cut", Share: r.Cut, Abrupt: abrupt, Away: r.Away}
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
	if c.CaughtUpSeconds > 0 || !r.cutsDone() {
		return
	}
	c.Clients = sum(r.board, func(c *counts) int64 { return c.cut.Load() }) - c.before
	if r.open() < r.ever() {
		return
	}
	if c.BackSeconds == 0 {
		for _, one := range r.board.counts {
			c.BackSeconds = max(c.BackSeconds, float64(one.opened.Load()-c.began.UnixNano())/1e9, 1e-9)
		}
	}
	if r.board.behind() < r.open() { // less than one event each: nobody is behind the others
		c.CaughtUpSeconds = time.Since(c.began).Seconds()
	}
}
