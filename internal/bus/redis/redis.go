// Package redis is the bus over Redis Pub/Sub: 7 or newer, or Valkey.
package redis

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/rueidis"

	"parkwire/internal/bus"
)

// Options configure a [Bus]. URL is required.
type Options struct {
	// URL is redis://[USER:PASSWORD@]HOST[:PORT][/DB], rediss://… with TLS, or unix:///path/to/socket.
	URL string
	// Channel defaults to [bus.Channel]. With Redis ACLs the user needs this channel and CHANNEL:probe:*.
	Channel string

	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// Bounds in time. A connection that is open but dead is found after at most probeEvery and
// probeWait, which is less than the 5 s that are promised.
const (
	dialTimeout = 2 * time.Second
	probeEvery  = time.Second
	probeWait   = 3 * time.Second
)

// Bus is one end of the bus: a connection for publishing, and one for each subscription.
type Bus struct {
	options    Options
	connection rueidis.ClientOption
	metrics    *metrics

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
	connection, err := rueidis.ParseURL(o.URL)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // the rest repeats the address, and with it the password
		}
		return nil, fmt.Errorf("not an address of Redis, such as redis://localhost:6379: %w", err)
	}
	connection.ForceSingleClient = true // Pub/Sub of a cluster reaches every node from any
	connection.PipelineMultiplex = -1   // one connection
	connection.BlockingPipeline = -1    // also for large batches
	connection.DisableCache = true
	connection.DisableRetry = true // a message sent twice would be for the publisher to decide
	connection.ClientName = "parkwire"
	connection.Dialer.Timeout = cmp.Or(connection.Dialer.Timeout, dialTimeout)
	connection.ConnWriteTimeout = probeWait
	connection.ReadBufferEachConn, connection.WriteBufferEachConn = 64<<10, 64<<10
	b := &Bus{options: o, connection: connection, metrics: newMetrics(o.Registerer), opened: make(chan struct{}), state: errConnecting}
	b.ctx, b.end = context.WithCancel(context.Background())
	b.wg.Go(b.watch)
	return b, nil
}

// watch connects for publishing, and from then on asks once a second whether Redis is there. The
// client connects anew with whatever is asked of it next.
func (b *Bus) watch() {
	client, err := rueidis.NewClient(b.connection)
	if client == nil { // only for options that cannot be; a server that is away is no reason
		b.became(err)
		return
	}
	defer client.Close()
	b.publisher = client
	close(b.opened)
	for {
		ctx, cancel := context.WithTimeout(b.ctx, probeWait)
		err := client.Do(ctx, client.B().Ping().Build()).Error()
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
	commands := make([]rueidis.Completed, len(messages))
	for i, m := range messages {
		commands[i] = b.publisher.B().Publish().Channel(b.options.Channel).Message(rueidis.BinaryString(m)).Build()
	}
	for _, result := range b.publisher.DoMulti(ctx, commands...) {
		if err := result.Error(); err != nil {
			if b.ctx.Err() != nil {
				return bus.ErrClosed
			}
			if ctx.Err() == nil {
				b.became(err)
			}
			return fmt.Errorf("publishing to Redis: %w", err)
		}
		b.metrics.published.Inc()
	}
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
	b.wg.Wait()
	return nil
}
