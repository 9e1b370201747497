package parking

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// slowly is a commit that takes a second and remembers its groups.
type slowly struct {
	mu     sync.Mutex
	groups [][]int // the sizes of the batches of each
	err    error
}

func (s *slowly) commit(ctx context.Context, group []*batch) error {
	time.Sleep(time.Second)
	var sizes []int
	for _, b := range group {
		sizes = append(sizes, len(b.readings))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.groups = append(s.groups, sizes)
	return errors.Join(s.err, ctx.Err())
}

func batchOf(n int) *batch { return newBatch(make([]Observation, n), origin{}) }

func TestALoneRequestIsCommittedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		c := &committer{commit: (&slowly{}).commit}
		if err := c.submit(t.Context(), batchOf(1)); err != nil || time.Since(began) != time.Second {
			t.Errorf("%v after %v; a commit takes a second", err, time.Since(began))
		}
	})
}

func TestWhatArrivesDuringACommitSharesTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		s := &slowly{}
		c := &committer{commit: s.commit}
		var requests sync.WaitGroup
		for i := range 51 {
			requests.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				if err := c.submit(t.Context(), batchOf(1)); err != nil {
					t.Error(err)
				}
			})
		}
		requests.Wait()
		if len(s.groups) != 2 || len(s.groups[1]) != 50 || time.Since(began) != 2*time.Second {
			t.Errorf("51 requests took %v and these groups: %v", time.Since(began), s.groups)
		}
	})
}

func TestGroupsAreBoundedAndInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowly{}
		c := &committer{commit: s.commit}
		var requests sync.WaitGroup
		for i, n := range []int{1, 600, 400, 1, maxGroup, 2, 3} {
			requests.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				if err := c.submit(t.Context(), batchOf(n)); err != nil {
					t.Error(err)
				}
			})
		}
		requests.Wait()
		want := [][]int{{1}, {600, 400}, {1}, {maxGroup}, {2, 3}}
		if len(s.groups) != len(want) {
			t.Fatalf("the groups are %v; they are %v", s.groups, want)
		}
		for i, g := range s.groups {
			if len(g) != len(want[i]) || g[0] != want[i][0] {
				t.Errorf("group %d is %v; it is %v", i, g, want[i])
			}
		}
	})
}

func TestARequestThatEndsWhileItWaitsIsNotDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowly{}
		c := &committer{commit: s.commit}
		var requests sync.WaitGroup
		requests.Go(func() { c.submit(t.Context(), batchOf(1)) })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := c.submit(ctx, batchOf(7)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("it was answered with %v", err)
		}
		requests.Wait()
		if len(s.groups) != 1 {
			t.Errorf("its readings were committed: %v", s.groups)
		}
	})
}

// A request that ends while its readings are being committed, alone or with those of others, hears how that went.
func TestARequestThatEndsDuringItsCommitIsWhollyDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowly{}
		c := &committer{commit: s.commit}
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		var requests sync.WaitGroup
		for i := range 4 { // the first alone; then, together, two that end and one that does not
			requests.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				with := ctx
				if i == 3 {
					with = t.Context()
				}
				if err := c.submit(with, batchOf(1)); err != nil {
					t.Errorf("request %d: %v", i, err)
				}
			})
		}
		requests.Wait()
		if len(s.groups) != 2 || len(s.groups[1]) != 3 {
			t.Errorf("the groups are %v", s.groups)
		}
	})
}

func TestAFailureReachesEveryRequestOfTheGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowly{err: ErrUnavailable}
		c := &committer{commit: s.commit}
		var requests sync.WaitGroup
		for range 5 {
			requests.Go(func() {
				if err := c.submit(t.Context(), batchOf(1)); !errors.Is(err, ErrUnavailable) {
					t.Errorf("the commit failed, the request was told %v", err)
				}
			})
		}
		requests.Wait()
		if len(s.groups) != 2 {
			t.Errorf("the groups are %v", s.groups)
		}
	})
}

// net/http survives a handler that panics; the readings of others must not wait for ever.
func TestAPanicInACommitDoesNotBlockOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := true
		c := &committer{commit: func(context.Context, []*batch) error {
			time.Sleep(time.Second)
			if first {
				first = false
				panic("broken")
			}
			return nil
		}}
		var requests sync.WaitGroup
		requests.Go(func() {
			defer func() { recover() }()
			c.submit(t.Context(), batchOf(1))
		})
		synctest.Wait()
		if err := c.submit(t.Context(), batchOf(1)); err != nil {
			t.Error(err)
		}
		requests.Wait()
	})
}
