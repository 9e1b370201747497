package alerts

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parkwire/internal/alerts/decide"
)

type metrics struct {
	decisions  *prometheus.CounterVec
	suppressed prometheus.Counter
	late       prometheus.Counter
	seconds    prometheus.Histogram
	ended      *prometheus.CounterVec
}

func newMetrics(registerer prometheus.Registerer, s *Service) *metrics {
	m := &metrics{
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parkwire_alerts_decisions_total", Help: "Times that rules spoke, by their condition.",
		}, []string{"condition"}),
		suppressed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parkwire_alerts_suppressed_total", Help: "Times that rules would have spoken but for quiet hours that drop what is said in them.",
		}),
		late: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parkwire_alerts_late_events_total", Help: "Events that were too old to be told of when they were read.",
		}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "parkwire_alerts_decision_seconds", Help: "Time from an event in the log to the decision of which it is the cause.",
			Buckets: []float64{.002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10, 30, 60, 300},
		}),
		ended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parkwire_alerts_streams_ended_total", Help: "Streams that the service ended, by reason.",
		}, []string{"reason"}),
	}
	for _, kind := range decide.Kinds { // 0 is to be seen before the first time
		m.decisions.WithLabelValues(string(kind))
	}
	s.streams.ended = m.ended
	if registerer != nil {
		registerer.MustRegister(m.decisions, m.suppressed, m.late, m.seconds, m.ended,
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Name: "parkwire_alerts_rules", Help: "Rules that this process had when it decided last; 0 where it never did.",
			}, func() float64 { return float64(s.decider.rules.Load()) }),
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Name: "parkwire_alerts_streams", Help: "Streams that are open at this process.",
			}, func() float64 { return float64(s.streams.count()) }))
	}
	return m
}

// decided counts what was committed.
func (m *metrics) decided(o outcome, now time.Time) {
	m.suppressed.Add(float64(o.suppressed))
	m.late.Add(float64(o.late))
	for kind, n := range o.decisions {
		m.decisions.WithLabelValues(string(kind)).Add(float64(n))
	}
	for _, appended := range o.causes {
		m.seconds.Observe(max(0, now.Sub(appended).Seconds()))
	}
}
