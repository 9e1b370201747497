package consumer

import (
	"context"
	"slices"
	"sync"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
	"parkwire/internal/sleep"
)

// watch is what every process of the service knows of where the log and the service stand, whichever of them reads.
type watch struct {
	mu      sync.Mutex
	turn    *kafkalog.Turn
	replace func()      // ends the turn's member, whose topic is not the one any more that has that name
	reading func(error) // ends this process's session, with the reason; nil: it stands by
	at      state       // as it was committed last
	commits int64       // of this process
	told    []int64
	id      event.TopicID
	begin   []int64   // where the log began when it was asked last
	end     []int64   // where it ended
	behind  time.Time // since when it is not there; zero: it is

	// The database has everything that the log had at through. wanted is where the log ended at pending, which is to be reached next.
	through, pending time.Time
	wanted           []int64
}

// recent is how old Through may be and be current.
const recent = 5 * time.Second

func (w *watch) setTurn(t *kafkalog.Turn, replace func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.turn, w.replace, w.told = t, replace, nil
}

// setReading says that this process reads until lose is called; nil: it does not.
func (w *watch) setReading(lose func(error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reading = lose
}

func (w *watch) isReading() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.reading != nil
}

// reached takes over a state that this process has committed, which counts whatever was known: the database may be an older one than before.
func (w *watch) reached(at state) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.commits++
	w.take(at)
}

func (w *watch) committed() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.commits
}

// found takes over a state that was read when this process had committed so often, and reports whether it is another one. Where it is not what this process
// goes on from, its session ends: another one reads or rebuilds, or the database was restored. A session that has records to commit would find that out by itself.
func (w *watch) found(at state, commits int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if commits != w.commits {
		return false // it may have been read before what is known
	}
	if w.reading != nil {
		if at.found && at.epoch == w.at.epoch && at.revision >= w.at.revision && at.rebuilder == "" {
			return false // or its own, which it is about to hear of
		}
		w.reading(errFenced)
	}
	return w.take(at)
}

// take takes over a state, and reports whether it is another one. Where that is behind what was known before, nobody knows how far the database is until
// it is looked at again. The caller holds mu.
func (w *watch) take(at state) bool {
	changed := !at.is(w.at)
	if at.goesBack(w.at) {
		w.through, w.pending, w.wanted = time.Time{}, time.Time{}, nil
	}
	w.at = at
	w.judge()
	return changed
}

// saw takes over where the log ends.
func (w *watch) saw(stand kafkalog.Stand, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.id != stand.ID && w.id != (event.TopicID{}) && w.replace != nil {
		w.replace()
	}
	w.id, w.begin, w.end = stand.ID, stand.Begin, stand.End
	if w.wanted == nil || w.judge() {
		w.pending, w.wanted = at, stand.End
	}
	w.judge()
}

// judge moves through on, and reports whether what was wanted is reached. The caller holds mu.
func (w *watch) judge() bool {
	if w.lagLocked() == 0 {
		w.behind = time.Time{}
	} else if w.behind.IsZero() {
		w.behind = time.Now()
	}
	if w.wanted == nil || w.at.id != w.id {
		return false
	}
	for p, end := range w.wanted {
		if w.at.at(p) < end {
			return false
		}
	}
	if w.pending.After(w.through) {
		w.through = w.pending
	}
	return true
}

func (w *watch) lag() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lagLocked()
}

func (w *watch) lagLocked() (n int64) {
	for p, end := range w.end {
		at := w.begin[p]
		if w.at.id == w.id {
			at = max(at, w.at.at(p))
		}
		n += max(0, end-at)
	}
	return n
}

// newest returns the time of the newest record that the database has of the partition that is furthest behind; zero where nothing is known.
func (w *watch) newest() (oldest time.Time, behind bool) {
	for p, end := range w.end {
		if w.at.at(p) >= end {
			continue
		}
		t := time.Time{}
		if ms := w.at.timeAt(p); ms > 0 {
			t = time.UnixMilli(ms)
		}
		if !behind || t.Before(oldest) {
			oldest = t
		}
		behind = true
	}
	return oldest, behind
}

func (w *watch) lagTime(now time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	t, behind := w.newest()
	switch {
	case !behind:
		return 0
	case t.IsZero():
		t = w.behind
	}
	return max(0, now.Sub(t))
}

// Through returns the time up to which the database has everything of the log, and whether that is the present, give or take some seconds. It is the zero time
// where nothing is known.
func (c *Consumer) Through() (t time.Time, current bool) {
	w := &c.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	t = w.through
	if newest, behind := w.newest(); behind && newest.After(t) && w.at.id == w.id {
		t = newest
	}
	return t, !t.IsZero() && time.Since(w.through) < recent
}

// look looks every second where the log and the positions stand, until ctx ends.
func (c *Consumer) look(ctx context.Context) {
	for {
		c.lookOnce(ctx)
		if sleep.For(ctx, c.patience.look) != nil {
			return
		}
	}
}

func (c *Consumer) lookOnce(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 10*c.patience.look)
	defer cancel()
	w := &c.watch
	asked := time.Now()
	stand, away := c.options.Log.Stand(ctx, c.options.Topic)
	commits := w.committed()
	if stored, err := c.read(ctx); err == nil && w.found(stored, commits) && stored.found { // else the database says that it is away
		c.options.Committed()
	}
	if away == nil { // else the log says so
		w.saw(stand, asked) // by what the database had later
	}
	w.mu.Lock()
	turn, reading, at := w.turn, w.reading != nil, w.at
	tell := reading && turn != nil && !slices.Equal(w.told, at.next)
	w.mu.Unlock()
	if tell && turn.Commit(ctx, at.next) == nil {
		w.mu.Lock()
		w.told = at.next
		w.mu.Unlock()
	}
	if !reading && turn != nil {
		c.setGroup(turn.Trouble())
	}
}
