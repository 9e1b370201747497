// Package redis reaches a Redis server, 7 or newer, or Valkey: the one at an address, or the master that sentinels name.
package redis

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

// dialTimeout bounds one attempt to connect, where the URL says nothing else.
const dialTimeout = 2 * time.Second

// Server is one server, wherever it is at present. What becomes of a connection to it, its user finds out.
type Server struct {
	option      rueidis.ClientOption
	unix        bool       // it is at a socket file
	sentinels   *sentinels // nil without
	connections connections

	ctx context.Context // ends with Close
	end context.CancelFunc
	wg  sync.WaitGroup
}

// Open reads the URL: redis://[USER:PASSWORD@]HOST[:PORT][/DB], rediss://… with TLS, or unix:///path/to/socket. Where Redis is watched by
// sentinels it names them: redis://[USER:PASSWORD@]SENTINEL:PORT?addr=SENTINEL:PORT&addr=…&master_set=NAME. User and password are
// those of Redis then; sentinel_username and sentinel_password those of the sentinels. From then on the sentinels are asked
// who the master is. The error is about the URL.
func Open(url string, logger *slog.Logger) (*Server, error) {
	l, err := parse(url)
	if err != nil {
		return nil, err
	}
	s := &Server{option: single(l.connection), unix: l.connection.DialCtxFn != nil, connections: connections{open: map[*connection]struct{}{}}}
	s.ctx, s.end = context.WithCancel(context.Background())
	s.option.DialCtxFn = s.dial
	if len(l.sentinels) > 0 {
		for i, o := range l.sentinels {
			l.sentinels[i] = single(o)
			l.sentinels[i].ConnWriteTimeout = 3 * askWait
		}
		s.sentinels = newSentinels(l, cmp.Or(logger, slog.Default()), s.connections.follow)
		s.wg.Go(func() { s.sentinels.run(s.ctx) })
	}
	return s, nil
}

// Option is for one connection to the server, which is bounded in time: a connection on which nothing is heard for
// so long ends. Every client that is made with it connects to the master that there is then.
func (s *Server) Option(silence time.Duration) rueidis.ClientOption {
	o := s.option
	o.ConnWriteTimeout = silence
	return o
}

// Close ends the questions to the sentinels, and whatever is being connected.
func (s *Server) Close() {
	s.end()
	s.wg.Wait()
}

// single makes options of those for one connection.
func single(o rueidis.ClientOption) rueidis.ClientOption {
	o.ForceSingleClient = true // Pub/Sub of a cluster reaches every node from any
	o.PipelineMultiplex = -1   // one connection
	o.BlockingPipeline = -1    // also for large batches
	o.DisableCache = true
	o.DisableRetry = true // what is sent twice is for the sender to decide
	o.ClientName = "parkwire"
	o.Dialer.Timeout = cmp.Or(o.Dialer.Timeout, dialTimeout)
	o.ReadBufferEachConn, o.WriteBufferEachConn = 64<<10, 64<<10
	return o
}
