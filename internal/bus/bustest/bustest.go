// Package bustest is what every implementation of [bus.Bus] must do.
package bustest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"parkwire/internal/bus"
)

// patience is how long something may take that must happen.
const patience = 30 * time.Second

// Run runs the suite. open returns an end of one bus, the same for all ends opened in one test t; the suite
// closes it.
func Run(t *testing.T, open func(t *testing.T) bus.Bus) {
	for name, test := range map[string]func(*testing.T, func(*testing.T) bus.Bus){
		"every subscriber hears every message in order":       order,
		"batches of one publisher do not mix":                 batches,
		"a message is carried as it is":                       bytesAsTheyAre,
		"what is published without subscribers is gone":       nobody,
		"a message belongs to its receiver":                   ownership,
		"a subscription ends with its context and says so":    contextEnds,
		"closing ends subscriptions and refuses what follows": closing,
		"status is told at each change and never twice":       status,
		"a subscriber that is stuck stops nobody":             stuck,
	} {
		t.Run(name, func(t *testing.T) { test(t, open) })
	}
}

// Listener is a subscription that collects what it hears.
type Listener struct {
	t      testing.TB
	stop   context.CancelFunc
	ended  chan struct{}
	Err    error // set when ended is closed
	change chan struct{}

	mu       sync.Mutex
	messages []string
	statuses []bool
}

// Listen subscribes and returns when messages flow.
func Listen(t testing.TB, b bus.Bus) *Listener {
	t.Helper()
	l := Start(t, b)
	l.Connected(true)
	return l
}

// Start subscribes without waiting for messages to flow.
func Start(t testing.TB, b bus.Bus) *Listener {
	ctx, cancel := context.WithCancel(context.Background())
	l := &Listener{t: t, stop: cancel, ended: make(chan struct{}), change: make(chan struct{}, 1)}
	go func() {
		defer close(l.ended)
		l.Err = b.Subscribe(ctx, func(m []byte) {
			l.note(func() { l.messages = append(l.messages, string(m)) })
		}, func(connected bool) {
			l.note(func() { l.statuses = append(l.statuses, connected) })
		})
	}()
	t.Cleanup(l.Stop)
	return l
}

func (l *Listener) note(f func()) {
	l.mu.Lock()
	f()
	l.mu.Unlock()
	select {
	case l.change <- struct{}{}:
	default:
	}
}

// Stop ends the subscription and waits for that.
func (l *Listener) Stop() { l.stop(); l.Ended() }

// Ended waits until the subscription has ended.
func (l *Listener) Ended() {
	select {
	case <-l.ended:
	case <-time.After(patience):
		l.t.Error("the subscription does not end")
	}
}

// Until waits until done holds of what was heard and told.
func (l *Listener) Until(what string, done func(messages []string, statuses []bool) bool) {
	l.t.Helper()
	deadline := time.After(patience)
	for {
		l.mu.Lock()
		ok := done(l.messages, l.statuses)
		n, statuses := len(l.messages), slices.Clone(l.statuses)
		l.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-l.change:
		case <-deadline:
			l.t.Fatalf("waiting for %s: %d messages came, and the statuses %v", what, n, statuses)
		}
	}
}

// Connected waits until the last status is the given one.
func (l *Listener) Connected(want bool) {
	l.t.Helper()
	l.Until(fmt.Sprintf("the status %v", want), func(_ []string, s []bool) bool { return len(s) > 0 && s[len(s)-1] == want })
}

// Messages waits for n messages and returns them.
func (l *Listener) Messages(n int) []string {
	l.t.Helper()
	var got []string
	l.Until(fmt.Sprintf("%d messages", n), func(m []string, _ []bool) bool { got = slices.Clone(m); return len(m) >= n })
	return got
}

// Has reports whether a message came.
func (l *Listener) Has(message string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Contains(l.messages, message)
}

// Statuses returns what was told so far.
func (l *Listener) Statuses() []bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.statuses)
}

// Publish publishes, and tries again while the bus is not there yet.
func Publish(t testing.TB, b bus.Bus, messages ...string) {
	t.Helper()
	all := make([][]byte, len(messages))
	for i, m := range messages {
		all[i] = []byte(m)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := b.Publish(ctx, all...); err != nil {
		t.Fatalf("publishing: %v", err)
	}
}

func opened(t *testing.T, open func(*testing.T) bus.Bus) bus.Bus {
	b := open(t)
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return b
}

func numbers(from, to int) []string {
	var all []string
	for i := from; i < to; i++ {
		all = append(all, fmt.Sprintf(`{"spotId":"%06d"}`, i))
	}
	return all
}

func order(t *testing.T, open func(*testing.T) bus.Bus) {
	publisher, other := opened(t, open), opened(t, open)
	listeners := []*Listener{Listen(t, publisher), Listen(t, publisher), Listen(t, other)}
	const n, batch = 2000, 100
	for i := 0; i < n; i += batch {
		Publish(t, publisher, numbers(i, i+batch)...)
	}
	for i, l := range listeners {
		if got := l.Messages(n); !slices.Equal(got, numbers(0, n)) {
			t.Errorf("subscriber %d heard something else, or in another order", i)
		}
	}
}

func batches(t *testing.T, open func(*testing.T) bus.Bus) {
	b := opened(t, open)
	l := Listen(t, b)
	var wg sync.WaitGroup
	for p := range 4 {
		wg.Go(func() {
			for i := range 50 {
				_ = b.Publish(context.Background(), fmt.Appendf(nil, "%d %d a", p, i), fmt.Appendf(nil, "%d %d b", p, i))
			}
		})
	}
	wg.Wait()
	last := map[byte]string{}
	for _, m := range l.Messages(400) {
		if m[len(m)-1] == 'b' && last[m[0]] != m[:len(m)-1]+"a" {
			t.Fatalf("%q came behind %q of the same publisher", m, last[m[0]])
		}
		last[m[0]] = m
	}
}

func bytesAsTheyAre(t *testing.T, open func(*testing.T) bus.Bus) {
	b := opened(t, open)
	l := Listen(t, b)
	want := []string{"", "no JSON", "{\"spotId\" : \"é\"}\r\n", "\x00\xff\xfe", string(bytes.Repeat([]byte("x"), 1<<20))}
	Publish(t, b, want...)
	if got := l.Messages(len(want)); !slices.Equal(got, want) {
		t.Errorf("the messages were changed: %.200q", got)
	}
}

func nobody(t *testing.T, open func(*testing.T) bus.Bus) {
	b := opened(t, open)
	Publish(t, b, "early")
	l := Listen(t, b)
	Publish(t, b, "late")
	if got := l.Messages(1); got[0] != "late" {
		t.Errorf("%q was kept", got[0])
	}
}

func ownership(t *testing.T, open func(*testing.T) bus.Bus) {
	b := opened(t, open)
	l := Listen(t, b)
	message := []byte("as it was")
	if err := b.Publish(context.Background(), message); err != nil {
		t.Fatal(err)
	}
	copy(message, "CHANGED!!")
	if got := l.Messages(1); got[0] != "as it was" {
		t.Errorf("the bus kept the publisher's bytes: %q", got[0])
	}
}

func contextEnds(t *testing.T, open func(*testing.T) bus.Bus) {
	b := opened(t, open)
	l, stays := Listen(t, b), Listen(t, b)
	l.Stop()
	if !errors.Is(l.Err, context.Canceled) {
		t.Errorf("it ended with %v", l.Err)
	}
	Publish(t, b, "more")
	stays.Messages(1)
	if got := l.Statuses(); !slices.Equal(got, []bool{true, false}) {
		t.Errorf("the statuses were %v", got)
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if err := b.Publish(ended, []byte("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("publishing without time: %v", err)
	}
}

func closing(t *testing.T, open func(*testing.T) bus.Bus) {
	b := open(t)
	l := Listen(t, b)
	Publish(t, b, "x")
	l.Messages(1)
	for end := time.Now().Add(30 * time.Second); b.Ready() != nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("before closing: %v", b.Ready())
		}
	}
	for range 2 {
		if err := b.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	}
	l.Ended()
	for what, err := range map[string]error{
		"the subscription": l.Err,
		"publishing":       b.Publish(context.Background(), []byte("x")),
		"subscribing":      b.Subscribe(context.Background(), func([]byte) {}, nil),
		"readiness":        b.Ready(),
	} {
		if !errors.Is(err, bus.ErrClosed) {
			t.Errorf("%s says %v", what, err)
		}
	}
}

func status(t *testing.T, open func(*testing.T) bus.Bus) {
	b := opened(t, open)
	l := Listen(t, b)
	Publish(t, b, numbers(0, 100)...)
	l.Messages(100)
	l.Stop()
	if got := l.Statuses(); !slices.Equal(got, []bool{true, false}) {
		t.Errorf("the statuses were %v", got)
	}
}

func stuck(t *testing.T, open func(*testing.T) bus.Bus) {
	b := opened(t, open)
	release, entered := make(chan struct{}), make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	ended, connected := make(chan struct{}), make(chan struct{})
	first, heard := true, 0
	go func() {
		defer close(ended)
		_ = b.Subscribe(ctx, func([]byte) {
			if heard++; first {
				first = false
				close(entered)
				<-release
			}
		}, func(up bool) {
			if up {
				close(connected)
			}
		})
	}()
	<-connected
	other := Listen(t, b)
	Publish(t, b, "first")
	<-entered
	const n = 48
	big := string(bytes.Repeat([]byte("x"), 1<<20)) // n of them are more than an inbox takes
	for i := range n {
		Publish(t, b, big)
		other.Messages(2 + i)
	}
	close(release)
	cancel()
	<-ended
	if heard >= n {
		t.Errorf("%d messages of 1 MiB waited for a subscriber that is stuck", heard)
	}
}
