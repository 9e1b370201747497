package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/coder/websocket"
)

// maxFrame bounds a frame, in bytes.
const maxFrame = 1 << 20

// WebSocket connects to the notifications with the parameters of query, and speaks one of the subprotocols where there are any. What the platform refuses is a
// [problem.Problem] in the error's chain.
func (c *Client) WebSocket(ctx context.Context, query url.Values, protocols ...string) (*websocket.Conn, error) {
	header := http.Header{}
	c.authorize(header)
	conn, answer, err := websocket.Dial(ctx, c.address("/notifications", query),
		&websocket.DialOptions{HTTPClient: c.http, HTTPHeader: header, Subprotocols: protocols})
	if err != nil && answer != nil && answer.StatusCode >= 300 {
		body, _ := io.ReadAll(answer.Body) // the first 1,024 bytes are kept for this
		return nil, refusal(answer.StatusCode, body)
	}
	if err != nil {
		return nil, err
	}
	if len(protocols) > 0 && conn.Subprotocol() == "" {
		_ = conn.CloseNow()
		return nil, fmt.Errorf("the server at %s speaks none of %v", c.base, protocols)
	}
	conn.SetReadLimit(maxFrame)
	return conn, nil
}

// EventStream connects to the notifications as server-sent events. It ends when ctx does, or when the body is closed. What the
// platform refuses is a [problem.Problem] in the error's chain.
func (c *Client) EventStream(ctx context.Context, query url.Values) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.address("/notifications", query), nil)
	if err != nil {
		return nil, err
	}
	c.authorize(request.Header)
	request.Header.Set("Accept", "text/event-stream")
	answer, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		defer answer.Body.Close()
		body, _ := io.ReadAll(io.LimitReader(answer.Body, maxFrame))
		return nil, refusal(answer.StatusCode, body)
	}
	return answer.Body, nil
}

// CursorExpired reports whether a WebSocket was closed because the log no longer has what comes after the cursor.
func CursorExpired(err error) bool {
	const code websocket.StatusCode = 4410
	return websocket.CloseStatus(err) == code
}
