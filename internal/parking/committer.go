package parking

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"parkwire/internal/rest"
)

// maxGroup bounds how many readings are committed together: enough to share the cost of a commit, few enough
// that an operator's change waits some tens of milliseconds at most.
const maxGroup = 1000

// commitTimeout bounds a commit whose request may have ended meanwhile.
const commitTimeout = 30 * time.Second

// batch is some readings of one request. No batch is larger than maxGroup, and each is committed whole or not at all.
type batch struct {
	readings []Observation
	by       origin
	outcomes []outcome // of each reading, once it is committed
	// answer is what the request is answered when this batch is committed, nil where it has more batches or no key.
	answer func(outcomes []outcome) rest.Answer

	// turn receives once: a group to commit, of which this batch is the first, or, where another request committed
	// it, nothing but err.
	turn chan []*batch
	err  error
}

func newBatch(readings []Observation, by origin) *batch {
	return &batch{readings: readings, by: by, outcomes: make([]outcome, len(readings)), turn: make(chan []*batch, 1)}
}

// committer lets requests that arrive while a commit is under way share the next one. A lone request
// commits at once. There is no goroutine: the first request of a group commits it in its own.
type committer struct {
	commit func(ctx context.Context, group []*batch) error

	mu   sync.Mutex
	busy bool // a group is being committed
	wait []*batch
}

// submit returns when b is committed or cannot be. When ctx ends before its turn has come, nothing of it is done.
func (c *committer) submit(ctx context.Context, b *batch) error {
	c.mu.Lock()
	c.wait = append(c.wait, b)
	if !c.busy {
		c.next()
	}
	c.mu.Unlock()

	var group []*batch
	select {
	case group = <-b.turn:
	case <-ctx.Done():
		if c.withdraw(b) {
			return ctx.Err()
		}
		group = <-b.turn // it is too late to take it back
	}
	if group == nil {
		return b.err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTimeout) // the others' readings are in it too
	defer cancel()
	return c.lead(ctx, group)
}

// lead commits the group, tells its other batches, and hands on, even where the commit panics: the server survives
// that, and so must the readings of others.
func (c *committer) lead(ctx context.Context, group []*batch) error {
	err := errors.New("committing readings was broken off")
	defer func() {
		for _, other := range group[1:] {
			other.err = err
			other.turn <- nil
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.next()
	}()
	err = c.commit(ctx, group)
	return err
}

// next hands the group that waits to its first batch. The caller holds mu.
func (c *committer) next() {
	n, size := 0, 0
	for n < len(c.wait) && (n == 0 || size+len(c.wait[n].readings) <= maxGroup) {
		size += len(c.wait[n].readings)
		n++
	}
	c.busy = n > 0
	if n == 0 {
		return
	}
	group := slices.Clone(c.wait[:n])
	c.wait = slices.Delete(c.wait, 0, n)
	group[0].turn <- group
}

// withdraw takes back a batch whose turn has not come.
func (c *committer) withdraw(b *batch) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.Index(c.wait, b)
	if i < 0 {
		return false
	}
	c.wait = slices.Delete(c.wait, i, i+1)
	return true
}
