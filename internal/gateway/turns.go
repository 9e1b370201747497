package gateway

import (
	"container/list"
	"context"
	"sync"
	"time"
)

// turns bound how many do something at once. Who comes first is first; most may change meanwhile.
type turns struct {
	most func() int // it may not use these turns

	mu      sync.Mutex
	taken   int
	waiting list.List // of chan struct{}, closed when the turn has come
}

func newTurns(most func() int) *turns { return &turns{most: most} }

// take waits for a turn, which is given back with give. It fails with [errCrowded] where that takes too long.
func (t *turns) take(ctx context.Context, patience time.Duration) error {
	t.mu.Lock()
	t.admit() // there may be more room than when the last one left
	if t.taken < t.most() {
		t.taken++
		t.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	place := t.waiting.PushBack(turn)
	t.mu.Unlock()

	timer := time.NewTimer(patience)
	defer timer.Stop()
	err := errCrowded
	select {
	case <-turn:
		return nil
	case <-timer.C:
	case <-ctx.Done():
		err = ctx.Err()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case <-turn: // at the same moment
		t.taken--
		t.admit()
	default:
		t.waiting.Remove(place)
	}
	return err
}

// give gives a turn back.
func (t *turns) give() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.taken--
	t.admit()
}

// widen lets in for whom there is more room now.
func (t *turns) widen() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.admit()
}

// admit lets in who waits, as long as there is room. The caller holds mu.
func (t *turns) admit() {
	for first := t.waiting.Front(); first != nil && t.taken < t.most(); first = t.waiting.Front() {
		t.taken++
		close(t.waiting.Remove(first).(chan struct{}))
	}
}
