package gateway

import (
	"bufio"
	"net"
	"net/http"
	"net/netip"
	"time"

	"parkwire/internal/trace"
)

// An exchange is one request and what became of it. It is the [http.ResponseWriter] that parts write to; what it does not
// do itself, [http.ResponseController] finds beneath it.
type exchange struct {
	http.ResponseWriter
	began    time.Time
	answered time.Time // when the header of the answer was written
	status   int       // 0: nothing was written
	bytes    int64
	taken    bool // the connection was taken over
	aborted  bool // the answer was cut off

	resource *resource
	client   netip.Addr
	subject  string
	span     *trace.Span // nil: it is not followed
	strict   bool        // browsers are told to come by TLS alone from now on
}

// WriteHeader adds what the answer's part did not say itself.
func (x *exchange) WriteHeader(status int) {
	if status >= 200 && x.status == 0 {
		x.status, x.answered = status, time.Now()
		x.protect()
		if x.resource == nil || x.resource.api {
			if h := x.Header(); h["Cache-Control"] == nil {
				h.Set("Cache-Control", "no-store")
			}
		}
	}
	x.ResponseWriter.WriteHeader(status)
}

func (x *exchange) Write(b []byte) (int, error) {
	if x.status == 0 {
		x.WriteHeader(http.StatusOK)
	}
	n, err := x.ResponseWriter.Write(b)
	x.bytes += int64(n)
	return n, err
}

// Flush is what parts that stream need.
func (x *exchange) Flush() {
	if x.status == 0 {
		x.WriteHeader(http.StatusOK)
	}
	_ = http.NewResponseController(x.ResponseWriter).Flush()
}

// Hijack lets a part take the connection over. What goes over it then is no answer any more.
func (x *exchange) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	x.protect()
	conn, buffer, err := http.NewResponseController(x.ResponseWriter).Hijack()
	x.taken = x.taken || err == nil
	return conn, buffer, err
}

// Unwrap is for [http.ResponseController].
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

// class is what the metrics call the outcome.
func (x *exchange) class() string {
	switch {
	case x.taken:
		return "stream"
	case x.aborted:
		return "aborted"
	}
	return [...]string{"none", "1xx", "2xx", "3xx", "4xx", "5xx"}[min(x.status/100, 5)]
}
