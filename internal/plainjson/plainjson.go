// Package plainjson reads JSON objects that are written as nearly all programs write them, many times as fast as [encoding/json] reads
// any. It takes no others: whoever uses it has encoding/json for the rest.
package plainjson

import "unicode/utf8"

// Fields calls field with the name and the value of each field, in their order, and reports whether text is a plain object of which field took
// each. Where it is not, what field was told means nothing. (Of a field that is there twice, encoding/json takes the last.)
//
// An object is plain that has neither objects nor arrays in it, whose strings are UTF-8 without escapes, and whose numbers are whole and have at most
// 18 digits. A value is as it stands there, a string with its quotes. Name and value are parts of text.
func Fields(text []byte, field func(name, value []byte) bool) bool {
	if !utf8.Valid(text) {
		return false
	}
	s := scanner{text: text}
	if !s.take('{') {
		return false
	}
	for end := s.take('}'); !end; {
		name := s.string()
		if name == nil || !s.take(':') {
			return false
		}
		value := s.value()
		if value == nil || !field(name[1:len(name)-1], value) {
			return false
		}
		if end = s.take('}'); !end && !s.take(',') {
			return false
		}
	}
	s.space()
	return s.at == len(text)
}

// Text returns the value where it is a string.
func Text(value []byte) (text string, ok bool) {
	if value[0] != '"' {
		return "", false
	}
	return string(value[1 : len(value)-1]), true
}

// scanner goes through a text. Its methods return nil or false where the text goes on otherwise.
type scanner struct {
	text []byte
	at   int
}

func (s *scanner) space() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return
		}
	}
}

// take takes the byte, and space in front of it.
func (s *scanner) take(c byte) bool {
	s.space()
	if s.at < len(s.text) && s.text[s.at] == c {
		s.at++
		return true
	}
	return false
}

func (s *scanner) value() []byte {
	s.space()
	if s.at == len(s.text) {
		return nil
	}
	switch s.text[s.at] {
	case '"':
		return s.string()
	case 't':
		return s.word("true")
	case 'f':
		return s.word("false")
	case 'n':
		return s.word("null")
	}
	return s.number()
}

func (s *scanner) string() []byte {
	if !s.take('"') {
		return nil
	}
	from := s.at - 1
	for ; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; {
		case c == '"':
			s.at++
			return s.text[from:s.at]
		case c == '\\' || c < ' ':
			return nil
		}
	}
	return nil
}

func (s *scanner) word(w string) []byte {
	to := s.at + len(w)
	if to > len(s.text) || string(s.text[s.at:to]) != w {
		return nil
	}
	found := s.text[s.at:to]
	s.at = to
	return found
}

// number leaves what follows the digits, such as a fraction, for the next to stumble over.
func (s *scanner) number() []byte {
	from := s.at
	if s.text[s.at] == '-' {
		s.at++
	}
	digits := s.at
	for s.at < len(s.text) && s.text[s.at] >= '0' && s.text[s.at] <= '9' {
		s.at++
	}
	n := s.at - digits
	if n == 0 || n > 18 || n > 1 && s.text[digits] == '0' {
		return nil
	}
	return s.text[from:s.at]
}
