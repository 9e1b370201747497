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

// rejects puts records that are no events into a topic of their own, where somebody can look at them.
type rejects struct {
	log      *kafkalog.Log
	logger   *slog.Logger
	metrics  *metrics
	patience time.Duration

	producer *kafkalog.Producer // made for the first one: most logs never have any
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
		messages[i] = kafkalog.Message{Topic: r.log.RejectedTopic(), Key: f.record.Key, Value: f.record.Value, Headers: append(
			slices.Clone(f.record.Headers),
			kafkalog.Header{Key: "reason", Value: []byte(f.reason.Error())},
			kafkalog.Header{Key: "source-topic", Value: []byte(r.log.Topic())},
			kafkalog.Header{Key: "source-partition", Value: strconv.AppendInt(nil, int64(f.record.Partition), 10)},
			kafkalog.Header{Key: "source-offset", Value: strconv.AppendInt(nil, f.record.Offset, 10)},
		)}
	}
	stuck := false
	for i, result := range r.producer.Send(ctx, r.patience, messages...) {
		if result.Err != nil {
			stuck = stuck || errors.Is(result.Err, kafkalog.ErrUnacknowledged)
			if ctx.Err() == nil {
				r.lost(refused[i:i+1], result.Err)
			}
			continue
		}
		r.metrics.rejected.Inc()
	}
	if stuck { // it would go on trying to write what is given up
		r.close()
	}
}

func (r *rejects) lost(refused []refusal, err error) {
	for _, f := range refused {
		r.metrics.lost.Inc()
		r.logger.Error("a record that is no event could not be put aside", "reason", f.reason, "partition", f.record.Partition,
			"offset", f.record.Offset, "error", err)
	}
}

func (r *rejects) close() {
	if r.producer != nil {
		r.producer.Close()
		r.producer = nil
	}
}
