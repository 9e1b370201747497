package verify

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"parkwire/internal/client"
)

// A stream is one connection of a client.
type stream interface {
	// next returns the next frame, which is valid until the next call.
	next(ctx context.Context) ([]byte, error)
	// check returns an error when the connection is dead though it is open.
	check(ctx context.Context, now time.Time) error
	close()
}

const (
	dialTimeout = 15 * time.Second
	// A WebSocket that is silent for pingAfter is pinged and must answer within pingTimeout.
	pingAfter   = 10 * time.Second
	pingTimeout = 5 * time.Second
	// Server-sent events bring a comment every 30 s.
	silentAfter = 75 * time.Second
	maxFrame    = 1 << 20
)

type webSocket struct {
	conn  *websocket.Conn
	frame bytes.Buffer
	heard atomic.Int64 // Unix nanoseconds
}

func openWebSocket(ctx context.Context, c *client.Client, query url.Values) (stream, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	return dialWebSocket(ctx, c, query)
}

func dialWebSocket(ctx context.Context, c *client.Client, query url.Values, protocols ...string) (*webSocket, error) {
	conn, err := c.WebSocket(ctx, query, protocols...)
	if err != nil {
		return nil, err
	}
	s := &webSocket{conn: conn}
	s.heard.Store(time.Now().UnixNano())
	return s, nil
}

func (s *webSocket) next(ctx context.Context) ([]byte, error) {
	_, r, err := s.conn.Reader(ctx)
	if err != nil {
		return nil, err
	}
	s.frame.Reset()
	_, err = s.frame.ReadFrom(r)
	s.heard.Store(time.Now().UnixNano())
	return s.frame.Bytes(), err
}

func (s *webSocket) check(ctx context.Context, now time.Time) error {
	if now.Sub(time.Unix(0, s.heard.Load())) < pingAfter {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	if err := s.conn.Ping(ctx); err != nil {
		return err
	}
	s.heard.Store(time.Now().UnixNano())
	return nil
}

func (s *webSocket) close() { s.conn.CloseNow() }

type eventStream struct {
	body  io.ReadCloser
	lines *bufio.Scanner
	end   context.CancelFunc
	heard atomic.Int64 // Unix nanoseconds
}

func openEventStream(ctx context.Context, c *client.Client, query url.Values) (stream, error) {
	ctx, cancel := context.WithCancel(ctx)
	tooLong := time.AfterFunc(dialTimeout, cancel) // of the answer's head only
	body, err := c.EventStream(ctx, query)
	if !tooLong.Stop() && err == nil {
		body.Close()
		err = context.DeadlineExceeded
	}
	if err != nil {
		cancel()
		return nil, err
	}
	s := &eventStream{body: body, lines: bufio.NewScanner(body), end: cancel}
	s.lines.Buffer(nil, maxFrame)
	s.heard.Store(time.Now().UnixNano())
	return s, nil
}

// next reads events of one data line, as Parkwire writes them; the cursor is in the data.
func (s *eventStream) next(context.Context) ([]byte, error) {
	for s.lines.Scan() {
		s.heard.Store(time.Now().UnixNano())
		if data, ok := bytes.CutPrefix(s.lines.Bytes(), []byte("data:")); ok {
			return bytes.TrimPrefix(data, []byte(" ")), nil
		}
	}
	if err := s.lines.Err(); err != nil {
		return nil, err
	}
	return nil, io.EOF
}

func (s *eventStream) check(_ context.Context, now time.Time) error {
	if silent := now.Sub(time.Unix(0, s.heard.Load())); silent > silentAfter {
		return fmt.Errorf("nothing came for %v, not even a comment", silent.Round(time.Second))
	}
	return nil
}

func (s *eventStream) close() {
	s.end()
	s.body.Close()
}

// askedToWait is how long a server asks to wait in the reason of a close: " retry-after-ms=N" at its end.
func askedToWait(err error) time.Duration {
	var closed websocket.CloseError
	if !errors.As(err, &closed) {
		return 0
	}
	_, text, _ := strings.Cut(closed.Reason, " retry-after-ms=")
	ms, _ := strconv.ParseUint(text, 10, 31)
	return time.Duration(ms) * time.Millisecond
}

// ending names why a connection ended: by the close code, the status of a refusal, or that it was lost.
func ending(err error) string {
	if code := websocket.CloseStatus(err); code > 0 {
		return fmt.Sprint(int(code))
	}
	if status := client.Status(err); status > 0 {
		return fmt.Sprint("status ", status)
	}
	var refused refusedError
	if errors.As(err, &refused) {
		return "error " + refused.code
	}
	if errors.Is(err, io.EOF) {
		return "ended"
	}
	return "lost"
}
