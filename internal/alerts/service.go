// Package alerts is the alerts service: subjects write rules about lots and spots, and are told when these come true. It reads the event log as a consumer
// group of its own. What a batch of events does to spots and rules, and the decisions that follow, are committed together with the place in
// the log, so that each is made once.
package alerts

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"parkwire/internal/alerts/delivery"
	"parkwire/internal/alerts/outbox"
	"parkwire/internal/consumer"
	"parkwire/internal/directory"
	"parkwire/internal/event"
	"parkwire/internal/identity"
	"parkwire/internal/kafkalog"
	"parkwire/internal/rest"
	"parkwire/internal/sqldb"
	"parkwire/internal/trace"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Sets are the migrations of everything that the service keeps.
func Sets() []sqldb.Set {
	return []sqldb.Set{consumer.Migrations(), directory.Migrations(), outbox.Migrations(), delivery.Migrations(), sqldb.NewSet("alerts", migrations)}
}

// Access knows what became of what somebody showed; [access.Set] provides it.
type Access interface {
	// Check returns the principal as it is by now. The error has [identity.ErrToken] in its chain where what it showed is taken no more.
	Check(identity.Principal) (identity.Principal, error)
	// Changed returns a channel that is closed when something is said of any.
	Changed() <-chan struct{}
}

type nothingRevoked struct{}

func (nothingRevoked) Check(p identity.Principal) (identity.Principal, error) { return p, nil }
func (nothingRevoked) Changed() <-chan struct{}                               { return nil }

// Options configure a [Service]. Log and DB are required.
type Options struct {
	Log *kafkalog.Log
	DB  *sqldb.DB // with [Sets]

	// RulesPerSubject bounds how many rules a subject has. Default 100.
	RulesPerSubject int
	// StreamsPerSubject bounds how many streams a subject has open at one process. Default 16.
	StreamsPerSubject int
	// Streams bounds how many there are in all at one process. Default 10,000.
	Streams int
	// Retention is how long decisions are kept, and can be resumed from. Default 30 days.
	Retention time.Duration
	// Fresh is how old an event may be, by its time in the log, for somebody to be told of it. Default 5 min. What a service finds that was away for longer
	// changes what is so; told is what is so when it has caught up.
	Fresh time.Duration

	// Access says what is revoked of what streams were opened with. Default: nothing ever is.
	Access   Access
	Delivery delivery.Options // but for DB, Logger, Registerer, Tracer, and whom it tells of changes

	Clock      func() time.Time // nil: time.Now
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Tracer     *trace.Tracer // nil: no traces
}

// Service is one process of the service. Any number may work on one database: one of them decides, all serve and deliver.
type Service struct {
	options   Options
	db        *sqldb.DB
	logger    *slog.Logger
	metrics   *metrics
	outbox    *outbox.Outbox
	delivery  *delivery.Service
	decider   *decider
	consumers []*consumer.Consumer
	streams   *streams
	writing   chan struct{} // held by who changes a rule
}

// New returns a service that does nothing yet: [Service.Handler] serves requests, [Service.Run] decides.
func New(o Options) (*Service, error) {
	o.RulesPerSubject = cmp.Or(o.RulesPerSubject, 100)
	o.StreamsPerSubject = cmp.Or(o.StreamsPerSubject, 16)
	o.Streams = cmp.Or(o.Streams, 10_000)
	o.Retention = cmp.Or(o.Retention, 30*24*time.Hour)
	o.Fresh = cmp.Or(o.Fresh, 5*time.Minute)
	o.Logger = cmp.Or(o.Logger, slog.Default())
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Access == nil {
		o.Access = nothingRevoked{}
	}
	s := &Service{options: o, db: o.DB, logger: o.Logger, writing: make(chan struct{}, 1)}
	s.outbox = outbox.New(outbox.Options{DB: o.DB, Log: o.Log, Clock: o.Clock, Logger: o.Logger})
	o.Delivery.DB, o.Delivery.Logger, o.Delivery.Registerer = o.DB, o.Logger, o.Registerer
	o.Delivery.Audit, o.Delivery.Audited, o.Delivery.Sending.Keep = s.outbox.Append, s.outbox.Wake, o.Retention
	o.Delivery.Now, o.Delivery.Tracer = o.Clock, o.Tracer
	var err error
	if s.delivery, err = delivery.New(o.Delivery); err != nil {
		return nil, err
	}
	s.streams = newStreams(o.DB, o.Streams, o.StreamsPerSubject)
	s.decider = newDecider(o)
	s.metrics = newMetrics(o.Registerer, s)
	s.decider.metrics = s.metrics
	events := consumer.New(consumer.Options{
		Name: "alerts", From: consumer.Twin, Log: o.Log, DB: o.DB, Effect: s.decider, Committed: s.committed, Logger: o.Logger, Registerer: o.Registerer, Tracer: o.Tracer,
	})
	s.decider.current = func() bool { _, current := events.Through(); return current }
	s.consumers = []*consumer.Consumer{events, consumer.New(consumer.Options{
		Name: "alerts-directory", Topic: o.Log.AuditTopic(), Log: o.Log, DB: o.DB, Effect: directory.Effect(), Committed: s.decider.attend,
		Logger: o.Logger, Registerer: o.Registerer,
	})}
	return s, nil
}

// committed is called when something was decided, here or by another process.
func (s *Service) committed() {
	s.decider.committed()
	s.streams.attend()
	s.delivery.Wake()
}

// Consumers are those of its topics, for who rebuilds.
func (s *Service) Consumers() []*consumer.Consumer { return s.consumers }

// Ready returns nil, or why requests cannot be served at present.
func (s *Service) Ready() error {
	errs := []error{s.db.Ready(), s.delivery.Ready()}
	for _, c := range s.consumers {
		errs = append(errs, c.Ready())
	}
	return errors.Join(errs...)
}

// Run decides, delivers and looks after what is kept, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, c := range s.consumers {
		group.Go(func() error { return c.Run(ctx) })
	}
	group.Go(func() error { return s.outbox.Run(ctx) })
	group.Go(func() error { return s.delivery.Run(ctx) })
	group.Go(func() error { return s.streams.run(ctx, s.logger) })
	group.Go(func() error { return s.decider.pace(ctx) })
	group.Go(func() error { return s.prune(ctx) })
	return group.Wait()
}

// Drain ends the streams between two events, and refuses others from now on.
func (s *Service) Drain(ctx context.Context) { s.streams.drain(ctx) }

// now is the present, as precise as it is kept.
func (s *Service) now() time.Time { return event.At(s.options.Clock()).Time }

const (
	pruneInterval = 10 * time.Minute
	pruneBatch    = 5000 // decisions a transaction
)

// prune deletes decisions that were kept for long enough.
func (s *Service) prune(ctx context.Context) error {
	tick := time.NewTicker(pruneInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := s.pruneDecisions(ctx); err != nil && ctx.Err() == nil {
			s.logger.Warn("old decisions cannot be deleted", "error", err)
		}
	}
}

func (s *Service) pruneDecisions(ctx context.Context) error {
	before := s.now().Add(-s.options.Retention).UnixMilli()
	for {
		var n int64
		err := s.db.Update(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
			n, err = tx.Exec(ctx, "delete from alert_decisions where sequence in (select sequence from alert_decisions where decided_ms < ? order by decided_ms limit ?)", before, pruneBatch)
			return err
		})
		if err != nil || n < pruneBatch {
			return err
		}
	}
}

// Handler serves everything under /api/v1/alerts. It trusts the headers by which a gateway says who makes a request, see [identity.Behind].
func (s *Service) Handler() http.Handler {
	return rest.Handler(s.routes(), rest.Options{Unavailable: sqldb.ErrUnavailable, Logger: s.logger, Tracer: s.options.Tracer})
}

// routes are all for those who say who they are, also where reading is public: rules and alerts belong to subjects.
func (s *Service) routes() rest.Routes {
	const read = identity.ScopeRead
	routes := rest.Routes{
		"/alerts/rules":          {"GET": {Scope: read, Serve: s.getRules}, "POST": {Scope: read, Serve: s.postRule}},
		"/alerts/rules/{ruleId}": {"GET": {Scope: read, Serve: s.getRule}, "PATCH": {Scope: read, Serve: s.patchRule}, "DELETE": {Scope: read, Serve: s.deleteRule}},
		"/alerts/decisions":      {"GET": {Scope: read, Serve: s.getDecisions}},
		"/alerts/stream":         {"GET": {Scope: read, Serve: s.getStream}},
	}
	maps.Copy(routes, s.delivery.Routes())
	return routes
}
