package main

import (
	"context"
	"log/slog"
	"time"

	"parkwire/internal/app"
	"parkwire/internal/city"
	"parkwire/internal/client"
	"parkwire/internal/config"
	"parkwire/internal/identity"
)

// demo runs all, and beside it a city that lives: a client of the platform like any other, with a token of its own.
func demo(ctx context.Context, s streams, args []string) error {
	loader := config.NewLoader()
	flags := newFlags(s, "demo [--seed N] [--speed N] [settings]")
	seed := flags.Uint64("seed", 1, "what the city is generated from; the same seed makes the same city")
	speed := flags.Float64("speed", city.DefaultSpeed, "how many times faster than a real day the city's day goes")
	beside := func(c *config.Resolved, logger *slog.Logger) (companion, error) {
		if err := city.CheckSpeed(*speed); err != nil {
			return nil, usageError("--speed: " + err.Error())
		}
		return func(ctx context.Context, url string) error {
			driver, err := newCityClient(c, url)
			if err != nil {
				return err
			}
			defer driver.Close()
			return city.Run(ctx, city.Options{Client: driver, Seed: *seed, Speed: *speed, Logger: logger.With("part", "city")})
		}, nil
	}
	a, err := load(s, loader, flags, config.All, args, beside)
	if err != nil {
		return err
	}
	return a.Run(ctx)
}

func newCityClient(c *config.Resolved, url string) (*client.Client, error) {
	verifier, err := app.Verifier(c)
	if err != nil {
		return nil, err
	}
	const aYear = 365 * 24 * time.Hour
	token, err := verifier.Issue(identity.Principal{Subject: "demo-city", Scopes: []string{identity.ScopeOperate}}, aYear)
	if err != nil {
		return nil, err
	}
	return client.New(client.Options{URL: url, Token: token})
}
