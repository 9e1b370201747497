package trace_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"parkwire/internal/trace"
	"parkwire/internal/trace/tracetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	followed   = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	unfollowed = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
	traceID    = "4bf92f3577b34da6a3ce929d0e0e4736"
)

func newTracer(t *testing.T, c *tracetest.Collector, share float64, perSecond int) (*trace.Tracer, *prometheus.Registry) {
	t.Helper()
	registry := prometheus.NewRegistry()
	tracer, err := trace.New(trace.Options{
		Endpoint: c.URL, Service: "parkwire-test", Version: "1", Instance: "here", Share: share, PerSecond: perSecond,
		Logger: slog.New(slog.DiscardHandler), Registerer: registry,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end(t, tracer) })
	return tracer, registry
}

func end(t *testing.T, tracer *trace.Tracer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := tracer.Close(ctx); err != nil {
		t.Error(err)
	}
}

func TestAHopGoesOnWithTheTraceThatItIsTold(t *testing.T) {
	c := tracetest.New(t)
	tracer, _ := newTracer(t, c, 0, 10)
	parent := tracer.Begin(followed, "send", trace.Producer, time.Time{})
	child := parent.Child("write", trace.Internal, time.Time{})
	child.Set("size", 3, "what", "a spot", "whole", true)
	child.Fail(errors.New("the log is away"))
	child.End()
	parent.End()
	if told := parent.Onward("else"); !strings.HasPrefix(told, "00-"+traceID+"-") || !trace.Followed(told) || told == followed {
		t.Errorf("the next hop is told %q", told)
	}
	end(t, tracer)
	spans := c.Trace(traceID)
	if len(spans) != 2 {
		t.Fatalf("the trace has %d spans: %+v", len(spans), spans)
	}
	write, send := spans[0], spans[1]
	if send.Parent != "00f067aa0ba902b7" || write.Parent != send.ID || send.Service != "parkwire-test" || send.Instance != "here" {
		t.Errorf("got %+v and %+v", send, write)
	}
	if !write.Failed || write.Status != "the log is away" || write.Attributes["size"] != "3" || write.Attributes["what"] != "a spot" || write.Attributes["whole"] != "true" {
		t.Errorf("got %+v", write)
	}
}

func TestWhatIsNotFollowedIsNothing(t *testing.T) {
	c := tracetest.New(t)
	tracer, _ := newTracer(t, c, 1, 10)
	for _, told := range []string{"", "00-1-1-01", unfollowed, followed + "-more", strings.ToUpper(followed),
		"ff" + followed[2:], "00-" + strings.Repeat("0", 32) + followed[35:], followed[:36] + strings.Repeat("0", 16) + "-01"} {
		s := tracer.Begin(told, "send", trace.Producer, time.Time{})
		if s != nil || s.Child("write", trace.Internal, time.Time{}) != nil || s.Onward(told) != told {
			t.Errorf("%q is followed", told)
		}
		s.Set("a", 1)
		s.Fail(errors.New("no"))
		s.End()
	}
	var off *trace.Tracer
	if s, onward := off.Enter(followed, "POST", "/", trace.Server); s != nil || onward != unfollowed {
		t.Errorf("without a collector there is a span, or others are told %q", onward)
	}
	ctx := t.Context()
	if (*trace.Span)(nil).In(ctx) != ctx || trace.Of(ctx) != nil {
		t.Error("a context carries a span that is none")
	}
	n := testing.AllocsPerRun(100, func() {
		off.Begin(followed, "send", trace.Producer, time.Time{}).End()
		tracer.Begin(unfollowed, "send", trace.Producer, time.Time{}).End()
		tracer.Begin("", "send", trace.Producer, time.Time{}).End()
	})
	if n != 0 {
		t.Errorf("what is not followed takes %.0f allocations", n)
	}
	end(t, tracer)
	if spans := c.Spans(); len(spans) > 0 {
		t.Errorf("the collector got %+v", spans)
	}
}

func TestTheFirstHopDecidesForAll(t *testing.T) {
	c := tracetest.New(t)
	all, _ := newTracer(t, c, 1, 1000)
	none, _ := newTracer(t, c, 0, 1000)
	for _, one := range []struct {
		tracer    *trace.Tracer
		told      string
		follows   bool
		continues bool // the caller's trace
	}{
		{all, "", true, false}, {all, "nonsense", true, false}, {all, followed, true, true}, {all, unfollowed, false, true},
		{none, "", false, false}, {none, "nonsense", false, false}, {none, followed, true, true}, {none, unfollowed, false, true},
	} {
		s, onward := one.tracer.Enter(one.told, "POST", "/spots", trace.Server)
		if (s != nil) != one.follows || trace.Followed(onward) != one.follows || strings.Contains(onward, traceID) != one.continues {
			t.Errorf("told %q, it follows: %v, and tells %q", one.told, s != nil, onward)
		}
		s.End()
	}
}

func TestNobodyCanHaveMoreFollowedThanTheLimit(t *testing.T) {
	c := tracetest.New(t)
	tracer, registry := newTracer(t, c, 1, 5)
	began, n := time.Now(), 0
	for range 1000 {
		s, onward := tracer.Enter(followed, "POST", "/spots", trace.Server)
		if s != nil {
			n++
		} else if onward != unfollowed {
			t.Fatalf("what is refused is told others as %q", onward)
		}
		s.End()
	}
	if most := 5 + 1 + int(5*time.Since(began).Seconds()); n < 5 || n > most {
		t.Errorf("%d are followed, at most %d may be", n, most)
	}
	if got := value(t, registry, "parkwire_trace_refused_total"); got != float64(1000-n) {
		t.Errorf("%v are counted as refused, %d were", got, 1000-n)
	}
}

func TestWhatIsDoneForSeveralTracesIsLinkedWithEach(t *testing.T) {
	c := tracetest.New(t)
	tracer, _ := newTracer(t, c, 1, 10)
	if tracer.Join(nil, "transaction", trace.Internal, time.Time{}) != nil {
		t.Error("a span of nothing")
	}
	one, _ := tracer.Enter("", "POST", "/a", trace.Server)
	other, _ := tracer.Enter("", "POST", "/b", trace.Server)
	both := tracer.Join([]*trace.Span{one, other}, "transaction", trace.Internal, time.Time{})
	for _, s := range []*trace.Span{both, one, other} {
		s.End()
	}
	end(t, tracer)
	spans := c.Spans()
	if len(spans) != 3 {
		t.Fatalf("got %+v", spans)
	}
	joint, a, b := spans[0], spans[1], spans[2]
	if joint.Parent != "" || strings.Join(joint.Links, " ") != a.Trace+" "+b.Trace || strings.Join(a.Links, " ") != joint.Trace || strings.Join(b.Links, " ") != joint.Trace {
		t.Errorf("got %+v", spans)
	}
}

func TestACollectorThatIsAwayHoldsNobodyUp(t *testing.T) {
	c := tracetest.New(t)
	tracer, registry := newTracer(t, c, 1, 100_000)
	c.Refuse(-1, http.StatusBadRequest)
	for range 10_000 {
		s, _ := tracer.Enter("", "POST", "/spots", trace.Server)
		s.End()
	}
	until(t, "spans to be given up", func() bool { return value(t, registry, "parkwire_trace_failed_spans_total") > 0 })
	c.Refuse(0, 0)
	end(t, tracer)
	ended, sent, failed := value(t, registry, "parkwire_trace_spans_total"), value(t, registry, "parkwire_trace_sent_spans_total"), value(t, registry, "parkwire_trace_failed_spans_total")
	if ended != 10_000 || sent+failed > ended {
		t.Errorf("%v ended, %v were sent and %v failed", ended, sent, failed)
	}
}

func TestWhatACollectorRefusesForTheMomentIsSentAgain(t *testing.T) {
	c := tracetest.New(t)
	tracer, registry := newTracer(t, c, 1, 10)
	c.Refuse(2, http.StatusServiceUnavailable)
	s, _ := tracer.Enter("", "POST", "/spots", trace.Server)
	s.End()
	end(t, tracer)
	if got := value(t, registry, "parkwire_trace_sent_spans_total"); got != 1 || len(c.Spans()) != 1 {
		t.Errorf("%v spans are counted as sent, and the collector has %d", got, len(c.Spans()))
	}
}

func TestWhatIsLoggedOnTheWayNamesTheTrace(t *testing.T) {
	c := tracetest.New(t)
	tracer, _ := newTracer(t, c, 1, 10)
	var out bytes.Buffer
	logger := slog.New(trace.LogHandler(slog.NewJSONHandler(&out, nil))).With("part", "parking")
	s := tracer.Begin(followed, "POST /spots", trace.Server, time.Time{})
	logger.InfoContext(s.In(t.Context()), "one")
	logger.InfoContext(t.Context(), "two")
	s.End()
	end(t, tracer)
	var one, two map[string]any
	decoder := json.NewDecoder(&out)
	if err := errors.Join(decoder.Decode(&one), decoder.Decode(&two)); err != nil {
		t.Fatal(err)
	}
	if one["trace_id"] != traceID || one["span_id"] != c.Spans()[0].ID || one["part"] != "parking" {
		t.Errorf("got %v", one)
	}
	if _, named := two["trace_id"]; named {
		t.Errorf("got %v", two)
	}
}

func TestAnEndpointThatIsNoneIsSaid(t *testing.T) {
	for _, endpoint := range []string{"", "tempo", "http://", "::"} {
		if _, err := trace.New(trace.Options{Endpoint: endpoint, Service: "x"}); err == nil {
			t.Errorf("%q is taken", endpoint)
		}
	}
}

func value(t *testing.T, registry *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after a minute of waiting for %s", what)
		}
	}
}
