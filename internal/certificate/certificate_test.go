package certificate_test

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"parkwire/internal/certificate"
	"parkwire/internal/certificate/certificatetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type server struct {
	t                 *testing.T
	dir               string
	certFile, keyFile string
	files             *certificate.Files
	listening         net.Listener
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{t: t, dir: t.TempDir()}
	cert, key := certificatetest.Make(t, "first", time.Now().Add(time.Hour))
	var err error
	s.certFile, s.keyFile = certificatetest.Write(t, s.dir, cert, key)
	s.files, err = certificate.Open(certificate.Options{
		CertFile: s.certFile, KeyFile: s.keyFile, Interval: 10 * time.Millisecond, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.listening, err = tls.Listen("tcp", "127.0.0.1:0", s.files.Config()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { s.files.Run(ctx) })
	wg.Go(func() {
		for {
			conn, err := s.listening.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { conn.(*tls.Conn).Handshake(); conn.Read(make([]byte, 1)); conn.Close() })
		}
	})
	t.Cleanup(func() { cancel(); s.listening.Close(); wg.Wait() })
	return s
}

func (s *server) write(cert, key []byte) {
	s.t.Helper()
	certificatetest.Write(s.t, s.dir, cert, key)
}

// name is whom the server proves to be, to a client of a version of TLS.
func (s *server) name(version uint16) (string, error) {
	conn, err := tls.Dial("tcp", s.listening.Addr().String(), &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version})
	if err != nil {
		return "", err
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].Subject.CommonName, nil
}

func (s *server) mustServe(want string) {
	s.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		got, err := s.name(tls.VersionTLS13)
		if err != nil {
			s.t.Fatal(err)
		}
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%q is served, not %q", got, want)
		}
	}
}

func TestANewCertificateIsServedWhenItsFilesChange(t *testing.T) {
	s := newServer(t)
	s.mustServe("first")
	old, err := tls.Dial("tcp", s.listening.Addr().String(), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	s.write(certificatetest.Make(t, "second", time.Now().Add(time.Hour)))
	s.mustServe("second")
	if _, err := old.Write([]byte("x")); err != nil {
		t.Errorf("a connection with the old one ended: %v", err)
	}
}

func TestFilesThatCannotBeUsedChangeNothing(t *testing.T) {
	s := newServer(t)
	cert, key := certificatetest.Make(t, "second", time.Now().Add(time.Hour))
	_, other := certificatetest.Make(t, "third", time.Now().Add(time.Hour))
	for name, files := range map[string][2][]byte{"half a file": {cert[:len(cert)/2], key}, "a key of another one": {cert, other}, "nothing": {nil, nil}} {
		s.write(files[0], files[1])
		time.Sleep(50 * time.Millisecond) // several looks
		if got, err := s.name(tls.VersionTLS13); got != "first" {
			t.Errorf("%s: %q is served, %v", name, got, err)
		}
	}
	os.Remove(s.certFile)
	time.Sleep(50 * time.Millisecond)
	s.mustServe("first")
	s.write(cert, key)
	s.mustServe("second")
}

func TestOldVersionsOfTLSAreRefused(t *testing.T) {
	s := newServer(t)
	for version, good := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		if _, err := s.name(version); (err == nil) != good {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
	}
}

func TestACertificateThatExpiredIsSaid(t *testing.T) {
	s := newServer(t)
	if err := s.files.Ready(); err != nil {
		t.Error(err)
	}
	s.write(certificatetest.Make(t, "old", time.Now().Add(-time.Hour)))
	s.mustServe("old")
	if err := s.files.Ready(); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("it says %v", err)
	}
}

func TestFilesThatAreNotThereStopTheStart(t *testing.T) {
	_, err := certificate.Open(certificate.Options{CertFile: "/nonexistent/c", KeyFile: "/nonexistent/k"})
	if err == nil || !strings.Contains(err.Error(), "/nonexistent/c") {
		t.Errorf("got %v", err)
	}
}
