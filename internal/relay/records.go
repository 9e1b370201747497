package relay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parkwire/internal/kafkalog"
)

// RecordTopic is which of the topics a [Record] goes to. The names of these are settings.
type RecordTopic string

// The topics of what is no event of a spot.
const (
	Audit  RecordTopic = "audit"  // who changed what
	Access RecordTopic = "access" // who may do what; compacted, one partition
)

// Record is what is to be told beside the events of spots. It reaches its topic at least once.
type Record struct {
	Topic RecordTopic
	// Key is the record's key. Records of one key are in the order in which they were committed, where whoever appends them has locked
	// what the key names.
	Key string
	// Value is a JSON object with the member "id", a UUIDv7 by which readers know a record that comes again. Nil: a tombstone.
	Value []byte
}

// RecordRow is a record that waits to be sent.
type RecordRow struct {
	ID int64
	Record
}

// Records is the table of records that were committed together with what they tell of, and wait to be sent. The parking
// stores implement it.
type Records interface {
	// PendingRecords returns up to limit records in the order in which they were committed; those of one key always are.
	PendingRecords(ctx context.Context, limit int) ([]RecordRow, error)
	// RecordsDone removes records.
	RecordsDone(ctx context.Context, ids []int64) error
	// RepeatAccess adds a record, as it was said last, of each thing that is known of [Access], behind those that are there of it and before
	// those that come.
	RepeatAccess(ctx context.Context) error
	// RecordsWake is to records what [Outbox.Wake] is to events.
	RecordsWake() <-chan struct{}
}

// carryRecords sends records as long as this process leads. They have a goroutine and a producer of their own, so that neither they nor
// events wait where the others cannot be sent.
func (r *Relay) carryRecords(ctx context.Context) {
	defer r.recordsAreOthers()
	pause := minRetryPause
	var repeated time.Time
	for {
		began := time.Now()
		err := r.sendRecords(ctx, &repeated)
		if ctx.Err() != nil {
			return
		}
		r.recordsFailed(err)
		if time.Since(began) > slowAfter {
			pause = minRetryPause
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, maxRetryPause)
	}
}

// sendRecords sends records until ctx ends or something fails, and removes those that Kafka has. What was sent and could not be removed
// it sends again. Before it sends anything, what was sent last by whoever sent before has arrived, lest something old come behind something
// newer of its key, see Options.Settle. What is known of [Access] it says again when leadership begins and every now and then, since whoever
// reads that topic takes it for everything: it may have been lost, or something old of a process that stood still may have come in last.
// While nothing gets through that is not done, lest it piles up; repeated is when it was.
func (r *Relay) sendRecords(ctx context.Context, repeated *time.Time) error {
	producer, err := r.options.Log.NewProducer()
	if err != nil {
		return err
	}
	defer producer.Close()
	settled, flows := false, false
	looked := time.Now()
	for {
		if flows && time.Since(*repeated) > r.options.RepeatAccess {
			if err := r.options.Records.RepeatAccess(ctx); err != nil {
				return err
			}
			*repeated = time.Now()
		}
		rows, err := r.options.Records.PendingRecords(ctx, r.options.Batch)
		if err != nil {
			return fmt.Errorf("reading the records: %w", err)
		}
		if time.Since(looked) > standstill+r.options.PollInterval {
			return errStoodStill
		}
		looked = time.Now()
		r.recordsFound(len(rows))
		if len(rows) > 0 && settled {
			if err := r.sendRows(ctx, producer, rows); err != nil {
				return err
			}
			r.recordsWork()
			flows = true
			continue
		}
		flows = len(rows) == 0
		wait, wake := r.options.PollInterval, r.options.Records.RecordsWake()
		if len(rows) > 0 {
			wait, wake = r.options.Settle, nil
		}
		settled = true
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-wake:
		case <-time.After(wait):
		}
	}
}

// sendRows sends records and removes those that are acknowledged. Where one of a key failed, so did those of that key behind it. One that is
// too large for Kafka would be so for ever, and all others would wait behind it: it is given up.
func (r *Relay) sendRows(ctx context.Context, producer *kafkalog.Producer, rows []RecordRow) error {
	messages := make([]kafkalog.Message, len(rows))
	for i, row := range rows {
		messages[i] = r.recordMessage(row.Record)
	}
	late, cancel := outlive(ctx, farewell)
	defer cancel()
	var failure error
	var done []int64
	for i, result := range producer.Send(late, r.options.Patience, messages...) {
		err := result.Err
		if kafkalog.TooLarge(err) && failure == nil { // by itself, or with others that went in one batch
			err = producer.Send(late, r.options.Patience, messages[i])[0].Err
		}
		switch {
		case err == nil:
			done = append(done, rows[i].ID)
		case kafkalog.TooLarge(err) && failure == nil:
			r.metrics.tooLarge.Inc()
			r.options.Logger.Error("a record is given up: it is too large for Kafka", "topic", messages[i].Topic, "key", rows[i].Key, "bytes", len(rows[i].Value), "error", err)
			done = append(done, rows[i].ID)
		case failure == nil:
			failure = fmt.Errorf("writing a record of %s to %s (Kafka): %w", rows[i].Key, messages[i].Topic, err)
		}
	}
	if len(done) == 0 {
		return failure
	}
	if err := r.options.Records.RecordsDone(late, done); err != nil {
		return errors.Join(failure, fmt.Errorf("removing records that were sent: %w", err))
	}
	r.metrics.records.Add(float64(len(done)))
	return failure
}

func (r *Relay) recordMessage(record Record) kafkalog.Message {
	m := kafkalog.Message{Topic: r.options.Log.AuditTopic(), Key: []byte(record.Key), Value: record.Value}
	if record.Topic == Access {
		m.Topic = r.options.Log.AccessTopic()
	}
	if record.Value != nil {
		m.Headers = []kafkalog.Header{{Key: "content-type", Value: []byte("application/json")}}
	}
	return m
}

// recordsFound records how many wait.
func (r *Relay) recordsFound(n int) {
	r.mu.Lock()
	r.records = n
	r.mu.Unlock()
	if n == 0 {
		r.recordsWork()
	}
}

// recordsAreOthers is for who does not lead any more.
func (r *Relay) recordsAreOthers() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.records, r.recordsErr = 0, nil
}

func (r *Relay) recordsFailed(err error) {
	r.metrics.failures.Inc()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.recordsErr == nil {
		r.options.Logger.Warn("records wait in the outbox", "error", err)
	}
	r.recordsErr = err
}

func (r *Relay) recordsWork() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.recordsErr != nil {
		r.options.Logger.Info("records leave the outbox again")
	}
	r.recordsErr = nil
}

func (r *Relay) recordsWaiting() float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return float64(r.records)
}

// CarryRecords sends the records of a service that has no events to tell, until ctx ends. Options.Outbox is not used. Nobody leads: several processes
// may carry the same records, which then come several times.
func CarryRecords(ctx context.Context, o Options) error {
	o.Registerer = nil // the metrics are those of the one that carries events
	r := New(o)
	if err := o.Log.EnsureTopics(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	r.carryRecords(ctx)
	return nil
}
