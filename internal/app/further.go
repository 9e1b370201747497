package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"parkwire/internal/config"
	"parkwire/internal/consumer"
	"parkwire/internal/gateway"
	"parkwire/internal/problem"
	"parkwire/internal/sqldb"
)

// A further service reads the log and serves what it makes of it. The platform does without it.
type further interface {
	Run(ctx context.Context) error
	Ready() error
	Consumers() []*consumer.Consumer
}

// makeDatabase makes the database of a further service.
func (a *App) makeDatabase(service config.Target, sets []sqldb.Set) (part, error) {
	name := string(service)
	at, err := a.config.Database(service)
	if err != nil {
		return part{}, err
	}
	db, err := sqldb.Open(sqldb.Options{
		URL: at.URL, PasswordFile: at.PasswordFile, MaxConns: at.Connections, Schema: at.Schema, Sets: sets, Logger: a.logger(name), Registerer: a.registry,
	})
	if err != nil {
		return part{}, fmt.Errorf("--%s-database-url: %w", name, err)
	}
	a.databases[service] = db
	return a.aside(name, part{start: db.Start, ready: db.Ready, vital: true, close: db.Close}), nil
}

// makeFurther makes a further service that handler serves. drain, where it has streams, ends them.
func (a *App) makeFurther(service config.Target, s further, handler http.Handler, drain func(context.Context)) part {
	name := string(service)
	var g gate
	a.handlers[name] = g.wrap(handler, problem.New(http.StatusServiceUnavailable, "database-unavailable",
		fmt.Sprintf("The database of the %s service has not answered since the platform started. Try again in a moment.", name)))
	a.consumers[name] = s.Consumers()
	if drain != nil {
		a.endStreams = append(a.endStreams, drain)
	}
	return a.aside(name, part{start: g.open, run: s.Run, ready: g.ready(s.Ready)})
}

// aside returns a part that the rest of the process does not need, unless that is there for nothing else: it is not waited for, and what it
// fails with is told and ends nothing.
func (a *App) aside(service string, p part) part {
	if a.config.Serves == service {
		return p
	}
	out := outcome{}
	logger := a.logger(service)
	// failed keeps what went wrong, and lets the part be there until it is to end.
	failed := func(ctx context.Context, err error) {
		logger.Error("this service is out of order until the process is started again; the others go on", "error", err)
		out.set(fmt.Errorf("it is out of order until the process is started again: %w", err))
		<-ctx.Done()
	}
	q := part{close: p.close, drain: p.drain, bridged: true, ready: func() error { return errors.Join(out.get(), p.ready()) }}
	if p.start != nil {
		q.start = func(ctx context.Context) error {
			err := p.start(ctx)
			if err != nil && ctx.Err() == nil {
				failed(ctx, err)
				return ctx.Err()
			}
			return err
		}
	}
	if p.run != nil {
		q.run = func(ctx context.Context) error {
			err := p.run(ctx)
			if ctx.Err() == nil {
				failed(ctx, errors.Join(err, errors.New("it ended though nobody asked it to")))
				return nil
			}
			return err
		}
	}
	return q
}

// An outcome is what a part failed with.
type outcome struct {
	mu  sync.Mutex
	err error
}

func (o *outcome) set(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.err = err
}

func (o *outcome) get() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// behindFurther is [App.behind] for a further service; nil where the gateway has no address of one.
func (a *App) behindFurther(service config.Target, urls []string) (gateway.Part, error) {
	if len(urls) == 0 {
		return nil, nil
	}
	return a.behind(string(service), string(service)+"-urls", urls)
}

// makeFurtherHealth tells operators of further services that the gateway does not reach, without sending anybody away for that.
func (a *App) makeFurtherHealth() (part, error) {
	if a.gateway == nil {
		return part{}, nil
	}
	return part{ready: a.gateway.FurtherReady, bridged: true}, nil
}

// endAllStreams ends what is streamed by this process, or through it, all at once.
func (a *App) endAllStreams(ctx context.Context) {
	a.endOnce.Do(func() { // they may come to two addresses
		var ending sync.WaitGroup
		defer ending.Wait()
		for _, end := range a.endStreams {
			ending.Go(func() { end(ctx) })
		}
	})
}
