// Package redis reaches a Redis server, 7 or newer, or Valkey: the one at an address, the master that sentinels name, or the one of a cluster that has a key.
package redis

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"parkwire/internal/certificate"
	"parkwire/internal/secret"
)

// dialTimeout bounds one attempt to connect, where the URL says nothing else.
const dialTimeout = 2 * time.Second

// Location says where Redis is, and how it is spoken to. Files are read anew for each connection.
type Location struct {
	// URL is redis://[USER:PASSWORD@]HOST[:PORT][/DB], rediss://… with TLS, or unix:///path/to/socket. Where Redis is watched by sentinels it
	// names them: redis://[USER:PASSWORD@]SENTINEL:PORT?addr=SENTINEL:PORT&addr=…&master_set=NAME. User and password are those of Redis then;
	// sentinel_username and sentinel_password those of the sentinels. Of a cluster it names some nodes: redis://NODE:PORT?addr=NODE:PORT&cluster=true.
	URL string
	// PasswordFile and SentinelPasswordFile hold passwords instead of the URL; "": they do not.
	PasswordFile, SentinelPasswordFile string
	TLS                                certificate.Client // with rediss:
}

// Server is one server, wherever it is at present. What becomes of a connection to it, its user finds out.
type Server struct {
	option      rueidis.ClientOption
	unix        bool                // it is at a socket file
	tls         *certificate.Client // nil: without
	cluster     bool
	finder      *finder     // nil where the address is that of the server
	answered    atomic.Bool // ever
	connections connections

	ctx context.Context // ends with Close
	end context.CancelFunc
	wg  sync.WaitGroup
}

// Open reads the location. From then on sentinels, or a cluster's nodes, are asked who the master is: in a cluster that of the slot of key. The error is about
// the location.
func Open(where Location, key string, logger *slog.Logger) (*Server, error) {
	l, err := parse(where.URL)
	if err != nil {
		return nil, err
	}
	s := &Server{
		option: single(l.connection), unix: l.connection.DialCtxFn != nil, cluster: l.cluster, connections: connections{open: map[*connection]struct{}{}},
	}
	if l.connection.TLSConfig != nil {
		s.tls = &where.TLS
		s.tls.Unchecked = l.connection.TLSConfig.InsecureSkipVerify
		if _, err := s.tls.Config("localhost"); err != nil {
			return nil, err
		}
	}
	password := secret.Text{File: where.PasswordFile, Setting: "redis-password-file"}
	if err := credentials(&s.option, password); err != nil {
		return nil, err
	}
	q := ofCluster(key)
	if !l.cluster {
		q, password = ofSentinels(l.masterName), secret.Text{File: where.SentinelPasswordFile, Setting: "redis-sentinel-password-file"}
	}
	for i, o := range l.witnesses {
		o = single(o)
		o.ConnWriteTimeout = 3 * askWait
		if err := credentials(&o, password); err != nil {
			return nil, err
		}
		l.witnesses[i] = o
	}
	s.ctx, s.end = context.WithCancel(context.Background())
	s.option.DialCtxFn = s.dial
	if len(l.witnesses) > 0 {
		s.finder = newFinder(l.witnesses, q, s.tls, cmp.Or(logger, slog.Default()), s.connections.follow)
		s.wg.Go(func() { s.finder.run(s.ctx) })
	}
	return s, nil
}

// credentials has a password read from its file for each connection, if there is one.
func credentials(o *rueidis.ClientOption, password secret.Text) error {
	if password.File == "" {
		return nil
	}
	if _, err := password.Read(); err != nil {
		return err
	}
	user := o.Username
	o.AuthCredentialsFn = func(rueidis.AuthCredentialsContext) (rueidis.AuthCredentials, error) {
		text, err := password.Read()
		return rueidis.AuthCredentials{Username: user, Password: text}, err
	}
	return nil
}

// Cluster reports whether it is one of a cluster, which has only what leads to the same slot as the key, see [Together].
func (s *Server) Cluster() bool { return s.cluster }

// Connect makes a client of one connection to the server, which is bounded in time: a connection on which nothing is heard for so long ends. It
// connects to the master that there is then. A client and an error may come together: it tries again with whatever is asked of it next.
func (s *Server) Connect(silence time.Duration) (rueidis.Client, error) {
	o := s.option
	o.ConnWriteTimeout = silence
	client, err := rueidis.NewClient(o)
	if err != nil {
		err = s.Explain(err)
	}
	return client, err
}

// Close ends the questions who the master is, and whatever is being connected.
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
