// Package redis is the bus over Redis Pub/Sub: 7 or newer, or Valkey.
package redis

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/rueidis"

	"parkwire/internal/bus"
	"parkwire/internal/redis"
)

// Options configure a [Bus]. Location is required.
type Options struct {
	Location redis.Location
	// Channel defaults to [bus.Channel]. With Redis ACLs the user needs this channel and CHANNEL:probe:*, or {CHANNEL}:probe:* where it is sharded.
	Channel string
	// Sharded uses sharded Pub/Sub. A cluster then does not carry each message to every node, and only those hear it that use it too.
	Sharded bool

	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// Bounds in time. A connection that is open but dead is found after at most probeEvery and
// probeWait, which is less than the 5 s that are promised.
const (
	probeEvery = time.Second
	probeWait  = 3 * time.Second
)

// Bus is one end of the bus: a connection for publishing, and one for each subscription.
type Bus struct {
	options Options
	channel redis.Channel
	server  *redis.Server
	metrics *metrics

	ctx       context.Context // ends with Close
	end       context.CancelFunc
	wg        sync.WaitGroup
	publisher rueidis.Client // set when opened is closed
	opened    chan struct{}

	mu    sync.Mutex
	state error // why nothing can be published; nil when it can
}

var errConnecting = errors.New("Redis has not answered yet")

// Open makes an end of the bus and connects it in the background. The error is about the URL.
func Open(o Options) (*Bus, error) {
	o.Channel = cmp.Or(o.Channel, bus.Channel)
	o.Logger = cmp.Or(o.Logger, slog.Default())
	server, err := redis.Open(o.Location, o.Channel, o.Logger)
	if err != nil {
		return nil, err
	}
	b := &Bus{options: o, channel: redis.Channel{Name: o.Channel, Sharded: o.Sharded}, server: server, metrics: newMetrics(o.Registerer), opened: make(chan struct{}), state: errConnecting}
	b.ctx, b.end = context.WithCancel(context.Background())
	b.wg.Go(b.watch)
	return b, nil
}

// watch connects for publishing, and from then on asks once a second whether Redis is there. The
// client connects anew with whatever is asked of it next.
func (b *Bus) watch() {
	client, err := b.server.Connect(probeWait)
	if client == nil { // only for options that cannot be; a server that is away is no reason
		b.became(err)
		return
	}
	defer client.Close()
	b.publisher = client
	close(b.opened)
	for {
		ctx, cancel := context.WithTimeout(b.ctx, probeWait)
		err := b.server.Leads(client.Do(ctx, client.B().Hello().Build()))
		cancel()
		b.became(err)
		select {
		case <-b.ctx.Done():
			return
		case <-time.After(probeEvery):
		}
	}
}

// became records whether Redis takes messages, and says so when that changes.
func (b *Bus) became(err error) {
	if b.ctx.Err() != nil {
		return
	}
	b.mu.Lock()
	was := b.state
	b.state = err
	b.mu.Unlock()
	b.metrics.connected.WithLabelValues("publish").Set(boolean(err == nil))
	switch {
	case err == nil && was != nil:
		b.options.Logger.Info("publishing to Redis")
	case err != nil && (was == nil || was == errConnecting):
		b.options.Logger.Warn("Redis cannot be reached for publishing; trying again", "error", err)
	}
}

// Publish implements [bus.Bus]. It waits for Redis only as long as one attempt takes.
func (b *Bus) Publish(ctx context.Context, messages ...[]byte) error {
	select {
	case <-b.opened:
	case <-ctx.Done():
		return fmt.Errorf("publishing to Redis: %w", ctx.Err())
	case <-b.ctx.Done():
	}
	if b.ctx.Err() != nil {
		return bus.ErrClosed
	}
	if len(messages) == 0 {
		return nil
	}
	commands := make([]rueidis.Completed, len(messages), len(messages)+1)
	for i, m := range messages {
		commands[i] = b.channel.Publish(b.publisher, rueidis.BinaryString(m))
	}
	commands = append(commands, b.publisher.B().Hello().Build()) // over the same connection: was it the master who took them?
	for i, result := range b.publisher.DoMulti(ctx, commands...) {
		err := b.server.Explain(result.Error())
		if i == len(messages) {
			err = b.server.Leads(result)
		}
		if err != nil {
			if b.ctx.Err() != nil {
				return bus.ErrClosed
			}
			if ctx.Err() == nil {
				b.became(err)
			}
			return fmt.Errorf("publishing to Redis: %w", err)
		}
	}
	b.metrics.published.Add(float64(len(messages)))
	return nil
}

// Ready returns nil, or why nothing can be published. It is at most some seconds old.
func (b *Bus) Ready() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ctx.Err() != nil {
		return bus.ErrClosed
	}
	if b.state == nil {
		return nil
	}
	return fmt.Errorf("the bus on Redis: %w", b.state)
}

// Close ends every subscription, and returns when all goroutines have ended.
func (b *Bus) Close() error {
	b.end()
	b.server.Close()
	b.wg.Wait()
	return nil
}
