package app

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"time"

	"parkwire/internal/config"
	"parkwire/internal/trace"
)

// farewell is how long the collector has at the end to take the last spans.
const farewell = 3 * time.Second

// makeTracer makes what begins spans, which all other parts may use, where there is a collector to send them to.
func (a *App) makeTracer() error {
	c := a.config
	if c.TraceEndpoint == "" {
		return nil
	}
	name := "parkwire"
	if c.Target != config.All {
		name += "-" + string(c.Target)
	}
	host, _ := os.Hostname()
	_, port, _ := net.SplitHostPort(c.Listen)
	tracer, err := trace.New(trace.Options{
		Endpoint: c.TraceEndpoint, Service: name, Version: a.options.Version, Instance: cmp.Or(host, "localhost") + ":" + port,
		Share: c.TraceShare, PerSecond: c.TraceLimit, Logger: a.logger("traces"), Registerer: a.registry,
	})
	if err != nil {
		return fmt.Errorf("--trace-endpoint: %w", err)
	}
	a.tracer = tracer
	return nil
}

// makeTraces sends the last spans when everything else has ended.
func (a *App) makeTraces() (part, error) {
	if a.tracer == nil {
		return part{}, nil
	}
	return part{close: func() error {
		ctx, cancel := context.WithTimeout(context.Background(), farewell)
		defer cancel()
		_ = a.tracer.Close(ctx) // that a collector is away is told already, and is no failure of the platform
		return nil
	}}, nil
}
