package certificate_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"parkwire/internal/certificate"
	"parkwire/internal/certificate/certificatetest"
)

// serve greets everybody who connects, and says x.
func serve(t *testing.T, config *tls.Config) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
				if config == nil { // as servers do that take a greeting by TLS for nonsense
					_, _ = conn.Read(make([]byte, 1))
					return
				}
				secured := tls.Server(conn, config)
				if secured.Handshake() == nil {
					_, _ = secured.Write([]byte("x"))
				}
			})
		}
	})
	t.Cleanup(func() { l.Close(); serving.Wait() })
	return l.Addr().String()
}

func TestAClientSaysWhichSettingIsWrong(t *testing.T) {
	dir := t.TempDir()
	until := time.Now().Add(time.Hour)
	files := func(name string) (cert, key string) {
		folder := filepath.Join(dir, name)
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		c, k := certificatetest.Make(t, name, until)
		return certificatetest.Write(t, folder, c, k)
	}
	serverCert, serverKey := files("kafka.example.org")
	clientCert, clientKey := files("parkwire")
	otherCert, otherKey := files("other")
	pair, err := tls.LoadX509KeyPair(serverCert, serverKey)
	if err != nil {
		t.Fatal(err)
	}
	known := x509.NewCertPool()
	content, err := os.ReadFile(clientCert)
	if err != nil || !known.AppendCertsFromPEM(content) {
		t.Fatal(err)
	}
	open := serve(t, &tls.Config{Certificates: []tls.Certificate{pair}})
	mutual := serve(t, &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: known})
	plain := serve(t, nil)
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, []byte("no PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		address string
		client  certificate.Client
		want    string // "": it works
	}{
		"a known authority":             {open, certificate.Client{CAFile: serverCert}, ""},
		"the name that it has":          {open, certificate.Client{CAFile: serverCert, ServerName: "kafka.example.org"}, ""},
		"a certificate of the client":   {mutual, certificate.Client{CAFile: serverCert, CertFile: clientCert, KeyFile: clientKey}, ""},
		"whoever it is":                 {open, certificate.Client{Unchecked: true}, ""},
		"an unknown authority":          {open, certificate.Client{}, "kafka-tls-ca-file names the file"},
		"another authority":             {open, certificate.Client{CAFile: otherCert}, "not signed by an authority in " + otherCert},
		"another name":                  {open, certificate.Client{CAFile: serverCert, ServerName: "redis.example.org"}, "correct kafka-tls-server-name"},
		"no certificate where one must": {mutual, certificate.Client{CAFile: serverCert}, "kafka-tls-cert-file and kafka-tls-key-file"},
		"a certificate nobody knows":    {mutual, certificate.Client{CAFile: serverCert, CertFile: otherCert, KeyFile: otherKey}, "does not take the certificate of kafka-tls-cert-file"},
		"a server without TLS":          {plain, certificate.Client{CAFile: serverCert}, "does the server speak TLS at this port"},
		"no file":                       {open, certificate.Client{CAFile: filepath.Join(dir, "none")}, "kafka-tls-ca-file: open"},
		"a file without certificates":   {open, certificate.Client{CAFile: empty}, "kafka-tls-ca-file: " + empty + " holds no certificate"},
		"a key of another certificate":  {open, certificate.Client{CAFile: serverCert, CertFile: clientCert, KeyFile: otherKey}, "kafka-tls-cert-file and kafka-tls-key-file: "},
	} {
		c.client.Setting = "kafka-tls"
		got := speak(t, c.client, c.address)
		if c.want == "" && got != nil || c.want != "" && (got == nil || !strings.Contains(got.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", what, got, c.want)
		}
	}
}

// speak connects and reads, since with TLS 1.3 a client hears only then that it is refused.
func speak(t *testing.T, c certificate.Client, address string) error {
	t.Helper()
	conn, err := c.Dial(t.Context(), &net.Dialer{Timeout: 30 * time.Second}, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = io.ReadFull(conn, make([]byte, 1))
	return c.Explain(err)
}

// Whoever renews certificates replaces files. The next connection uses them.
func TestAClientReadsItsFilesForEachConnection(t *testing.T) {
	dir := t.TempDir()
	first, firstKey := certificatetest.Make(t, "kafka", time.Now().Add(time.Hour))
	second, secondKey := certificatetest.Make(t, "kafka", time.Now().Add(time.Hour))
	current, err := tls.X509KeyPair(first, firstKey)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	address := serve(t, &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		mu.Lock()
		defer mu.Unlock()
		pair := current
		return &pair, nil
	}})
	file := filepath.Join(dir, "ca.crt")
	write := func(content []byte) {
		t.Helper()
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	client := certificate.Client{Setting: "redis-tls", CAFile: file}
	write(first)
	if err := speak(t, client, address); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	current, err = tls.X509KeyPair(second, secondKey)
	mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	if err := speak(t, client, address); !errors.As(err, new(x509.UnknownAuthorityError)) {
		t.Fatalf("a server of an authority that is not believed: %v", err)
	}
	write(second)
	if err := speak(t, client, address); err != nil {
		t.Fatal(err)
	}
}
