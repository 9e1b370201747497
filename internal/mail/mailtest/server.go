// Package mailtest is a small SMTP server for tests.
package mailtest

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Server is a small SMTP server.
type Server struct {
	listener net.Listener
	secure   *tls.Config
	Implicit bool              // TLS from the beginning
	StartTLS bool              // offered
	Auth     string            // offered: "PLAIN", "LOGIN PLAIN", …; "": none
	Answers  map[string]string // by command, in the place of what it would say
	Hang     string            // the command that it never answers
	stop     chan struct{}
	wait     sync.WaitGroup

	mu   sync.Mutex
	got  []Letter
	logs []string // commands
}

// New starts a server, which change has altered before, and returns the certificates by which it can be trusted.
func New(t testing.TB, change func(*Server)) (*Server, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	s := &Server{secure: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, stop: make(chan struct{})}
	if change != nil {
		change(s)
	}
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	s.wait.Go(func() {
		for {
			conn, err := s.listener.Accept()
			if err != nil {
				return
			}
			s.wait.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() { close(s.stop); _ = s.listener.Close(); s.wait.Wait() })
	return s, roots
}

func (s *Server) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	over := false
	if s.Implicit {
		conn, over = tls.Server(conn, s.secure), true
	}
	r := bufio.NewReader(conn)
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(conn, format+"\r\n", args...) }
	line := func() (string, bool) {
		text, err := r.ReadString('\n')
		return strings.TrimRight(text, "\r\n"), err == nil
	}
	if s.Hang == "greeting" {
		<-s.stop
		return
	}
	say("220 test")
	var to string
	for {
		text, ok := line()
		if !ok {
			return
		}
		s.mu.Lock()
		s.logs = append(s.logs, text)
		s.mu.Unlock()
		command := strings.ToUpper(strings.Fields(text + " x")[0])
		if s.Hang == command {
			<-s.stop
			return
		}
		if answer := s.Answers[command]; answer != "" {
			say("%s", answer)
			continue
		}
		switch command {
		case "EHLO":
			say("250-test")
			if s.StartTLS && !over {
				say("250-STARTTLS")
			}
			if s.Auth != "" {
				say("250-AUTH %s", s.Auth)
			}
			say("250 8BITMIME")
		case "STARTTLS":
			say("220 go on")
			conn, over = tls.Server(conn, s.secure), true
			r = bufio.NewReader(conn)
		case "AUTH":
			if !s.login(text, say, line) {
				say("535 no")
				continue
			}
			say("235 yes")
		case "RCPT":
			to = text
			say("250 ok")
		case "DATA":
			say("354 go on")
			var b strings.Builder
			for {
				text, ok := line()
				if !ok {
					return
				}
				if text == "." {
					break
				}
				b.WriteString(strings.TrimPrefix(text, ".") + "\r\n")
			}
			if answer := s.Answers["."]; answer != "" {
				say("%s", answer)
				continue
			}
			s.mu.Lock()
			s.got = append(s.got, Letter{b.String(), to, over})
			s.mu.Unlock()
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func (s *Server) login(text string, say func(string, ...any), line func() (string, bool)) bool {
	fields := strings.Fields(text)
	switch fields[1] {
	case "PLAIN":
		got, _ := base64.StdEncoding.DecodeString(fields[2])
		return string(got) == "\x00anna\x00pass word"
	case "LOGIN":
		say("334 %s", base64.StdEncoding.EncodeToString([]byte("Username:")))
		user, _ := line()
		say("334 %s", base64.StdEncoding.EncodeToString([]byte("Password:")))
		password, _ := line()
		return user == base64.StdEncoding.EncodeToString([]byte("anna")) && password == base64.StdEncoding.EncodeToString([]byte("pass word"))
	}
	return false
}

// URL is where it is; user and rest stand before and behind the host.
func (s *Server) URL(scheme, user, rest string) string {
	return scheme + "://" + user + s.listener.Addr().String() + rest
}

// Letter is a message that came.
type Letter struct {
	Text, To string // To is the command
	TLS      bool
}

// Got are the messages that came.
func (s *Server) Got() []Letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

// Commands are what it was told.
func (s *Server) Commands() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.logs)
}
