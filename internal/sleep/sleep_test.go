package sleep_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"parkwire/internal/sleep"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWhoIsGoneIsNotWaitedFor(t *testing.T) {
	for name, wait := range map[string]func(context.Context, time.Duration) error{"For": sleep.For, "About": sleep.About} {
		if err := wait(t.Context(), 0); err != nil {
			t.Errorf("%s: %v after a wait that was over", name, err)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if err := wait(gone, time.Hour); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, want %v", name, err, context.Canceled)
		}
	}
}
