package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

// sentinels know which server is the master, and are asked that all the time. Their own announcements are not relied on: who
// misses one, because the connection was away or dead, would stay with the old master. A sentinel alone is not believed
// while most say something else: one that was cut off still names the old master, and so does the old master itself.
type sentinels struct {
	options []rueidis.ClientOption
	name    string // of the master
	logger  *slog.Logger
	follow  func(master string) // is told each new master

	mu      sync.Mutex
	answers []answer
	elected string
	turned  chan struct{} // closed at the next answer
}

// answer is what one sentinel said last: the master's address, or why it says none. Neither: it was not asked yet.
type answer struct {
	address string
	err     error
}

// How often each sentinel is asked, and how long it may take.
const (
	askEvery = 500 * time.Millisecond
	askWait  = time.Second
)

func newSentinels(l location, logger *slog.Logger, follow func(string)) *sentinels {
	return &sentinels{
		options: l.sentinels, name: l.masterName, logger: logger, follow: follow,
		answers: make([]answer, len(l.sentinels)), turned: make(chan struct{}),
	}
}

// run asks until ctx ends.
func (s *sentinels) run(ctx context.Context) {
	var wg sync.WaitGroup
	for i := range s.options {
		wg.Go(func() { s.watch(ctx, i) })
	}
	wg.Wait()
}

// watch asks one sentinel.
func (s *sentinels) watch(ctx context.Context, i int) {
	o := s.options[i]
	o.DialCtxFn = func(dialing context.Context, address string, _ *net.Dialer, _ *tls.Config) (net.Conn, error) {
		dialing, cancel := context.WithTimeout(dialing, askWait)
		defer cancel()
		defer context.AfterFunc(ctx, cancel)()
		config := o.TLSConfig
		if config != nil {
			config = tlsFor(config, address)
		}
		return dialTLS(dialing, "tcp", address, &o.Dialer, config)
	}
	client, err := rueidis.NewClient(o)
	if client == nil { // only for options that cannot be
		s.said(i, answer{err: err})
		return
	}
	defer client.Close()
	for {
		asking, cancel := context.WithTimeout(ctx, askWait)
		said, err := client.Do(asking, client.B().SentinelGetMasterAddrByName().Master(s.name).Build()).AsStrSlice()
		cancel()
		switch {
		case ctx.Err() != nil:
			return
		case rueidis.IsRedisNil(err):
			err = fmt.Errorf("it watches no master named %q", s.name)
		case err == nil && len(said) != 2:
			err = fmt.Errorf("it answers %q", said)
		}
		if err != nil {
			s.said(i, answer{err: fmt.Errorf("the sentinel at %s: %w", o.InitAddress[0], err)})
		} else {
			s.said(i, answer{address: net.JoinHostPort(said[0], said[1])})
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(askEvery):
		}
	}
}

// said takes in an answer.
func (s *sentinels) said(i int, a answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[i] = a
	close(s.turned)
	s.turned = make(chan struct{})
	now := elect(s.answers, s.elected)
	if now == s.elected {
		return
	}
	s.logger.Info("the sentinels name the master", "address", now, "before", s.elected)
	s.elected = now
	s.follow(now)
}

// elect returns the address that most sentinels name, and while these are no majority the one before, unless all who
// can be asked name one other.
func elect(answers []answer, before string) string {
	votes, asked := map[string]int{}, 0
	for _, a := range answers {
		if a.err != nil || a.address != "" {
			asked++
		}
		if a.address != "" {
			votes[a.address]++
		}
	}
	for address, n := range votes {
		if 2*n > len(answers) || len(votes) == 1 && asked == len(answers) {
			return address
		}
	}
	return before
}

// master returns its address, and waits for it until ctx ends.
func (s *sentinels) master(ctx context.Context) (string, error) {
	for {
		s.mu.Lock()
		elected, turned, why := s.elected, s.turned, s.why()
		s.mu.Unlock()
		if elected != "" {
			return elected, nil
		}
		select {
		case <-turned:
		case <-ctx.Done():
			return "", fmt.Errorf("no master is known: %w", why)
		}
	}
}

// why returns why there is no answer. The caller holds mu.
func (s *sentinels) why() error {
	var errs []error
	for _, a := range s.answers {
		if a.err != nil {
			errs = append(errs, a.err)
		}
	}
	switch {
	case len(errs) == 0:
		return errors.New("the sentinels have not answered yet")
	case len(errs) < len(s.answers):
		return fmt.Errorf("the sentinels do not agree: %w", errors.Join(errs...))
	}
	return errors.Join(errs...)
}
