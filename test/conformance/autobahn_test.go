// Package conformance runs the cases of the Autobahn TestSuite against internal/websocket.
package conformance

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"parkwire/internal/websocket"
)

// Every case ends as RFC 6455 wants it. 12 and 13 are about compression, which is not offered.
func TestAutobahnCases(t *testing.T) {
	runner, err := exec.LookPath("kosoku")
	if err != nil {
		if os.Getenv("PARKWIRE_TEST_CONFORMANCE") == "1" {
			t.Fatal("PARKWIRE_TEST_CONFORMANCE=1, but kosoku is not installed (pip install kosoku)")
		}
		t.Skip("kosoku, which runs the Autobahn cases, is not installed (pip install kosoku)")
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, early, err := websocket.Accept(w, r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		echo(conn, early)
	}))
	defer server.Close()
	reports := t.TempDir()
	out, err := exec.Command(runner, "-m", "fuzzingclient", "-x", "12.*", "-x", "13.*", "-p", "2", "-o", reports,
		server.Listener.Addr().String()).CombinedOutput()
	if err != nil {
		t.Errorf("kosoku: %v\n%s", err, out)
	}
	index, err := os.ReadFile(filepath.Join(reports, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	var agents map[string]map[string]struct{ Behavior, BehaviorClose string }
	if err := json.Unmarshal(index, &agents); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, cases := range agents {
		for name, c := range cases {
			n++
			good := []string{"OK", "INFORMATIONAL"} // NON-STRICT is not good enough
			if !slices.Contains(good, c.Behavior) || !slices.Contains(good, c.BehaviorClose) {
				t.Errorf("case %s: %s, close %s", name, c.Behavior, c.BehaviorClose)
			}
		}
	}
	if n < 200 {
		t.Errorf("only %d cases were run\n%s", n, out)
	}
	t.Logf("%d cases", n)
}

// echo sends back what comes, until the peer closes or breaks the protocol.
func echo(conn net.Conn, early []byte) {
	defer conn.Close()
	parser := websocket.Parser{MaxMessage: 32 << 20}
	errClosed := errors.New("closed")
	handle := func(m websocket.Message) error {
		var out []byte
		var result error
		switch m.Op {
		case websocket.Close:
			out, result = websocket.AppendClose(nil, m.Code, string(m.Payload)), errClosed
		case websocket.Ping:
			out = websocket.AppendFrame(nil, websocket.Pong, m.Payload)
		case websocket.Pong:
			return nil
		default:
			out = websocket.AppendFrame(nil, m.Op, m.Payload)
		}
		if _, err := conn.Write(out); err != nil {
			return err
		}
		return result
	}
	buf := make([]byte, 64<<10)
	for b := early; ; {
		err := parser.Feed(b, handle)
		if broken, ok := errors.AsType[*websocket.Error](err); ok {
			_, _ = conn.Write(websocket.AppendClose(nil, broken.Code, broken.Reason))
			_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
			for err = nil; err == nil; { // what was unread would reset the connection before the close frame arrives
				_, err = conn.Read(buf)
			}
		}
		if err != nil {
			return
		}
		n, err := conn.Read(buf)
		if err != nil {
			return
		}
		b = buf[:n]
	}
}
