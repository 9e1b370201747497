package storage

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"parkwire/internal/parking"
)

// Measures are the metrics of a store.
type Measures struct {
	updates *prometheus.HistogramVec
	retries prometheus.Counter
}

// Connections are how many connections of a store are in use and how many wait for use.
type Connections struct{ InUse, Idle int }

// NewMeasures registers the metrics of a store, where r is not nil.
func NewMeasures(r prometheus.Registerer, connections func() Connections) *Measures {
	f := promauto.With(r)
	for state, get := range map[string]func(Connections) int{
		"in_use": func(c Connections) int { return c.InUse },
		"idle":   func(c Connections) int { return c.Idle },
	} {
		f.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "parkwire_store_connections", Help: "Connections to the database.",
			ConstLabels: prometheus.Labels{"state": state},
		}, func() float64 { return float64(get(connections())) })
	}
	return &Measures{
		updates: f.NewHistogramVec(prometheus.HistogramOpts{
			Name: "parkwire_store_update_duration_seconds", Help: "Time that transactions took, with what they waited for.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"outcome"}),
		retries: f.NewCounter(prometheus.CounterOpts{
			Name: "parkwire_store_update_retries_total", Help: "Transactions that were run again because of a conflict with others.",
		}),
	}
}

// Updated counts a transaction that began at start: committed, refused by what it did, or unavailable.
func (m *Measures) Updated(start time.Time, err error) {
	outcome := "committed"
	switch {
	case errors.Is(err, parking.ErrUnavailable):
		outcome = "unavailable"
	case err != nil:
		outcome = "refused"
	}
	m.updates.WithLabelValues(outcome).Observe(time.Since(start).Seconds())
}

// Retried counts a transaction that is run again.
func (m *Measures) Retried() { m.retries.Inc() }
