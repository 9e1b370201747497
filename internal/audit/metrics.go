package audit

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// metrics are what is counted beside what the frame of consumers counts.
type metrics struct {
	records     *prometheus.CounterVec // by kind
	repetitions prometheus.Counter
	removed     prometheus.Counter
	head        prometheus.Gauge
	notWhole    prometheus.Gauge
	unlike      prometheus.Gauge
}

func newMetrics(r prometheus.Registerer) *metrics {
	f := promauto.With(r)
	m := &metrics{
		records: f.NewCounterVec(prometheus.CounterOpts{
			Name: "parkwire_audit_records_total", Help: "Records that became part of the audit chain.",
		}, []string{"kind"}),
		repetitions: f.NewCounter(prometheus.CounterOpts{
			Name: "parkwire_audit_repetitions_total", Help: "Records of the audit chain that repeat another one.",
		}),
		removed: f.NewCounter(prometheus.CounterOpts{
			Name: "parkwire_audit_removed_records_total", Help: "Records of the audit chain that were replaced by checkpoints.",
		}),
		head: f.NewGauge(prometheus.GaugeOpts{
			Name: "parkwire_audit_head_sequence", Help: "The newest record of the audit chain when the head was looked at last.",
		}),
		notWhole: f.NewGauge(prometheus.GaugeOpts{
			Name: "parkwire_audit_retention_refused", Help: "1 while nothing is removed because the records that would be are not as they were hashed.",
		}),
	}
	m.unlike = f.NewGauge(prometheus.GaugeOpts{
		Name: "parkwire_audit_chain_changed", Help: "1 while the chain does not go on from the head that was told last, so that its heads are not signed.",
	})
	for _, kind := range Kinds {
		m.records.WithLabelValues(string(kind))
	}
	return m
}

func (m *metrics) refused(is bool) { set(m.notWhole, is) }
func (m *metrics) changed(is bool) { set(m.unlike, is) }

func set(g prometheus.Gauge, is bool) {
	g.Set(0)
	if is {
		g.Set(1)
	}
}
