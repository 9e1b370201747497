package bridge

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	published  prometheus.Counter
	rejected   prometheus.Counter
	lost       prometheus.Counter
	retries    prometheus.Counter
	partitions prometheus.Gauge
	lag        prometheus.Gauge
}

func newMetrics(registerer prometheus.Registerer) *metrics {
	m := &metrics{
		published: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parkwire_bridge_published_events_total", Help: "Events that the bus took; some twice, after partitions moved.",
		}),
		rejected: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parkwire_bridge_rejected_records_total", Help: "Records that are no events and were put into the rejected topic.",
		}),
		lost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parkwire_bridge_unrejected_records_total", Help: "Records that are no events and could not be put there either.",
		}),
		retries: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parkwire_bridge_publish_retries_total", Help: "Publications that the bus did not take.",
		}),
		partitions: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "parkwire_bridge_assigned_partitions", Help: "Partitions of the event log that this process carries.",
		}),
		lag: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "parkwire_bridge_lag_seconds", Help: "Age of the newest record when it was published.",
		}),
	}
	if registerer != nil {
		registerer.MustRegister(m.published, m.rejected, m.lost, m.retries, m.partitions, m.lag)
	}
	return m
}
