package main

import (
	"context"
	"flag"
	"log/slog"

	"parkwire/internal/app"
	"parkwire/internal/config"
)

// serve returns the command that runs a target.
func serve(target config.Target) func(context.Context, streams, []string) error {
	return func(ctx context.Context, s streams, args []string) error {
		loader := config.NewLoader()
		flags := newFlags(s, string(target)+" [settings]")
		a, err := load(s, loader, flags, target, args, nil)
		if err != nil {
			return err
		}
		return a.Run(ctx)
	}
}

// load makes the platform of a command line. companion may be nil.
func load(s streams, loader *config.Loader, flags *flag.FlagSet, target config.Target, args []string,
	companion func(c *config.Resolved, logger *slog.Logger) func(context.Context) error) (*app.App, error) {
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
	if companion != nil {
		options.Companion = companion(c, logger)
	}
	return app.New(c, options)
}

func newLogger(s streams, c *config.Resolved) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.LogLevel)) // was validated
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(s.err, options))
	}
	return slog.New(slog.NewTextHandler(s.err, options))
}
