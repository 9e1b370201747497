package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"parkwire/internal/config"
	"parkwire/internal/consumer"
	"parkwire/internal/parking/catchup"
	"parkwire/internal/sqldb"
)

// CatchUpOptions configure [CatchUp].
type CatchUpOptions struct {
	Options
	// Progress is called often, with how many records of the log are done of how many; it may be nil.
	Progress func(done, total int64)
}

// CatchUp brings a restored database of the parking part to where the log is: see [catchup.Run]. Of the platform only the log and that database are started.
func CatchUp(ctx context.Context, c *config.Resolved, o CatchUpOptions) (r catchup.Report, err error) {
	if err := aLogIsThere(c, "parking"); err != nil {
		return r, err
	}
	alone, err := aloneInFolder(c)
	if err != nil {
		return r, err
	}
	if !alone {
		return r, fmt.Errorf("--data-dir %s: %w", c.DataDir, errFolderInUse)
	}
	roots := []string{"store", "log"}
	if slices.Contains(c.Modules, "broker") {
		roots = append(roots, "broker")
	}
	names, err := modules.order(roots)
	if err != nil {
		return r, err
	}
	only := *c
	only.Serves = "parking"
	a := &App{
		config: &only, options: o.Options, registry: newRegistry(o.Version), health: &health{}, becameReady: make(chan struct{}),
		handlers: map[string]http.Handler{}, databases: map[config.Target]*sqldb.DB{}, consumers: map[string][]*consumer.Consumer{},
	}
	job := graph{"catch-up": {needs: roots}}
	a.runner = &runner{graph: job, parts: map[string]part{}, logger: o.Logger}
	for _, name := range names {
		p := part{}
		if modules[name].make != nil {
			if p, err = modules[name].make(a); err != nil {
				return r, fmt.Errorf("%s: %w", name, err)
			}
		}
		a.runner.names, a.runner.parts[name], job[name] = append(a.runner.names, name), p, modules[name]
	}
	ctx, done := context.WithCancel(ctx)
	defer done()
	var outcome error
	a.runner.names = append(a.runner.names, "catch-up")
	a.runner.parts["catch-up"] = part{run: func(job context.Context) error {
		r, outcome = catchup.Run(job, catchup.Options{Store: a.store, Log: a.log, Progress: o.Progress, Logger: o.Logger})
		done()
		<-job.Done()
		return nil
	}}
	err = a.runner.run(ctx, func() {}, c.StopTimeout)
	return r, errors.Join(err, outcome)
}
