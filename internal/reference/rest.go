package reference

import (
	"html/template"
	"strings"
)

// rest is the page of the REST interface.
type rest struct {
	Title, Version string
	Summary, About template.HTML
	Groups         []group
	Schemas        []schema
}

// A group is the operations of one tag.
type group struct {
	Name       string
	About      template.HTML
	Operations []operation
}

type operation struct {
	ID, Method, Path string
	Scope            string // "" where reading is public
	Summary, About   template.HTML
	Parameters       []field
	Bodies           []content
	Answers          []reply
}

// content is a body of one media type.
type content struct {
	Kind     string
	Type     template.HTML
	About    template.HTML
	Examples []string
}

type reply struct {
	Status  string
	About   template.HTML
	Headers []header
	Bodies  []content
}

type header struct {
	Name  string
	About template.HTML // where it is not the same as in all answers that have it
}

func newREST(text string) (rest, error) {
	n, err := parse(text)
	if err != nil {
		return rest{}, err
	}
	r := rest{Title: n.at("info", "title").text(), Version: n.at("info", "version").text(), Summary: phrase(n.at("info", "summary").text()), About: prose(n.at("info", "description").text())}
	at := map[string]int{}
	for i, tag := range n.raw("tags").items() {
		name := tag.raw("name").text()
		at[name] = i
		r.Groups = append(r.Groups, group{Name: name, About: phrase(tag.raw("description").text())})
	}
	for path, item := range n.raw("paths").fields() {
		for method, o := range item.fields() {
			if method == "parameters" {
				continue
			}
			g := &r.Groups[at[o.at("tags").items()[0].text()]]
			g.Operations = append(g.Operations, newOperation(method, path, item, o))
		}
	}
	if webhooks := n.raw("webhooks"); webhooks.there() { // which the platform calls, rather than serves
		g := group{Name: "webhooks", About: phrase("What the platform sends to who serves it")}
		for name, item := range webhooks.fields() {
			for method, o := range item.fields() {
				g.Operations = append(g.Operations, newOperation(method, name, item, o))
			}
		}
		r.Groups = append(r.Groups, g)
	}
	for name, s := range n.at("components", "schemas").fields() {
		r.Schemas = append(r.Schemas, newSchema(name, s))
	}
	return r, nil
}

func newOperation(method, path string, item, n node) operation {
	o := operation{
		ID: n.raw("operationId").text(), Method: strings.ToUpper(method), Path: path,
		Summary: phrase(n.raw("summary").text()), About: prose(n.raw("description").text()),
	}
	for _, way := range n.raw("security").items() {
		for _, scope := range way.raw("bearer").items() {
			o.Scope = scope.text()
		}
	}
	for _, p := range append(item.raw("parameters").items(), n.raw("parameters").items()...) {
		p = p.follow()
		o.Parameters = append(o.Parameters, field{
			Name: p.raw("name").text(), In: p.raw("in").text(), Type: typeOf(p.raw("schema")), Required: p.raw("required").text() == "true",
			About: phrase(about(p)), Example: p.raw("example").json(),
		})
	}
	o.Bodies = contents(n.at("requestBody", "content"))
	for status, a := range n.raw("responses").fields() {
		a = a.follow()
		r := reply{Status: status, About: phrase(a.raw("description").text()), Bodies: contents(a.raw("content"))}
		for name, h := range a.raw("headers").fields() {
			r.Headers = append(r.Headers, header{name, phrase(h.raw("description").text())})
		}
		o.Answers = append(o.Answers, r)
	}
	return o
}

func contents(n node) (all []content) {
	for media, c := range n.fields() {
		one := content{Kind: media, Type: typeOf(c.raw("schema")), About: phrase(c.raw("schema").raw("description").text())}
		if e := c.raw("example"); e.there() {
			one.Examples = append(one.Examples, e.json())
		}
		for _, e := range c.raw("examples").fields() {
			one.Examples = append(one.Examples, e.raw("value").json())
		}
		all = append(all, one)
	}
	return all
}
