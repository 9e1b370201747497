package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"time"

	"github.com/redis/rueidis"

	"parkwire/internal/bus"
	"parkwire/internal/redis"
)

// Subscribe implements [bus.Bus]. Every attempt has a connection of its own.
//
// A connection that answers may still not carry messages: a proxy in between has lost the other
// half, or the server has forgotten the subscription. So what is asked is whether messages
// come: once a second one is published over the subscription's own connection, on a
// channel of its own, and must come back.
func (b *Bus) Subscribe(ctx context.Context, handle func([]byte), status func(bool)) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	stop := context.AfterFunc(b.ctx, func() { end(bus.ErrClosed) })
	defer stop()
	if status == nil {
		status = func(bool) {}
	}
	inbox := bus.NewInbox() // so that a slow handle neither stops the probes nor makes Redis cut the connection
	defer b.metrics.subscribed(inbox)()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b.stay(ctx, inbox, status)
	}()
	err := inbox.Serve(ctx, handle)
	<-ended
	return err
}

// stay keeps a subscription until ctx ends.
func (b *Bus) stay(ctx context.Context, inbox *bus.Inbox, status func(bool)) {
	const first, most = 50 * time.Millisecond, time.Second
	said := false
	for pause := first; ctx.Err() == nil; pause = min(2*pause, most) {
		connected := false
		err := b.session(ctx, inbox, func() {
			connected, said = true, false
			b.metrics.connected.WithLabelValues("subscribe").Set(1)
			b.options.Logger.Info("subscribed to Redis", "channel", b.options.Channel)
			status(true)
		})
		if connected {
			b.metrics.connected.WithLabelValues("subscribe").Set(0)
			status(false)
			pause = first
		}
		if ctx.Err() != nil {
			return
		}
		if !said {
			said = true
			b.options.Logger.Warn("no subscription to Redis; trying again", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause/2 + mathrand.N(pause)): // instances that lost Redis together do not come back together
		}
	}
}

// session subscribes over a new connection and returns why that ended. It calls connected, in
// this goroutine, once messages have been seen to come.
func (b *Bus) session(ctx context.Context, inbox *bus.Inbox, connected func()) error {
	client, err := b.server.Connect(probeWait)
	if err != nil {
		if client != nil {
			client.Close()
		}
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithCancel(ctx)
	probes, confirmed := b.channel.Probe(rand.Text()), make(chan struct{}, 2) // a channel of this subscription's own
	back := make(chan string, 1)
	ended := make(chan error, 1)
	go func() {
		hooked := rueidis.WithOnSubscriptionHook(ctx, func(rueidis.PubSubSubscription) {
			select {
			case confirmed <- struct{}{}:
			default:
			}
		})
		err := client.Receive(hooked, b.channel.Subscribe(client, probes), func(m rueidis.PubSubMessage) {
			b.receive(m, probes.Name, inbox, back)
		})
		if err == nil {
			err = errors.New("Redis ended the subscription")
		}
		ended <- b.server.Explain(err)
		cancel()
	}()
	probing := b.probe(ctx, client, probes, confirmed, back, connected)
	cancel()
	if receiving := <-ended; errors.Is(probing, context.Canceled) {
		return receiving
	}
	return probing
}

func (b *Bus) receive(m rueidis.PubSubMessage, probes string, inbox *bus.Inbox, back chan<- string) {
	if m.Channel == probes {
		select {
		case back <- m.Message:
		default:
		}
		return
	}
	b.metrics.received.Inc()
	if !inbox.Put([]byte(m.Message)) {
		b.metrics.dropped.Inc()
	}
}

// probe returns as soon as the subscription of client no longer works, or ctx ends.
func (b *Bus) probe(ctx context.Context, client rueidis.Client, channel redis.Channel, confirmed <-chan struct{}, back <-chan string, connected func()) error {
	deadline, done := context.WithTimeout(ctx, probeWait)
	defer done()
	for range 2 { // channels
		select {
		case <-confirmed:
		case <-deadline.Done():
			return fmt.Errorf("waiting for the subscription: %w", deadline.Err())
		}
	}
	for n := 0; ; n++ {
		if err := b.roundTrip(ctx, client, channel, fmt.Sprint(n), back); err != nil {
			return err
		}
		if n == 0 {
			connected()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(probeEvery):
		}
	}
}

// roundTrip publishes text on channel and waits until it is received. A replica does that too, so it asks whether it is one.
func (b *Bus) roundTrip(ctx context.Context, client rueidis.Client, channel redis.Channel, text string, back <-chan string) error {
	ctx, cancel := context.WithTimeout(ctx, probeWait)
	defer cancel()
	answers := client.DoMulti(ctx, channel.Publish(client, text), client.B().Hello().Build())
	if err := answers[0].Error(); err != nil {
		return fmt.Errorf("publishing over the subscription: %w", b.server.Explain(err))
	}
	if err := b.server.Leads(answers[1]); err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("a message over the subscription did not come back: %w", ctx.Err())
		case got := <-back:
			if got == text {
				b.metrics.probed.Store(time.Now().UnixNano())
				return nil
			}
		}
	}
}
