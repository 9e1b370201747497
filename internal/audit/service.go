// Package audit keeps what happened and who changed what so that nobody can change it unnoticed: every record of the topics of events and of changes
// becomes one of a chain, in which each is hashed with the one before it. docs/audit.md says what that proves and what it does not.
package audit

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"parkwire/internal/consumer"
	"parkwire/internal/kafkalog"
	"parkwire/internal/sqldb"
	"parkwire/internal/trace"
)

// Options configure a [Service]. Log and DB are required; DB has the tables of [Sets].
type Options struct {
	Log *kafkalog.Log
	DB  *sqldb.DB

	// Retention is how long records are kept after they became part of the chain; 0: for ever. A checkpoint takes their place.
	Retention time.Duration
	// HeadInterval is how often the head is logged, and signed where there is a key, if it has moved. Default 1 min.
	HeadInterval time.Duration
	// Key signs heads; nil: they are not signed. See [ReadKey].
	Key ed25519.PrivateKey

	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Tracer     *trace.Tracer    // nil: no traces
	Now        func() time.Time // default time.Now
}

// Service is the audit service.
type Service struct {
	db        *sqldb.DB
	retention time.Duration
	interval  time.Duration
	key       ed25519.PrivateKey
	logger    *slog.Logger
	now       func() time.Time
	metrics   *metrics
	tracer    *trace.Tracer
	consumers []*consumer.Consumer

	logged Head // what the log was told last; used by one goroutine
}

// Sets are the migrations of the service's database.
func Sets() []sqldb.Set { return []sqldb.Set{consumer.Migrations(), Migrations()} }

// New makes a service; [Service.Run] starts it.
func New(o Options) *Service {
	s := &Service{
		db: o.DB, retention: o.Retention, interval: cmp.Or(o.HeadInterval, time.Minute), key: o.Key,
		logger: cmp.Or(o.Logger, slog.Default()), now: o.Now, metrics: newMetrics(o.Registerer), tracer: o.Tracer,
	}
	if s.now == nil {
		s.now = time.Now
	}
	for _, c := range []struct {
		name, topic string
		describe    func(*Entry)
	}{
		{"audit", o.Log.Topic(), describeEvent},
		{"audit-changes", o.Log.AuditTopic(), describeChange},
	} {
		effect := &chainer{topic: c.topic, describe: c.describe, now: s.now, metrics: s.metrics}
		s.consumers = append(s.consumers, consumer.New(consumer.Options{
			Name: c.name, Topic: c.topic, From: consumer.Beginning, Log: o.Log, DB: o.DB, Effect: effect, Committed: effect.committed,
			Logger: s.logger, Registerer: o.Registerer, Tracer: o.Tracer,
		}))
	}
	return s
}

// Consumers are those of both topics.
func (s *Service) Consumers() []*consumer.Consumer { return s.consumers }

// Ready returns nil, or why the chain does not go on.
func (s *Service) Ready() error {
	for _, c := range s.consumers {
		if err := c.Ready(); err != nil {
			return err
		}
	}
	return nil
}

// farewell is how long the head may take to be told a last time.
const farewell = 2 * time.Second

// Run appends to the chain, removes what is old, and tells of the head, until ctx ends; the head of the end as well, so that nobody can use the time until the next start.
func (s *Service) Run(ctx context.Context) error {
	group, running := errgroup.WithContext(ctx)
	for _, c := range s.consumers {
		group.Go(func() error { return c.Run(running) })
	}
	group.Go(func() error { return s.every(running, s.interval, s.tellHead) })
	if s.retention > 0 {
		group.Go(func() error { return s.every(running, removeEvery, s.removeOld) })
	}
	err := group.Wait()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	if err := s.tellHead(last); err != nil {
		s.logger.Warn("the head of the audit chain is not told a last time", "error", err)
	}
	return err
}

// every does something at once and then in intervals, until ctx ends. What fails is logged, and done again the next time.
func (s *Service) every(ctx context.Context, interval time.Duration, do func(context.Context) error) error {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		if err := do(ctx); err != nil && ctx.Err() == nil {
			level := slog.LevelError
			if errors.Is(err, sqldb.ErrUnavailable) {
				level = slog.LevelWarn
			}
			s.logger.Log(ctx, level, "the audit chain", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// tellHead logs where the chain ends, so that somebody can keep that elsewhere, and signs it.
func (s *Service) tellHead(ctx context.Context) error {
	var head Head
	err := s.db.View(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		if head, _, err = findHead(ctx, tx); err != nil {
			return err
		}
		return s.goesOn(ctx, tx, head)
	})
	s.metrics.changed(errors.Is(err, errChanged))
	if err != nil || head.Sequence == 0 || head.Sequence == s.logged.Sequence && head.Chain == s.logged.Chain {
		return err
	}
	s.metrics.head.Set(float64(head.Sequence))
	attributes := []any{"chain", head.Chain, "head", head.String(), "recorded_at", timeText(head.RecordedAt)}
	if s.key != nil {
		signed := sign(s.key, head, s.now().UnixMilli())
		if err := s.db.Update(ctx, signed.keep); err != nil {
			return fmt.Errorf("keeping the signature of a head: %w", err)
		}
		attributes = append(attributes, "key", signed.KeyID, "signed_at", timeText(signed.SignedAt), "signature", fmt.Sprintf("%x", signed.Signature))
	}
	s.logger.Info("the head of the audit chain", attributes...)
	s.logged = head
	return nil
}

// errChanged says that somebody has changed the chain while the service ran.
var errChanged = errors.New("the chain does not go on from the head that this service told last: it was changed, or replaced. It is not signed any more; `parkwire audit verify` with that head tells where")

// goesOn looks whether the head that was told last is in the chain still. A chain that was computed anew by somebody who has the database and not the key would
// else be signed as it is now. After a restart the newest signature takes the place of what was told.
func (s *Service) goesOn(ctx context.Context, tx *sqldb.Tx, head Head) error {
	last := s.logged
	if last.Sequence == 0 && s.key != nil {
		newest, _, err := sqldb.One(ctx, tx, scanSignature, `select `+signatureColumns+` from audit_signatures order by sequence desc limit 1`)
		if err != nil {
			return fmt.Errorf("reading the newest signature of a head: %w", err)
		}
		last = Head{Chain: head.Chain, Sequence: newest.Sequence, Hash: newest.Hash}
	}
	if last.Sequence == 0 {
		return nil
	}
	hash, known, err := hashAt(ctx, tx, last.Sequence)
	if err == nil && (head.Chain != last.Chain || known && hash != last.Hash) {
		err = fmt.Errorf("%w: %s", errChanged, last)
	}
	return err
}

// removeOld replaces records that are older than the retention by checkpoints.
func (s *Service) removeOld(ctx context.Context) error {
	for {
		now := s.now()
		var n int64
		err := s.db.Update(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
			n, err = remove(ctx, tx, now.Add(-s.retention).UnixMilli(), now.UnixMilli(), removedAtOnce)
			return err
		})
		s.metrics.refused(errors.Is(err, errNotWhole))
		if err != nil {
			return fmt.Errorf("removing what is older than audit-retention: %w", err)
		}
		s.metrics.removed.Add(float64(n))
		if n > 0 {
			s.logger.Info("records of the audit chain were replaced by a checkpoint", "records", n)
		}
		if n < removedAtOnce {
			return nil
		}
	}
}
