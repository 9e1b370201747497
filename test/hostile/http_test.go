package hostile

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
)

// patience is for how long an answer may be waited for. No attack here is meant to be slow.
const patience = 30 * time.Second

// A request is sent as it is written here, whatever HTTP says of it.
type request struct {
	method, target string
	lines          []string // of the header, besides Host, Connection, Authorization and Content-Length
	bare           bool     // these lines are all there are
	who            forgery
	nobody         bool
	body           string
}

func get(target string, lines ...string) request {
	return request{method: "GET", target: target, lines: lines}
}
func drop(target string, lines ...string) request {
	return request{method: "DELETE", target: target, lines: lines}
}

// post sends JSON.
func post(target, body string, lines ...string) request { return write("POST", target, body, lines...) }

func patch(target, body string, lines ...string) request {
	return write("PATCH", target, body, lines...)
}

func write(method, target, body string, lines ...string) request {
	if !slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, "Content-Type:") }) && body != "" {
		lines = append(lines, "Content-Type: application/json")
	}
	return request{method: method, target: target, body: body, lines: lines}
}

// by says whose token is shown.
func (r request) by(f forgery) func(*world) string {
	r.who = f
	return r.send
}

// anonymously shows no token, or one in lines.
func (r request) anonymously(w *world) string {
	r.nobody = true
	return r.send(w)
}

// send tells what is answered, see [tell].
func (r request) send(w *world) string {
	lines := r.lines
	if !r.bare {
		lines = append([]string{"Host: parkwire.test", "Connection: close"}, lines...)
		if !r.nobody {
			lines = append(lines, "Authorization: Bearer "+r.who.token(w))
		}
		if r.body != "" || r.method == "POST" {
			lines = append(lines, fmt.Sprintf("Content-Length: %d", len(r.body)))
		}
	}
	return w.converse(r.method + " " + r.target + " HTTP/1.1\r\n" + strings.Join(lines, "\r\n") + "\r\n\r\n" + r.body)
}

// converse sends text over a connection of its own, and tells what is answered until the platform closes it.
func (w *world) converse(text string) string {
	w.t.Helper()
	conn := w.dial()
	defer conn.Close()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = io.WriteString(conn, text) // what is refused is not read to its end
	}()
	defer func() { conn.Close(); <-sent }()
	var told []string
	in := bufio.NewReader(conn)
	for {
		answer, err := http.ReadResponse(in, &http.Request{Method: text[:max(0, strings.IndexByte(text, ' '))]})
		if err != nil {
			if len(told) == 0 && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, syscall.ECONNRESET) {
				return "no HTTP/1"
			}
			break
		}
		if answer.StatusCode == http.StatusSwitchingProtocols {
			told = append(told, "101")
			break
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			told = append(told, "cut off")
			break
		}
		told = append(told, w.tell(answer, body))
	}
	if len(told) == 0 {
		return "closed"
	}
	return strings.Join(told, ", ")
}

func (w *world) dial() net.Conn {
	w.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.stack.URL, "http://"))
	if err != nil {
		w.t.Fatal(err)
	}
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		w.t.Fatal(err)
	}
	return conn
}

// tell puts an answer into a few words: the status, the code of its problem, and the field at fault; of readings and files, what was
// rejected. It checks what holds for every answer.
func (w *world) tell(answer *http.Response, body []byte) string {
	w.t.Helper()
	status := fmt.Sprint(answer.StatusCode)
	if answer.StatusCode >= 500 && answer.StatusCode != http.StatusNotImplemented && answer.StatusCode != http.StatusHTTPVersionNotSupported {
		w.t.Errorf("the platform failed: %s %s", answer.Status, body)
	}
	var said struct {
		Type, Title, Detail, Instance, Field, RequestID string
		Status                                          int
		Rejected                                        int
		Errors                                          []struct{ Field string }
	}
	switch kind := answer.Header.Get("Content-Type"); kind {
	case "text/html; charset=utf-8":
		status += " dashboard"
	case "application/problem+json":
		if err := json.Unmarshal(body, &said); err != nil {
			w.t.Errorf("a problem is no JSON: %v in %s", err, body)
		}
		w.checkProblem(answer, said.Status, said.Title, said.RequestID, said.Detail)
		status += " " + strings.TrimPrefix(said.Type, "urn:parkwire:problem:")
		if said.Field != "" && len(said.Field) < 40 {
			status += " (" + said.Field + ")"
		}
	case "application/json":
		if err := json.Unmarshal(body, &said); err == nil && said.Rejected > 0 {
			status += fmt.Sprintf(" %d rejected", said.Rejected)
			if field := said.Errors[0].Field; field != "" {
				status += " (" + field + ")"
			}
		}
	}
	return status
}

// checkProblem says what holds for every problem: it can be found in the logs, is kept by no cache, and tells nothing of the inside.
func (w *world) checkProblem(answer *http.Response, status int, title, id, detail string) {
	w.t.Helper()
	h := answer.Header
	fromNGINX := h.Get("X-Request-Id") == ""
	switch {
	case status != answer.StatusCode || title == "":
		w.t.Errorf("the problem says status %d and title %q in an answer with %d", status, title, answer.StatusCode)
	case !fromNGINX && id != h.Get("X-Request-Id"):
		w.t.Errorf("the request id is %q in the problem and %q in the header", id, h.Get("X-Request-Id"))
	case !fromNGINX && (h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff"):
		w.t.Errorf("a problem came without the headers that keep it out of caches: %v", h)
	case answer.StatusCode == http.StatusUnauthorized && h.Get("Www-Authenticate") == "":
		w.t.Errorf("a 401 came without WWW-Authenticate")
	}
	for _, inside := range []string{"goroutine", ".go:", "json:", "Go struct", "Go value", "SQLSTATE", "sqlite", "pgx", "strconv", "/work", "/root"} {
		if strings.Contains(detail, inside) {
			w.t.Errorf("the problem tells about the inside (%q): %s", inside, detail)
		}
	}
	if len(detail) > 1000 {
		w.t.Errorf("the problem gives back %d bytes of what was sent", len(detail))
	}
}

// cut sends the beginning of a request with a good token, and no more.
func cut(head, body string) func(*world) string {
	return func(w *world) string {
		w.t.Helper()
		conn := w.dial()
		defer conn.Close()
		if _, err := io.WriteString(conn, head+"\r\nAuthorization: Bearer "+forgery{}.token(w)+"\r\n\r\n"+body); err != nil {
			w.t.Fatal(err)
		}
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			w.t.Fatal(err)
		}
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			return "closed"
		}
		text, _ := io.ReadAll(answer.Body)
		return w.tell(answer, text)
	}
}
