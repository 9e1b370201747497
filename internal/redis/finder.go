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

	"parkwire/internal/certificate"
)

// A finder asks witnesses all the time which server is the master: sentinels, or the nodes of a cluster, where it is that of one slot. Their own
// announcements are not relied on: who misses one, because the connection was away or dead, would stay with the old master. A witness alone is not
// believed while most say something else: one that was cut off still names the old master, and so does the old master itself.
type finder struct {
	witnesses []rueidis.ClientOption
	question  question
	tls       *certificate.Client
	logger    *slog.Logger
	follow    func(master string) // is told each new master

	mu      sync.Mutex
	answers []answer
	elected string
	turned  chan struct{} // closed at the next answer
}

// A question is what witnesses are asked.
type question struct {
	witness string // what one is called: "sentinel"
	ask     func(ctx context.Context, client rueidis.Client, address string) (master string, err error)
}

// answer is what one witness said last: the master's address, or why it says none. Neither: it was not asked yet.
type answer struct {
	address string
	err     error
}

// How often each witness is asked, and how long it may take.
const (
	askEvery = 500 * time.Millisecond
	askWait  = time.Second
)

func newFinder(witnesses []rueidis.ClientOption, q question, tls *certificate.Client, logger *slog.Logger, follow func(string)) *finder {
	return &finder{
		witnesses: witnesses, question: q, tls: tls, logger: logger, follow: follow,
		answers: make([]answer, len(witnesses)), turned: make(chan struct{}),
	}
}

// run asks until ctx ends.
func (f *finder) run(ctx context.Context) {
	var wg sync.WaitGroup
	for i := range f.witnesses {
		wg.Go(func() { f.watch(ctx, i) })
	}
	wg.Wait()
}

// watch asks one witness.
func (f *finder) watch(ctx context.Context, i int) {
	o := f.witnesses[i]
	o.DialCtxFn = func(dialing context.Context, address string, _ *net.Dialer, _ *tls.Config) (net.Conn, error) {
		dialing, cancel := context.WithTimeout(dialing, askWait)
		defer cancel()
		defer context.AfterFunc(ctx, cancel)()
		return dial(dialing, "tcp", address, &o.Dialer, f.tls)
	}
	client, err := rueidis.NewClient(o)
	if client == nil { // only for options that cannot be
		f.said(i, answer{err: err})
		return
	}
	defer client.Close()
	for {
		asking, cancel := context.WithTimeout(ctx, askWait)
		master, err := f.question.ask(asking, client, o.InitAddress[0])
		cancel()
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			err = fmt.Errorf("the %s at %s: %w", f.question.witness, o.InitAddress[0], Explain(err))
		}
		f.said(i, answer{master, err})
		select {
		case <-ctx.Done():
			return
		case <-time.After(askEvery):
		}
	}
}

// said takes in an answer.
func (f *finder) said(i int, a answer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers[i] = a
	close(f.turned)
	f.turned = make(chan struct{})
	now := elect(f.answers, f.elected)
	if now == f.elected {
		return
	}
	f.logger.Info("the "+f.question.witness+"s name the master", "address", now, "before", f.elected)
	f.elected = now
	f.follow(now)
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
func (f *finder) master(ctx context.Context) (string, error) {
	for {
		f.mu.Lock()
		elected, turned, why := f.elected, f.turned, f.why()
		f.mu.Unlock()
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
func (f *finder) why() error {
	var errs []error
	for _, a := range f.answers {
		if a.err != nil {
			errs = append(errs, a.err)
		}
	}
	switch {
	case len(errs) == 0:
		return fmt.Errorf("the %ss have not answered yet", f.question.witness)
	case len(errs) < len(f.answers):
		return fmt.Errorf("the %ss do not agree: %w", f.question.witness, errors.Join(errs...))
	}
	return errors.Join(errs...)
}
