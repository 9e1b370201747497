package e2e

import (
	"context"
	"errors"
	"sync"
	"syscall"
	"testing"
	"time"

	parkwire "parkwire/clients/go"
	"parkwire/test/e2e/stack"
)

// The process is killed and restarted while subscriptions of one client of the Go library are open: what they have seen at the end is what
// the platform has, and each version came once.
func TestTheGoClientSeesEachVersionOnceOverRestarts(t *testing.T) {
	t.Parallel()
	s := stack.Embedded(t, "--rate-limit", "0")
	spots := ids("g", 6)
	s.AddLot(t, "library", spots...)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	client, err := parkwire.Connect(ctx, parkwire.Options{URLs: []string{s.One.URL}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	mine := parkwire.Filter{Lots: []string{"library"}}
	joined := follow(t, ctx, client, mine, parkwire.WithState())
	plain := follow(t, ctx, client, mine)
	free := follow(t, ctx, client, parkwire.Filter{Lots: mine.Lots, Statuses: []parkwire.Status{parkwire.Free}}, parkwire.WithState())
	eventually(t, time.Minute, "the states come", func() bool { return joined.reached(spots[5], 1) && free.reached(spots[5], 1) })

	version := int64(1)
	write := func() {
		for _, spot := range spots {
			s.Act(t, spot, "occupy")
			s.Act(t, spot, "release")
		}
		version += 2
	}
	write()
	late := follow(t, ctx, client, mine, parkwire.After(joined.subscription.Cursor()))
	for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM} {
		if signal == syscall.SIGKILL {
			s.One.Kill(t)
		} else {
			s.One.Stop(t)
		}
		s.One.Restart(t)
		write()
		write()
	}
	for _, one := range []*followed{joined, plain, free, late} {
		for _, spot := range spots {
			eventually(t, time.Minute, "everything has come", func() bool { return one.reached(spot, version) })
		}
	}
	if err := client.Close(); err != nil {
		t.Error(err)
	}
	for name, one := range map[string]*followed{"joined": joined, "plain": plain, "of a status": free, "late": late} {
		one.reading.Wait()
		if len(one.wrong) > 0 || !errors.Is(one.ended, parkwire.ErrClosed) {
			t.Errorf("%s: %v, ended: %v", name, one.wrong, one.ended)
		}
	}
}

// followed is what came on a subscription.
type followed struct {
	subscription *parkwire.Subscription
	step         int64 // from one version of a spot to the next
	reading      sync.WaitGroup

	mu    sync.Mutex
	seen  map[string]int64
	wrong []string
	ended error
}

func follow(t *testing.T, ctx context.Context, c *parkwire.Client, filter parkwire.Filter, options ...parkwire.SubscribeOption) *followed {
	t.Helper()
	subscription, err := c.Subscribe(filter, options...)
	if err != nil {
		t.Fatal(err)
	}
	f := &followed{subscription: subscription, step: 1, seen: map[string]int64{}}
	if len(filter.Statuses) > 0 {
		f.step = 2
	}
	f.reading.Go(func() {
		for message, err := range subscription.Messages(ctx) {
			f.take(message, err)
		}
	})
	return f
}

func (f *followed) take(message parkwire.Message, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch m := message.(type) {
	case nil:
		f.ended = err
	case parkwire.State:
		if m.Reason != "" {
			f.wrong = append(f.wrong, "a state because of "+m.Reason)
		}
		for _, e := range m.Spots {
			f.seen[e.SpotID] = e.Version
		}
	case parkwire.Event:
		if before, seen := f.seen[m.SpotID]; seen && m.Version != before+f.step {
			f.wrong = append(f.wrong, m.SpotID+": "+string(m.Raw))
		}
		f.seen[m.SpotID] = m.Version
	default:
		f.wrong = append(f.wrong, "something else than events")
	}
}

func (f *followed) reached(spot string, version int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen[spot] == version
}
