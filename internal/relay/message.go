package relay

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
	"parkwire/internal/trace"
)

// Source is the CloudEvents source of every event that the relay writes. By it, and by its ce_id, a
// record is recognised as one of ours.
const Source = "/parkwire/parking"

// eventMessage is a row as a CloudEvent in Kafka's binary mode: what describes the event is in headers, and
// the value is what it always was. traceparent is what those who read it are told of its trace.
func eventMessage(topic string, row OutboxRow, traceparent string) kafkalog.Message {
	headers := []kafkalog.Header{
		{Key: "ce_specversion", Value: []byte("1.0")},
		{Key: "ce_id", Value: []byte(row.EventID)},
		{Key: "ce_source", Value: []byte(Source)},
		{Key: "ce_type", Value: []byte(event.Type)},
		{Key: "ce_subject", Value: []byte(row.SpotID)},
		{Key: "content-type", Value: []byte("application/json")},
	}
	if at := acceptedAt(row); !at.IsZero() {
		headers = append(headers, kafkalog.Header{Key: "ce_time", Value: []byte(event.At(at).String())})
	}
	if traceparent != "" {
		headers = append(headers, kafkalog.Header{Key: trace.Header, Value: []byte(traceparent)})
	}
	return kafkalog.Message{Topic: topic, Key: []byte(row.SpotID), Value: row.Value, Headers: headers}
}

// TwinMessage is what the compacted twin gets: the newest event of the spot, or the end of it.
func TwinMessage(topic string, row OutboxRow) kafkalog.Message {
	m := kafkalog.Message{Topic: topic, Key: []byte(row.SpotID), Value: row.Value}
	if row.Tombstone {
		m.Value = nil
	}
	return m
}

// spotMessage is a TwinMessage that tells up to where the twin has all that is in the log.
func spotMessage(topic string, row OutboxRow, covered []byte) kafkalog.Message {
	m := TwinMessage(topic, row)
	m.Headers = []kafkalog.Header{{Key: kafkalog.CoveredHeader, Value: covered}}
	return m
}

// settledMessage tells those who read the twin up to where it has all that is in the log, and nothing else.
func settledMessage(topic string, covered event.Cursor) kafkalog.Message {
	return kafkalog.Message{Topic: topic, Key: []byte(kafkalog.Settled), Headers: []kafkalog.Header{{Key: kafkalog.CoveredHeader, Value: []byte(covered.String())}}}
}

func acceptedAt(row OutboxRow) time.Time {
	e, err := event.Decode(row.Value)
	if err != nil {
		return time.Time{}
	}
	return e.Timestamp.Time
}

type metrics struct {
	carried  prometheus.Counter
	repeated prometheus.Counter
	records  prometheus.Counter
	tooLarge prometheus.Counter
	failures prometheus.Counter
	delay    prometheus.Histogram
}

// newMetrics asks waiting for the rows that wait, and the age of the oldest, records for the records that do, and leads whether this process does.
func newMetrics(registerer prometheus.Registerer, waiting func() (int, time.Duration), records, leads func() float64) *metrics {
	m := &metrics{
		carried: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parkwire_relay_produced_events_total", Help: "Events that are in the log and no longer in the outbox.",
		}),
		repeated: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parkwire_relay_recognised_events_total", Help: "Those of them that an earlier leader had written already.",
		}),
		records: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parkwire_relay_produced_records_total", Help: "Records (of changes, keys and revocations) that are in Kafka and no longer in the outbox.",
		}),
		tooLarge: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parkwire_relay_too_large_records_total", Help: "Records that were given up because they are too large for Kafka.",
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parkwire_relay_retries_total", Help: "Failures after which everything began again from what is in the log.",
		}),
		delay: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "parkwire_relay_delay_seconds", Help: "From when a change was accepted until the log had acknowledged it: that of the oldest of each batch.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}),
	}
	if registerer != nil {
		registerer.MustRegister(m.carried, m.repeated, m.records, m.tooLarge, m.failures, m.delay,
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Name: "parkwire_relay_leading", Help: "1 in the process that carries the outbox to the log, 0 in those that stand by.",
			}, leads),
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Name: "parkwire_relay_pending_records",
				Help: "Records that the leader found at its last look, at most one batch; 0 where another process leads.",
			}, records),
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Name: "parkwire_relay_pending_rows",
				Help: "Rows of the outbox that the leader found at its last look, at most one batch; 0 where another process leads.",
			}, func() float64 { rows, _ := waiting(); return float64(rows) }),
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Name: "parkwire_relay_lag_seconds", Help: "Age of the oldest of them; 0 without any.",
			}, func() float64 { _, lag := waiting(); return lag.Seconds() }))
	}
	return m
}
