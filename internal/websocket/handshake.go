package websocket

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// HandshakeError says why a request is no WebSocket handshake. Status is the HTTP
// status to answer with; it is 426 where only the version is wrong, and then the
// answer must carry "Sec-WebSocket-Version: 13".
type HandshakeError struct {
	Status int
	Reason string
}

func (e *HandshakeError) Error() string { return e.Reason }

// Requested reports whether r asks for a WebSocket.
func Requested(r *http.Request) bool {
	return hasToken(r.Header, "Connection", "upgrade") && hasToken(r.Header, "Upgrade", "websocket")
}

// Accept answers a handshake (RFC 6455, section 4.2) and takes the connection over from
// the HTTP server, without deadlines. Headers that were set on w go out with the answer.
// The returned bytes are what the client sent behind its handshake. The error is a
// [*HandshakeError] as long as nothing was written.
//
// A subprotocol and an extension are agreed on only where w has the headers Sec-WebSocket-Protocol and Sec-WebSocket-Extensions; see
// [Offers] and [OffersDeflate].
func Accept(w http.ResponseWriter, r *http.Request) (net.Conn, []byte, error) {
	accept, err := check(r)
	if err != nil {
		return nil, nil, err
	}
	return Hijack(w, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "+accept+"\r\n")
}

// Offers reports whether the client of a handshake speaks a subprotocol, whose name is case-sensitive.
func Offers(r *http.Request, protocol string) bool {
	for _, line := range r.Header.Values("Sec-WebSocket-Protocol") {
		for name := range strings.SplitSeq(line, ",") {
			if strings.TrimSpace(name) == protocol {
				return true
			}
		}
	}
	return false
}

// Hijack takes the connection of w over from the HTTP server and writes head to it, then
// the headers that were set on w, then the empty line.
func Hijack(w http.ResponseWriter, head string) (net.Conn, []byte, error) {
	headers := w.Header()
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, nil, &HandshakeError{http.StatusHTTPVersionNotSupported, "a stream needs a connection of its own: use HTTP/1.1"}
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		conn.Close()
		return nil, nil, fmt.Errorf("lifting the deadlines of the HTTP server: %w", err)
	}
	var b strings.Builder
	b.WriteString(head)
	if err := headers.Write(&b); err != nil {
		conn.Close()
		return nil, nil, fmt.Errorf("writing the headers of the handshake: %w", err)
	}
	b.WriteString("\r\n")
	if err = conn.SetWriteDeadline(time.Now().Add(10 * time.Second)); err == nil {
		_, err = conn.Write([]byte(b.String()))
		err = errors.Join(err, conn.SetWriteDeadline(time.Time{}))
	}
	if err != nil {
		conn.Close()
		return nil, nil, fmt.Errorf("answering the handshake: %w", err)
	}
	early, err := drain(rw.Reader)
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	return conn, early, nil
}

// drain takes out what the HTTP server had read ahead, so that its buffer can go.
func drain(r *bufio.Reader) ([]byte, error) {
	if r.Buffered() == 0 {
		return nil, nil
	}
	early := make([]byte, r.Buffered())
	if _, err := r.Read(early); err != nil {
		return nil, fmt.Errorf("taking over what the client sent early: %w", err)
	}
	return early, nil
}

const keyGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" // RFC 6455, section 1.3

func check(r *http.Request) (accept string, err error) {
	switch key := r.Header.Get("Sec-WebSocket-Key"); {
	case r.Method != http.MethodGet:
		return "", &HandshakeError{http.StatusMethodNotAllowed, "a WebSocket handshake is a GET request"}
	case !r.ProtoAtLeast(1, 1) || r.ProtoMajor != 1:
		return "", &HandshakeError{http.StatusHTTPVersionNotSupported, "a WebSocket handshake needs HTTP/1.1"}
	case !Requested(r):
		return "", &HandshakeError{http.StatusUpgradeRequired, `the headers "Connection: Upgrade" and "Upgrade: websocket" are missing`}
	case r.Header.Get("Sec-WebSocket-Version") != "13":
		return "", &HandshakeError{http.StatusUpgradeRequired, `the header "Sec-WebSocket-Version" must be 13`}
	case !validKey(key):
		return "", &HandshakeError{http.StatusBadRequest, `the header "Sec-WebSocket-Key" must be 16 bytes in base64`}
	default:
		sum := sha1.Sum([]byte(key + keyGUID))
		return base64.StdEncoding.EncodeToString(sum[:]), nil
	}
}

func validKey(key string) bool {
	b, err := base64.StdEncoding.DecodeString(key)
	return err == nil && len(b) == 16
}

func hasToken(h http.Header, name, token string) bool {
	for _, line := range h.Values(name) {
		for part := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}
