package reference

import (
	"encoding/json"
	"fmt"
	"iter"
	"strings"

	"github.com/goccy/go-yaml"
)

// A node is a part of a description, with the order of its fields. The zero node is one that is not there.
type node struct {
	root  *yaml.MapSlice
	value any
}

func parse(text string) (node, error) {
	root := new(yaml.MapSlice)
	err := yaml.UnmarshalWithOptions([]byte(text), root, yaml.UseOrderedMap())
	return node{root, *root}, err
}

func (n node) there() bool { return n.value != nil }

// at returns a field, whatever it refers to followed.
func (n node) at(path ...string) node {
	for _, key := range path {
		n = n.raw(key).follow()
	}
	return n
}

func (n node) raw(key string) node {
	fields, _ := n.value.(yaml.MapSlice)
	for _, f := range fields {
		if fmt.Sprint(f.Key) == key {
			return node{n.root, f.Value}
		}
	}
	return node{n.root, nil}
}

// follow returns what n refers to, if it refers to something.
func (n node) follow() node {
	for range 10 { // and not in circles
		to := n.reference()
		if to == "" {
			break
		}
		n = node{n.root, *n.root}
		for step := range strings.SplitSeq(strings.TrimPrefix(to, "#/"), "/") {
			n = n.raw(strings.NewReplacer("~1", "/", "~0", "~").Replace(step))
		}
	}
	return n
}

func (n node) reference() string {
	text, _ := n.raw("$ref").value.(string)
	return text
}

// name is the last part of what n refers to.
func (n node) name() string {
	to := n.reference()
	return to[strings.LastIndexByte(to, '/')+1:]
}

// fields are the fields of an object, in their order.
func (n node) fields() iter.Seq2[string, node] {
	return func(yield func(string, node) bool) {
		fields, _ := n.value.(yaml.MapSlice)
		for _, f := range fields {
			if !yield(fmt.Sprint(f.Key), node{n.root, f.Value}) {
				return
			}
		}
	}
}

// items are the elements of a list.
func (n node) items() []node {
	list, _ := n.value.([]any)
	all := make([]node, len(list))
	for i, v := range list {
		all[i] = node{n.root, v}
	}
	return all
}

// text is a scalar as text; "" where there is none.
func (n node) text() string {
	switch n.value.(type) {
	case nil, yaml.MapSlice, []any:
		return ""
	}
	return fmt.Sprint(n.value)
}

// json writes n as people read it: short objects in one line, long ones with a field a line.
func (n node) json() string {
	if !n.there() {
		return ""
	}
	if text, ok := n.value.(string); ok {
		return strings.TrimRight(text, "\n")
	}
	var b strings.Builder
	writeJSON(&b, n, "")
	return b.String()
}

const lineWidth = 76

func writeJSON(b *strings.Builder, n node, indent string) {
	flat := flatJSON(n)
	_, object := n.value.(yaml.MapSlice)
	_, list := n.value.([]any)
	if len(flat)+len(indent) <= lineWidth || !object && !list {
		b.WriteString(flat)
		return
	}
	opening, closing, comma := "{", "}", ""
	if list {
		opening, closing = "[", "]"
	}
	b.WriteString(opening)
	next := func() {
		b.WriteString(comma + "\n" + indent + "  ")
		comma = ","
	}
	for key, value := range n.fields() {
		next()
		b.WriteString(quote(key) + ": ")
		writeJSON(b, value, indent+"  ")
	}
	for _, item := range n.items() {
		next()
		writeJSON(b, item, indent+"  ")
	}
	b.WriteString("\n" + indent + closing)
}

func flatJSON(n node) string {
	var parts []string
	switch n.value.(type) {
	case yaml.MapSlice:
		for key, value := range n.fields() {
			parts = append(parts, quote(key)+": "+flatJSON(value))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []any:
		for _, item := range n.items() {
			parts = append(parts, flatJSON(item))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case string:
		return quote(n.value.(string))
	case nil:
		return "null"
	}
	return fmt.Sprint(n.value)
}

func quote(text string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a string does not fail
	return strings.TrimSuffix(b.String(), "\n")
}
