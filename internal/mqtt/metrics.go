package mqtt

import (
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// What became of messages.
const (
	taken    = "taken"
	rejected = "rejected" // acknowledged all the same: it would not be taken the next time either
	dropped  = "dropped"  // of quality of service 0, when too much waited
)

type metrics struct {
	messages *prometheus.CounterVec
	up       prometheus.Gauge
}

func newMetrics(r prometheus.Registerer) *metrics {
	f := promauto.With(r)
	m := &metrics{
		messages: f.NewCounterVec(prometheus.CounterOpts{
			Name: "parkwire_mqtt_messages_total", Help: "Messages from the MQTT broker by what became of them: taken, rejected, dropped.",
		}, []string{"outcome"}),
		up: f.NewGauge(prometheus.GaugeOpts{Name: "parkwire_mqtt_connected", Help: "1 while messages are taken from the MQTT broker."}),
	}
	for _, outcome := range []string{taken, rejected, dropped} {
		m.messages.WithLabelValues(outcome)
	}
	return m
}

// refusals logs why messages are rejected, in bounded number: a sensor that nobody registered speaks all day long.
type refusals struct {
	logger  *slog.Logger
	began   time.Time
	logged  int
	omitted int
}

const (
	refusalsEach = time.Minute
	refusalsMost = 10
)

// log is called by one goroutine.
func (r *refusals) log(topic string, err error) {
	if now := time.Now(); now.Sub(r.began) > refusalsEach {
		if r.omitted > 0 {
			r.logger.Warn("more messages were rejected than were logged", "omitted", r.omitted)
		}
		r.began, r.logged, r.omitted = now, 0, 0
	}
	if r.logged == refusalsMost {
		r.omitted++
		return
	}
	r.logged++
	r.logger.Warn("a message from the MQTT broker was rejected", "topic", topic, "reason", err)
}
