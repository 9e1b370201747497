package gateway

import (
	"bytes"
	"errors"
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
		return nil, g.tooLarge()
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
	// The server's own writer, so that it does not wait for the rest.
	body, err := io.ReadAll(http.MaxBytesReader(x.ResponseWriter, r.Body, limit))
	if err != nil {
		release()
		if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
			return nil, g.tooLarge()
		}
		return nil, unreadable()
	}
	setBody(r, body)
	return release, nil
}

func (g *Gateway) tooLarge() error {
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
