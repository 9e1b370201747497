package rest

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"

	"parkwire/internal/problem"
)

// MaxBody bounds a body in memory. The gateway in front has its own bound, commonly lower.
const MaxBody = 64 << 20

// Media types.
const (
	TypeJSON   = "application/json"
	TypePatch  = "application/merge-patch+json"
	TypeNDJSON = "application/x-ndjson"
	TypeCSV    = "text/csv"
)

// ReadBody returns the whole JSON body, without space around it.
func ReadBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	takes := []string{TypeJSON}
	if r.Method == http.MethodPatch {
		takes = []string{TypePatch, TypeJSON}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if err != nil {
		return nil, BodyError(r, err)
	}
	if body = bytes.TrimSpace(body); len(body) > 0 {
		_, err = ContentType(r, takes...)
	}
	return body, err
}

// ContentType returns what the body says it is, "" where it does not say, and a problem where that is not taken.
func ContentType(r *http.Request, takes ...string) (string, error) {
	said := r.Header.Get("Content-Type")
	if said == "" {
		return "", nil
	}
	kind, _, err := mime.ParseMediaType(said)
	if err != nil || !slices.Contains(takes, kind) {
		return "", MediaType(said, takes...)
	}
	return kind, nil
}

// BodyError is what reading the body failed with, as it is answered.
func BodyError(r *http.Request, err error) error {
	var tooLarge *http.MaxBytesError
	var p problem.Problem
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &tooLarge):
		return BodyTooLarge(tooLarge.Limit)
	case errors.Is(err, io.ErrUnexpectedEOF): // the client has left, or will never send the rest
		return problem.New(http.StatusBadRequest, "body-unreadable", "The body ended before it was complete.")
	case r.Context().Err() != nil:
		return r.Context().Err()
	}
	return InvalidBody("The body could not be read to its end.")
}

// ReadObject reads the body as an object by read, of a request that takes no parameters.
func ReadObject(w http.ResponseWriter, r *http.Request, read func(*Object)) error {
	body, err := RequestBody(w, r)
	if err != nil {
		return err
	}
	return DecodeObject(body, read)
}

// RequestBody returns the body of a request that takes no parameters, to be read by [Patch] within a transaction.
func RequestBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if err := NoParams(r); err != nil {
		return nil, err
	}
	return ReadBody(w, r)
}

// ReadNothing refuses parameters, and a body that says more than {}.
func ReadNothing(w http.ResponseWriter, r *http.Request) error {
	body, err := RequestBody(w, r)
	if err != nil || len(body) == 0 {
		return err
	}
	return DecodeObject(body, func(*Object) {})
}
