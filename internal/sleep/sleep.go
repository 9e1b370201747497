// Package sleep waits, but no longer than the one for whom it waits.
package sleep

import (
	"context"
	"math/rand/v2"
	"time"
)

// For waits for d, or until ctx ends; then it returns the reason.
func For(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// About is [For] with a random time from half of d to d, so that those who failed together do not come back together.
func About(ctx context.Context, d time.Duration) error {
	return For(ctx, d/2+rand.N(d/2+1))
}
