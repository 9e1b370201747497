// Package mqtt takes what sensors say from an MQTT broker, and acknowledges it when it is committed.
package mqtt

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parkwire/internal/parking"
	"parkwire/internal/secret"
	"parkwire/internal/sleep"
)

// Options configure a [Subscriber]. URL, ClientID, Topics and Deliver are required.
type Options struct {
	// URL of the broker: mqtt://, mqtts:// (TLS), ws:// or wss://. It may hold user and password; without a port that of
	// its scheme is used.
	URL                string
	Username, Password string // in the place of those of the URL, where Username is set
	// PasswordFile holds the password instead. It is read anew for each connection. "": there is none.
	PasswordFile string
	// ClientID names the session that the broker keeps while this process is away. It must be the same after a restart, and no other's.
	ClientID string
	Topics   []string // filters
	// Share is the group of a shared subscription, in which each message goes to one of several processes; "": none, for brokers that know
	// none.
	Share string
	// Deliver commits messages: see [parking.Service.Deliver].
	Deliver func(ctx context.Context, messages []parking.Message) (refused []error, err error)

	// Pause is how long is waited, at first, before what failed is tried again; it grows to 30 times as much. Default 1 s.
	Pause      time.Duration
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// Subscriber is a client of a broker that is connected again whenever the connection ends.
type Subscriber struct {
	options Options
	broker  *url.URL
	filters map[string]byte
	logger  *slog.Logger
	metrics *metrics
	refusal refusals
	trouble atomic.Pointer[error] // nil where there is none

	// Of Run's goroutine:
	up, told bool // what was logged last, if anything
}

// New returns a subscriber that does nothing yet.
func New(o Options) (*Subscriber, error) {
	broker, err := Broker(o.URL)
	if err != nil {
		return nil, err
	}
	if _, err := (secret.Text{File: o.PasswordFile, Setting: "mqtt-password-file"}).Read(); err != nil {
		return nil, err
	}
	if o.Pause <= 0 {
		o.Pause = time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	s := &Subscriber{options: o, broker: broker, filters: map[string]byte{}, logger: o.Logger, metrics: newMetrics(o.Registerer)}
	for _, topic := range o.Topics {
		if o.Share != "" {
			topic = "$share/" + o.Share + "/" + topic
		}
		s.filters[topic] = 1 // at least once
	}
	s.refusal.logger = o.Logger
	s.trouble.Store(new(fmt.Errorf("the MQTT broker %s was not reached yet", broker.Host)))
	return s, nil
}

// Broker reads the URL of a broker, and adds the port that its scheme has by default.
func Broker(text string) (*url.URL, error) {
	ports := map[string]string{"mqtt": "1883", "mqtts": "8883", "ws": "80", "wss": "443"}
	u, err := url.Parse(text)
	if err != nil || ports[u.Scheme] == "" || u.Hostname() == "" {
		return nil, fmt.Errorf("it is no URL of the form mqtt://HOST, mqtts://HOST, ws://HOST/PATH or wss://HOST/PATH") // not repeated: it may hold a password
	}
	if u.Port() == "" {
		u.Host += ":" + ports[u.Scheme]
	}
	return u, nil
}

// Ready returns nil, or why messages are not taken at present.
func (s *Subscriber) Ready() error {
	if err := s.trouble.Load(); err != nil {
		return *err
	}
	return nil
}

// Run takes messages until ctx ends.
func (s *Subscriber) Run(ctx context.Context) error {
	for pause := s.options.Pause; ; pause = min(2*pause, 30*s.options.Pause) {
		connected, err := s.session(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if connected {
			pause = s.options.Pause
		}
		s.say(fmt.Errorf("the MQTT broker %s: %w", s.broker.Host, err))
		if sleep.About(ctx, pause) != nil {
			return nil
		}
	}
}

// say keeps what troubles the subscriber, nil for nothing, and logs it when that begins or ends.
func (s *Subscriber) say(trouble error) {
	if trouble == nil {
		s.trouble.Store(nil)
	} else {
		s.trouble.Store(&trouble)
	}
	switch {
	case trouble == nil && !s.up:
		s.logger.Info("messages are taken from the MQTT broker", "broker", s.broker.Host, "topics", s.options.Topics)
		s.metrics.up.Set(1)
		s.up, s.told = true, false
	case trouble != nil && !s.told:
		s.logger.Warn("no messages are taken from the MQTT broker, which keeps them meanwhile", "error", trouble)
		s.metrics.up.Set(0)
		s.up, s.told = false, true
	}
}
