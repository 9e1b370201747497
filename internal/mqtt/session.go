package mqtt

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"parkwire/internal/parking"
	"parkwire/internal/secret"
	"parkwire/internal/sleep"
)

const (
	answerWithin = 10 * time.Second // of the broker, to anything
	batchSize    = 1000
)

// session is one connection, from beginning to end. connected says whether messages came by it. The library connects again by itself too,
// but then what the old connection left behind would be mixed with what the broker sends again.
func (s *Subscriber) session(ctx context.Context) (connected bool, err error) {
	q := newQueue(maxWaiting)
	options, err := s.clientOptions(q)
	if err != nil {
		return false, err
	}
	client := paho.NewClient(options)
	defer func() {
		client.Disconnect(250) // milliseconds, for the last acknowledgements; it returns when they are sent
	}()
	if err := await(client.Connect()); err != nil {
		return false, err
	}
	subscribing := client.SubscribeMultiple(s.filters, nil).(*paho.SubscribeToken)
	if err := await(subscribing); err != nil {
		return false, fmt.Errorf("subscribing: %w", err)
	}
	for topic, answer := range subscribing.Result() {
		if answer == 0x80 {
			return false, fmt.Errorf("it refuses the subscription to %q", topic)
		}
	}
	s.say(nil)
	for {
		batch, err := q.take(ctx, batchSize)
		if err == nil {
			err = s.deliver(ctx, q, batch)
		}
		if err != nil {
			return true, err
		}
	}
}

// Try finds out whether the broker takes this user. It does so under a name of its own, since the session of the configured one may be in use. The name is one
// that every broker must take: 23 letters and digits at most.
func (s *Subscriber) Try(ctx context.Context) error {
	o, err := s.clientOptions(newQueue(1))
	if err != nil {
		return err
	}
	o.SetClientID("parkwireDoctor" + rand.Text()[:9]).SetCleanSession(true)
	client := paho.NewClient(o)
	connecting := client.Connect()
	select {
	case <-connecting.Done():
	case <-ctx.Done():
		client.Disconnect(0)
		return fmt.Errorf("it does not answer: %w", ctx.Err())
	}
	if err := connecting.Error(); err != nil {
		return err
	}
	client.Disconnect(100)
	return nil
}

func (s *Subscriber) clientOptions(q *queue) (*paho.ClientOptions, error) {
	o := paho.NewClientOptions()
	broker, user := *s.broker, s.options.Username
	password := secret.Text{Value: s.options.Password, File: s.options.PasswordFile, Setting: "mqtt-password-file"}
	if user == "" && password.File != "" {
		user = broker.User.Username()
	}
	if user != "" {
		text, err := password.Read()
		if err != nil {
			return nil, err
		}
		broker.User = nil // it would be preferred
		o.SetUsername(user).SetPassword(text)
	}
	o.AddBroker(broker.String())
	o.SetProtocolVersion(4) // 3.1.1, the only one that every broker speaks, that of The Things Stack among them
	o.SetClientID(s.options.ClientID).SetCleanSession(false)
	o.SetAutoAckDisabled(true).SetAutoReconnect(false).SetConnectRetry(false)
	o.SetConnectTimeout(answerWithin).SetWriteTimeout(answerWithin).SetPingTimeout(answerWithin)
	o.Dialer.Timeout = answerWithin
	o.SetTLSConfig(&tls.Config{MinVersion: tls.VersionTLS12})
	o.SetConnectionLostHandler(func(_ paho.Client, err error) { q.lose(fmt.Errorf("the connection was lost: %w", err)) })
	// One after the other, and never waiting: the library can hear nothing else meanwhile, not even that the broker lives.
	o.SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
		if !q.put(m) {
			s.metrics.messages.WithLabelValues(dropped).Inc()
		}
	})
	return o, nil
}

// await waits for the answer of the broker to something.
func await(t paho.Token) error {
	if !t.WaitTimeout(2 * answerWithin) {
		return errors.New("it does not answer")
	}
	return t.Error()
}

// deliver commits a batch and acknowledges it. While the database is away it is tried again and again. What alone cannot be committed for
// another reason is refused, so that it does not hold up everything behind it.
func (s *Subscriber) deliver(ctx context.Context, q *queue, batch []paho.Message) error {
	messages := make([]parking.Message, len(batch))
	for i, m := range batch {
		messages[i] = parking.Message{Topic: m.Topic(), Payload: m.Payload()}
	}
	for pause := s.options.Pause; ; pause = min(2*pause, 30*s.options.Pause) {
		refused, err := s.options.Deliver(ctx, messages)
		passing := errors.Is(err, parking.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
		switch {
		case err == nil:
			s.say(nil)
			s.done(batch, refused)
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !passing && len(batch) > 1:
			for _, m := range batch {
				if err := s.deliver(ctx, q, []paho.Message{m}); err != nil {
					return err
				}
			}
			return nil
		case !passing:
			s.done(batch, []error{err})
			return nil
		}
		s.say(fmt.Errorf("its messages wait, because they cannot be stored: %w", err))
		if err := sleep.About(ctx, pause); err != nil {
			return err
		}
		if err := q.lost(); err != nil {
			return err // the broker sends again what was not acknowledged
		}
	}
}

func (s *Subscriber) done(batch []paho.Message, refused []error) {
	for i, m := range batch {
		outcome := taken
		if refused[i] != nil {
			outcome = rejected
			s.refusal.log(m.Topic(), refused[i])
		}
		s.metrics.messages.WithLabelValues(outcome).Inc()
		m.Ack()
	}
}
