package live

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	connections                *prometheus.GaugeVec
	writes, deliveries, bytes  prometheus.Counter
	events, holes, resumes     *prometheus.CounterVec
	stateRecords, logReads     *prometheus.CounterVec
	snapshots                  prometheus.Counter
	duplicates, refused        prometheus.Counter
	tooSlow, expired, overload prometheus.Counter
	crowded, revoked           prometheus.Counter
	lapsed, conflated          prometheus.Counter
	slow                       prometheus.Gauge
	engine                     *prometheus.GaugeVec
	delay                      prometheus.Histogram
}

// newMetrics asks stale for how many seconds the log has not answered, and waiting for how many bytes wait for slow clients.
func newMetrics(r prometheus.Registerer, stale, waiting func() float64) *metrics {
	var all []prometheus.Collector
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Namespace: "parkwire", Subsystem: "live", Name: name, Help: help})
		all = append(all, c)
		return c
	}
	vector := func(name, label, help string, values ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "parkwire", Subsystem: "live", Name: name, Help: help}, []string{label})
		for _, value := range values { // 0 is to be seen before the first time
			v.WithLabelValues(value)
		}
		all = append(all, v)
		return v
	}
	m := &metrics{
		connections: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: "parkwire", Subsystem: "live", Name: "connections", Help: "Clients that are connected.",
		}, []string{"kind"}),
		engine: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: "parkwire", Subsystem: "live", Name: "engine_info", Help: "How clients are served: 1 for the engine that is used.",
		}, []string{"engine"}),
		writes:       counter("writes_total", "Writes to clients, each of everything that was due to one of them."),
		deliveries:   counter("deliveries_total", "Frames sent to clients: events times their receivers."),
		bytes:        counter("sent_bytes_total", "Bytes sent to clients."),
		events:       vector("events_total", "source", "Events delivered, by where they came from.", "bus", "log", "foreign"),
		holes:        vector("holes_total", "found", "Holes that the bus left and the log filled, by how they were found.", "after", "heads"),
		resumes:      vector("resumes_total", "source", "Clients that came back with a cursor, by where the oldest event came from.", "memory", "log"),
		stateRecords: vector("state_records_total", "source", "Records read to know the state of the spots when the instance started.", "twin", "log"),
		logReads:     vector("log_reads_total", "what", "Questions to the log for clients that came back, each for all that had the same.", "records", "tails", "ends", "heads"),
		snapshots:    counter("snapshots_built_total", "Snapshots of the state of the spots that were made; each serves all clients that ask at about the same time."),
		duplicates:   counter("duplicates_total", "Messages of the bus whose event had been delivered already."),
		refused:      counter("refused_messages_total", "Messages of the bus that cannot be delivered: no UTF-8, too large, or a place that the log does not have."),
		tooSlow:      counter("too_slow_closed_total", "Clients closed because they fell too far behind."),
		expired:      counter("cursors_expired_total", "Clients that came back with a cursor older than the log."),
		lapsed:       counter("lapsed_total", "Clients of parkwire.v1 that fell too far behind, and are sent the newest of each spot."),
		conflated:    counter("conflated_total", "Events left out for clients of parkwire.v1 that fell too far behind."),
		slow: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: "parkwire", Subsystem: "live", Name: "slow_clients", Help: "Clients that take no more at present of what waits for them.",
		}),
		delay: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "parkwire", Subsystem: "live", Name: "delivery_delay_seconds",
			Help:    "From when a change was accepted until its last client of a loop had been written to, once for each turn of a loop: that of the oldest change in it. Clients that take nothing are not waited for.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}),
		overload: counter("overload_refused_total", "Clients sent away because there were too many, or too many came."),
		crowded:  counter("crowded_refused_total", "Clients sent away because there were too many of their address or subject."),
		revoked:  counter("revoked_closed_total", "Clients closed because their tokens or keys were revoked."),
	}
	for e := range encodings {
		m.connections.WithLabelValues(e.String())
	}
	if r != nil {
		all = append(all, m.connections, m.slow, m.engine, m.delay, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Namespace: "parkwire", Subsystem: "live", Name: "waiting_bytes",
			Help: "Bytes that wait for clients that take no more at present, each client's counted for itself; they are in memory once for all of a subscription.",
		}, waiting), prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Namespace: "parkwire", Subsystem: "live", Name: "stale_seconds",
			Help: "For how long the event log has not answered, so that clients may see what is old; 0 while it does.",
		}, stale))
		r.MustRegister(all...)
	}
	return m
}
