package database

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"

	"parkwire/internal/secret"
)

// Postgres says how a PostgreSQL server is reached. What the URL sets itself (search_path, statement_timeout, pool_max_conns, connect_timeout …) is left as
// it is.
type Postgres struct {
	URL      string
	Password secret.Text // instead of one in the URL
	// Setting is what the URL is called in the configuration, for errors. Default "database-url".
	Setting string
	// MaxConns bounds the connections of the pool, where the URL does not.
	MaxConns int
	// Runtime are parameters of each session.
	Runtime map[string]string
}

// Config reads the URL, and files that it names, once, so that what is wrong with them is said at the start.
func (p Postgres) Config() (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(p.URL)
	if err != nil {
		return nil, fmt.Errorf("the URL of the database: %w", err)
	}
	if _, err := p.Password.Read(); err != nil {
		return nil, err
	}
	if !strings.Contains(p.URL, "pool_max_conns") {
		config.MaxConns = int32(p.MaxConns)
	}
	server := config.ConnConfig
	server.ConnectTimeout = cmp.Or(server.ConnectTimeout, 5*time.Second)
	for name, value := range p.Runtime {
		if _, set := server.RuntimeParams[name]; !set {
			server.RuntimeParams[name] = value
		}
	}
	// A call whose context ends asks the server to stop, so that locks are released and the connection can be used on.
	server.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: 2 * time.Second}
	}
	config.BeforeConnect = p.Renew
	return config, nil
}

// Renew reads anew what a connection is opened with and may have changed: the password, and the certificates that the URL names. Pools do
// it by themselves; who connects otherwise calls it before.
func (p Postgres) Renew(_ context.Context, config *pgx.ConnConfig) error {
	fresh, err := pgxpool.ParseConfig(p.URL)
	if err != nil {
		return fmt.Errorf("the URL of the database: %w", err)
	}
	config.TLSConfig, config.Fallbacks, config.Password = fresh.ConnConfig.TLSConfig, fresh.ConnConfig.Fallbacks, fresh.ConnConfig.Password
	if p.Password.File != "" {
		config.Password, err = p.Password.Read()
	}
	return err
}

// Unreachable reports whether an error comes from the server or the way to it, rather than from what was asked.
func Unreachable(err error) bool {
	var connecting *pgconn.ConnectError // wrong passwords too: whoever runs the server can mend that
	var network net.Error               // context.DeadlineExceeded too
	var server *pgconn.PgError
	switch {
	case errors.As(err, &connecting):
		return true
	case errors.As(err, &server):
		switch server.Code[:2] {
		case "08", "53", "57", "58": // connection lost, no resources, an operator's intervention, a failure of the system
			return true
		}
		// A server that became a standby; a conflict that went on.
		return server.Code == "25006" || server.Code == "25P03" || server.Code == "55P03" || Conflict(err)
	case errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return true
	}
	return pgconn.SafeToRetry(err) || pgconn.Timeout(err)
}

// Conflict reports whether the server could not order a transaction among others, so that it may succeed when it is run again: a deadlock, or a
// serialization failure.
func Conflict(err error) bool { return HasCode(err, "40001") || HasCode(err, "40P01") }

// HasCode reports whether the server refused something with this code (SQLSTATE).
func HasCode(err error, code string) bool {
	var server *pgconn.PgError
	return errors.As(err, &server) && server.Code == code
}

// Explain says which setting would mend an error. Others it returns as they are.
func (p Postgres) Explain(err error) error {
	var (
		unknown x509.UnknownAuthorityError
		named   x509.HostnameError
	)
	setting := cmp.Or(p.Setting, "database-url")
	remedy := ""
	switch {
	case err == nil:
		return nil
	case HasCode(err, "28P01"):
		where := "the password"
		if p.Password.File != "" {
			where = "the password in " + p.Password.Setting
		}
		remedy = "are the user in " + setting + " and " + where + " right?"
	case HasCode(err, "28000"):
		remedy = "pg_hba.conf of the server lets nobody in this way: does it want another user, or TLS (sslmode=verify-full in " + setting + ")?"
	case HasCode(err, "53300"):
		remedy = "the connections of all processes together (database-connections and the others) must be fewer than max_connections of the server"
	case HasCode(err, "42501"):
		remedy = "the user in " + setting + " must own the schema, or be allowed to make it (grant create on database)"
	case errors.As(err, &unknown):
		remedy = "the file with the certificate of the authority that signed the server's is named by sslrootcert in " + setting
	case errors.As(err, &named):
		remedy = "reach the server in " + setting + " by a name that its certificate has"
	case strings.Contains(err.Error(), "server refused TLS connection"):
		remedy = "the server speaks no TLS (ssl = on in postgresql.conf), and sslmode in " + setting + " demands it"
	}
	if remedy == "" {
		return err
	}
	return fmt.Errorf("%w; %s", err, remedy)
}
