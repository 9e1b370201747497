package alerts

import (
	"context"
	"errors"
	"time"

	"parkwire/internal/directory"
	"parkwire/internal/sqldb"
)

// attend has pace look at once.
func (d *decider) attend() {
	select {
	case d.attention <- struct{}{}:
	default:
	}
}

// lookInterval is how often it is looked for what other processes changed.
const lookInterval = time.Second

// pace says when there is something to do, until ctx ends. Whether this process is the one that decides is not its business: of those that do
// not, nobody listens.
func (d *decider) pace(ctx context.Context) error {
	looked, asked := time.Time{}, time.Time{} // by the machine's clock
	for {
		wait := time.Until(looked.Add(lookInterval))
		d.mu.Lock()
		next := d.next
		d.mu.Unlock()
		if !next.IsZero() {
			wait = max(0, min(wait, next.Sub(d.options.Clock())))
		}
		attended := false
		select {
		case <-ctx.Done():
			return nil
		case <-d.attention:
			attended = true
		case <-time.After(wait):
		}
		if !attended && !next.IsZero() && !next.After(d.options.Clock()) {
			d.mu.Lock()
			if d.next.Equal(next) {
				d.next = d.options.Clock().Add(lookInterval) // unless the tick says otherwise
			}
			d.mu.Unlock()
			d.tick()
			continue
		}
		looked = time.Now()
		late := d.late.Load() && looked.Sub(asked) >= lookInterval
		if late {
			asked = looked
		}
		if late || d.behind(ctx) {
			d.tick()
		}
	}
}

func (d *decider) tick() {
	select {
	case d.ticks <- struct{}{}:
	default:
	}
}

// behind reports whether somebody wrote what the engine does not have. Where that cannot be told it is not asked for: the consumer says so.
func (d *decider) behind(ctx context.Context) bool {
	behind := false
	err := d.options.DB.View(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		rules, err := countRules.read(ctx, tx)
		described, also := directory.Revision(ctx, tx)
		behind = rules != d.revision.Load() || described != d.described.Load()
		return errors.Join(err, also)
	})
	return err == nil && behind
}
