// Package tracetest is a collector of traces for tests: it takes OTLP over HTTP as real ones do, and keeps the spans.
package tracetest

import (
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Span is one that came.
type Span struct {
	Service, Instance string
	Name              string
	Kind              tracepb.Span_SpanKind
	Trace, ID, Parent string // hexadecimal; Parent is "" of one that begins its trace
	Begin, End        time.Time
	Attributes        map[string]string
	Links             []string // traces
	Failed            bool
	Status            string // what it failed with
}

// Collector keeps what came.
type Collector struct {
	URL string

	mu     sync.Mutex
	spans  []Span
	status int // of the answers to come
	times  int // of how many of these; negative: of all
}

// New starts a collector that ends with the test.
func New(t testing.TB) *Collector {
	c := &Collector{}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	c.URL = server.URL
	return c
}

// Foreign are texts of other programs that have the length of a traceparent and seem to say that their trace is followed, and are none.
func Foreign() []string {
	const as = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	all := []string{strings.ToUpper(as), "00-" + strings.Repeat("0", 32) + as[35:]}
	for _, one := range []string{`"`, `\`, "\x00", "\n", "\xff", "é"} {
		all = append(all, as[:10]+one+as[10+len(one):])
	}
	return all
}

// Refuse has it answer so many requests with a status, a negative number all, and take no span.
func (c *Collector) Refuse(times, status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.times, c.status = times, status
}

// Spans returns all that came, in the order in which they did.
func (c *Collector) Spans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Span(nil), c.spans...)
}

// Trace returns those of one trace.
func (c *Collector) Trace(id string) (of []Span) {
	for _, s := range c.Spans() {
		if s.Trace == id {
			of = append(of, s)
		}
	}
	return of
}

func (c *Collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.times != 0 {
		c.times--
		w.WriteHeader(c.status)
		return
	}
	body, err := io.ReadAll(r.Body)
	var data tracepb.TracesData
	switch {
	case err != nil:
	case r.Method != http.MethodPost || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf":
		err = fmt.Errorf("%s %s %s is no OTLP", r.Method, r.URL.Path, r.Header.Get("Content-Type"))
	default:
		err = proto.Unmarshal(body, &data)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	for _, of := range data.ResourceSpans {
		who := attributes(of.Resource.Attributes)
		for _, scope := range of.ScopeSpans {
			for _, s := range scope.Spans {
				c.spans = append(c.spans, spanOf(who, s))
			}
		}
	}
}

func spanOf(who map[string]string, s *tracepb.Span) Span {
	span := Span{
		Service: who["service.name"], Instance: who["service.instance.id"], Name: s.Name, Kind: s.Kind,
		Trace: hex.EncodeToString(s.TraceId), ID: hex.EncodeToString(s.SpanId), Parent: hex.EncodeToString(s.ParentSpanId),
		Begin: time.Unix(0, int64(s.StartTimeUnixNano)), End: time.Unix(0, int64(s.EndTimeUnixNano)), Attributes: attributes(s.Attributes),
		Failed: s.Status.GetCode() == tracepb.Status_STATUS_CODE_ERROR, Status: s.Status.GetMessage(),
	}
	for _, l := range s.Links {
		span.Links = append(span.Links, hex.EncodeToString(l.TraceId))
	}
	return span
}

func attributes(all []*commonpb.KeyValue) map[string]string {
	m := map[string]string{}
	for _, a := range all {
		switch v := a.Value.GetValue().(type) {
		case *commonpb.AnyValue_StringValue:
			m[a.Key] = v.StringValue
		case *commonpb.AnyValue_IntValue:
			m[a.Key] = fmt.Sprint(v.IntValue)
		case *commonpb.AnyValue_BoolValue:
			m[a.Key] = fmt.Sprint(v.BoolValue)
		}
	}
	return m
}
