package gateway

import (
	"bytes"
	"fmt"
	"io"
	"net/http"

	"parkwire/internal/problem"
)

// takeBody makes sure, before a part sees anything of a request, that its body is not too large. A
// body that says how long it is goes through as it comes; one that does not is read first, so that a part
// never acts on the beginning of what is then refused. The caller calls release when the request was served.
func (g *Gateway) takeBody(x *exchange, r *http.Request) (release func(), err error) {
	release = func() {}
	limit := g.options.BodyLimit
	if r.ContentLength > limit {
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
	select {
	case g.buffering <- struct{}{}:
		release = func() { <-g.buffering }
	case <-r.Context().Done():
		return nil, r.Context().Err() // nobody is there to hear it
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err != nil || int64(len(body)) > limit {
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
