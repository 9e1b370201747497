// Package consumer is the frame of a service that reads the log and keeps what it makes of it in a database of its own, exactly once: what a batch of
// records does and the place behind it are committed together.
//
// Of all processes of a service one reads at a time; the others stand by. That is agreed on in a consumer group of Kafka, and made sure of in the database: each
// transaction says which revision of the positions it goes on from, and fails where another process has moved them.
package consumer

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parkwire/internal/kafkalog"
	"parkwire/internal/sqldb"
	"parkwire/internal/trace"
)

// From says where a consumer begins that has no position yet.
type From int

// The beginnings. The twin comes as records with Offset -1, one a spot: the newest event of each that is there. What the log behind it tells once more, by
// the version that it has, is for the [Effect] to leave out.
const (
	Beginning From = iota // with the oldest record of the log
	Twin                  // with the compacted twin of the events' topic, and then with what the log has behind it
	Whole                 // with the compacted twin, and then with the oldest record of the log
)

// Options configure a [Consumer]. Name, Log, DB and Effect are required.
type Options struct {
	// Name names the consumer group ([kafkalog.Log.Group]: "parkwire-"+Name), the metrics, and the rows of the frame's tables. Each consumer has one of its own.
	Name  string
	Topic string // default: the events' topic
	From  From

	Log    *kafkalog.Log
	DB     *sqldb.DB // with [Migrations] among its sets
	Effect Effect
	// Committed, where set, is called after each commit, and once loaded; where another process has committed, within about a second. It must not block.
	Committed func()

	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Tracer     *trace.Tracer // nil: no traces
}

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of the frame.
func Migrations() sqldb.Set { return sqldb.NewSet("consumer", migrations) }

// Consumer reads a topic into a database.
type Consumer struct {
	options  Options
	group    string
	logger   *slog.Logger
	metrics  *metrics
	patience patience
	keep     int64 // bytes of what is set aside

	work  work  // of the process that reads
	watch watch // of every process
}

// patience is how long things are waited for. Tests have less.
type patience struct {
	retry    time.Duration // before what failed is tried again: at first, and at most
	longest  time.Duration
	look     time.Duration // between two looks at where the log and the positions stand
	abandon  time.Duration // without a sign of who rebuilds, after which it is taken to be dead
	truncate time.Duration // for which the log ends before the position, until that is believed
	end      time.Duration // of a rebuild, for its last transaction
}

// New makes a consumer; [Consumer.Run] starts it.
func New(o Options) *Consumer {
	o.Topic = cmp.Or(o.Topic, o.Log.Topic())
	o.Logger = cmp.Or(o.Logger, slog.Default())
	if o.Committed == nil {
		o.Committed = func() {}
	}
	c := &Consumer{
		options: o, group: o.Log.Group(o.Name), logger: o.Logger.With("consumer", o.Name),
		patience: patience{retry: 100 * time.Millisecond, longest: 5 * time.Second, look: time.Second, abandon: 15 * time.Second, truncate: 10 * time.Second, end: 5 * time.Second},
		keep:     keepRejected,
	}
	c.metrics = newMetrics(o, c)
	c.set(errors.New("it has not begun yet"))
	return c
}

// Name is the name of the consumer.
func (c *Consumer) Name() string { return c.options.Name }

// Ready returns nil, or why the consumer does not read, or not take over when it must. One that has much to catch up with is ready.
func (c *Consumer) Ready() error {
	if err := c.options.DB.Ready(); err != nil {
		return fmt.Errorf("consumer %s: %w", c.options.Name, err)
	}
	if err := c.options.Log.Ready(); err != nil {
		return fmt.Errorf("consumer %s: %w", c.options.Name, err)
	}
	c.work.mu.Lock()
	defer c.work.mu.Unlock()
	if err := cmp.Or(c.work.trouble, c.work.group); err != nil {
		return fmt.Errorf("consumer %s: %w", c.options.Name, err)
	}
	return nil
}

// Run reads until ctx ends, whenever it is this process's turn.
func (c *Consumer) Run(ctx context.Context) error {
	if err := c.options.Log.EnsureTopics(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	var watching sync.WaitGroup
	defer watching.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watching.Go(func() { c.look(ctx) })
	return c.run(ctx)
}
