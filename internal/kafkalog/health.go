package kafkalog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// awayAfter is how long nothing but errors must come before Kafka counts as away: a broker that
// restarts while others serve is nobody's concern.
const awayAfter = time.Second

// health hears of every request of every client of a log, and so knows whether Kafka answers
// without asking it anything.
type health struct {
	security Security
	logger   *slog.Logger
	requests *prometheus.CounterVec

	mu       sync.Mutex
	err      error     // the newest failure since the last answer
	since    time.Time // of the first of them
	reported bool      // that Kafka is away
	answered bool      // ever
	trouble  error     // why topics cannot be made though Kafka answers
}

func newHealth(security Security, logger *slog.Logger, registerer prometheus.Registerer) *health {
	h := &health{security: security, logger: logger, requests: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "parkwire_log_requests_total", Help: "Requests that Kafka answered, by their kind.",
	}, []string{"request"})}
	if registerer != nil {
		registerer.MustRegister(h.requests, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "parkwire_log_up", Help: "1 while Kafka answers, 0 while it is away or its topics cannot be used.",
		}, func() float64 {
			if h.ready(true) != nil {
				return 0
			}
			return 1
		}))
	}
	return h
}

// OnBrokerConnect hears of connections that could not be made.
func (h *health) OnBrokerConnect(_ kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	if err != nil {
		h.failed(err)
	}
}

// OnBrokerE2E hears of every request.
func (h *health) OnBrokerE2E(_ kgo.BrokerMetadata, key int16, e kgo.BrokerE2E) {
	if err := e.Err(); err != nil {
		h.failed(err)
		return
	}
	h.requests.WithLabelValues(kmsg.NameForKey(key)).Inc()
	h.mu.Lock()
	defer h.mu.Unlock()
	switch kmsg.Key(key) {
	case kmsg.ApiVersions, kmsg.SASLHandshake:
		return // said before a login, which may fail
	case kmsg.SASLAuthenticate:
		// What it says is not told here. It went well if a request is answered now, and no other one is made before.
		h.note(fmt.Errorf("%w; %s", errLogin, h.security.refused()))
		return
	}
	h.err, h.answered = nil, true
	if h.reported {
		h.reported = false
		h.logger.Info("the event log (Kafka) answers again")
	}
}

func (h *health) failed(err error) {
	if errors.Is(err, context.Canceled) || errors.Is(err, kgo.ErrClientClosed) || errors.Is(err, net.ErrClosed) {
		return // we gave up, not Kafka
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.note(h.security.explain(err, !h.answered))
}

// errLogin is the error while a login has begun of which it is not known whether it succeeds.
var errLogin = errors.New("the login does not succeed")

// note takes in a failure. The caller holds mu.
func (h *health) note(err error) {
	if h.err == nil {
		h.since = time.Now()
	}
	h.err = err
	if !h.reported && time.Since(h.since) >= awayAfter {
		h.reported = true
		h.logger.Warn("the event log (Kafka) cannot be reached; what needs it waits", "error", err)
	}
}

// cannot records why the topics cannot be made, and says so once for each reason; nil: they can.
func (h *health) cannot(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	err = h.security.explain(err, !h.answered)
	if err != nil && (h.err == nil || errors.Is(h.err, errLogin)) && (h.trouble == nil || h.trouble.Error() != err.Error()) {
		h.logger.Warn("the topics of the event log cannot be made yet", "error", err)
	}
	h.trouble = err
}

func (h *health) ready(ensured bool) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.err != nil && (!ensured && !errors.Is(h.err, errLogin) || time.Since(h.since) >= awayAfter): // a login takes a moment
		return fmt.Errorf("the event log (Kafka) cannot be reached: %w", h.err)
	case h.trouble != nil:
		return fmt.Errorf("the topics of the event log (Kafka) cannot be made: %w", h.trouble)
	case !ensured:
		return errors.New("the event log (Kafka) has not answered yet")
	}
	return nil
}

// clientLogger passes on what the Kafka client says, as something for debugging only: it tells each
// failed try of many, and what matters of them is told once by health.
type clientLogger struct{ *slog.Logger }

func (l clientLogger) Level() kgo.LogLevel {
	if l.Enabled(context.Background(), slog.LevelDebug) {
		return kgo.LogLevelInfo
	}
	return kgo.LogLevelNone
}

func (l clientLogger) Log(_ kgo.LogLevel, msg string, keyvals ...any) {
	l.Debug("kafka client: "+msg, keyvals...)
}
