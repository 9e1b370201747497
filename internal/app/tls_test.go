package app_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parkwire/internal/certificate/certificatetest"
	"parkwire/test/e2e/stack"
)

// startSecure runs a platform that speaks TLS, and trusts its certificate.
func startSecure(t *testing.T, settings ...string) (p *platform, trust *tls.Config, dir string) {
	t.Helper()
	dir = t.TempDir()
	cert, key := certificatetest.Make(t, "parking.test", time.Now().Add(time.Hour))
	certFile, keyFile := certificatetest.Write(t, dir, cert, key)
	p = start(t, append(settings, "--tls-cert-file="+certFile, "--tls-key-file="+keyFile)...)
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(cert)
	trust = &tls.Config{RootCAs: trusted}
	p.client.Transport = &http.Transport{TLSClientConfig: trust.Clone(), ForceAttemptHTTP2: true}
	p.eventually("it is ready", func() bool { return p.app.Ready() == nil })
	return p, trust, dir
}

func TestThePlatformSpeaksTLSAndHTTP2(t *testing.T) {
	p, trust, _ := startSecure(t, "--kafka-listen="+stack.Address(stack.Port(t)))
	if !strings.HasPrefix(p.url, "https://") {
		t.Fatalf("it is at %s", p.url)
	}
	response, err := p.client.Get(p.url + "/api/v1/lots")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.ProtoMajor != 2 || response.StatusCode != 200 {
		t.Errorf("REST is answered by %s with %d", response.Proto, response.StatusCode)
	}

	// Notifications: WebSockets have connections of their own and HTTP/1.1; server-sent events share one.
	overOne := &http.Client{Transport: &http.Transport{TLSClientConfig: trust}}
	defer overOne.CloseIdleConnections()
	socket, _, err := websocket.Dial(t.Context(), p.url+"/notifications", &websocket.DialOptions{HTTPClient: overOne})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.CloseNow()
	var streams []*bufio.Reader
	for range 2 {
		r, _ := http.NewRequestWithContext(t.Context(), "GET", p.url+"/notifications", nil)
		r.Header.Set("Accept", "text/event-stream")
		response, err := (&http.Client{Transport: p.client.Transport}).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if response.ProtoMajor != 2 || response.StatusCode != 200 || response.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("a stream is answered by %s with %d %v", response.Proto, response.StatusCode, response.Header)
		}
		streams = append(streams, bufio.NewReader(response.Body))
	}
	p.add("central", "A-1")
	_, frame, err := socket.Read(t.Context())
	if err != nil || !strings.Contains(string(frame), `"spotId":"A-1"`) {
		t.Errorf("over the WebSocket came %q, %v", frame, err)
	}
	for i, s := range streams {
		if text := until(t, s, "data: "); !strings.Contains(text, `"spotId":"A-1"`) {
			t.Errorf("over stream %d came %q", i, text)
		}
	}

	ended := make(chan error, 1)
	go func() { ended <- p.end() }()
	for i, s := range streams {
		if text := until(t, s, "retry: "); text == "" {
			t.Errorf("stream %d is not told when to come back", i)
		}
	}
	if _, _, err := socket.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusServiceRestart {
		t.Errorf("the WebSocket ends with %v", err)
	}
	if err := <-ended; err != nil {
		t.Errorf("it ends with %v", err)
	}
}

// until reads lines up to the first that begins so.
func until(t *testing.T, r *bufio.Reader, beginning string) string {
	t.Helper()
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Errorf("no line begins with %q: %v", beginning, err)
			return ""
		}
		if strings.HasPrefix(line, beginning) {
			return line
		}
	}
}

func TestARenewedCertificateIsServedWithoutARestart(t *testing.T) {
	p, _, dir := startSecure(t, "--kafka-listen="+stack.Address(stack.Port(t)))
	serial := func() string {
		conn, err := tls.Dial("tcp", strings.TrimPrefix(p.url, "https://"), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	if got := serial(); got != "parking.test" {
		t.Errorf("%q is served", got)
	}
	cert, key := certificatetest.Make(t, "renewed.test", time.Now().Add(time.Hour))
	certificatetest.Write(t, dir, cert, key)
	p.eventually("the new one is served", func() bool { return serial() == "renewed.test" })
}
