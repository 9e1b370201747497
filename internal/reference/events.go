package reference

import "html/template"

// events is the page of events and notifications.
type events struct {
	Title, Version string
	About          template.HTML
	Channels       []channel
	Messages       []message
	Schemas        []schema
}

type channel struct {
	ID, Title, Address string
	Summary, About     template.HTML
	AboutParameters    template.HTML
	Parameters         []field
	Headers            []field
	Messages           []link
}

type link struct{ ID, Title string }

type message struct {
	ID, Title string
	About     template.HTML
	Type      template.HTML // where it has no fields of its own
	Fields    []field
	Headers   []field
	Examples  []example
}

type example struct {
	About template.HTML
	Text  string
}

func newEvents(text string) (events, error) {
	n, err := parse(text)
	if err != nil {
		return events{}, err
	}
	e := events{Title: n.at("info", "title").text(), Version: n.at("info", "version").text(), About: prose(n.at("info", "description").text())}
	for id, c := range n.raw("channels").fields() {
		one := channel{
			ID: id, Title: c.raw("title").text(), Address: c.raw("address").text(),
			Summary: phrase(c.raw("summary").text()), About: prose(c.raw("description").text()),
			AboutParameters: prose(c.at("bindings", "ws", "query", "description").text()),
			Parameters:      fieldsOf(c.at("bindings", "ws", "query")), Headers: fieldsOf(c.at("bindings", "ws", "headers")),
		}
		for _, m := range c.raw("messages").fields() {
			one.Messages = append(one.Messages, link{m.name(), m.follow().raw("title").text()})
		}
		e.Channels = append(e.Channels, one)
	}
	for id, m := range n.at("components", "messages").fields() {
		one := message{ID: id, Title: m.raw("title").text(), About: prose(m.raw("description").text()), Headers: fieldsOf(m.at("headers"))}
		if payload := m.raw("payload"); payload.reference() != "" || !payload.raw("properties").there() {
			one.Type = typeOf(payload)
		} else {
			one.Fields = fieldsOf(payload)
		}
		for _, x := range m.raw("examples").items() {
			one.Examples = append(one.Examples, example{phrase(x.raw("summary").text()), x.raw("payload").json()})
		}
		e.Messages = append(e.Messages, one)
	}
	for name, s := range n.at("components", "schemas").fields() {
		e.Schemas = append(e.Schemas, newSchema(name, s))
	}
	return e, nil
}
