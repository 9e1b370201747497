package relay

import (
	"context"
	"errors"
	"strings"
	"testing"

	"parkwire/internal/trace"
	"parkwire/internal/trace/tracetest"
)

func TestOfARequestThatChangesMuchTheFirstChangeIsFollowed(t *testing.T) {
	const (
		one   = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
		other = "00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-00f067aa0ba902b7-01"
		not   = "00-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb-00f067aa0ba902b7-00"
	)
	c := tracetest.New(t)
	tracer, err := trace.New(trace.Options{Endpoint: c.URL, Service: "test"})
	if err != nil {
		t.Fatal(err)
	}
	batch := traces{tracer: tracer, topic: "parking-events"}
	var told []string
	for _, traceparent := range []string{one, one, "", not, other, one} {
		told = append(told, batch.follow(traceparent))
	}
	batch.fail(other, errors.New("Kafka is away"))
	batch.fail(not, errors.New("Kafka is away"))
	batch.end()
	if err := tracer.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	for i, followed := range []bool{true, false, false, false, true, false} {
		if trace.Followed(told[i]) != followed {
			t.Errorf("record %d says %q", i, told[i])
		}
	}
	if told[1] == "" || told[1][:52] != told[0][:52] || told[2] != "" || told[3] != not {
		t.Errorf("the records say %q", told)
	}
	spans := map[string]tracetest.Span{}
	for _, s := range c.Spans() {
		spans[s.Trace] = s
	}
	a, b := spans[strings.Split(one, "-")[1]], spans[strings.Split(other, "-")[1]]
	if len(c.Spans()) != 2 || a.Attributes["messaging.batch.message_count"] != "3" || a.Failed || b.Attributes["messaging.batch.message_count"] != "1" || !b.Failed {
		t.Errorf("the spans are %+v", c.Spans())
	}

	off := traces{topic: "parking-events"}
	if got := off.follow(one); got != one {
		t.Errorf("without a collector a record says %q", got)
	}
	off.fail(one, errors.New("Kafka is away"))
	off.end()
}
