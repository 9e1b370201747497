// Package history keeps what the log of events tells of the past: since when each spot was what, who stayed how long, and for each lot and zone how
// many spots were what at which time. It is a service of its own, which reads the log and nothing else of the platform.
package history

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"parkwire/internal/consumer"
	"parkwire/internal/directory"
	"parkwire/internal/kafkalog"
	"parkwire/internal/sqldb"
	"parkwire/internal/trace"
)

// Options configure a [Service]. Log and DB are required; DB has [Sets].
type Options struct {
	Log       *kafkalog.Log
	DB        *sqldb.DB
	Retention Retention

	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Tracer     *trace.Tracer // nil: no traces
}

// Service is the history service.
type Service struct {
	db        *sqldb.DB
	logger    *slog.Logger
	clock     func() time.Time
	retention Retention
	metrics   *metrics
	tracer    *trace.Tracer

	effect    *effect
	through   func() (t time.Time, current bool) // of events
	events    *consumer.Consumer
	directory *consumer.Consumer
}

//go:embed migrations
var migrations embed.FS

// Sets are the migrations of what the service keeps.
func Sets() []sqldb.Set {
	return []sqldb.Set{consumer.Migrations(), directory.Migrations(), sqldb.NewSet("history", migrations)}
}

// New makes the service; [Service.Run] starts it.
func New(o Options) *Service {
	o.Logger = cmp.Or(o.Logger, slog.Default())
	s := &Service{db: o.DB, logger: o.Logger, clock: time.Now, retention: o.Retention, metrics: newMetrics(o.Registerer), tracer: o.Tracer}
	s.effect = newEffect(s.metrics)
	// The log holds days, and some spots have not changed for longer: the compacted twin knows them.
	s.events = consumer.New(consumer.Options{
		Name: "history", From: consumer.Whole, Log: o.Log, DB: o.DB, Effect: s.effect, Committed: s.effect.committed,
		Logger: o.Logger, Registerer: o.Registerer, Tracer: o.Tracer,
	})
	s.through = s.events.Through
	s.directory = consumer.New(consumer.Options{
		Name: "history-directory", Topic: o.Log.AuditTopic(), Log: o.Log, DB: o.DB, Effect: directory.Effect(),
		Logger: o.Logger, Registerer: o.Registerer,
	})
	return s
}

// Consumers are those that a rebuild is about. Descriptions are kept by it.
func (s *Service) Consumers() []*consumer.Consumer {
	return []*consumer.Consumer{s.events, s.directory}
}

// Run reads the log, and removes what is old, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.events.Run(ctx) })
	group.Go(func() error { return s.directory.Run(ctx) })
	group.Go(func() error { s.prune(ctx); return nil })
	return group.Wait()
}

// Ready returns nil, or why the service does not learn what happens. One that has much to catch up with is ready, and says how far it is.
func (s *Service) Ready() error { return errors.Join(s.events.Ready(), s.directory.Ready()) }

// Until returns up to when the past is known: the present where the log was read to its end a moment ago, else as far as it was read, cut to a quarter
// of an hour, since partitions are not read equally far. Zero: nothing is known.
func (s *Service) Until() time.Time {
	through, current := s.through()
	if through.IsZero() {
		return time.Time{}
	}
	if !current {
		return through.UTC().Truncate(quarter)
	}
	// The clocks of sensors may be a little ahead.
	if newest := s.effect.known(); newest.After(through) && newest.Before(through.Add(2*clockSkew)) {
		return newest.UTC()
	}
	return through.UTC()
}
