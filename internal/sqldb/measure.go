package sqldb

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// measures are the metrics of a database. Those of several in one process differ by the label "database".
type measures struct {
	updates *prometheus.HistogramVec
	retries prometheus.Counter
}

func newMeasures(r prometheus.Registerer, database string, connections func() (inUse, idle int)) *measures {
	f, label := promauto.With(r), prometheus.Labels{"database": database}
	for state, get := range map[string]func() int{
		"in_use": func() int { n, _ := connections(); return n },
		"idle":   func() int { _, n := connections(); return n },
	} {
		f.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "parkwire_database_connections", Help: "Connections of a further service to its database.",
			ConstLabels: prometheus.Labels{"database": database, "state": state},
		}, func() float64 { return float64(get()) })
	}
	return &measures{
		updates: f.NewHistogramVec(prometheus.HistogramOpts{
			Name: "parkwire_database_update_duration_seconds", Help: "Time that transactions of a further service took, with what they waited for.",
			ConstLabels: label, Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"outcome"}),
		retries: f.NewCounter(prometheus.CounterOpts{
			Name: "parkwire_database_update_retries_total", Help: "Transactions of a further service that were run again because of a conflict with others.",
			ConstLabels: label,
		}),
	}
}

// updated counts a transaction that began at start: committed, refused by what it did, in conflict with others to the end, or unavailable.
func (m *measures) updated(start time.Time, err error) {
	outcome := "committed"
	switch {
	case errors.Is(err, ErrConflict):
		outcome = "conflict"
	case errors.Is(err, ErrUnavailable):
		outcome = "unavailable"
	case err != nil:
		outcome = "refused"
	}
	m.updates.WithLabelValues(outcome).Observe(time.Since(start).Seconds())
}
