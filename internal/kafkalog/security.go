package kafkalog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"parkwire/internal/certificate"
	"parkwire/internal/secret"
)

// Security is how Kafka's servers are spoken to. Files are read anew for each connection. Its errors name settings.
type Security struct {
	TLS *certificate.Client // nil: without TLS

	Mechanism string // of the login, one of [Mechanisms]; "": without a login
	Username  string
	Password  secret.Text
	Token     secret.Text // of [OAuthBearer], which needs neither name nor password
}

// The ways to log in.
const (
	Plain       = "plain"
	Scram256    = "scram-sha-256"
	Scram512    = "scram-sha-512"
	OAuthBearer = "oauthbearer"
)

// Mechanisms lists them.
var Mechanisms = []string{Plain, Scram256, Scram512, OAuthBearer}

// Options are those that every client needs. What is in files is read once, so that one that is missing is said at the start.
func (s Security) Options() ([]kgo.Opt, error) {
	dialer := &net.Dialer{Timeout: dialTimeout}
	if s.TLS == nil {
		return s.login(kgo.Dialer(dialer.DialContext))
	}
	if _, err := s.TLS.Config("localhost"); err != nil {
		return nil, err
	}
	return s.login(kgo.Dialer(func(ctx context.Context, network, address string) (net.Conn, error) {
		return s.TLS.Dial(ctx, dialer, network, address)
	}))
}

func (s Security) login(options ...kgo.Opt) ([]kgo.Opt, error) {
	if s.Mechanism == "" {
		return options, nil
	}
	text := s.Password
	if s.Mechanism == OAuthBearer {
		text = s.Token
	}
	if _, err := text.Read(); err != nil {
		return nil, err
	}
	var mechanism sasl.Mechanism
	switch s.Mechanism {
	case Plain:
		mechanism = plain.Plain(func(context.Context) (plain.Auth, error) {
			password, err := text.Read()
			return plain.Auth{User: s.Username, Pass: password}, err
		})
	case Scram256, Scram512:
		read := func(context.Context) (scram.Auth, error) {
			password, err := text.Read()
			return scram.Auth{User: s.Username, Pass: password}, err
		}
		mechanism = map[string]sasl.Mechanism{Scram256: scram.Sha256(read), Scram512: scram.Sha512(read)}[s.Mechanism]
	case OAuthBearer:
		mechanism = oauth.Oauth(func(context.Context) (oauth.Auth, error) {
			token, err := text.Read()
			return oauth.Auth{Token: token}, err
		})
	default:
		return nil, fmt.Errorf("kafka-sasl is %q, and must be one of %s", s.Mechanism, strings.Join(Mechanisms, ", "))
	}
	return append(options, kgo.SASL(mechanism)), nil
}

// explain says which setting would mend an error. Others it returns as they are. first says that Kafka has never answered, so that an end may be for what it
// was not told.
func (s Security) explain(err error, first bool) error {
	remedy := ""
	switch {
	case err == nil:
		return nil
	case errors.Is(err, kerr.SaslAuthenticationFailed):
		remedy = s.refused()
	case errors.Is(err, kerr.UnsupportedSaslMechanism):
		remedy = "the servers do not offer what kafka-sasl says, " + s.Mechanism
	case errors.Is(err, kerr.TopicAuthorizationFailed), errors.Is(err, kerr.GroupAuthorizationFailed), errors.Is(err, kerr.ClusterAuthorizationFailed):
		remedy = "give " + s.who() + " the rights that docs/servers.md lists"
	case isUnexpectedEnd(err), first && errors.Is(err, io.EOF):
		remedy = s.wanted()
	case s.TLS != nil:
		return s.TLS.Explain(err)
	}
	if remedy == "" {
		return err
	}
	return fmt.Errorf("%w; %s", err, remedy)
}

// who names the one as whom the process is logged in.
func (s Security) who() string {
	switch {
	case s.Mechanism == OAuthBearer:
		return "the owner of the token in kafka-token-file"
	case s.Mechanism != "":
		return "kafka-username " + s.Username
	case s.TLS != nil && s.TLS.CertFile != "":
		return "the owner of the certificate in kafka-tls-cert-file"
	}
	return "this process (it does not log in: kafka-sasl, or kafka-tls-cert-file)"
}

func (s Security) refused() string {
	if s.Mechanism == OAuthBearer {
		return "the servers do not take the token in kafka-token-file: is it in date, and made for them?"
	}
	where := "kafka-password"
	if s.Password.File != "" {
		where = "the password in kafka-password-file"
	}
	return fmt.Sprintf("are kafka-username %s and %s right, and has that user a password for kafka-sasl %s?", s.Username, where, s.Mechanism)
}

// isUnexpectedEnd reports whether a server closed the connection, or answered something else, as those do that are spoken to in another way than they want.
func isUnexpectedEnd(err error) bool {
	var first *kgo.ErrFirstReadEOF
	return errors.As(err, &first) || strings.Contains(err.Error(), "invalid large response size")
}

// wanted says what a server might want that closes connections.
func (s Security) wanted() string {
	var ideas []string
	if s.TLS == nil {
		ideas = append(ideas, "TLS (kafka-tls)")
	} else if s.TLS.CertFile == "" {
		ideas = append(ideas, "a certificate (kafka-tls-cert-file)")
	}
	if s.Mechanism == "" {
		ideas = append(ideas, "a login (kafka-sasl)")
	} else {
		ideas = append(ideas, "another name or password (kafka-username, kafka-password)")
	}
	if s.TLS != nil {
		ideas = append(ideas, "no TLS at this port")
	}
	return "the server may want " + strings.Join(ideas, ", or ")
}
