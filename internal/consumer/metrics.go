package consumer

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// metrics are those of one consumer. Those of several in one process differ by the label "consumer".
type metrics struct {
	records, batches, refused, failed, dropped, lost, failures, fenced prometheus.Counter
	commits, delay                                                     prometheus.Histogram
}

func newMetrics(o Options, c *Consumer) *metrics {
	f, label := promauto.With(o.Registerer), prometheus.Labels{"consumer": o.Name}
	counter := func(name, help string) prometheus.Counter {
		return f.NewCounter(prometheus.CounterOpts{Name: "parkwire_consumer_" + name, Help: help, ConstLabels: label})
	}
	gauge := func(name, help string, value func() float64) {
		f.NewGaugeFunc(prometheus.GaugeOpts{Name: "parkwire_consumer_" + name, Help: help, ConstLabels: label}, value)
	}
	rejected := func(why string) prometheus.Counter {
		return f.NewCounter(prometheus.CounterOpts{
			Name: "parkwire_consumer_rejected_records_total", Help: "Records that were set aside: the service refused them, or failed at them again and again.",
			ConstLabels: prometheus.Labels{"consumer": o.Name, "reason": why},
		})
	}
	gauge("lag_records", "Records of the topic that the service's database does not have yet; the same in each process of the service.",
		func() float64 { return float64(c.watch.lag()) })
	gauge("lag_seconds", "Age of the newest record that the database has, while there are newer ones; 0 when there are none.",
		func() float64 { return c.watch.lagTime(time.Now()).Seconds() })
	gauge("reading", "1 in the process that reads, 0 in those that stand by.", func() float64 {
		if c.watch.isReading() {
			return 1
		}
		return 0
	})
	histogram := func(name, help string) prometheus.Histogram {
		return f.NewHistogram(prometheus.HistogramOpts{
			Name: "parkwire_consumer_" + name, Help: help, ConstLabels: label,
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		})
	}
	return &metrics{
		records:  counter("records_total", "Records whose effect was committed."),
		batches:  counter("batches_total", "Transactions that committed records."),
		refused:  rejected("refused"),
		failed:   rejected("failed"),
		dropped:  counter("dropped_records_total", "Records that had been set aside and are not kept any more, because too many came after them."),
		lost:     counter("lost_records_total", "Offsets that the log did not hold any more when they were to be read."),
		failures: counter("failures_total", "Transactions that failed for another reason than the database."),
		fenced:   counter("fenced_total", "Times that another process had gone on from the place of this one."),
		commits:  histogram("commit_duration_seconds", "Time that transactions with records took, with what was tried again."),
		delay:    histogram("delay_seconds", "Age of the newest record of a transaction when that was committed."),
	}
}

// committed counts a batch.
func (m *metrics) committed(begun time.Time, b batch, applied int) {
	m.batches.Inc()
	m.records.Add(float64(applied))
	for _, reason := range b.reasons {
		switch {
		case reason == nil:
		case errors.As(reason, new(failure)):
			m.failed.Inc()
		default:
			m.refused.Inc()
		}
	}
	m.commits.Observe(time.Since(begun).Seconds())
	if n := len(b.records); n > 0 {
		m.delay.Observe(max(0, time.Since(b.records[n-1].Timestamp).Seconds()))
	}
}
