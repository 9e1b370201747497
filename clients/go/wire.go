package parkwire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coder/websocket"
)

const protocol = "parkwire.v1"

// Codes of the wire that this package knows.
const (
	codeCursorExpired  = "cursor-expired"
	codeLogUnavailable = "log-unavailable"
	codeTokenExpiring  = "token-expiring"

	closeTokenExpired websocket.StatusCode = 4401
)

const (
	maxFrame     = 16 << 20 // bytes
	dialTimeout  = 15 * time.Second
	writeTimeout = 15 * time.Second
)

// outgoing is every message that a client sends.
type outgoing struct {
	Type     string   `json:"type"`
	ID       string   `json:"id,omitempty"`
	Lot      []string `json:"lot,omitempty"`
	Zone     []string `json:"zone,omitempty"`
	Spot     []string `json:"spot,omitempty"`
	Status   []Status `json:"status,omitempty"`
	Change   []Change `json:"change,omitempty"`
	After    string   `json:"after,omitempty"`
	Snapshot bool     `json:"snapshot,omitempty"`
	Token    string   `json:"token,omitempty"`
}

// incoming is every message that a server sends.
type incoming struct {
	Type        string            `json:"type"`
	ID          string            `json:"id"`
	Cursor      string            `json:"cursor"`
	Events      []json.RawMessage `json:"events"`
	Complete    bool              `json:"complete"`
	Reason      string            `json:"reason"`
	After       string            `json:"after"`
	Omitted     int               `json:"omitted"`
	HeartbeatMS int64             `json:"heartbeatMs"`
	AfterMS     int64             `json:"afterMs"`
	StaleSince  time.Time         `json:"stale_since"`
	ExpiresAt   time.Time         `json:"expiresAt"`
	Code        string            `json:"code"`
	Field       string            `json:"field"`
	Message     json.RawMessage   `json:"message"` // a text of an Error, anything of a Foreign
}

// wire is one connection. read is for one goroutine, the others for any.
type wire interface {
	read(ctx context.Context) ([]byte, error)
	write(ctx context.Context, message []byte) error
	close() // says so to the server, and waits a moment for its answer
	drop()
}

type webSocket struct{ *websocket.Conn }

func (w webSocket) read(ctx context.Context) ([]byte, error) {
	_, message, err := w.Read(ctx)
	return message, err
}

func (w webSocket) write(ctx context.Context, message []byte) error {
	return w.Write(ctx, websocket.MessageText, message)
}

func (w webSocket) close() { _ = w.Close(websocket.StatusNormalClosure, "") }
func (w webSocket) drop()  { _ = w.CloseNow() }

// dialWebSocket connects to the notifications at an address.
func dialWebSocket(client *http.Client) func(ctx context.Context, address, token string) (wire, error) {
	return func(ctx context.Context, address, token string) (wire, error) {
		header := http.Header{}
		if token != "" {
			header.Set("Authorization", "Bearer "+token)
		}
		conn, answer, err := websocket.Dial(ctx, strings.TrimSuffix(address, "/")+"/notifications",
			&websocket.DialOptions{HTTPClient: client, HTTPHeader: header, Subprotocols: []string{protocol}})
		switch {
		case err != nil && answer != nil && answer.StatusCode >= 300:
			body, _ := io.ReadAll(answer.Body) // the first 1,024 bytes are kept for this
			return nil, refusal(address, answer, body)
		case err != nil:
			return nil, fmt.Errorf("connecting to %s: %w", address, withoutURL(err))
		case conn.Subprotocol() != protocol:
			_ = conn.CloseNow()
			return nil, fmt.Errorf("%s: %w", address, ErrProtocol)
		}
		conn.SetReadLimit(maxFrame)
		return webSocket{conn}, nil
	}
}

// withoutURL takes away what repeats method and address.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// refusal reads the problem details of an answer, whoever wrote it.
func refusal(address string, answer *http.Response, body []byte) *RefusedError {
	var p struct{ Type, Title, Detail string }
	_ = json.Unmarshal(body, &p)
	r := &RefusedError{URL: address, StatusCode: answer.StatusCode, Code: p.Type[strings.LastIndexByte(p.Type, ':')+1:], Message: p.Detail, retryAfter: headerHint(answer.Header)}
	if r.Message == "" {
		r.Message = p.Title
	}
	if r.Message == "" {
		r.Message = http.StatusText(answer.StatusCode)
	}
	return r
}
