package trace

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"parkwire/internal/limit"
)

// Options configure a [Tracer]. Endpoint and Service are required.
type Options struct {
	// Endpoint is where a collector takes OTLP over HTTP, such as "http://tempo:4318"; /v1/traces is added where it has no path. A user and a
	// password in it go into the header Authorization.
	Endpoint string
	// Service, Version and Instance say who sends the spans.
	Service, Version, Instance string
	// Share is which part is followed of what comes without a word of its caller: 0 to 1.
	Share float64
	// PerSecond bounds how many traces are begun a second, whoever asks for them. Default 50.
	PerSecond int

	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// Bounds of what waits for the collector. A span takes about 1 KB. What comes while so many wait is left out: the platform never waits for a
// collector.
const (
	maxWaiting = 4096 // spans
	maxBatch   = 512
	batchEvery = time.Second
	sendTime   = 10 * time.Second // of one attempt
	attempts   = 3
)

// New makes a tracer. It connects when there is something to send. The error is about the endpoint.
func New(o Options) (*Tracer, error) {
	o.Logger = cmp.Or(o.Logger, slog.Default())
	o.PerSecond = cmp.Or(o.PerSecond, 50)
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.Host == "" {
		return nil, errors.New("it is no URL of the form http://HOST:4318")
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = "/v1/traces"
	}
	t := &Tracer{metrics: newMetrics(o.Registerer), share: o.Share, limit: limit.NewLocal(limit.Rate{PerSecond: float64(o.PerSecond), Burst: o.PerSecond}, nil)}
	sender := &sender{user: u.User, logger: o.Logger, metrics: t.metrics, client: &http.Client{Timeout: sendTime}}
	u.User = nil
	sender.url = u.String()
	t.provider = sdk.NewTracerProvider(
		sdk.WithSampler(sdk.AlwaysSample()), // whoever comes this far was chosen
		sdk.WithResource(resource.NewSchemaless(
			attribute.String("service.name", o.Service), attribute.String("service.version", o.Version), attribute.String("service.instance.id", o.Instance),
		)),
		sdk.WithBatcher(otlptrace.NewUnstarted(sender), sdk.WithMaxQueueSize(maxWaiting), sdk.WithMaxExportBatchSize(maxBatch), sdk.WithBatchTimeout(batchEvery)),
	)
	t.tracer = t.provider.Tracer("parkwire")
	return t, nil
}

// Close sends what waits, as far as ctx lets, and ends. Spans that end later are left out.
func (t *Tracer) Close(ctx context.Context) error { return t.provider.Shutdown(ctx) }

// sender is the client of [otlptrace.Exporter]. The one of otlptracehttp brings gRPC into the binary, see docs/adr/0180-traces.md.
type sender struct {
	url     string
	user    *url.Userinfo
	client  *http.Client
	logger  *slog.Logger
	metrics *metrics
	failing atomic.Bool
}

func (s *sender) Start(context.Context) error { return nil }

func (s *sender) Stop(context.Context) error { s.client.CloseIdleConnections(); return nil }

// UploadTraces sends spans. What could not be sent is counted here, so that there is no error that others would log.
func (s *sender) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	n := 0
	for _, r := range spans {
		for _, scope := range r.ScopeSpans {
			n += len(scope.Spans)
		}
	}
	// It has the same fields as the request of the service's definition, which knows gRPC.
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err == nil {
		err = s.sendAgain(ctx, body)
	}
	if err != nil {
		s.metrics.failed.Add(float64(n))
		if !s.failing.Swap(true) {
			s.logger.Warn("spans cannot be sent and are left out", "error", err)
		}
		return nil
	}
	s.metrics.sent.Add(float64(n))
	if s.failing.Swap(false) {
		s.logger.Info("spans are sent again")
	}
	return nil
}

// sendAgain sends a body, and again where another time may be better.
func (s *sender) sendAgain(ctx context.Context, body []byte) error {
	for pause, n := 500*time.Millisecond, 1; ; pause, n = 2*pause, n+1 {
		wait, err := s.send(ctx, body)
		if err == nil || wait < 0 || n == attempts {
			return err
		}
		timer := time.NewTimer(max(pause, wait))
		select {
		case <-ctx.Done():
			timer.Stop()
			return err
		case <-timer.C:
		}
	}
}

// send makes one attempt. wait is how long the collector wants to be left alone; negative: no other time is better.
func (s *sender) send(ctx context.Context, body []byte) (wait time.Duration, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return -1, err
	}
	r.Header.Set("Content-Type", "application/x-protobuf")
	if s.user != nil {
		password, _ := s.user.Password()
		r.SetBasicAuth(s.user.Username(), password)
	}
	answer, err := s.client.Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10)) // so that the connection is used again
	switch answer.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
		return time.Duration(min(max(seconds, 0), 10)) * time.Second, fmt.Errorf("the collector answered %s", answer.Status)
	}
	if answer.StatusCode/100 != 2 {
		return -1, fmt.Errorf("the collector answered %s", answer.Status)
	}
	return 0, nil
}

type metrics struct{ ended, sent, failed, refused prometheus.Counter }

func newMetrics(r prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "parkwire", Subsystem: "trace", Name: name, Help: help})
	}
	m := &metrics{
		ended:   counter("spans_total", "Spans that ended. Those that were neither sent nor failed wait, or were left out because too many waited."),
		sent:    counter("sent_spans_total", "Spans that the collector took."),
		failed:  counter("failed_spans_total", "Spans that the collector did not take."),
		refused: counter("refused_total", "Traces that were not followed because too many were begun in that second."),
	}
	if r != nil {
		r.MustRegister(m.ended, m.sent, m.failed, m.refused)
	}
	return m
}
