package live

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
)

// inboxMessages bounds the messages of the bus that wait while a hole is filled. When it
// is full the bus is not read any more; whatever it then drops is a hole like any other.
const inboxMessages = 4096

// follow delivers what the bus brings, in one goroutine, and what it failed to bring.
func (s *Service) follow(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	messages := make(chan []byte, inboxMessages)
	heads := make(chan event.Offsets)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	busErr := make(chan error, 1)
	wg.Go(func() {
		busErr <- s.options.Bus.Subscribe(ctx, func(m []byte) {
			select {
			case messages <- m:
			case <-ctx.Done():
			}
		}, s.busStatus)
	})
	wg.Go(func() { s.watchHeads(ctx, heads) })
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-busErr:
			if ctx.Err() == nil {
				return fmt.Errorf("the subscription to the bus ended: %w", err)
			}
		case m := <-messages:
			if err := s.receive(ctx, m); err != nil {
				return err
			}
		case to := <-heads:
			if err := s.fill(ctx, to, "heads"); err != nil {
				return err
			}
		}
	}
}

func (s *Service) busStatus(connected bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busConnected = connected
	s.busSeen = s.busSeen || connected
}

// receive handles one message of the bus.
func (s *Service) receive(ctx context.Context, message []byte) error {
	value, position, ours := event.CutLogPosition(message)
	if !ours {
		s.broadcastForeign(message)
		return nil
	}
	s.mu.Lock()
	head := s.heads.At(position.Partition)
	s.mu.Unlock()
	if position.Offset <= head {
		s.metrics.duplicates.Inc() // published again after a rebalance
		return nil
	}
	if position.After > head {
		hole := event.Offsets(nil).Advance(position.Partition, position.After)
		if err := s.fill(ctx, hole, "after"); err != nil {
			return err
		}
	}
	s.deliver(position.Partition, position.Offset, value, "bus")
	return nil
}

// watchHeads sends what the log had one interval ago whenever this instance still lacks some of it.
func (s *Service) watchHeads(ctx context.Context, lacking chan<- event.Offsets) {
	var before event.Offsets
	for {
		s.mu.Lock()
		pause := s.options.CompareInterval
		if !s.busConnected {
			pause /= 10
		}
		s.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		ask, cancel := context.WithTimeout(ctx, 5*time.Second)
		now, err := s.options.Log.Heads(ask)
		cancel()
		if err != nil {
			continue // the log's own readiness tells
		}
		s.mu.Lock()
		complete := s.heads.Contains(before)
		s.mu.Unlock()
		if !complete {
			select {
			case lacking <- before:
			case <-ctx.Done():
				return
			}
		}
		before = now
	}
}

// fill delivers from the log what this instance lacks up to the given offsets. It goes on
// trying while the log is away: to go on without would be to lose what is missing.
func (s *Service) fill(ctx context.Context, to event.Offsets, found string) error {
	s.mu.Lock()
	from := slices.Clone(s.heads)
	s.mu.Unlock()
	if from.Contains(to) {
		return nil
	}
	s.metrics.holes.WithLabelValues(found).Inc()
	_, err := retry(ctx, s, func() (struct{}, error) {
		s.mu.Lock()
		from := slices.Clone(s.heads)
		s.mu.Unlock()
		return struct{}{}, s.options.Log.Range(ctx, from, to, func(r kafkalog.Record) error {
			s.deliver(r.Partition, r.Offset, r.Value, "log")
			return nil
		})
	})
	if err != nil {
		return err
	}
	s.mu.Lock() // records that are no events, and gaps, count as seen
	s.heads = s.heads.Join(to)
	s.mu.Unlock()
	return nil
}

// retry repeats do until it works or ctx ends, and says so once.
func retry[T any](ctx context.Context, s *Service, do func() (T, error)) (T, error) {
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		v, err := do()
		s.mu.Lock()
		changed := (err == nil) != (s.logErr == nil)
		s.logErr = nil
		if err != nil {
			s.logErr = fmt.Errorf("reading the event log: %w", err)
		}
		s.mu.Unlock()
		if err == nil || ctx.Err() != nil {
			return v, errors.Join(err, ctx.Err())
		}
		if changed {
			s.options.Logger.Warn("the event log cannot be read; delivery waits for it", "error", err)
		}
		select {
		case <-ctx.Done():
			return v, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// deliver hands one event of the log to every subscription that wants it. An event that
// this instance has already, and a record that is no event, is left out.
func (s *Service) deliver(partition int32, offset int64, value []byte, source string) {
	e, err := event.Decode(value)
	s.mu.Lock()
	if s.heads.Covers(partition, offset) {
		s.mu.Unlock()
		return
	}
	s.heads = s.heads.Advance(partition, offset)
	if err != nil { // the bridge puts it aside and counts it
		s.mu.Unlock()
		return
	}
	s.memory.add(entry{partition, offset, e, value})
	cursor := event.Cursor{Topic: s.topic, Offsets: s.heads}.String()
	grown := s.broadcast(e, func(enc encoding) []byte { return enc.appendEvent(nil, value, cursor) })
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
	s.mu.Unlock()
	s.metrics.events.WithLabelValues(source).Inc()
	s.wake(grown)
}

// broadcastForeign passes on what another program published on the bus, as it is.
func (s *Service) broadcastForeign(message []byte) {
	if !utf8.Valid(message) {
		s.metrics.events.WithLabelValues("refused").Inc() // no text frame can carry it
		return
	}
	e, _ := event.Decode(message) // what cannot be read matches those who want everything
	s.mu.Lock()
	grown := s.broadcast(e, func(enc encoding) []byte { return enc.appendForeign(nil, message) })
	s.mu.Unlock()
	s.metrics.events.WithLabelValues("foreign").Inc()
	s.wake(grown)
}

// broadcast appends the event to the log of every subscription that wants it, encoded
// once an encoding. The caller holds mu.
func (s *Service) broadcast(e event.Event, encode func(encoding) []byte) (grown []*subscription) {
	var frames [2][]byte
	s.subs.concerned(e, func(sub *subscription) {
		enc := sub.key.encoding
		if frames[enc] == nil {
			frames[enc] = encode(enc)
		}
		sub.log.append(frames[enc])
		grown = append(grown, sub)
	})
	return grown
}

func (s *Service) wake(grown []*subscription) {
	for _, sub := range grown {
		for _, sender := range s.senders {
			sender.grew(sub)
		}
	}
}
