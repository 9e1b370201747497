package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"

	"parkwire/internal/app"
	"parkwire/internal/config"
	"parkwire/internal/trace"
)

// collectAt is by how many percent the heap of a notification instance grows until it is collected, where GOGC does not say. There are very
// many small clients and next to no garbage once they are there, so that the runtime's 100 costs memory and gains nothing; see
// docs/engine.md for what was measured.
const collectAt = 40

// serve returns the command that runs a target.
func serve(target config.Target) func(context.Context, streams, []string) error {
	return func(ctx context.Context, s streams, args []string) error {
		if target == config.Notifications && os.Getenv("GOGC") == "" {
			debug.SetGCPercent(collectAt)
		}
		loader := config.NewLoader()
		flags := newFlags(s, string(target)+" [settings]")
		a, err := load(s, loader, flags, target, args, nil)
		if err != nil {
			return err
		}
		defer context.AfterFunc(ctx, func() { _ = tellSupervisor(context.WithoutCancel(ctx), s.environ, "STOPPING=1") })()
		return a.Run(ctx)
	}
}

// A companion runs beside the platform, as a client of it at url.
type companion func(ctx context.Context, url string) error

// load makes the platform of a command line. beside, which makes its companion, may be nil.
func load(s streams, loader *config.Loader, flags *flag.FlagSet, target config.Target, args []string,
	beside func(*config.Resolved, *slog.Logger) (companion, error)) (*app.App, error) {
	loader.RegisterFlags(flags)
	if err := parse(flags, args); err != nil {
		return nil, err
	}
	if err := loader.Load(s.environ); err != nil {
		return nil, err
	}
	c, err := loader.Resolve(target)
	if err != nil {
		return nil, err
	}
	logger := newLogger(s, c)
	for _, warning := range loader.Warnings {
		logger.Warn(warning)
	}
	options := app.Options{Version: version, Logger: logger}
	if beside != nil {
		if options.Companion, err = beside(c, logger); err != nil {
			return nil, err
		}
	}
	options.Ready = func(url string) {
		if err := tellSupervisor(context.Background(), s.environ, "READY=1"); err != nil {
			logger.Warn("systemd does not hear that the process is ready", "error", err)
		}
		if target == config.All && isTerminal(s.err) {
			fmt.Fprint(s.err, welcome(c, url))
		}
	}
	return app.New(c, options)
}

// welcome tells somebody who started the platform at a terminal what to do next.
func welcome(c *config.Resolved, url string) string {
	key := ""
	switch {
	case c.MakeKey:
		key = " --data-dir " + c.DataDir
	case c.JWTKey == "":
		key = " --jwt-key-file " + c.JWTKeyFile
	}
	return fmt.Sprintf("\n  Parkwire is ready: open %s\n  `%s token --scope operate%s` prints a token for changes. Ctrl+C ends it.\n\n", url, os.Args[0], key)
}

func newLogger(s streams, c *config.Resolved) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.LogLevel)) // was validated
	options := &slog.HandlerOptions{Level: level}
	handler := slog.Handler(slog.NewTextHandler(s.err, options))
	if c.LogFormat == "json" {
		handler = slog.NewJSONHandler(s.err, options)
	}
	return slog.New(trace.LogHandler(handler))
}
