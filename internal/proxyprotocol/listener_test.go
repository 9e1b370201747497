package proxyprotocol

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"
)

func listen(t *testing.T, timeout time.Duration, trusted ...string) *Listener {
	t.Helper()
	tcp, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &Listener{TCPListener: tcp.(*net.TCPListener), Timeout: timeout, Logger: slog.New(slog.DiscardHandler)}
	for _, network := range trusted {
		l.Trusted = append(l.Trusted, netip.MustParsePrefix(network))
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// say connects, says something, and returns everything that is answered.
func say(t *testing.T, l net.Listener, text string) string {
	t.Helper()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	_, _ = io.WriteString(c, text)
	answer, err := io.ReadAll(c)
	if errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
		t.Fatalf("%q is neither answered nor cut off", text)
	}
	return string(answer)
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

func serve(t *testing.T, l net.Listener) {
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		if _, ok := conn.(syscall.Conn); !ok {
			t.Error("the connection's file cannot be reached")
		}
		_, _ = io.WriteString(conn, r.RemoteAddr)
	})}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Close()
		<-ended
	})
}

const request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

func TestAServerSeesWhoTheProxySpeaksFor(t *testing.T) {
	l := listen(t, time.Minute, "127.0.0.0/8")
	serve(t, l)
	if from := say(t, l, "PROXY TCP4 192.0.2.7 10.0.0.1 12345 5001\r\n"+request); from != "192.0.2.7:12345" {
		t.Errorf("the client is %q", from)
	}
	if from := say(t, l, "PROXY UNKNOWN\r\n"+request); !strings.HasPrefix(from, "127.0.0.1:") {
		t.Errorf("a proxy that speaks for itself is %q", from)
	}
}

func TestWhoBringsNoHeaderIsCutOffWithoutAnAnswer(t *testing.T) {
	l := listen(t, time.Minute, "127.0.0.0/8")
	serve(t, l)
	if answer := say(t, l, request); answer != "" {
		t.Errorf("a request without a header was answered: %q", answer)
	}
}

func TestWhoIsNotTrustedIsCutOff(t *testing.T) {
	l := listen(t, time.Minute, "192.0.2.0/24")
	serve(t, l)
	if answer := say(t, l, "PROXY TCP4 192.0.2.7 10.0.0.1 12345 5001\r\n"+request); answer != "" {
		t.Errorf("somebody who is no proxy was believed: %q", answer)
	}
}

func TestASlowHeaderIsNotWaitedForForever(t *testing.T) {
	l := listen(t, 20*time.Millisecond, "127.0.0.0/8")
	serve(t, l)
	if answer := say(t, l, "PROXY TCP4 "); answer != "" {
		t.Errorf("half a header was answered: %q", answer)
	}
}
