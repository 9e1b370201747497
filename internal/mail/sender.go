package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"net/textproto"
	"strings"
	"time"

	"parkwire/internal/secret"
)

// Options configure a [Sender].
type Options struct {
	URL string // see [Wanted]
	// PasswordFile holds the password of the user in the URL, instead of the URL. It is read anew for each message. "": there is none.
	PasswordFile string
	From         string // the sender's address
	// Hello is the name by which this server greets. Default "localhost".
	Hello string
	// Whole bounds the time that a message takes. Default 10 s.
	Whole time.Duration
	// Roots are the certificates that are trusted. Default those of the system.
	Roots *x509.CertPool
}

// Sender hands messages to a server, each over a connection of its own.
type Sender struct {
	options Options
	server  location
	from    string
}

// New returns a sender. It does not connect.
func New(o Options) (*Sender, error) {
	server, err := parse(o.URL, o.PasswordFile != "")
	if err != nil {
		return nil, fmt.Errorf("the address of the SMTP server: %w", err)
	}
	s := &Sender{options: o, server: server}
	if _, err := s.login(); err != nil {
		return nil, err
	}
	from, err := ParseAddress(o.From)
	if err != nil {
		return nil, fmt.Errorf("the address from which mail is sent: %w", err)
	}
	if o.Hello == "" {
		o.Hello = "localhost"
	}
	if o.Whole == 0 {
		o.Whole = 10 * time.Second
	}
	s.options, s.from = o, from
	return s, nil
}

// login returns the server with the password that its user has now.
func (s *Sender) login() (location, error) {
	l := s.server
	var err error
	l.password, err = secret.Text{Value: l.password, File: s.options.PasswordFile, Setting: "alerts-smtp-password-file"}.Read()
	return l, err
}

// Host is where the server is.
func (s *Sender) Host() string { return s.server.address() }

// Bound is the longest that a message takes.
func (s *Sender) Bound() time.Duration { return s.options.Whole }

// RefusedError is what a server answers to a message that it will never take, such as one to a mailbox that is not there.
type RefusedError struct {
	Code      int
	Recipient bool // it refuses whom the message is for
}

func (e *RefusedError) Error() string {
	if e.Recipient {
		return fmt.Sprintf("the mail server refuses this address (%d)", e.Code)
	}
	return fmt.Sprintf("the mail server refuses the message (%d)", e.Code)
}

// BusyError is what a server answers that may take the message later.
type BusyError struct{ Code int }

func (e *BusyError) Error() string {
	return fmt.Sprintf("the mail server cannot take it now (%d)", e.Code)
}

// Send hands a message over. An error that is neither a [*RefusedError] nor a [*BusyError] means that the server cannot be used.
func (s *Sender) Send(ctx context.Context, m Message) error {
	to, err := ParseAddress(m.To)
	if err != nil {
		return fmt.Errorf("the recipient: %w", err)
	}
	m.To = to
	text, err := m.encode(s.from)
	if err != nil {
		return fmt.Errorf("writing a message: %w", err)
	}
	return s.session(ctx, func(ctx context.Context, conn net.Conn) error { return s.hand(ctx, conn, m.To, text) })
}

// Try finds out whether the server takes this user, and sends nothing.
func (s *Sender) Try(ctx context.Context) error {
	return s.session(ctx, func(ctx context.Context, conn net.Conn) error {
		c, err := s.greet(ctx, conn)
		if err == nil {
			_ = c.Quit() // it was well until here
		}
		return err
	})
}

// session connects to the server for do, which it bounds in time.
func (s *Sender) session(ctx context.Context, do func(context.Context, net.Conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.options.Whole)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.server.address())
	if err != nil {
		return fmt.Errorf("connecting to the mail server: %w", err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) }) // whatever waits, ends
	defer stop()
	if err := do(ctx, conn); err != nil {
		if cause := ctx.Err(); cause != nil {
			return errors.Join(cause, err)
		}
		return err
	}
	return nil
}

// greet begins a session, up to who may send.
func (s *Sender) greet(ctx context.Context, conn net.Conn) (*smtp.Client, error) {
	secure := &tls.Config{ServerName: s.server.host, MinVersion: tls.VersionTLS12, RootCAs: s.options.Roots}
	if s.server.tls {
		over := tls.Client(conn, secure)
		if err := over.HandshakeContext(ctx); err != nil {
			return nil, fmt.Errorf("agreeing on TLS with the mail server: %w", err)
		}
		conn = over
	}
	c, err := smtp.NewClient(conn, s.server.host)
	if err != nil {
		return nil, fmt.Errorf("greeting the mail server: %w", err)
	}
	if err := c.Hello(s.options.Hello); err != nil {
		return nil, fmt.Errorf("greeting the mail server: %w", err)
	}
	if s.server.starttls {
		if ok, _ := c.Extension("STARTTLS"); !ok {
			return nil, errors.New("the mail server does not offer STARTTLS, and nothing is sent without TLS")
		}
		if err := c.StartTLS(secure); err != nil {
			return nil, fmt.Errorf("agreeing on TLS with the mail server: %w", err)
		}
	}
	if s.server.user != "" {
		server, err := s.login()
		if err != nil {
			return nil, err
		}
		if err := c.Auth(server.auth(c)); err != nil {
			return nil, fmt.Errorf("logging in at the mail server: %w", err)
		}
	}
	return c, nil
}

func (s *Sender) hand(ctx context.Context, conn net.Conn, to string, text []byte) error {
	c, err := s.greet(ctx, conn)
	if err != nil {
		return err
	}
	if err := c.Mail(s.from); err != nil {
		return answered(err, false)
	}
	if err := c.Rcpt(to); err != nil {
		return answered(err, true)
	}
	w, err := c.Data()
	if err != nil {
		return answered(err, false)
	}
	if _, err := w.Write(text); err != nil {
		return fmt.Errorf("sending a message: %w", err)
	}
	if err := w.Close(); err != nil {
		return answered(err, false)
	}
	_ = c.Quit() // it has the message
	return nil
}

// answered says what the server's answer means.
func answered(err error, recipient bool) error {
	var answer *textproto.Error
	switch {
	case !errors.As(err, &answer):
		return fmt.Errorf("sending a message: %w", err)
	case answer.Code >= 500:
		return &RefusedError{answer.Code, recipient}
	}
	return &BusyError{answer.Code}
}

// auth is PLAIN, or LOGIN where the server offers nothing else.
func (l location) auth(c *smtp.Client) smtp.Auth {
	if _, offers := c.Extension("AUTH"); strings.Contains(" "+offers+" ", " LOGIN ") && !strings.Contains(" "+offers+" ", " PLAIN ") {
		return &login{l}
	}
	return smtp.PlainAuth("", l.user, l.password, l.host)
}

// login is AUTH LOGIN, which is no standard, and all that some servers have.
type login struct{ server location }

func (l *login) Start(server *smtp.ServerInfo) (string, []byte, error) {
	if !server.TLS {
		return "", nil, errors.New("a password is not sent without TLS")
	}
	return "LOGIN", nil, nil
}

func (l *login) Next(question []byte, more bool) ([]byte, error) {
	if !more {
		return nil, nil
	}
	switch strings.ToLower(strings.TrimSuffix(string(question), ":")) {
	case "username", "user name":
		return []byte(l.server.user), nil
	case "password":
		return []byte(l.server.password), nil
	}
	return nil, errors.New("the mail server asks for something else than user and password")
}
