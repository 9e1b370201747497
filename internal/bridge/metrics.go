package bridge

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	published  prometheus.Counter
	rejected   prometheus.Counter
	lost       prometheus.Counter
	retries    prometheus.Counter
	partitions prometheus.Gauge
	delay      prometheus.Histogram
}

// newMetrics asks lag for the age of the oldest event in hand.
func newMetrics(registerer prometheus.Registerer, lag func() time.Duration) *metrics {
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
		delay: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "parkwire_bridge_delay_seconds", Help: "From when an event was written to the log until the bus had taken it: that of the oldest of each batch.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}),
	}
	if registerer != nil {
		registerer.MustRegister(m.published, m.rejected, m.lost, m.retries, m.partitions, m.delay, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "parkwire_bridge_lag_seconds", Help: "Age of the oldest event that was read and that the bus does not have yet; 0 without any.",
		}, func() float64 { return lag().Seconds() }))
	}
	return m
}
