package parking

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

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
	case r.Context().Err() != nil:
		return r.Context().Err()
	}
	return invalidBody("The body could not be read to its end.")
}

// object is a JSON object being read strictly: each field once by its name and type, and nothing may be left over.
// The first thing that is wrong is kept, so that readers need not look after each field.
type object struct {
	fields map[string]json.RawMessage
	known  []string
	prefix string // of field names in messages: "location."
	// patch says that what is absent stays as it is (RFC 7396).
	patch bool
	err   error
}

// parseObject reads text as one JSON object and nothing behind it.
func parseObject(text []byte) *object {
	o := &object{}
	if len(text) == 0 {
		o.err = invalidBody("The body is empty; a JSON object is expected.")
		return o
	}
	err := json.Unmarshal(text, &o.fields)
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong) || err == nil && o.fields == nil:
		o.err = invalidBody(fmt.Sprintf("A JSON object is expected, not %s.", shorten(string(text))))
	case err != nil:
		o.err = invalidBody("This is not valid JSON: " + syntax(err, len(text)) + ".")
	}
	return o
}

// syntax says where JSON goes wrong.
func syntax(err error, size int) string {
	var s *json.SyntaxError
	if errors.As(err, &s) && s.Offset < int64(size) {
		return fmt.Sprintf("%v (byte %d)", s, s.Offset)
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

// required reads a field that must be there and must not be null. want says in words what it must be, with an
// example; valid may be nil.
func required[T any](o *object, name string, to *T, want string, valid func(T) bool) {
	raw, there := o.take(name)
	switch {
	case o.err != nil:
	case !there && !o.patch:
		o.err = missingField(o.prefix+name, want)
	case there:
		convert(o, name, raw, to, want, valid)
	}
}

// optional reads a field that may be absent or null, which makes it zero.
func optional[T any](o *object, name string, to *T, want string, valid func(T) bool) {
	raw, there := o.take(name)
	if o.err != nil || !there {
		return
	}
	if string(raw) == "null" {
		var zero T
		*to = zero
		return
	}
	convert(o, name, raw, to, want, valid)
}

// nested reads an optional object within the object. read is called for its fields.
func nested[T any](o *object, name string, to **T, read func(*object, *T)) {
	raw, there := o.take(name)
	if o.err != nil || !there {
		return
	}
	if string(raw) == "null" {
		*to = nil
		return
	}
	inner := parseObject(raw)
	if inner.err != nil {
		o.err = invalidField(o.prefix+name, "an object", string(raw))
		return
	}
	inner.prefix = o.prefix + name + "."
	value := new(T)
	read(inner, value)
	if o.err = inner.end(); o.err == nil {
		*to = value
	}
}

func (o *object) take(name string) (json.RawMessage, bool) {
	o.known = append(o.known, name)
	raw, there := o.fields[name]
	delete(o.fields, name)
	return raw, there
}

// end returns what was wrong; a field that nobody read is.
func (o *object) end() error {
	if o.err == nil && len(o.fields) > 0 {
		o.err = unknownField(o.prefix+sortedKeys(o.fields)[0], o.known)
	}
	return o.err
}

func convert[T any](o *object, name string, raw json.RawMessage, to *T, want string, valid func(T) bool) {
	var value *T
	if json.Unmarshal(raw, &value) != nil || value == nil || valid != nil && !valid(*value) {
		o.err = invalidField(o.prefix+name, want, string(raw))
		return
	}
	*to = *value
}

// readObject reads the body as an object by read, of a request that takes no parameters.
func readObject(w http.ResponseWriter, r *http.Request, read func(*object)) error {
	body, err := readPatch(w, r)
	if err != nil {
		return err
	}
	return decodeObject(body, read)
}

func decodeObject(body []byte, read func(*object)) error {
	o := parseObject(body)
	read(o)
	return o.end()
}

// readPatch returns the body of a request that takes no parameters, to be read by [patch] within a transaction.
func readPatch(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if err := parseParams(r.URL.RawQuery).end(); err != nil {
		return nil, err
	}
	return readBody(w, r)
}

// patch reads a merge patch: read is called for the fields, of which those that are absent stay as they are.
func patch(body []byte, read func(*object)) error {
	o := parseObject(body)
	o.patch = true
	read(o)
	return o.end()
}

// readNothing refuses parameters, and a body that says more than {}.
func readNothing(w http.ResponseWriter, r *http.Request) error {
	body, err := readPatch(w, r)
	if err != nil || len(body) == 0 {
		return err
	}
	return decodeObject(body, func(*object) {})
}
