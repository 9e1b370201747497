package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"slices"
	"time"

	"parkwire/internal/config"
	"parkwire/internal/consumer"
	"parkwire/internal/sqldb"
)

// errFolderInUse is what a second process on a data folder hears.
var errFolderInUse = errors.New("another process uses the folder: end that, or choose another folder")

// RebuildOptions configure [Rebuild]. The functions may be nil.
type RebuildOptions struct {
	Options
	// Meanwhile is called where the platform runs on the same folder: its log is read at brokers.
	Meanwhile func(brokers []string)
	// AnotherLog lets what was made of another log be deleted: see [consumer.RebuildOptions].
	AnotherLog bool
	// Begins is called before anything is deleted, with how many offsets a consumer reads, and the time of the oldest record; zero: there is none.
	Begins func(consumer string, records int64, oldest time.Time)
	// Progress is called often, with how many records of a consumer are done of how many.
	Progress func(consumer string, done, total int64)
}

// Rebuildable are the services that can be rebuilt, by their names.
var Rebuildable = []string{string(config.History), string(config.Audit), string(config.Alerts)}

// Rebuild deletes what a further service has made of the log, and makes it again. Of the platform only the log and the service's database are started, and not
// even they where another process serves from the folder: then its broker is asked, and the database is shared with it.
func Rebuild(ctx context.Context, c *config.Resolved, service string, o RebuildOptions) error {
	if !slices.Contains(Rebuildable, service) {
		return fmt.Errorf("%q is no service that can be rebuilt; those are %v", service, Rebuildable)
	}
	if err := aLogIsThere(c, service); err != nil {
		return err
	}
	alone, err := aloneInFolder(c)
	if err != nil {
		return err
	}
	roots := []string{service}
	switch {
	case slices.Contains(c.Modules, "broker") && alone:
		roots = append(roots, "broker")
	case !alone && o.Meanwhile != nil:
		o.Meanwhile(c.KafkaBrokers)
	}
	names, err := modules.order(roots)
	if err != nil {
		return err
	}
	only := *c
	only.Serves = service // so that what fails ends this
	a := &App{
		config: &only, options: o.Options, registry: newRegistry(o.Version), health: &health{}, becameReady: make(chan struct{}),
		handlers: map[string]http.Handler{}, databases: map[config.Target]*sqldb.DB{}, consumers: map[string][]*consumer.Consumer{},
	}
	// The service itself is made, for what it makes of the log, and does not run: it would read that too.
	job := graph{"rebuild": {needs: []string{service + "-db", "log"}}}
	a.runner = &runner{graph: job, parts: map[string]part{}, logger: o.Logger}
	for _, name := range names {
		if name == "data-dir" && !alone {
			continue
		}
		p := part{}
		if modules[name].make != nil {
			if p, err = modules[name].make(a); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		if name == service {
			continue
		}
		a.runner.names, a.runner.parts[name] = append(a.runner.names, name), p
		job[name] = module{needs: slices.DeleteFunc(slices.Clone(modules[name].needs), func(n string) bool { return n == "data-dir" && !alone })}
	}
	ctx, done := context.WithCancel(ctx)
	defer done()
	var outcome error
	a.runner.names = append(a.runner.names, "rebuild")
	a.runner.parts["rebuild"] = part{run: func(job context.Context) error {
		outcome = a.rebuild(job, service, o)
		done()
		<-job.Done()
		return nil
	}}
	return errors.Join(a.runner.run(ctx, func() {}, c.StopTimeout), outcome)
}

func (a *App) rebuild(ctx context.Context, service string, o RebuildOptions) error {
	for _, one := range a.consumers[service] {
		err := one.MayRebuild(ctx, consumer.RebuildOptions{AnotherLog: o.AnotherLog, Begins: func(records int64, oldest time.Time) {
			if o.Begins != nil {
				o.Begins(one.Name(), records, oldest)
			}
		}})
		if err != nil {
			return fmt.Errorf("rebuilding %s: %w", one.Name(), err)
		}
	}
	for _, one := range a.consumers[service] {
		err := one.RebuildWith(ctx, consumer.RebuildOptions{
			AnotherLog: o.AnotherLog,
			Progress: func(done, total int64) {
				if o.Progress != nil {
					o.Progress(one.Name(), done, total)
				}
			},
		})
		if err != nil {
			return fmt.Errorf("rebuilding %s: %w", one.Name(), err)
		}
	}
	return nil
}

// aLogIsThere returns an error where the log would be that of the data folder, and there is none: it would be made, empty, and what the service has made of
// another one be deleted for it.
func aLogIsThere(c *config.Resolved, service string) error {
	if !slices.Contains(c.Modules, "broker") {
		return nil
	}
	_, err := os.Stat(brokerFolder(c.DataDir))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--data-dir %s: there is no log in it of which %s could be made again. Name the folder of `parkwire all`, or by kafka-brokers and %[2]s-database-url what the service runs on", c.DataDir, service)
	}
	return err
}

// aloneInFolder reports whether no other process serves from the data folder.
func aloneInFolder(c *config.Resolved) (bool, error) {
	if !c.UsesDataDir {
		return true, nil
	}
	lock, err := lockFolder(c.DataDir)
	if errors.Is(err, errFolderInUse) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, lock.Close()
}
