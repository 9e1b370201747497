package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"parkwire/internal/consumer"
	"parkwire/internal/kafkalog"
	"parkwire/internal/sqldb"
)

// ErrAppendOnly is why the chain is not made anew.
var ErrAppendOnly = errors.New("the audit chain is append only: made anew from the log it would prove nothing, and would lack what Kafka has no longer. " +
	"Where a new chain is wanted, keep the old database and give audit-database-url another one")

// A chainer appends the records of one topic to the chain. Several may do so at once: each takes the head in its transaction.
type chainer struct {
	topic    string
	describe func(*Entry)
	now      func() time.Time
	metrics  *metrics

	mu      sync.Mutex // a process that stands by hears of commits, too
	applied []Entry    // what the metrics are told when it is committed
}

func (c *chainer) swap(applied []Entry) (before []Entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before, c.applied = c.applied, applied
	return before
}

// Load begins the chain where there is none. It remembers nothing: what counts is in the database.
func (c *chainer) Load(ctx context.Context, tx *sqldb.Tx) error {
	c.swap(nil)
	_, begun, err := findHead(ctx, tx)
	if err == nil && !begun {
		_, err = takeHead(ctx, tx, c.now().UnixMilli())
	}
	return err
}

// committed counts.
func (c *chainer) committed() {
	for _, e := range c.swap(nil) {
		c.metrics.records.WithLabelValues(string(e.Kind)).Inc()
		if e.Repeats != 0 {
			c.metrics.repetitions.Inc()
		}
	}
}

// Apply appends records in their order.
func (c *chainer) Apply(ctx context.Context, tx *sqldb.Tx, records []kafkalog.Record) error {
	now := c.now().UnixMilli()
	head, err := takeHead(ctx, tx, now)
	if err != nil {
		return err
	}
	entries := make([]Entry, len(records))
	for i, r := range records {
		entries[i] = entryOf(c.topic, r)
		c.describe(&entries[i])
	}
	if err := markRepetitions(ctx, tx, head.Sequence, entries); err != nil {
		return err
	}
	c.swap(entries)
	return head.appendTo(ctx, tx, now, entries)
}

// gap is the value of a record that tells of a hole.
type gap struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	From      int64  `json:"from"`
	To        int64  `json:"to"`
	Replaced  bool   `json:"replaced,omitempty"` // the topic was made anew: From is how far it had been read before
}

// Gap puts into the chain that records are missing, so that nobody takes it for everything.
func (c *chainer) Gap(ctx context.Context, tx *sqldb.Tx, g consumer.Gap) error {
	now := c.now().UnixMilli()
	head, err := takeHead(ctx, tx, now)
	if err != nil {
		return err
	}
	value, err := json.Marshal(gap{c.topic, g.Partition, g.From, g.To, g.Replaced})
	if err != nil {
		return fmt.Errorf("encoding which records are missing: %w", err)
	}
	return head.appendTo(ctx, tx, now, []Entry{{Kind: KindGap, Topic: c.topic, Partition: int64(g.Partition), Offset: g.From, Value: value, Time: now}})
}

// Reset refuses.
func (c *chainer) Reset(context.Context, *sqldb.Tx) error { return ErrAppendOnly }
