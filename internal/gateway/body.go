package gateway

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"parkwire/internal/limit"
	"parkwire/internal/problem"
)

// takeBody makes sure, before a part sees anything of a request, that its body is not too large. A
// body that says how long it is goes through as it comes; one that does not is read first, so that a part
// never acts on the beginning of what is then refused. The caller calls release when the request was served.
func (g *Gateway) takeBody(x *exchange, r *http.Request) (release func(), err error) {
	release = func() {}
	most := g.options.BodyLimit
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = &steadyBody{ReadCloser: r.Body, control: http.NewResponseController(x), shared: r.ProtoMajor > 1}
	}
	if r.ContentLength > most {
		return nil, g.tooLarge(r)
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodDelete, http.MethodOptions: // where a body means nothing
		setBody(r, nil)
		r.Header.Del("Content-Length")
		return release, nil
	}
	if r.ContentLength >= 0 {
		return release, nil
	}
	if release, err = g.buffers.take(r.Context(), limit.KeyOf(x.subject, x.client)); err != nil {
		return nil, err // nobody is there to hear it
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, most+1))
	if err != nil || int64(len(body)) > most {
		release()
		if err != nil {
			return nil, unreadable()
		}
		return nil, g.tooLarge(r)
	}
	setBody(r, body)
	return release, nil
}

// tooLarge refuses the request. It lets a client that is not far beyond the limit finish what it sends, since
// most hear the answer only then; whoever asked whether to send at all need not begin.
func (g *Gateway) tooLarge(r *http.Request) error {
	if r.ContentLength <= 4*g.options.BodyLimit && r.Header.Get("Expect") == "" {
		_, _ = io.CopyN(io.Discard, r.Body, 4*g.options.BodyLimit) // the server's time for reading a request bounds it too
	}
	return problem.New(http.StatusRequestEntityTooLarge, "body-too-large",
		fmt.Sprintf("A body has at most %d bytes here. Send less at once.", g.options.BodyLimit)).With("limit", g.options.BodyLimit)
}

func unreadable() problem.Problem {
	return problem.New(http.StatusBadRequest, "body-unreadable", "The body ended before it was complete, came too slowly, or is not encoded as HTTP asks.")
}

// setBody gives r a body that can be read again, as [http.Transport] needs it to repeat what could not be sent.
func setBody(r *http.Request, body []byte) {
	r.ContentLength, r.TransferEncoding = int64(len(body)), nil
	r.GetBody = func() (io.ReadCloser, error) {
		if len(body) == 0 {
			return http.NoBody, nil
		}
		return io.NopCloser(bytes.NewReader(body)), nil
	}
	r.Body, _ = r.GetBody()
}

// How slowly a body may come: it is waited for bodyPatience, and then must have come at bodyRate. The server's time for a whole request bounds it too.
const (
	bodyPatience = 10 * time.Second
	bodyRate     = 16 << 10 // bytes a second
	bodyTime     = time.Minute
)

// A steadyBody is a body that comes at a certain rate at least. Who sends a byte now and then would hold a buffer, a connection to a part
// and what waits there for as long as a request may take. Time in which nobody reads is not the client's.
type steadyBody struct {
	io.ReadCloser
	control *http.ResponseController
	shared  bool          // the connection is that of other requests too (HTTP/2), and a deadline ends the body also while nobody reads
	spent   time.Duration // waiting for it
	read    int64
	err     error // what it ended with
}

func (b *steadyBody) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err // From its end on the server listens whether the client leaves. A deadline would be taken for that.
	}
	began := time.Now()
	// What fails here, fails in reading too.
	_ = b.control.SetReadDeadline(began.Add(min(bodyPatience+time.Duration(b.read)*time.Second/bodyRate, bodyTime) - b.spent))
	n, err := b.ReadCloser.Read(p)
	b.spent += time.Since(began)
	b.read += int64(n)
	b.err = err
	if b.shared {
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

// buffers bound how many bodies are held in memory, and how many of them are one client's, so that nobody takes all of them.
type buffers struct {
	all chan struct{}

	mu    sync.Mutex
	users map[limit.Key]*user
}

// A user is a client some of whose bodies are held, or wait.
type user struct {
	own chan struct{}
	of  int // bodies
}

// Bodies of unknown length that are held in memory at once; more wait. Each is at most BodyLimit long.
const (
	maxBuffered    = 16
	maxBufferedOwn = 4
)

func newBuffers() *buffers {
	return &buffers{all: make(chan struct{}, maxBuffered), users: map[limit.Key]*user{}}
}

// take waits for a buffer. The caller calls release when it needs it no more.
func (b *buffers) take(ctx context.Context, key limit.Key) (release func(), err error) {
	b.mu.Lock()
	u := b.users[key]
	if u == nil {
		u = &user{own: make(chan struct{}, maxBufferedOwn)}
		b.users[key] = u
	}
	u.of++
	b.mu.Unlock()
	leave := func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if u.of--; u.of == 0 {
			delete(b.users, key)
		}
	}
	select {
	case u.own <- struct{}{}:
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
	select {
	case b.all <- struct{}{}:
		return func() { <-b.all; <-u.own; leave() }, nil
	case <-ctx.Done():
		<-u.own
		leave()
		return nil, ctx.Err()
	}
}
