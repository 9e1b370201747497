package reference

import (
	"html/template"
	"slices"
	"strings"
)

// A schema is an object, or a kind of value, as a page shows it.
type schema struct {
	Name   string
	Type   template.HTML
	About  template.HTML
	Fields []field
}

// A field is one of an object, or a parameter.
type field struct {
	Name     string
	In       string // of a parameter: query, path or header
	Type     template.HTML
	Required bool
	About    template.HTML
	Example  string
}

// newSchema describes a schema that has a name.
func newSchema(name string, n node) schema {
	s := schema{Name: name, About: prose(n.at("description").text()), Fields: fieldsOf(n)}
	if len(s.Fields) == 0 {
		s.Type = typeOf(n)
	}
	return s
}

// fieldsOf returns the fields of an object, with those of the objects that it is all of.
func fieldsOf(n node) (fields []field) {
	needed := map[string]bool{}
	var collect func(n node)
	collect = func(n node) {
		for _, part := range n.raw("allOf").items() {
			collect(part.follow())
		}
		for _, name := range n.raw("required").items() {
			needed[name.text()] = true
		}
		for name, value := range n.raw("properties").fields() {
			f := field{Name: name, Type: typeOf(value), About: phrase(about(value))}
			if i := slices.IndexFunc(fields, func(f field) bool { return f.Name == name }); i >= 0 {
				fields[i] = f
			} else {
				fields = append(fields, f)
			}
		}
	}
	collect(n)
	for i := range fields {
		fields[i].Required = needed[fields[i].Name]
	}
	return fields
}

// about is what is said of a value where it stands, or else where its kind is described.
func about(n node) string {
	if said := n.raw("description").text(); said != "" {
		return said
	}
	return n.follow().raw("description").text()
}

// typeOf says in words what a value is. Kinds that have a name are links.
func typeOf(n node) template.HTML { return template.HTML(kind(n)) } // kind escapes what it takes from the description

func kind(n node) string {
	esc := template.HTMLEscapeString
	if to := n.reference(); strings.Contains(to, "/schemas/") {
		return `<a href="#` + esc(n.name()) + `">` + esc(n.name()) + `</a>`
	}
	n = n.follow()
	for _, of := range []string{"oneOf", "anyOf"} {
		if n.raw(of).there() {
			return joined(n.raw(of).items(), " or ", kind)
		}
	}
	switch {
	case n.raw("allOf").there():
		text := joined(n.raw("allOf").items(), " and ", kind)
		if n.raw("properties").there() {
			text += " with " + names(n.raw("properties"))
		}
		return text
	case n.raw("enum").there():
		return joined(n.raw("enum").items(), ", ", func(v node) string { return "<code>" + esc(v.text()) + "</code>" })
	case n.raw("const").there():
		return "<code>" + esc(n.raw("const").text()) + "</code>"
	}
	types := joined(n.raw("type").items(), " or ", func(v node) string { return esc(v.text()) })
	if types == "" {
		types = esc(n.raw("type").text())
	}
	switch types {
	case "":
		if n.raw("properties").there() {
			return "object with " + names(n.raw("properties"))
		}
		return "anything"
	case "array":
		if !n.raw("items").there() {
			return "list"
		}
		return "list of " + kind(n.raw("items"))
	case "object":
		if n.raw("properties").there() {
			return "object with " + names(n.raw("properties"))
		}
	}
	return types + limits(n)
}

func names(properties node) string {
	var all []string
	for name := range properties.fields() {
		all = append(all, "<code>"+template.HTMLEscapeString(name)+"</code>")
	}
	return strings.Join(all, ", ")
}

// limits are the bounds of a number or a text, its format, and what holds where nothing is said.
func limits(n node) string {
	var all []string
	add := func(text string) { all = append(all, template.HTMLEscapeString(text)) }
	if format := n.raw("format").text(); format != "" {
		add(format)
	}
	for _, pair := range [][3]string{{"minimum", "maximum", ""}, {"minLength", "maxLength", " characters"}} {
		switch low, high := n.raw(pair[0]).text(), n.raw(pair[1]).text(); {
		case low != "" && high != "":
			add(low + " to " + high + pair[2])
		case low != "":
			add("from " + low + pair[2])
		case high != "":
			add("up to " + high + pair[2])
		}
	}
	if value := n.raw("default").text(); value != "" {
		add("else " + value)
	}
	if len(all) == 0 {
		return ""
	}
	return " (" + strings.Join(all, ", ") + ")"
}

func joined(all []node, by string, each func(node) string) string {
	parts := make([]string, len(all))
	for i, n := range all {
		parts[i] = each(n)
	}
	return strings.Join(parts, by)
}
