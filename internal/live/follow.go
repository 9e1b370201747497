package live

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
)

// follow delivers what the bus brings, and what it failed to bring, until ctx ends.
func (s *Service) follow(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	comparing := make(chan struct{})
	go func() {
		defer close(comparing)
		s.compareHeads(ctx)
	}()
	err := s.options.Bus.Subscribe(ctx, func(m []byte) { s.receive(ctx, m) }, s.busStatus)
	cancel()
	<-comparing
	return fmt.Errorf("the subscription to the bus ended: %w", err)
}

func (s *Service) busStatus(connected bool) {
	s.mu.Lock()
	s.busConnected = connected
	s.mu.Unlock()
	select {
	case s.busTurned <- struct{}{}:
	default:
	}
}

// receive handles one message of the bus.
func (s *Service) receive(ctx context.Context, message []byte) {
	value, position, ours := event.CutLogPosition(message)
	if !ours {
		s.deliverForeign(message)
		return
	}
	s.following <- struct{}{}
	defer func() { <-s.following }()
	head, known := s.headOf(position.Partition)
	switch {
	case position.Topic != 0 && position.Topic != s.topic.Short():
		s.refuse("it belongs to another log", position)
		return
	case !known:
		s.refuse("it names a partition that the log does not have", position)
		return
	case position.Offset <= head:
		s.metrics.duplicates.Inc() // published again after a rebalance
		return
	case position.Offset > head+1:
		if position.After > head {
			s.metrics.holes.WithLabelValues("after").Inc()
		}
		// Where it says that nothing lies between, the log is asked all the same. That is rare, and who believes a
		// message in this can be made to skip events.
		err := s.fill(ctx, event.Offsets(nil).Advance(position.Partition, position.Offset-1))
		if errors.Is(err, errBeyondLog) {
			s.refuse(err.Error(), position)
		}
		if err != nil {
			return
		}
	}
	s.deliver(position, value, "bus")
}

// headOf returns the newest offset that was delivered of a partition, and false where the log has no such partition.
func (s *Service) headOf(partition int32) (int64, bool) {
	partitions := s.options.Log.Partitions()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.heads.At(partition), int(partition) < max(len(s.heads), partitions)
}

// refuse leaves out a message that claims a place in the log which it cannot have: to believe
// it would be to leave out what really stands there.
func (s *Service) refuse(why string, position event.Position) {
	s.metrics.refused.Inc()
	s.options.Logger.Warn("a message of the bus is left out: "+why, "partition", position.Partition, "offset", position.Offset, "after", position.After)
}

// compareHeads looks at the log itself, for what the bus lost when nothing came after it. While the bus is
// there, what the log had one interval ago should have come. While it is away, and when it has just
// come, everything is fetched that is there.
func (s *Service) compareHeads(ctx context.Context) {
	answers := make(chan heard, 1)
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		s.watchLog(ctx, answers)
	}()
	defer func() { <-watching }()
	var before event.Offsets
	for {
		var now heard
		select {
		case <-ctx.Done():
			return
		case now = <-answers:
		}
		s.mu.Lock()
		connected := s.busConnected
		s.mu.Unlock()
		if connected && !now.turned {
			s.catch(ctx, before, "heads")
		} else {
			s.catch(ctx, now.heads, "")
		}
		before = now.heads
	}
}

func (s *Service) askHeads(ctx context.Context) (event.Offsets, error) {
	return ask(ctx, s.options.Log.Heads)
}

// ask bounds a question to the log in time.
func ask(ctx context.Context, question func(context.Context) (event.Offsets, error)) (event.Offsets, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return question(ctx)
}

// catch delivers what this instance lacks of the log up to the given offsets. It counts as a hole where found says so.
func (s *Service) catch(ctx context.Context, to event.Offsets, found string) {
	s.following <- struct{}{}
	defer func() { <-s.following }()
	if s.have().Contains(to) {
		return
	}
	if found != "" {
		s.metrics.holes.WithLabelValues(found).Inc()
	}
	_ = s.fill(ctx, to) // fails only when ctx ends: these are the log's own heads
}

// have returns what was delivered.
func (s *Service) have() event.Offsets {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append(event.Offsets(nil), s.heads...)
}

// errBeyondLog says that somebody asked for events that the log does not have.
var errBeyondLog = errors.New("it names an offset behind the end of the log")

// fill delivers from the log what this instance lacks up to the given offsets. It goes on
// trying while the log is away: to go on without would be to lose what is missing. The caller holds following.
func (s *Service) fill(ctx context.Context, to event.Offsets) error {
	heads, err := retry(ctx, s, func() (event.Offsets, error) { return s.askHeads(ctx) })
	if err != nil {
		return err
	}
	if !heads.Contains(to) {
		return errBeyondLog
	}
	_, err = retry(ctx, s, func() (struct{}, error) {
		return struct{}{}, s.options.Log.Range(ctx, s.have(), to, func(r kafkalog.Record) error {
			position := event.Position{Partition: r.Partition, Offset: r.Offset}
			if s.options.Tracer != nil {
				position.Traceparent = r.FollowedTrace()
			}
			s.deliver(position, r.Value, "log")
			return nil
		})
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heads = s.heads.Join(to) // what the log no longer has, and its own marks, count as seen
	s.tellChange()
	return nil
}

// retryQuietly repeats do until it works or ctx ends, for what does not hold up delivery.
func retryQuietly[T any](ctx context.Context, s *Service, what string, do func() (T, error)) (T, error) {
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, maxRetryPause) {
		v, err := do()
		if ctx.Err() != nil {
			return v, ctx.Err()
		}
		if err == nil {
			return v, nil
		}
		s.options.Logger.Debug(what, "error", err)
		select {
		case <-ctx.Done():
			return v, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// maxRetryPause bounds how long nothing happens when the log is back.
const maxRetryPause = 500 * time.Millisecond

// retry repeats do until it works or ctx ends, and says so once.
func retry[T any](ctx context.Context, s *Service, do func() (T, error)) (T, error) {
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, maxRetryPause) {
		v, err := do()
		if ctx.Err() != nil {
			return v, ctx.Err()
		}
		s.mu.Lock()
		news := err != nil && s.logErr == nil
		s.logErr = nil
		if err != nil {
			s.logErr = fmt.Errorf("reading the event log: %w", err)
		}
		s.mu.Unlock()
		if err == nil {
			return v, nil
		}
		if news {
			s.options.Logger.Warn("the event log cannot be read; delivery waits for it", "error", err)
		}
		select {
		case <-ctx.Done():
			return v, ctx.Err()
		case <-time.After(pause):
		}
	}
}
