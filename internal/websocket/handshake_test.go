package websocket

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const sampleKey = "dGhlIHNhbXBsZSBub25jZQ==" // RFC 6455, section 1.3

func upgradeRequest() *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header = http.Header{"Connection": {"keep-alive, Upgrade"}, "Upgrade": {"WebSocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {sampleKey}}
	return r
}

func TestWhatIsNoHandshakeIsRefusedWithItsStatus(t *testing.T) {
	for name, c := range map[string]struct {
		spoil  func(*http.Request)
		status int
	}{
		"a POST":                  {func(r *http.Request) { r.Method = http.MethodPost }, 405},
		"HTTP/1.0":                {func(r *http.Request) { r.ProtoMajor, r.ProtoMinor = 1, 0 }, 505},
		"HTTP/2":                  {func(r *http.Request) { r.ProtoMajor, r.ProtoMinor = 2, 0 }, 505},
		"no Upgrade":              {func(r *http.Request) { r.Header.Del("Upgrade") }, 426},
		"another Upgrade":         {func(r *http.Request) { r.Header.Set("Upgrade", "h2c") }, 426},
		"no Connection":           {func(r *http.Request) { r.Header.Del("Connection") }, 426},
		"an old version":          {func(r *http.Request) { r.Header.Set("Sec-WebSocket-Version", "8") }, 426},
		"no version":              {func(r *http.Request) { r.Header.Del("Sec-WebSocket-Version") }, 426},
		"no key":                  {func(r *http.Request) { r.Header.Del("Sec-WebSocket-Key") }, 400},
		"a short key":             {func(r *http.Request) { r.Header.Set("Sec-WebSocket-Key", "YWJj") }, 400},
		"a key that is no base64": {func(r *http.Request) { r.Header.Set("Sec-WebSocket-Key", "!") }, 400},
	} {
		t.Run(name, func(t *testing.T) {
			r := upgradeRequest()
			c.spoil(r)
			w := httptest.NewRecorder()
			_, _, err := Accept(w, r)
			refused, ok := errors.AsType[*HandshakeError](err)
			if !ok || refused.Status != c.status || refused.Reason == "" {
				t.Errorf("got %#v; want status %d and a reason", err, c.status)
			}
			if w.Body.Len() > 0 {
				t.Errorf("something was written: %s", w.Body)
			}
		})
	}
}

func TestASubprotocolIsOfferedByItsNameAmongOthers(t *testing.T) {
	for header, want := range map[string]bool{"": false, "parkwire.v1": true, "a, parkwire.v1": true, "parkwire.v1,b": true, "parkwire.v10": false, "Parkwire.v1": false} {
		r := upgradeRequest()
		r.Header.Set("Sec-WebSocket-Protocol", header)
		if Offers(r, "parkwire.v1") != want {
			t.Errorf("%q offers it: %v", header, !want)
		}
	}
}

func TestAConnectionThatCannotBeTakenOverIsRefused(t *testing.T) {
	_, _, err := Accept(httptest.NewRecorder(), upgradeRequest())
	if refused, ok := errors.AsType[*HandshakeError](err); !ok || refused.Status != 505 {
		t.Errorf("got %v", err)
	}
}

// The answer is that of RFC 6455, and what the client sent behind its handshake is not lost, nor cut by the
// deadlines of the HTTP server.
func TestTheHandshakeIsAnsweredAndTheConnectionTakenOver(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Request-Id", "42")
		conn, early, err := Accept(w, r)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		time.Sleep(50 * time.Millisecond) // beyond the server's deadlines
		rest := make([]byte, 4)
		if _, err := io.ReadFull(conn, rest); err != nil {
			t.Errorf("reading behind the deadline: %v", err)
		}
		conn.Write(append(early, rest...))
	}))
	server.Config.ReadTimeout, server.Config.WriteTimeout = 20*time.Millisecond, 20*time.Millisecond
	server.Start()
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "+sampleKey+"\r\n\r\nearly")
	in := bufio.NewReader(conn)
	answer, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != 101 || answer.Header.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" || answer.Header.Get("X-Request-Id") != "42" ||
		!strings.EqualFold(answer.Header.Get("Upgrade"), "websocket") || answer.Header.Get("Sec-WebSocket-Protocol") != "" {
		t.Errorf("the answer is %s %v", answer.Status, answer.Header)
	}
	io.WriteString(conn, "late")
	if got, err := io.ReadAll(in); string(got) != "earlylate" {
		t.Errorf("the server got %q, %v", got, err)
	}
}

// Whatever a request holds, it is refused with a status or answered with the key that the client can check, and nothing of
// the request gets into the answer.
func FuzzHandshake(f *testing.F) {
	head := "GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
	f.Add(head + sampleKey + "\r\n\r\nearly")
	f.Add(head + sampleKey + "\r\nSec-WebSocket-Key: other\r\n\r\n")
	f.Add(head + "dGhlIHNhbXBsZSBub25jZR==\r\n\r\n")
	f.Add(strings.Replace(head, "GET", "POST", 1) + sampleKey + "\r\n\r\n")
	f.Add("GET / HTTP/1.0\r\n\r\n")
	f.Fuzz(func(t *testing.T, request string) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(request)))
		if err != nil {
			return
		}
		accept, err := check(r)
		if err != nil {
			refused, ok := errors.AsType[*HandshakeError](err)
			if !ok || refused.Status < 400 || refused.Status > 505 || refused.Reason == "" {
				t.Fatalf("%q is refused with %#v", request, err)
			}
			return
		}
		sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
		if r.Method != http.MethodGet || !Requested(r) || accept != base64.StdEncoding.EncodeToString(sum[:]) {
			t.Fatalf("%q is answered with %q", request, accept)
		}
	})
}
