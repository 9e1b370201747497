package parking

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parkwire/internal/event"
)

// metrics count what was committed.
type metrics struct {
	observations *prometheus.CounterVec
	transitions  *prometheus.CounterVec
	groupSize    prometheus.Histogram
	commitTime   prometheus.Histogram
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		observations: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parkwire_parking_observations_total", Help: "Readings by what became of them: accepted, unchanged, late, rejected.",
		}, []string{"outcome"}),
		transitions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parkwire_parking_transitions_total", Help: "Events by their change.",
		}, []string{"change"}),
		groupSize: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "parkwire_parking_commit_group_readings", Help: "Readings that were committed together.",
			Buckets: []float64{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000},
		}),
		commitTime: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "parkwire_parking_commit_duration_seconds", Help: "How long a transaction took that changed spots.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14),
		}),
	}
	// So that each shows as 0 before its first.
	for _, o := range outcomes {
		m.observations.WithLabelValues(o)
	}
	for _, c := range event.Changes {
		m.transitions.WithLabelValues(string(c))
	}
	if r != nil {
		r.MustRegister(m.observations, m.transitions, m.groupSize, m.commitTime)
	}
	return m
}

// committed leaves out the sweeps that found nothing.
func (m *metrics) committed(t *transaction, took time.Duration) {
	if len(t.spots) > 0 {
		m.commitTime.Observe(took.Seconds())
	}
	for _, e := range t.events {
		m.transitions.WithLabelValues(string(e.Change)).Inc()
	}
}
