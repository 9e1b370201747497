//go:build linux

package live

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"parkwire/internal/bus"
	"parkwire/internal/event"
	"parkwire/internal/identity"
)

// silentLog is a log that can keep those who ask waiting until they give up.
type silentLog struct {
	*fakeLog
	silent bool
}

func (l *silentLog) Heads(ctx context.Context) (event.Offsets, error) {
	l.mu.Lock()
	silent := l.silent
	l.mu.Unlock()
	if silent {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return l.fakeLog.Heads(ctx)
}

// However the log goes away, and whatever waits for it, that is known within 4 s, and known to be over as fast as a new
// question is answered.
func TestALogThatDoesNotAnswerIsNoticed(t *testing.T) {
	for name, fail := range map[string]func(l *silentLog, gone bool){
		"refused": func(l *silentLog, gone bool) { l.set(func() { l.away = gone }) },
		"silent":  func(l *silentLog, gone bool) { l.set(func() { l.silent = gone }) },
	} {
		for _, busUp := range []bool{true, false} {
			t.Run(name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { goneAndBack(t, fail, busUp) }) })
		}
	}
}

func goneAndBack(t *testing.T, fail func(*silentLog, bool), busUp bool) {
	log := &silentLog{fakeLog: newFakeLog(2)}
	i := &instance{inbox: bus.NewInbox(), up: busUp}
	i.Service = New(Options{
		Log: log, Bus: i, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), Engine: EngineGoroutines,
		Authorize: func(*http.Request) (identity.Principal, error) { return identity.Principal{}, nil },
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = i.Run(ctx)
	}()
	defer func() { cancel(); <-ended }()
	since := func() time.Time {
		i.mu.Lock()
		defer i.mu.Unlock()
		return i.staleSince
	}
	time.Sleep(10*time.Second + 700*time.Millisecond)
	if !since().IsZero() || i.staleSeconds() != 0 {
		t.Fatalf("stale since %v, though the log answers", since())
	}
	for range 3 {
		fail(log, true)
		gone := time.Now()
		log.append(1, `{"spotId":"A"}`)
		i.inbox.Put(event.AppendLogPosition(nil, []byte(`{"spotId":"A"}`), event.Position{Partition: 0, Offset: 3, After: 2})) // a hole, which waits for the log
		time.Sleep(500 * time.Millisecond)
		if !since().IsZero() {
			t.Errorf("half a second without an answer counts as away")
		}
		time.Sleep(3500 * time.Millisecond)
		if at := since(); at.IsZero() || at.After(gone) || gone.Sub(at) > time.Second {
			t.Errorf("after 4 s it is said to have been away since %v; it went at %v", at, gone)
		}
		time.Sleep(time.Minute)
		if s := i.staleSeconds(); s < 64 || s > 65 {
			t.Errorf("the metric says %v s", s)
		}
		fail(log, false)
		time.Sleep(staleAfter + 200*time.Millisecond)
		if !since().IsZero() {
			t.Errorf("it is back, and still said to be away")
		}
		time.Sleep(time.Second)
		if got, _ := log.Heads(ctx); !i.have().Contains(got) {
			t.Errorf("it has %v of %v", i.have(), got)
		}
	}
}
