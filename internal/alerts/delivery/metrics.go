package delivery

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	attempts    *prometheus.CounterVec
	duration    *prometheus.HistogramVec
	finished    *prometheus.CounterVec
	interrupted prometheus.Counter
	lost        prometheus.Counter
	waiting     prometheus.Gauge
	oldest      prometheus.Gauge
}

func newMetrics(r prometheus.Registerer, c *circuits, l *slots) *metrics {
	m := &metrics{
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parkwire_alerts_delivery_attempts_total", Help: "Attempts to deliver an alert, by kind of channel and what became of them: delivered, failed (tried again), dead (never), refused (the channel ended).",
		}, []string{"kind", "outcome"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "parkwire_alerts_delivery_attempt_duration_seconds", Help: "How long an attempt took.",
			Buckets: []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10},
		}, []string{"kind"}),
		finished: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parkwire_alerts_deliveries_total", Help: "Deliveries that are over, by kind of channel and state: delivered, dead.",
		}, []string{"kind", "state"}),
		interrupted: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parkwire_alerts_deliveries_interrupted_total", Help: "Deliveries whose process died in the middle of an attempt, and which are sent again under the same id.",
		}),
		lost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parkwire_alerts_deliveries_lost_leases_total", Help: "Attempts that took longer than they were left to this process.",
		}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "parkwire_alerts_deliveries_waiting", Help: "Deliveries that wait, of all processes.",
		}),
		oldest: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "parkwire_alerts_deliveries_oldest_timestamp_seconds", Help: "When the oldest delivery that waits was decided, in seconds since 1970; 0: none waits.",
		}),
	}
	for _, kind := range []string{KindWebhook, kindPush, kindMail} { // so that each shows as 0 before its first
		for _, v := range []verdict{taken, again, never, ended} {
			m.attempts.WithLabelValues(kind, string(v))
		}
		for _, state := range []string{stateDelivered, stateDead} {
			m.finished.WithLabelValues(kind, state)
		}
	}
	if r != nil {
		r.MustRegister(m.attempts, m.duration, m.finished, m.interrupted, m.lost, m.waiting, m.oldest,
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Name: "parkwire_alerts_delivery_circuits_open", Help: "Hosts and channels that fail, and to which nothing is delivered but now and then.",
			}, func() float64 { return float64(c.open()) }),
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Name: "parkwire_alerts_delivery_attempts", Help: "Attempts that are under way.",
			}, func() float64 { return float64(l.busy()) }))
	}
	return m
}

func (m *metrics) attempted(kind string, r result, took time.Duration) {
	m.attempts.WithLabelValues(kind, string(r.verdict)).Inc()
	m.duration.WithLabelValues(kind).Observe(took.Seconds())
}

func (m *metrics) recorded(batch []decided, lost int) {
	m.lost.Add(float64(lost))
	for _, d := range batch {
		if d.state != stateWaiting {
			m.finished.WithLabelValues(d.kind, d.state).Inc()
		}
	}
}

func (m *metrics) wait(waiting, oldest int64) {
	m.waiting.Set(float64(waiting))
	m.oldest.Set(float64(oldest) / 1000)
}
