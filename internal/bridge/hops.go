package bridge

import (
	"strconv"
	"time"

	"parkwire/internal/kafkalog"
	"parkwire/internal/trace"
)

// hops are the spans of what a batch has of traces that are followed.
type hops []hop

// hop is one record of such a trace: what is done with it, and as a part of that its publication.
type hop struct{ process, publish *trace.Span }

// begin begins those of a record and returns what its message says of the trace; "" where it is not followed.
func (h *hops) begin(b *Bridge, r kafkalog.Record) string {
	topic := b.options.Log.Topic()
	process := b.options.Tracer.Begin(r.FollowedTrace(), "process "+topic, trace.Consumer, time.Time{})
	if process == nil {
		return ""
	}
	process.Set("messaging.system", "kafka", "messaging.operation.type", "process", "messaging.destination.name", topic,
		"messaging.consumer.group.name", b.options.Group, "messaging.destination.partition.id", strconv.Itoa(int(r.Partition)), "messaging.kafka.offset", r.Offset)
	publish := process.Child("publish notifications", trace.Producer, time.Time{})
	*h = append(*h, hop{process, publish})
	return publish.Traceparent()
}

// published says that the bus took all messages.
func (h hops) published(messages int) {
	for _, one := range h {
		one.publish.Set("messaging.operation.type", "send", "messaging.batch.message_count", messages)
		one.publish.End()
	}
}

func (h hops) done() {
	for _, one := range h {
		one.process.End()
	}
}
