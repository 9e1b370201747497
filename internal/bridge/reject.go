package bridge

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"parkwire/internal/kafkalog"
)

// maxRejected bounds what is put aside of a record, in bytes. Kafka takes 1 MiB by default, whatever it takes in the event log.
const maxRejected = 900_000

// rejects puts records that are no events into a topic of their own, where somebody can look at them.
type rejects struct {
	log      *kafkalog.Log
	logger   *slog.Logger
	metrics  *metrics
	patience time.Duration

	producer *kafkalog.Producer // made for the first one: most logs never have any
	failed   time.Time          // when the topic last kept somebody waiting for all of patience
}

// Where the topic takes nothing, one batch in a while waits as long as it may, and the others only briefly: else a
// partition in which every thousandth record is no event would stand still.
const (
	brieflyFor  = 30 * time.Second
	brieflyPart = 10
)

// patienceAt is how long what is put aside at that time may take.
func (r *rejects) patienceAt(now time.Time) time.Duration {
	if now.Sub(r.failed) < brieflyFor {
		return r.patience / brieflyPart
	}
	return r.patience
}

// putAside writes records to the rejected topic, with their keys, values and headers and with headers that say why and
// where they stood. What cannot be written in time is logged and left behind: it must not hold the partition.
func (r *rejects) putAside(ctx context.Context, refused []refusal) {
	if len(refused) == 0 {
		return
	}
	if r.producer == nil {
		var err error
		if r.producer, err = r.log.NewProducer(); err != nil {
			r.lost(refused, err)
			return
		}
	}
	messages := make([]kafkalog.Message, len(refused))
	for i, f := range refused {
		messages[i] = r.message(f)
	}
	var failed []refusal
	var failure error
	stuck, patience := false, r.patienceAt(time.Now())
	for i, result := range r.producer.Send(ctx, patience, messages...) {
		if result.Err != nil {
			stuck = stuck || errors.Is(result.Err, kafkalog.ErrUnacknowledged)
			failed, failure = append(failed, refused[i]), result.Err
			continue
		}
		r.metrics.rejected.Inc()
	}
	if ctx.Err() == nil {
		r.lost(failed, failure)
	}
	switch {
	case !stuck:
		r.failed = time.Time{}
	case patience == r.patience:
		r.failed = time.Now()
	}
	if stuck { // it would go on trying to write what is given up
		r.close()
	}
}

// message is what is put aside of a record: all of it, unless it is so large that it and the reason would not be taken.
func (r *rejects) message(f refusal) kafkalog.Message {
	m := kafkalog.Message{Topic: r.log.RejectedTopic(), Key: f.record.Key, Value: f.record.Value, Headers: slices.Clone(f.record.Headers)}
	size := len(m.Key) + len(m.Value)
	for _, h := range m.Headers {
		size += len(h.Key) + len(h.Value)
	}
	if size > maxRejected {
		m.Key, m.Value = nil, m.Value[:min(len(m.Value), maxRejected)]
		m.Headers = []kafkalog.Header{{Key: "cut-from-bytes", Value: strconv.AppendInt(nil, int64(size), 10)}}
	}
	m.Headers = append(m.Headers,
		kafkalog.Header{Key: "reason", Value: []byte(f.reason.Error())},
		kafkalog.Header{Key: "source-topic", Value: []byte(r.log.Topic())},
		kafkalog.Header{Key: "source-partition", Value: strconv.AppendInt(nil, int64(f.record.Partition), 10)},
		kafkalog.Header{Key: "source-offset", Value: strconv.AppendInt(nil, f.record.Offset, 10)})
	return m
}

// lost says once for all of a batch what is left behind: there may be very many.
func (r *rejects) lost(failed []refusal, err error) {
	if len(failed) == 0 {
		return
	}
	r.metrics.lost.Add(float64(len(failed)))
	first := failed[0]
	r.logger.Error("records that are no events could not be put aside", "records", len(failed), "error", err,
		"reason", first.reason, "partition", first.record.Partition, "offset", first.record.Offset)
}

func (r *rejects) close() {
	if r.producer != nil {
		r.producer.Close()
		r.producer = nil
	}
}
