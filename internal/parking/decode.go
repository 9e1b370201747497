package parking

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// object is a JSON object being read strictly: each field by its exact name and type, and nothing may be left over.
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

// eachElement calls each for the elements of a JSON array, and holds no more than one of them.
func eachElement(body io.Reader, each func(json.RawMessage) error) error {
	d := json.NewDecoder(body)
	if _, err := d.Token(); err != nil { // [
		return err
	}
	for d.More() {
		var element json.RawMessage
		if err := d.Decode(&element); err != nil {
			return unexpectedEOF(err)
		}
		if err := each(element); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil { // ]
		return unexpectedEOF(err)
	}
	switch _, err := d.Token(); err {
	case io.EOF:
		return nil
	case nil:
		return invalidBody("There is something behind the JSON array.")
	default:
		return err
	}
}

// unexpectedEOF names the end of a body that should go on.
func unexpectedEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
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
	if o.patch && *to != nil {
		*value, inner.patch = **to, true // what is absent within stays too
	}
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

// decodeObject reads text as an object by read.
func decodeObject(body []byte, read func(*object)) error {
	o := parseObject(body)
	read(o)
	return o.end()
}

// patch reads a merge patch: read is called for the fields, of which those that are absent stay as they are.
func patch(body []byte, read func(*object)) error {
	o := parseObject(body)
	o.patch = true
	read(o)
	return o.end()
}
