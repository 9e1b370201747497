package consumer

import (
	"slices"
	"strconv"
	"time"

	"parkwire/internal/kafkalog"
	"parkwire/internal/trace"
)

// spans are those of one transaction: one in the trace of each record that is followed, and the transaction itself, a trace of its own that they
// are linked with.
type spans struct {
	records     []*trace.Span
	transaction *trace.Span
}

// Bounds of what is followed.
const (
	maxSpans = 100 // of a transaction
	// staleTrace is how old a record is at most whose trace is gone on with: nobody looks at older ones, and a rebuild comes by very many.
	staleTrace = 10 * time.Minute
)

// trace begins spans for the records whose traces are followed, and returns the records as the effect sees them: their header says by which span
// they are handled.
func (c *Consumer) trace(records []kafkalog.Record, begun time.Time) ([]kafkalog.Record, spans) {
	var s spans
	if c.options.Tracer == nil {
		return records, s
	}
	told := records
	for i, r := range records {
		traceparent := r.FollowedTrace()
		if traceparent == "" || begun.Sub(r.Timestamp) > staleTrace || len(s.records) == maxSpans {
			continue
		}
		span := c.options.Tracer.Begin(traceparent, "process "+c.options.Topic, trace.Consumer, begun)
		if span == nil {
			continue
		}
		span.Set("messaging.system", "kafka", "messaging.operation.type", "process", "messaging.destination.name", c.options.Topic,
			"messaging.consumer.group.name", c.group, "messaging.destination.partition.id", strconv.Itoa(int(r.Partition)), "messaging.kafka.offset", r.Offset)
		if len(s.records) == 0 {
			told = slices.Clone(records)
		}
		told[i].Headers = append(slices.Clone(r.Headers), kafkalog.Header{Key: trace.Header, Value: []byte(span.Traceparent())})
		s.records = append(s.records, span)
	}
	s.transaction = c.options.Tracer.Join(s.records, "transaction "+c.options.Name, trace.Internal, begun)
	s.transaction.Set("messaging.batch.message_count", len(records))
	return told, s
}

// end ends them. The error is why the transaction was not committed.
func (s spans) end(err error) {
	for _, span := range append(s.records, s.transaction) {
		span.Fail(err)
		span.End()
	}
}
