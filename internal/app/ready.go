package app

import "github.com/prometheus/client_golang/prometheus"

// Describe implements [prometheus.Collector].
func (h *health) Describe(to chan<- *prometheus.Desc) {
	to <- readyDesc
	to <- partReadyDesc
}

var (
	readyDesc     = prometheus.NewDesc("parkwire_ready", "1 while the process can do its work, as /readyz says.", nil, nil)
	partReadyDesc = prometheus.NewDesc("parkwire_part_ready", "1 while a part of the process can do its work. One at 0 of a process that is ready is bridged by others.", []string{"part"}, nil)
)

// Collect implements [prometheus.Collector].
func (h *health) Collect(to chan<- prometheus.Metric) {
	number := func(yes bool) float64 {
		if yes {
			return 1
		}
		return 0
	}
	ready, troubles := h.report()
	to <- prometheus.MustNewConstMetric(readyDesc, prometheus.GaugeValue, number(ready))
	troubled := map[string]bool{}
	for _, t := range troubles {
		troubled[t.part] = true
	}
	for _, name := range h.parts() {
		to <- prometheus.MustNewConstMetric(partReadyDesc, prometheus.GaugeValue, number(!troubled[name]), name)
	}
}
