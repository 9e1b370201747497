package live

import (
	"context"
	"time"

	"parkwire/internal/event"
)

// staleAfter is how long a question to the log may stay without an answer, however often it is asked again, until the log counts as
// away. With the default CompareInterval that is known 3.5 s after it went at the latest, also where connections stay open
// and nothing comes over them. A broker that is busy answers within that.
const staleAfter = 2500 * time.Millisecond

// heard is an answer of the log.
type heard struct {
	heads  event.Offsets
	turned bool // the bus came or went since the one before
}

// watchLog asks the log for its heads until ctx ends, at intervals and when the bus comes or goes, and passes on the newest answer. It never
// waits for anything but the log, so that it knows whether that answers. It asks 100 times as often while the bus is away, since that is then how late events are.
func (s *Service) watchLog(ctx context.Context, answers chan heard) {
	var unanswered time.Time // when the first question without an answer was asked; zero: the last one was answered
	turned := false
	for {
		s.mu.Lock()
		pause := s.options.CompareInterval
		if !s.busConnected {
			pause /= 100
		}
		s.mu.Unlock()
		if !unanswered.IsZero() {
			pause = min(pause, 100*time.Millisecond)
		}
		select {
		case <-ctx.Done():
			return
		case <-s.busTurned:
			turned = true
		case <-time.After(pause):
		}
		asked := time.Now()
		if unanswered.IsZero() {
			unanswered = asked
		}
		wait := staleAfter - asked.Sub(unanswered)
		if wait <= 0 {
			wait = staleAfter
		}
		question, cancel := context.WithTimeout(ctx, wait)
		heads, err := s.options.Log.Heads(question)
		cancel()
		now := time.Now()
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			unanswered = time.Time{}
			s.answered(now)
			select { // what nobody has looked at yet is old
			case old := <-answers:
				turned = turned || old.turned
			default:
			}
			answers <- heard{heads, turned}
			turned = false
		case now.Sub(unanswered) >= staleAfter:
			s.silent()
		}
	}
}

// answered records that the log answered.
func (s *Service) answered(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastAnswer = now
	if !s.staleSince.IsZero() {
		s.staleSince = time.Time{}
		s.tellStale(s.staleSince)
	}
}

// silent records that the log has not answered for too long. That is no news for the operator, whom the log itself tells.
func (s *Service) silent() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.staleSince.IsZero() {
		s.staleSince = s.lastAnswer
		s.tellStale(s.staleSince)
	}
}

// tellStale is called when the log goes away, with the time of its last answer, and when it is back, with the zero time. The caller
// holds mu.
func (s *Service) tellStale(since time.Time) { s.tellV1(stale{since: since}.message()) }

// staleSeconds is for how long the log has not answered; 0 while it does.
func (s *Service) staleSeconds() float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.staleSince.IsZero() {
		return 0
	}
	return time.Since(s.staleSince).Seconds()
}
