package parking

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parkwire/internal/event"
	"parkwire/internal/trace"
)

// Options configure a [Service]. Store is required.
type Options struct {
	Store Store
	// Topic returns the identity of the event log's topic, and false while it is not known. With it the
	// answer to a query of spots has the cursor from which notifications go on. Nil: never known.
	Topic func() (event.TopicID, bool)

	// HistoryRetention is how long entries of the history are kept. Default 30 days.
	HistoryRetention time.Duration
	// SweepInterval is how often silent sensors and ended reservations are looked for. Default 1 s, which is
	// also how late their events may be. A sweep looks at supervised spots alone, some 40 ms for 100,000 of them.
	SweepInterval time.Duration

	Clock      func() time.Time // nil: time.Now
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Tracer     *trace.Tracer // nil: no traces
}

// Service is the parking part: it changes what the store keeps by the rules of [Spot], and tells of it.
// Any number of them may work on one store.
type Service struct {
	options   Options
	store     Store
	logger    *slog.Logger
	metrics   *metrics
	commits   *committer
	claims    claims
	feed      *feed
	importing chan struct{} // one element for each import under way
}

// NewService returns a service that does nothing yet: [Service.Handler] serves requests, [Service.Run] supervises.
func NewService(o Options) *Service {
	if o.Topic == nil {
		o.Topic = func() (event.TopicID, bool) { return event.TopicID{}, false }
	}
	if o.HistoryRetention <= 0 {
		o.HistoryRetention = 30 * 24 * time.Hour
	}
	if o.SweepInterval <= 0 {
		o.SweepInterval = time.Second
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	s := &Service{options: o, store: o.Store, logger: o.Logger, metrics: newMetrics(o.Registerer), feed: newFeed(), importing: make(chan struct{}, 2)}
	s.commits = &committer{commit: s.commitReadings}
	return s
}

// Ready returns nil, or why requests cannot be served at present.
func (s *Service) Ready() error { return s.store.Ready() }

// Run looks after what happens by the passing of time, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { s.feed.run(ctx, s.store) })
	sweep := time.NewTicker(s.options.SweepInterval)
	defer sweep.Stop()
	prune := time.NewTicker(pruneInterval)
	defer prune.Stop()
	sweeping := complaint{logger: s.logger, task: "silent sensors and ended reservations"}
	pruning := complaint{logger: s.logger, task: "the end of old history and answers"}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-sweep.C:
			sweeping.report(ctx, s.sweep(ctx))
		case <-prune.C:
			pruning.report(ctx, s.prune(ctx))
		}
	}
}

// now is the present, as precise as it is kept.
func (s *Service) now() time.Time { return event.At(s.options.Clock()).Time }
