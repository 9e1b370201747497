package memory_test

import (
	"context"
	"testing"

	"go.uber.org/goleak"

	"parkwire/internal/bus"
	"parkwire/internal/bus/bustest"
	"parkwire/internal/bus/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTheBusInMemory(t *testing.T) {
	buses := map[*testing.T]*memory.Bus{} // all ends of one test are the same
	bustest.Run(t, func(t *testing.T) bus.Bus {
		if buses[t] == nil {
			buses[t] = memory.New()
		}
		return buses[t]
	})
}

func TestWhatASlowSubscriberMissesIsCounted(t *testing.T) {
	b := memory.New()
	release, entered := make(chan struct{}), make(chan struct{}, 1)
	ended, up := make(chan struct{}), make(chan struct{}, 2)
	go func() {
		defer close(ended)
		_ = b.Subscribe(context.Background(), func([]byte) {
			select {
			case entered <- struct{}{}:
			default:
			}
			<-release
		}, func(bool) { up <- struct{}{} })
	}()
	<-up
	bustest.Publish(t, b, "first")
	<-entered
	for range 3 {
		bustest.Publish(t, b, string(make([]byte, bus.InboxBytes/2)))
	}
	if n := b.Dropped(); n != 2 {
		t.Errorf("%d messages were dropped; of three halves and their overhead one fits", n)
	}
	close(release)
	b.Close()
	<-ended
}
