package live

import (
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// An answerConn is the connection of a stream that has none of its own: the answer to one of many requests over HTTP/2. What the client
// sends there ends with its request.
type answerConn struct {
	w       http.ResponseWriter
	control *http.ResponseController
	request *http.Request

	writing sync.Mutex // held while w is written to
	once    sync.Once
	closed  chan struct{}

	mu   sync.Mutex
	over bool // the request is, and nothing of it may be used any more
}

// newAnswerConn begins the answer. Who made it calls wait before the request is over.
func newAnswerConn(w http.ResponseWriter, r *http.Request) *answerConn {
	w.WriteHeader(http.StatusOK)
	for { // what stands before the server's own gives each piece of an answer time; here the client is given it
		inner, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			break
		}
		w = inner.Unwrap()
	}
	return &answerConn{w: w, control: http.NewResponseController(w), request: r, closed: make(chan struct{})}
}

// wait returns when the connection is closed and nothing uses the request any more.
func (a *answerConn) wait() {
	<-a.closed
	a.writing.Lock()
	defer a.writing.Unlock()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.over = true
}

// Read returns when the client is gone, or the connection is closed.
func (a *answerConn) Read([]byte) (int, error) {
	select {
	case <-a.request.Context().Done():
		return 0, io.EOF
	case <-a.closed:
		return 0, net.ErrClosed
	}
}

func (a *answerConn) Write(b []byte) (int, error) {
	a.writing.Lock()
	defer a.writing.Unlock()
	select {
	case <-a.closed:
		return 0, net.ErrClosed
	default:
	}
	n, err := a.w.Write(b)
	if err != nil {
		return n, err
	}
	return n, a.control.Flush()
}

// Close ends the answer, and a write that waits for the client.
func (a *answerConn) Close() error {
	a.once.Do(func() {
		close(a.closed)
		if a.writing.TryLock() {
			a.writing.Unlock()
			return
		}
		_ = a.SetWriteDeadline(time.Now())
	})
	return nil
}

// SetWriteDeadline bounds writes; what passes it ends the request.
func (a *answerConn) SetWriteDeadline(t time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over {
		return net.ErrClosed
	}
	return a.control.SetWriteDeadline(t)
}

func (a *answerConn) SetDeadline(t time.Time) error   { return a.SetWriteDeadline(t) }
func (a *answerConn) SetReadDeadline(time.Time) error { return nil } // nothing is read but the end
func (a *answerConn) LocalAddr() net.Addr             { return requestAddr("") }
func (a *answerConn) RemoteAddr() net.Addr            { return requestAddr(a.request.RemoteAddr) }

// requestAddr is an address as a request has it.
type requestAddr string

func (requestAddr) Network() string  { return "tcp" }
func (a requestAddr) String() string { return string(a) }
