package gateway

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	requests    *prometheus.CounterVec
	latency     *prometheus.HistogramVec
	rateLimited prometheus.Counter
}

func newMetrics(registerer prometheus.Registerer) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parkwire_gateway_requests_total",
			Help: "Requests by route, method and class of status; \"stream\" for connections that were taken over, \"aborted\" for answers that were cut off.",
		}, []string{"route", "method", "status"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "parkwire_gateway_request_duration_seconds",
			Help:    "Time from a request's header to the header of its answer, by route.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"route"}),
		rateLimited: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parkwire_gateway_rate_limited_total", Help: "Requests that were refused because their client made too many.",
		}),
	}
	if registerer != nil {
		registerer.MustRegister(m.requests, m.latency, m.rateLimited)
	}
	return m
}

// methodLabel keeps methods that clients invent out of the metrics.
func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}
