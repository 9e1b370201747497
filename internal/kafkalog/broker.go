package kafkalog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// BrokerOptions configure an embedded broker. Dir is required.
type BrokerOptions struct {
	Dir       string // where it stores; one process at a time
	Listen    string // default "127.0.0.1:9092"; port 0: any free one
	Advertise string // HOST:PORT that clients are told; default Listen, with this machine for an address that means all
	// SweepInterval is how often records that expired or were superseded are removed. Default 10 min. With
	// 100,000 spots a sweep holds up everything else for more than a second, with 5,000 for less than a tenth.
	SweepInterval time.Duration
	Logger        *slog.Logger
}

// Broker is the embedded broker: one node that speaks Kafka's protocol and stores what it takes in a folder.
// What it has acknowledged outlives the process, however that ends; like a single Kafka node it leaves
// the moment at which data leaves the system's cache for the disk to the system.
type Broker struct {
	cluster *kfake.Cluster
	addr    string
	dir     string
	logger  *slog.Logger
	lock    *os.File

	ending chan struct{}
	ended  sync.WaitGroup
	once   sync.Once
	err    error
}

// StartBroker starts a broker. An error for a port in use has syscall.EADDRINUSE in its chain.
func StartBroker(ctx context.Context, o BrokerOptions) (*Broker, error) {
	o.Listen = cmp.Or(o.Listen, "127.0.0.1:9092")
	o.SweepInterval = cmp.Or(o.SweepInterval, 10*time.Minute)
	o.Logger = cmp.Or(o.Logger, slog.Default())
	b := &Broker{dir: o.Dir, logger: o.Logger, ending: make(chan struct{})}
	if err := b.start(ctx, o); err != nil {
		if b.lock != nil {
			b.lock.Close()
		}
		return nil, fmt.Errorf("starting the embedded Kafka broker: %w", err)
	}
	b.ended.Go(func() { b.sweep(o.SweepInterval) })
	b.logger.Info("the embedded Kafka broker serves", "address", b.addr, "folder", b.dir)
	return b, nil
}

func (b *Broker) start(ctx context.Context, o BrokerOptions) (err error) {
	if o.Dir == "" {
		return errors.New("no folder is given")
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return err
	}
	if b.lock, err = lockDir(o.Dir); err != nil {
		return err
	}
	if err := restoreSegments(o.Dir); err != nil {
		return fmt.Errorf("restoring what a compaction has left unfinished in %s: %w", o.Dir, err)
	}
	if err := restoreEnds(o.Dir); err != nil {
		return fmt.Errorf("restoring the ends of empty partitions in %s: %w", o.Dir, err)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.Listen)
	if err != nil {
		return err
	}
	if b.addr, err = advertised(o, listener.Addr()); err != nil {
		listener.Close()
		return err
	}
	b.cluster, err = kfake.NewCluster(
		kfake.NumBrokers(1),
		kfake.ClusterID("parkwire"),
		kfake.DataDir(o.Dir),
		kfake.DefaultNumPartitions(6),
		kfake.WithLogger(brokerLogger{o.Logger}),
		kfake.ListenFn(func(string, string) (net.Listener, error) { return advertisingListener{listener, address(b.addr)}, nil }),
		// Its own sweep does not run after a restart, and forgets where an emptied partition ended; see sweep.
		kfake.BrokerConfigs(map[string]string{"log.cleaner.backoff.ms": "9000000000000"}),
	)
	if err != nil {
		listener.Close()
	}
	return err
}

// Addr returns the address that clients are told.
func (b *Broker) Addr() string { return b.addr }

// Close stops the broker when everything is on disk. Clients find their connections cut.
func (b *Broker) Close() error {
	b.once.Do(func() {
		close(b.ending)
		b.ended.Wait()
		b.err = b.rememberEnds()
		b.cluster.Close()
		b.err = errors.Join(b.err, b.lock.Close())
	})
	return b.err
}

// sweep removes what expired and what was superseded, every now and then.
func (b *Broker) sweep(every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-b.ending:
			return
		case <-ticker.C:
			b.sweepOnce()
		}
	}
}

func (b *Broker) sweepOnce() {
	err := b.rememberEnds()
	if err == nil {
		err = saveSegments(b.dir)
	}
	if err == nil {
		b.cluster.Compact()
	}
	if err := errors.Join(err, forgetSegments(b.dir)); err != nil {
		b.logger.Error("old records are kept: what guards them against a crash cannot be written", "folder", b.dir, "error", err)
	}
}

// advertised returns the address that clients are told.
func advertised(o BrokerOptions, bound net.Addr) (string, error) {
	if o.Advertise != "" {
		if _, _, err := net.SplitHostPort(o.Advertise); err != nil {
			return "", fmt.Errorf("the address to advertise, %q, is not HOST:PORT: %w", o.Advertise, err)
		}
		return o.Advertise, nil
	}
	host, _, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(bound.String())
	if err != nil {
		return "", err
	}
	switch ip := net.ParseIP(host); {
	case host == "" || ip != nil && ip.IsUnspecified() && ip.To4() == nil:
		host = "localhost"
	case ip != nil && ip.IsUnspecified():
		host = "127.0.0.1" // localhost may be ::1, where nobody listens
	}
	return net.JoinHostPort(host, port), nil
}

// advertisingListener listens at one address and says it is another.
type advertisingListener struct {
	net.Listener
	addr address
}

func (l advertisingListener) Addr() net.Addr { return l.addr }

type address string

func (address) Network() string  { return "tcp" }
func (a address) String() string { return string(a) }

// brokerLogger passes on what kfake says.
type brokerLogger struct{ *slog.Logger }

func (l brokerLogger) Logf(level kfake.LogLevel, format string, args ...any) {
	to := slog.LevelDebug
	switch level {
	case kfake.LogLevelError:
		to = slog.LevelError
	case kfake.LogLevelWarn:
		to = slog.LevelWarn
	}
	if ctx := context.Background(); l.Enabled(ctx, to) {
		l.Log(ctx, to, "embedded Kafka broker: "+strings.TrimSpace(fmt.Sprintf(format, args...)))
	}
}
