package live

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"parkwire/internal/problem"
)

// Bounds of what a client of parkwire.v1 may ask for.
const (
	maxRequest       = 64 << 10 // bytes of a message
	maxSubscriptions = 16
	maxIDLength      = 64 // characters
	// maxWaiting and maxWaitingBytes bound the messages of a client that wait while one of them is served.
	maxWaiting      = 256
	maxWaitingBytes = 4 * maxRequest
)

// A request is what a client of parkwire.v1 asks for.
type request struct {
	kind     string // Subscribe, Unsubscribe, Authenticate; or Error, which asks for nothing
	id       string
	filter   filter
	after    string
	snapshot bool
	token    string
	refusal  message // of a kind Error
	size     int
}

// parseRequest reads a message of a client. What cannot be done becomes a request whose answer is an Error.
func parseRequest(text []byte) request {
	var m struct {
		Type     string   `json:"type"`
		ID       *string  `json:"id"`
		Lot      []string `json:"lot"`
		Zone     []string `json:"zone"`
		Spot     []string `json:"spot"`
		Status   []string `json:"status"`
		Change   []string `json:"change"`
		After    *string  `json:"after"`
		Snapshot bool     `json:"snapshot"`
		Token    *string  `json:"token"`
	}
	r := request{size: len(text)}
	err := json.Unmarshal(text, &m)
	validID := m.ID != nil && *m.ID != "" && utf8.RuneCountInString(*m.ID) <= maxIDLength
	if validID {
		r.id = *m.ID
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
		return r.refuse(codeInvalidMessage, wrong.Field, fmt.Sprintf("The field %q cannot be a JSON %s.", wrong.Field, wrong.Value))
	}
	if err != nil || m.Type == "" {
		return r.refuse(codeInvalidMessage, "", `A message is a JSON object with the field "type".`)
	}
	r.kind = m.Type
	switch {
	case m.Type != "Subscribe" && m.Type != "Unsubscribe" && m.Type != "Authenticate":
		return r.refuse(codeUnknownType, "type", "Messages of this type are not known. Known are Subscribe, Unsubscribe, Authenticate.")
	case m.Type == "Authenticate" && (m.Token == nil || *m.Token == ""):
		return r.refuse(codeInvalidMessage, "token", `The field "token" is missing.`)
	case m.Type == "Authenticate":
		r.token = *m.Token
		return r
	case !validID:
		return r.refuse(codeInvalidMessage, "id", fmt.Sprintf(`The field "id" must have 1 to %d characters.`, maxIDLength))
	case m.Type == "Unsubscribe":
		return r
	}
	q := url.Values{}
	for name, values := range map[string][]string{"lot": m.Lot, "zone": m.Zone, "spot": m.Spot, "status": m.Status, "change": m.Change} {
		if values != nil && len(values) == 0 { // nothing would match it, and ignoring it would send everything
			return r.refuse(codeInvalidFilter, name, fmt.Sprintf("The field %q must have a value, or be left out.", name))
		}
		q[name] = values
	}
	if r.filter, err = parseFilter(q); err != nil {
		p, _ := errors.AsType[problem.Problem](err)
		return r.refuse(codeInvalidFilter, p.Field, strings.Replace(p.Detail, "The parameter", "The field", 1))
	}
	if m.After != nil {
		if r.after = *m.After; r.after == "" {
			return r.refuse(codeInvalidCursor, "after", `The field "after" must be a cursor, or be left out.`)
		}
	}
	r.snapshot = m.Snapshot
	return r
}

func (r request) refuse(code, field, why string) request {
	r.kind = "Error"
	r.refusal = message{Type: "Error", Code: code, ID: r.id, Field: field, Message: why}
	return r
}
