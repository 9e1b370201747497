package kafkalog

import (
	"context"
	"log/slog"
)

// BrokerOptions configure an embedded broker. Dir is required.
type BrokerOptions struct {
	Dir       string // where it stores; one process at a time
	Listen    string // default "127.0.0.1:9092"
	Advertise string // HOST:PORT that clients are told; default Listen, with localhost for an address that means all
	Logger    *slog.Logger
}

// Broker is the embedded broker.
type Broker struct{}

// StartBroker starts a broker. An error for a port in use has syscall.EADDRINUSE in its chain.
func StartBroker(ctx context.Context, o BrokerOptions) (*Broker, error) { return nil, errNotBuilt }

// Addr returns the address that clients are told.
func (b *Broker) Addr() string { return "" }

// Close stops the broker when everything is on disk.
func (b *Broker) Close() error { return nil }
