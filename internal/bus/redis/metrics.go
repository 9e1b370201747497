package redis

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	published, received, dropped prometheus.Counter
	connected                    *prometheus.GaugeVec
}

func newMetrics(r prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "parkwire", Subsystem: "bus", Name: name, Help: help})
	}
	m := &metrics{
		published: counter("published_messages_total", "Messages that Redis took."),
		received:  counter("received_messages_total", "Messages that came from Redis."),
		dropped:   counter("dropped_messages_total", "Messages from Redis that were left out because the subscriber was too slow."),
		connected: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: "parkwire", Subsystem: "bus", Name: "connected", Help: "1 while the connection to Redis is known to work.",
		}, []string{"connection"}),
	}
	if r != nil {
		r.MustRegister(m.published, m.received, m.dropped, m.connected)
	}
	return m
}

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
