package app

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parkwire/internal/certificate/certificatetest"
)

// pipes is a listener whose connections have no buffer: what the client does not read cannot be written.
type pipes struct {
	accepted chan net.Conn
	closed   chan struct{}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.accepted:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error   { close(p.closed); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// serving runs a server on pipes until the test ends and returns a function that connects to it.
func serving(t *testing.T, handler http.Handler) (connect func() net.Conn) {
	return servingWith(t, nil, handler)
}

func servingWith(t *testing.T, config *tls.Config, handler http.Handler) (connect func() net.Conn) {
	s := newHTTPServer("listen", "", time.Second, handler, config, slog.New(slog.DiscardHandler))
	listener := pipes{make(chan net.Conn), make(chan struct{})}
	s.listener = listener
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return func() net.Conn {
		client, server := net.Pipe()
		t.Cleanup(func() { client.Close() })
		listener.accepted <- server
		return client
	}
}

func TestAClientThatDoesNotTakeItsAnswerIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		connect := serving(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, err := w.Write(make([]byte, 1<<20))
			ended <- err
		}))
		began := time.Now()
		io.WriteString(connect(), "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		if err := <-ended; err == nil {
			t.Error("the answer was written though nobody took it")
		}
		if took, most := time.Since(began), answerTimeout+1<<20/answerRate*time.Second; took > most {
			t.Errorf("it was waited for %v; %v is more than enough", took, most)
		}
	})
}

func TestAnswersAndStreamsThatAreTakenHaveNoEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		connect := serving(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/stream":
				for range 20 {
					time.Sleep(answerTimeout - time.Second)
					io.WriteString(w, "event\n")
					http.NewResponseController(w).Flush()
				}
			case "/taken":
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				time.Sleep(time.Hour)
				io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
				conn.Close()
			}
		}))
		conn := connect()
		answers := bufio.NewReader(conn)
		// On one connection: each has time of its own.
		for _, path := range []string{"/", "/stream", "/", "/taken"} {
			go io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n")
			answer, err := http.ReadResponse(answers, nil)
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			body, err := io.ReadAll(answer.Body)
			if err != nil || answer.StatusCode != 200 || path == "/stream" && strings.Count(string(body), "event") != 20 {
				t.Errorf("%s: %d %q %v", path, answer.StatusCode, body, err)
			}
			time.Sleep(answerTimeout + time.Second) // longer than what was left
		}
	})
}

// As above over HTTP/2, where all share a connection and a deadline would end a request that is only waiting.
func TestOverHTTP2OnlyWhoDoesNotTakeAnAnswerIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		cert, key := certificatetest.Make(t, "x", time.Now().Add(24*time.Hour))
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			t.Fatal(err)
		}
		connect := servingWith(t, &tls.Config{Certificates: []tls.Certificate{pair}}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/late":
				time.Sleep(2 * answerTimeout)
			case "/stream":
				for range 20 {
					io.WriteString(w, "event\n")
					http.NewResponseController(w).Flush()
					time.Sleep(2 * answerTimeout)
				}
			case "/much":
				_, err := w.Write(make([]byte, 16<<20))
				ended <- err
			}
		}))
		transport := &http.Transport{
			DialContext:     func(context.Context, string, string) (net.Conn, error) { return connect(), nil },
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true,
		}
		defer transport.CloseIdleConnections()
		get := func(path string) *http.Response {
			answer, err := (&http.Client{Transport: transport}).Get("https://x" + path)
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			return answer
		}
		much := get("/much") // and nobody reads it
		defer much.Body.Close()
		began := time.Now()
		for _, path := range []string{"/", "/late", "/stream"} {
			answer := get(path)
			body, err := io.ReadAll(answer.Body)
			if err != nil || answer.ProtoMajor != 2 || path == "/stream" && strings.Count(string(body), "event") != 20 {
				t.Errorf("%s: %s %q %v", path, answer.Proto, body, err)
			}
		}
		if err := <-ended; err == nil {
			t.Error("the answer was written though nobody took it")
		}
		if took, most := time.Since(began), answerTimeout*100; took > most {
			t.Errorf("it took %v", took)
		}
	})
}

func TestARequestThatWasReadIsNotEndedByTheTimeForReadingIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		connect := serving(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			select {
			case <-r.Context().Done():
				ended <- context.Cause(r.Context())
			case <-time.After(time.Hour):
				ended <- nil
			}
		}))
		for _, request := range []string{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx"} {
			conn := connect()
			io.WriteString(conn, request)
			if err := <-ended; err != nil {
				t.Errorf("%.4s: it ends with %v", request, err)
			}
			conn.Close()
		}
	})
}
