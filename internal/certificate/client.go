package certificate

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
)

// Client is how a client speaks TLS with servers: whose certificates it believes, and by which it proves itself. The files are read anew for each
// connection, so that whoever renews them need not end anything.
type Client struct {
	// Setting begins the names of the settings that these files have, for errors: "kafka-tls" of kafka-tls-ca-file.
	Setting string

	CAFile            string // PEM, of the authorities that are believed; "": those of the system
	CertFile, KeyFile string // PEM; "": the client does not prove itself
	ServerName        string // that the servers' certificates have; "": the host by which each is reached
	Unchecked         bool   // whoever answers is believed
}

// Config is that of the next connection, to the server at an address HOST:PORT.
func (c Client) Config(address string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.ServerName, InsecureSkipVerify: c.Unchecked}
	if config.ServerName == "" {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			host = address
		}
		config.ServerName = host
	}
	if c.CAFile != "" {
		content, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("%s-ca-file: %w", c.Setting, err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(content) {
			return nil, fmt.Errorf("%s-ca-file: %s holds no certificate in PEM (-----BEGIN CERTIFICATE-----)", c.Setting, c.CAFile)
		}
	}
	if c.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("%s-cert-file and %[1]s-key-file: %w", c.Setting, err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// Dial connects to a server and greets it by TLS. The dialer's Timeout bounds both, each.
func (c Client) Dial(ctx context.Context, dialer *net.Dialer, network, address string) (net.Conn, error) {
	config, err := c.Config(address)
	if err != nil {
		return nil, err
	}
	raw, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	conn := tls.Client(raw, config)
	if dialer.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, dialer.Timeout)
		defer cancel()
	}
	if err := conn.HandshakeContext(ctx); err != nil {
		raw.Close()
		if errors.Is(err, io.EOF) {
			err = errHungUp // it is no end of a conversation, which some clients would go on with elsewhere
		}
		return nil, &net.OpError{Op: "dial", Net: network, Addr: raw.RemoteAddr(), Err: fmt.Errorf("TLS: %w", c.explain(err, true))}
	}
	return conn, nil
}

var errHungUp = errors.New("the server closed the connection")

// Explain says which setting would mend an error of TLS. Others it returns as they are.
func (c Client) Explain(err error) error { return c.explain(err, false) }

func (c Client) explain(err error, greeting bool) error {
	var (
		unknown x509.UnknownAuthorityError
		named   x509.HostnameError
		record  tls.RecordHeaderError
		network *net.OpError
	)
	remedy := ""
	switch {
	case err == nil || errors.As(err, new(*explained)):
		return err
	case errors.As(err, &unknown) && c.CAFile == "":
		remedy = "the system does not know who signed the server's certificate; where that is an authority of your own, " + c.Setting + "-ca-file names the file with its certificate"
	case errors.As(err, &unknown):
		remedy = "the server's certificate is not signed by an authority in " + c.CAFile + " (" + c.Setting + "-ca-file)"
	case errors.As(err, &named):
		remedy = "reach the server by a name that its certificate has"
		if c.ServerName != "" {
			remedy += ", or correct " + c.Setting + "-server-name"
		}
	case refusedByServer(err) && c.CertFile == "":
		remedy = "the server wants a certificate of the client: " + c.Setting + "-cert-file and " + c.Setting + "-key-file"
	case refusedByServer(err):
		remedy = "the server does not take the certificate of " + c.Setting + "-cert-file: who signed it, what it is for, and until when?"
	case greeting && (errors.As(err, &record) || errors.As(err, &network) || errors.Is(err, errHungUp) || errors.Is(err, context.DeadlineExceeded)):
		remedy = "does the server speak TLS at this port at all?"
	}
	if remedy == "" {
		return err
	}
	return &explained{err, remedy}
}

// explained is an error with what would mend it, which is said once.
type explained struct {
	err    error
	remedy string
}

func (e *explained) Error() string { return e.err.Error() + "; " + e.remedy }
func (e *explained) Unwrap() error { return e.err }

// refusedByServer reports whether the server ended the conversation for the certificate of the client, or for want of one. With TLS 1.3 that is heard
// only when something is read.
func refusedByServer(err error) bool {
	text := err.Error()
	_, alert, found := strings.Cut(text, "remote error: tls: ")
	return found && (strings.Contains(alert, "certificate") || strings.HasPrefix(alert, "handshake failure"))
}
