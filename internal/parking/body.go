package parking

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"

	"parkwire/internal/problem"
)

// maxBody bounds a body in memory. The gateway in front has its own bound, commonly lower.
const maxBody = 64 << 20

const (
	typeJSON   = "application/json"
	typePatch  = "application/merge-patch+json"
	typeNDJSON = "application/x-ndjson"
)

// readBody returns the whole JSON body, without space around it.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	takes := []string{typeJSON}
	if r.Method == http.MethodPatch {
		takes = []string{typePatch, typeJSON}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, bodyError(r, err)
	}
	if body = bytes.TrimSpace(body); len(body) > 0 {
		_, err = contentType(r, takes...)
	}
	return body, err
}

// contentType returns what the body says it is, "" where it does not say, and a problem where that is not taken.
func contentType(r *http.Request, takes ...string) (string, error) {
	said := r.Header.Get("Content-Type")
	if said == "" {
		return "", nil
	}
	kind, _, err := mime.ParseMediaType(said)
	if err != nil || !slices.Contains(takes, kind) {
		return "", mediaType(said, takes...)
	}
	return kind, nil
}

func bodyError(r *http.Request, err error) error {
	var tooLarge *http.MaxBytesError
	var p problem.Problem
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &tooLarge):
		return bodyTooLarge(tooLarge.Limit)
	case errors.Is(err, io.ErrUnexpectedEOF): // the client has left, or will never send the rest
		return problem.New(http.StatusBadRequest, "body-unreadable", "The body ended before it was complete.")
	case r.Context().Err() != nil:
		return r.Context().Err()
	}
	return invalidBody("The body could not be read to its end.")
}

// readObject reads the body as an object by read, of a request that takes no parameters.
func readObject(w http.ResponseWriter, r *http.Request, read func(*object)) error {
	body, err := requestBody(w, r)
	if err != nil {
		return err
	}
	return decodeObject(body, read)
}

// requestBody returns the body of a request that takes no parameters, to be read by [patch] within a transaction.
func requestBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if err := parseParams(r.URL.RawQuery).end(); err != nil {
		return nil, err
	}
	return readBody(w, r)
}

// readNothing refuses parameters, and a body that says more than {}.
func readNothing(w http.ResponseWriter, r *http.Request) error {
	body, err := requestBody(w, r)
	if err != nil || len(body) == 0 {
		return err
	}
	return decodeObject(body, func(*object) {})
}
