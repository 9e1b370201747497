package history

import (
	"github.com/prometheus/client_golang/prometheus"

	"parkwire/internal/event"
)

// metrics count what was committed.
type metrics struct {
	changes          *prometheus.CounterVec
	intervals, stays prometheus.Counter
	repeated         prometheus.Counter
	lost             prometheus.Counter
	corrected        prometheus.Counter
	pruned           prometheus.Counter
	spots            prometheus.Gauge
}

func newMetrics(r prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "parkwire_history_" + name, Help: help})
	}
	m := &metrics{
		changes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parkwire_history_changes_total", Help: "Events that were applied, by their change; other: of programs that do not say, or call it otherwise.",
		}, []string{"change"}),
		intervals: counter("intervals_total", "Intervals that ended."),
		stays:     counter("stays_total", "Stays that ended."),
		repeated:  counter("repeated_events_total", "Events that were known already, by their version."),
		lost:      counter("lost_spots_total", "How often a spot became unknown because events of it were not in the log any more."),
		corrected: counter("corrected_times_total", "Events with a time that cannot be, for which the time of the record was taken."),
		pruned:    counter("pruned_rows_total", "Rows that were removed because they had been kept long enough."),
		spots:     prometheus.NewGauge(prometheus.GaugeOpts{Name: "parkwire_history_spots", Help: "Spots of which anything is known, removed ones too."}),
	}
	// So that each shows as 0 before its first.
	for _, c := range event.Changes {
		m.changes.WithLabelValues(string(c))
	}
	m.changes.WithLabelValues("other")
	if r != nil {
		r.MustRegister(m.changes, m.intervals, m.stays, m.repeated, m.lost, m.corrected, m.pruned, m.spots)
	}
	return m
}

func (m *metrics) committed(c counts) {
	for change, n := range c.changes {
		if change == "" {
			change = "other"
		}
		m.changes.WithLabelValues(string(change)).Add(float64(n))
	}
	m.intervals.Add(float64(c.intervals))
	m.stays.Add(float64(c.stays))
	m.repeated.Add(float64(c.repeated))
	m.lost.Add(float64(c.lost))
	m.corrected.Add(float64(c.moved))
	if c.spots > 0 {
		m.spots.Set(float64(c.spots))
	}
}
