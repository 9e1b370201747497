package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"parkwire/internal/app"
	"parkwire/internal/config"
	"parkwire/internal/consumer"
	"parkwire/internal/progress"
)

// rebuild deletes what a service has made of the log, and makes it again. The service may run meanwhile.
func rebuild(ctx context.Context, s streams, args []string) error {
	flags := newFlags(s, "rebuild "+strings.Join(append(slices.Clone(app.Rebuildable), string(config.Parking)), "|")+" [settings]")
	loader := config.NewLoader()
	loader.RegisterFlags(flags)
	another := flags.Bool("another-log", false, "delete what was made of another log than the one that is read: what is not in this one does not come back")
	service := ""
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		service, args = args[0], args[1:]
	}
	if err := parse(flags, args); err != nil {
		return err
	}
	if service == string(config.Parking) {
		return catchUp(ctx, s, loader)
	}
	if !slices.Contains(app.Rebuildable, service) {
		if service == "" {
			return usageError("which service? One of " + strings.Join(app.Rebuildable, ", ") + ", as in `parkwire rebuild history`")
		}
		return usageError(fmt.Sprintf("%q cannot be rebuilt%s; %s can", service, config.DidYouMean(service, app.Rebuildable), strings.Join(app.Rebuildable, ", ")))
	}
	if err := loader.Load(s.environ); err != nil {
		return err
	}
	c, err := loader.Resolve(rebuildTarget(loader.Config(), service))
	if err != nil {
		return err
	}
	if c.LogLevel == "info" {
		c.LogLevel = "warn" // progress says enough
	}
	logger := newLogger(s, c)
	for _, warning := range loader.Warnings {
		logger.Warn(warning)
	}
	line := progress.NewLine(s.err, isTerminal(s.err), 200*time.Millisecond)
	steps := newSteps()
	err = app.Rebuild(ctx, c, service, app.RebuildOptions{
		Options: app.Options{Version: version, Logger: logger}, AnotherLog: *another,
		Meanwhile: func(brokers []string) {
			fmt.Fprintf(s.err, "The platform runs on %s: its log is read at %s, and the service goes on when this is done.\n", c.DataDir, strings.Join(brokers, ","))
		},
		Begins: func(consumer string, records int64, oldest time.Time) {
			line.Clear()
			fmt.Fprintln(s.err, begin(consumer, records, oldest))
		},
		Progress: func(consumer string, done, total int64) {
			if text := steps.at(consumer, done, total); line.Due() {
				line.Show(text)
			}
		},
	})
	line.Clear()
	for _, text := range steps.all() {
		fmt.Fprintln(s.out, text)
	}
	if errors.Is(err, consumer.ErrAnotherLog) {
		return fmt.Errorf("%w. Look at kafka-brokers, kafka-topic and %s-database-url; --another-log says that it is meant", err, service)
	}
	if err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("interrupted: what is left the service does when it runs, or this command when it is run again: %w", err)
		}
		return err
	}
	fmt.Fprintf(s.out, "%s is rebuilt\n", service)
	return nil
}

// catchUp brings a database of the parking part that was restored from a backup to where the log is.
func catchUp(ctx context.Context, s streams, loader *config.Loader) error {
	if err := loader.Load(s.environ); err != nil {
		return err
	}
	c, err := loader.Resolve(rebuildTarget(loader.Config(), string(config.Parking)))
	if err != nil {
		return err
	}
	if c.LogLevel == "info" {
		c.LogLevel = "warn"
	}
	logger := newLogger(s, c)
	for _, warning := range loader.Warnings {
		logger.Warn(warning)
	}
	line := progress.NewLine(s.err, isTerminal(s.err), 200*time.Millisecond)
	steps := newSteps()
	r, err := app.CatchUp(ctx, c, app.CatchUpOptions{
		Options: app.Options{Version: version, Logger: logger},
		Progress: func(done, total int64) {
			if text := steps.at("parking", done, total); line.Due() {
				line.Show(text)
			}
		},
	})
	line.Clear()
	if err != nil {
		return fmt.Errorf("what was applied stays, and it may be run again: %w", err)
	}
	fmt.Fprintf(s.out, "events that the database did not have: %d, of %d spots\n", r.Events, r.Spots)
	if r.Unknown > 0 {
		fmt.Fprintf(s.out, "of %d of these the log has forgotten what lies between: they are as they are now, and their histories have a hole\n", r.Unknown)
	}
	if n := len(r.Untold); n > 0 {
		fmt.Fprintf(s.out, "spots of which neither the log nor its twin knows: %d (%s). They may have been removed after the backup: remove those that are gone\n", n, some(r.Untold))
	}
	fmt.Fprintf(s.out, "lots: %d, zones: %d, sensors: %d, keys and revocations: %d\nparking is where the log is\n", r.Lots, r.Zones, r.Sensors, r.Keys)
	return nil
}

// some are the first of very many names.
func some(names []string) string {
	const most = 20
	if len(names) > most {
		return strings.Join(names[:most], ", ") + " and others"
	}
	return strings.Join(names, ", ")
}

// begin says how far the log goes back, before what is older is deleted.
func begin(consumer string, records int64, oldest time.Time) string {
	if oldest.IsZero() {
		return consumer + ": the log is empty; nothing of what was made before comes back"
	}
	return fmt.Sprintf("%s: the log has %d records since %s; what was made of older ones does not come back", consumer, records, oldest.UTC().Format(time.RFC3339))
}

// rebuildTarget is what the settings are resolved for: the service alone where Kafka is elsewhere, unless `parkwire all` keeps its database in the folder.
func rebuildTarget(c config.Config, service string) config.Target {
	file := service + ".db"
	if service == string(config.Parking) {
		file = "parkwire.db"
	}
	if _, err := os.Stat(filepath.Join(c.DataDir, file)); err == nil || len(c.KafkaBrokers) == 0 {
		return config.All
	}
	return config.Target(service)
}

// steps are how far each consumer is.
type steps struct {
	names []string
	began map[string]time.Time
	last  map[string]string
}

func newSteps() *steps { return &steps{began: map[string]time.Time{}, last: map[string]string{}} }

// at returns a line that says how far one is.
func (s *steps) at(consumer string, done, total int64) string {
	if _, known := s.began[consumer]; !known {
		s.names, s.began[consumer] = append(s.names, consumer), time.Now()
	}
	share := 100.0
	if total > 0 {
		share = 100 * float64(done) / float64(total)
	}
	seconds := max(time.Since(s.began[consumer]).Seconds(), 0.001)
	s.last[consumer] = fmt.Sprintf("%s: %d of %d records (%.0f %%), %.0f a second", consumer, done, total, share, float64(done)/seconds)
	return s.last[consumer]
}

// all returns the last line of each.
func (s *steps) all() (lines []string) {
	for _, name := range s.names {
		lines = append(lines, s.last[name])
	}
	return lines
}
