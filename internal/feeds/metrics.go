package feeds

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	requests *prometheus.CounterVec
	built    prometheus.Counter
	reads    prometheus.Counter
	waiting  prometheus.Gauge
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parkwire_feeds_requests_total", Help: "Requests for feeds, by feed and what became of them: sent, not modified, refused.",
		}, []string{"feed", "outcome"}),
		built:   prometheus.NewCounter(prometheus.CounterOpts{Name: "parkwire_feeds_documents_built_total", Help: "Documents that were built because none was there of the newest version."}),
		reads:   prometheus.NewCounter(prometheus.CounterOpts{Name: "parkwire_feeds_state_reads_total", Help: "Times that the present state was read from the database."}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{Name: "parkwire_feeds_waiting_requests", Help: "Requests of signs that wait for a change."}),
	}
	if r != nil {
		r.MustRegister(m.requests, m.built, m.reads, m.waiting)
	}
	return m
}
