package rest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Object is a JSON object being read strictly: each field by its exact name and type, and nothing may be left over.
// The first thing that is wrong is kept, so that readers need not look after each field.
type Object struct {
	fields map[string]json.RawMessage
	known  []string
	prefix string // of field names in messages: "location."
	// patch says that what is absent stays as it is (RFC 7396).
	patch bool
	err   error
}

// ParseObject reads text as one JSON object and nothing behind it.
func ParseObject(text []byte) *Object {
	o := &Object{}
	if len(text) == 0 {
		o.err = InvalidBody("The body is empty; a JSON object is expected.")
		return o
	}
	err := json.Unmarshal(text, &o.fields)
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong) || err == nil && o.fields == nil:
		o.err = InvalidBody(fmt.Sprintf("A JSON object is expected, not %s.", Shorten(string(text))))
	case err != nil:
		o.err = InvalidBody("This is not valid JSON: " + syntax(err, len(text)) + ".")
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

// EachElement calls each for the elements of a JSON array, and holds no more than one of them.
func EachElement(body io.Reader, each func(json.RawMessage) error) error {
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
		return InvalidBody("There is something behind the JSON array.")
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

// Required reads a field that must be there and must not be null. want says in words what it must be, with an
// example; valid may be nil.
func Required[T any](o *Object, name string, to *T, want string, valid func(T) bool) {
	raw, there := o.take(name)
	switch {
	case o.err != nil:
	case !there && !o.patch:
		o.err = MissingField(o.prefix+name, want)
	case there:
		convert(o, name, raw, to, want, valid)
	}
}

// Optional reads a field that may be absent or null, which makes it zero.
func Optional[T any](o *Object, name string, to *T, want string, valid func(T) bool) {
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

// Nested reads an optional object within the object. read is called for its fields.
func Nested[T any](o *Object, name string, to **T, read func(*Object, *T)) {
	raw, there := o.take(name)
	if o.err != nil || !there {
		return
	}
	if string(raw) == "null" {
		*to = nil
		return
	}
	inner := ParseObject(raw)
	if inner.err != nil {
		o.err = InvalidField(o.prefix+name, "an object", string(raw))
		return
	}
	inner.prefix = o.prefix + name + "."
	value := new(T)
	if o.patch && *to != nil {
		*value, inner.patch = **to, true // what is absent within stays too
	}
	read(inner, value)
	if o.err = inner.End(); o.err == nil {
		*to = value
	}
}

// Each reads an optional list of up to most objects; null makes it empty. read is called for the fields of each. A merge patch replaces lists whole.
func Each[T any](o *Object, name string, to *[]T, most int, read func(*Object, *T)) {
	raw, there := o.take(name)
	if o.err != nil || !there {
		return
	}
	var elements []json.RawMessage
	if string(raw) != "null" && (json.Unmarshal(raw, &elements) != nil || len(elements) > most) {
		o.err = InvalidField(o.prefix+name, fmt.Sprintf("a list of at most %d objects", most), string(raw))
		return
	}
	list := make([]T, len(elements))
	for i, element := range elements {
		at := fmt.Sprintf("%s%s[%d]", o.prefix, name, i)
		inner := ParseObject(element)
		if inner.err != nil {
			o.err = InvalidField(at, "an object", string(element))
			return
		}
		inner.prefix = at + "."
		read(inner, &list[i])
		if o.err = inner.End(); o.err != nil {
			return
		}
	}
	*to = list
}

// Has reports whether the field stands in the object and was not read yet.
func (o *Object) Has(name string) bool {
	_, there := o.fields[name]
	return there
}

// Err returns what was wrong with the fields that were read so far.
func (o *Object) Err() error { return o.err }

// Fail says what is wrong with a field that was read, unless something was wrong before: what it must be, and what it is.
func (o *Object) Fail(name, want, is string) { o.Refuse(InvalidField(o.prefix+name, want, is)) }

// Refuse says what is wrong with the object, unless something was wrong before.
func (o *Object) Refuse(err error) {
	if o.err == nil {
		o.err = err
	}
}

func (o *Object) take(name string) (json.RawMessage, bool) {
	o.known = append(o.known, name)
	raw, there := o.fields[name]
	delete(o.fields, name)
	return raw, there
}

// End returns what was wrong; a field that nobody read is.
func (o *Object) End() error {
	if o.err == nil && len(o.fields) > 0 {
		o.err = UnknownField(o.prefix+firstOf(o.fields), o.known)
	}
	return o.err
}

func convert[T any](o *Object, name string, raw json.RawMessage, to *T, want string, valid func(T) bool) {
	var value *T
	if json.Unmarshal(raw, &value) != nil || value == nil || valid != nil && !valid(*value) {
		o.err = InvalidField(o.prefix+name, want, string(raw))
		return
	}
	*to = *value
}

// DecodeObject reads text as an object by read.
func DecodeObject(body []byte, read func(*Object)) error {
	o := ParseObject(body)
	read(o)
	return o.End()
}

// Patch reads a merge patch: read is called for the fields, of which those that are absent stay as they are.
func Patch(body []byte, read func(*Object)) error {
	o := ParseObject(body)
	o.patch = true
	read(o)
	return o.End()
}
