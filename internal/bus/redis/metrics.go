package redis

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parkwire/internal/bus"
)

type metrics struct {
	published, received, dropped prometheus.Counter
	connected                    *prometheus.GaugeVec
	probed                       atomic.Int64 // when a message over a subscription came back last, in nanoseconds since 1970; 0: never

	mu      sync.Mutex
	inboxes map[*bus.Inbox]struct{} // of the subscriptions
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
		inboxes: map[*bus.Inbox]struct{}{},
	}
	began := time.Now()
	if r != nil {
		r.MustRegister(m.published, m.received, m.dropped, m.connected,
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Namespace: "parkwire", Subsystem: "bus", Name: "probe_age_seconds",
				Help: "Time since a message that is sent over the subscription every second came back last, or since the start; in a process that does not subscribe it only grows.",
			}, func() float64 { return m.probeAge(began).Seconds() }),
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Namespace: "parkwire", Subsystem: "bus", Name: "inbox_bytes", Help: "Bytes of messages that came from the bus and wait to be delivered. What does not fit is dropped, and read from the log.",
			}, m.waiting))
	}
	return m
}

func (m *metrics) probeAge(began time.Time) time.Duration {
	if at := m.probed.Load(); at != 0 {
		began = time.Unix(0, at)
	}
	return max(0, time.Since(began))
}

func (m *metrics) subscribed(inbox *bus.Inbox) (left func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.inboxes[inbox] = struct{}{}
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.inboxes, inbox)
	}
}

func (m *metrics) waiting() (bytes float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for inbox := range m.inboxes {
		bytes += float64(inbox.Bytes())
	}
	return bytes
}

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
