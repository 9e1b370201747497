// Package trace follows single changes through the platform: from the request that makes one, through outbox, log and bus, to the clients, and
// to those who read the log besides. What each hop does is a span of OpenTelemetry, sent to a collector over OTLP.
//
// Between hops a trace is a W3C traceparent: in a header of a request or a record, in a row of the outbox, in a field of a message of the bus. Whether
// it is followed is said there, by the one that began it. So what is not followed costs a look at two characters, and nothing where there is no [Tracer].
package trace

import (
	"context"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	otel "go.opentelemetry.io/otel/trace"

	"parkwire/internal/limit"
)

// Header carries a traceparent, of requests as of records.
const Header = "traceparent"

// Kind is what a span is to others.
type Kind = otel.SpanKind

// The kinds.
const (
	Internal = otel.SpanKindInternal
	Server   = otel.SpanKindServer
	Client   = otel.SpanKindClient
	Producer = otel.SpanKindProducer
	Consumer = otel.SpanKindConsumer
)

// A Tracer begins spans. A nil one begins none.
type Tracer struct {
	tracer   otel.Tracer
	provider *sdk.TracerProvider
	metrics  *metrics
	share    float64
	limit    *limit.Local
}

// everybody shares one bucket.
var everybody = limit.KeyOf("", netip.Addr{})

// Enter begins the span of what comes from outside, such as a request, if it is to be followed: where its caller says so, or, where that says
// nothing, for a share of all; and no more than so many a second. The span is called by both words. onward is what those behind are told: they follow
// what was followed here, and nothing else. So a nil Tracer has nothing followed behind it.
func (t *Tracer) Enter(traceparent, verb, what string, kind Kind) (span *Span, onward string) {
	if t == nil {
		return nil, Unfollowed(traceparent)
	}
	parent, said := parse(traceparent)
	switch {
	case said && !parent.IsSampled():
		return nil, traceparent
	case !said && (t.share == 0 || rand.Float64() >= t.share):
		return nil, ""
	case t.limit.Take(context.Background(), everybody) > 0:
		t.metrics.refused.Inc()
		return nil, Unfollowed(traceparent)
	}
	span = t.begin(parent, verb+" "+what, kind, time.Time{})
	return span, span.Traceparent()
}

// Begin begins the span of one hop of a trace. It is nil where the trace is not followed. The zero time is now.
func (t *Tracer) Begin(traceparent, name string, kind Kind, at time.Time) *Span {
	if t == nil || !Followed(traceparent) {
		return nil
	}
	parent, ok := parse(traceparent)
	if !ok {
		return nil
	}
	return t.begin(parent, name, kind, at)
}

// Join begins a trace of its own for what is done for several traces together, with a link to each of them. It is nil where there are none.
func (t *Tracer) Join(traces []*Span, name string, kind Kind, at time.Time) *Span {
	if t == nil || len(traces) == 0 {
		return nil
	}
	s := t.begin(otel.SpanContext{}, name, kind, at)
	for _, one := range traces[:min(len(traces), maxLinks)] {
		s.span.AddLink(otel.Link{SpanContext: one.span.SpanContext()})
		one.span.AddLink(otel.Link{SpanContext: s.span.SpanContext()})
	}
	return s
}

// maxLinks is how many the SDK keeps of a span.
const maxLinks = 128

func (t *Tracer) begin(parent otel.SpanContext, name string, kind Kind, at time.Time) *Span {
	ctx := otel.ContextWithRemoteSpanContext(context.Background(), parent)
	options := []otel.SpanStartOption{otel.WithSpanKind(kind)}
	if !at.IsZero() {
		options = append(options, otel.WithTimestamp(at))
	}
	_, span := t.tracer.Start(ctx, name, options...)
	return &Span{tracer: t, span: span}
}

// A Span is what one hop does. A nil one is of a trace that is not followed: everything can be done to it, and does nothing.
type Span struct {
	tracer *Tracer
	span   otel.Span
}

// Child begins a span of what is done on the way. The zero time is now.
func (s *Span) Child(name string, kind Kind, at time.Time) *Span {
	if s == nil {
		return nil
	}
	return s.tracer.begin(s.span.SpanContext(), name, kind, at)
}

// Traceparent is what the next hop is told; "" of a nil span.
func (s *Span) Traceparent() string {
	if s == nil {
		return ""
	}
	c := s.span.SpanContext()
	trace, span := c.TraceID(), c.SpanID()
	text := make([]byte, 0, length)
	text = append(text, "00-"...)
	text = hex.AppendEncode(text, trace[:])
	text = append(text, '-')
	text = hex.AppendEncode(text, span[:])
	return string(append(text, "-01"...))
}

// Onward is what the next hop is told, where this one was told traceparent.
func (s *Span) Onward(traceparent string) string {
	if s == nil {
		return traceparent
	}
	return s.Traceparent()
}

// Set says more of it, by names and values. Whoever does so on a busy way looks first whether the span is nil, lest the values are made for nothing.
func (s *Span) Set(pairs ...any) {
	if s == nil {
		return
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		s.span.SetAttributes(attributeOf(pairs[i].(string), pairs[i+1]))
	}
}

func attributeOf(name string, value any) attribute.KeyValue {
	switch v := value.(type) {
	case string:
		return attribute.String(name, v)
	case int:
		return attribute.Int(name, v)
	case int64:
		return attribute.Int64(name, v)
	case bool:
		return attribute.Bool(name, v)
	}
	return attribute.String(name, fmt.Sprint(value))
}

// Fail says that it failed, unless err is nil.
func (s *Span) Fail(err error) {
	if s == nil || err == nil {
		return
	}
	s.span.SetStatus(codes.Error, err.Error())
}

// End ends it, now.
func (s *Span) End() {
	if s == nil {
		return
	}
	s.tracer.metrics.ended.Inc()
	s.span.End()
}

type spanKey struct{}

// In returns a context that carries the span, for what is done on the way and for what is logged there; ctx itself where it is nil.
func (s *Span) In(ctx context.Context) context.Context {
	if s == nil {
		return ctx
	}
	return context.WithValue(ctx, spanKey{}, s)
}

// Of returns the span that ctx carries; nil: none.
func Of(ctx context.Context) *Span {
	s, _ := ctx.Value(spanKey{}).(*Span)
	return s
}
