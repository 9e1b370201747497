package live

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
)

// tallied is a sender of batches that breaks after so many, as a ring does: the batch at which it breaks is sent.
type tallied struct {
	breaks int // 0: never

	mu      sync.Mutex
	batches int
	writes  int
	largest int
	closed  bool
}

var errBroken = errors.New("the ring is broken")

func (s *tallied) send(batch []outgoing) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batches++
	s.writes += len(batch)
	s.largest = max(s.largest, len(batch))
	for i := range batch {
		o := &batch[i]
		o.n, o.err = o.client.raw.TryWrite(o.bytes)
	}
	if s.batches == s.breaks {
		return errBroken
	}
	return nil
}

func (s *tallied) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

// onBatches starts a service of one loop that sends batches with s.
func onBatches(t *testing.T, s *tallied, logger *slog.Logger) *testStand {
	t.Helper()
	if len(engines()) == 1 {
		t.Skip("no connection is a file descriptor here")
	}
	log, b := newFakeLog(4), memoryBus()
	service := New(optionsOn(log, b, func(o *Options) { o.Engine, o.Loops, o.Logger = EngineRing, 1, logger }))
	service.newBatches = func() (batchSender, error) { return s, nil }
	return run(t, log, b, service)
}

func TestARingThatBreaksLosesNoByteAndIsToldOfOnce(t *testing.T) {
	var log buffer
	s := &tallied{breaks: 3}
	stand := onBatches(t, s, slog.New(slog.NewTextHandler(&log, nil)))
	var listeners []*listener
	for range 5 {
		listeners = append(listeners, stand.webSocket(), stand.sse(""))
	}
	stand.connected(len(listeners))
	const events = 60
	for i := range events { // one after the other, so that there are batches enough
		stand.write(i % 4)
		for _, l := range listeners {
			l.count(i + 1)
		}
	}
	for _, l := range listeners {
		gapless(t, l.name, l.count(events), map[string]int64{})
	}
	stand.stop()
	if s.mu.Lock(); !s.closed || s.batches != s.breaks {
		t.Errorf("of a ring that breaks at batch %d: %d batches, closed: %v", s.breaks, s.batches, s.closed)
	}
	if n := strings.Count(log.String(), errBroken.Error()); n != 1 {
		t.Errorf("the log tells of it %d times:\n%s", n, log.String())
	}
}

func TestClientsOfOneSubscriptionAreSentAnEventInFullBatches(t *testing.T) {
	s := &tallied{}
	stand := onBatches(t, s, slog.New(slog.DiscardHandler))
	const clients = batchSize + 10
	var listeners []*listener
	for range clients {
		listeners = append(listeners, stand.webSocket("lot", "lot-0"))
	}
	stand.connected(clients)
	hear := func(n int) (batches, writes int) {
		stand.write(0)
		for _, l := range listeners {
			l.count(n)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.batches, s.writes
	}
	batches, writes := hear(1) // who comes just now is sent it alone
	if b, w := hear(2); w-writes != clients || b-batches != 2 || s.largest != batchSize {
		t.Errorf("%d clients were sent an event in %d batches, of %d writes, the largest of %d", clients, b-batches, w-writes, s.largest)
	}
}

func TestWithoutARingTheNextEngineServes(t *testing.T) {
	refused := func() (batchSender, error) { return nil, errors.ErrUnsupported }
	for _, test := range []struct {
		engine string
		works  bool
	}{{EngineAuto, true}, {EngineRing, false}} {
		log, b := newFakeLog(1), memoryBus()
		service := New(optionsOn(log, b, func(o *Options) { o.Engine = test.engine }))
		service.newBatches = refused
		if err := service.startEngine(); test.works != (err == nil) {
			t.Errorf("%s: %v", test.engine, err)
		} else if err != nil && !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s does not say why: %v", test.engine, err)
		}
		service.stopEngine()
	}
}

// buffer is written to by several goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
