package relay

import (
	"time"

	"parkwire/internal/trace"
)

// traces are the spans of what a batch carries: one for each trace, however many rows are of it.
type traces struct {
	tracer *trace.Tracer
	topic  string
	open   map[string]*carried // by the traceparent of the rows; nil: none is followed
}

// carried is what a batch has of one trace.
type carried struct {
	span *trace.Span
	rows int
}

// follow returns what a row's record says of its trace. Of a request that changed very much, the first change of each batch is followed to the clients, and
// the records of the others only name the trace.
func (t *traces) follow(traceparent string) string {
	if t.tracer == nil || !trace.Followed(traceparent) {
		return traceparent
	}
	if c, known := t.open[traceparent]; known {
		c.rows++
		return trace.Unfollowed(c.span.Onward(traceparent))
	}
	if t.open == nil {
		t.open = map[string]*carried{}
	}
	span := t.tracer.Begin(traceparent, "send "+t.topic, trace.Producer, time.Time{})
	t.open[traceparent] = &carried{span, 1}
	return span.Onward(traceparent)
}

func (t *traces) fail(traceparent string, err error) {
	if c, known := t.open[traceparent]; known {
		c.span.Fail(err)
	}
}

// end ends them: the log has acknowledged the batch, or not.
func (t *traces) end() {
	for _, c := range t.open {
		c.span.Set("messaging.system", "kafka", "messaging.operation.type", "send", "messaging.destination.name", t.topic, "messaging.batch.message_count", c.rows)
		c.span.End()
	}
}
