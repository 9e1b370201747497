// Package problem writes errors of the HTTP interfaces as RFC 9457 problem details.
// A [Problem] is an error too, so that a handler can return it from any depth.
package problem

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strconv"
)

// ContentType is the media type of every answer that [Write] gives.
const ContentType = "application/problem+json"

// typePrefix makes a problem's type a URN, so that it names no host that must answer.
const typePrefix = "urn:parkwire:problem:"

// Problem is what went wrong with one request, in words for the person who made it.
// Nothing in it may tell about the inside of the platform.
type Problem struct {
	Type     string // "urn:parkwire:problem:<slug>"; programs tell problems apart by it
	Title    string // the same for every problem of a type
	Status   int
	Detail   string // what is wrong with this request, and what would be right
	Instance string // the path of the request; [Write] fills it in
	// Field is the field or query parameter at fault, where one is.
	Field string
	// RequestID finds the request in the logs; [Write] takes it from the context.
	RequestID string
	// Extras are further members, such as "version". They never replace the others.
	Extras map[string]any
}

// New returns a problem of type "urn:parkwire:problem:<slug>". Its title is the status text.
func New(status int, slug, detail string) Problem {
	return Problem{Type: typePrefix + slug, Title: http.StatusText(status), Status: status, Detail: detail}
}

// WithField returns p with the field that is at fault.
func (p Problem) WithField(field string) Problem {
	p.Field = field
	return p
}

// With returns p with one more member.
func (p Problem) With(member string, value any) Problem {
	p.Extras = maps.Clone(p.Extras)
	if p.Extras == nil {
		p.Extras = map[string]any{}
	}
	p.Extras[member] = value
	return p
}

// Error returns the detail, or the title where there is none.
func (p Problem) Error() string {
	if p.Detail == "" {
		return p.Title
	}
	return p.Detail
}

// MarshalJSON writes the members that are set.
func (p Problem) MarshalJSON() ([]byte, error) {
	members := maps.Clone(p.Extras)
	if members == nil {
		members = map[string]any{}
	}
	for name, value := range map[string]string{
		"type": p.Type, "title": p.Title, "detail": p.Detail, "instance": p.Instance, "field": p.Field, "requestId": p.RequestID,
	} {
		delete(members, name)
		if value != "" {
			members[name] = value
		}
	}
	members["status"] = p.Status
	return json.Marshal(members)
}

// UnmarshalJSON reads what [Problem.MarshalJSON] wrote, and the problems of other services.
func (p *Problem) UnmarshalJSON(b []byte) error {
	var known struct {
		Type, Title, Detail, Instance, Field, RequestID string
		Status                                          int
	}
	var extras map[string]any
	if err := errors.Join(json.Unmarshal(b, &known), json.Unmarshal(b, &extras)); err != nil {
		return err
	}
	for _, name := range []string{"type", "title", "status", "detail", "instance", "field", "requestId"} {
		delete(extras, name)
	}
	if len(extras) == 0 {
		extras = nil
	}
	*p = Problem{
		Type: known.Type, Title: known.Title, Status: known.Status, Detail: known.Detail, Instance: known.Instance,
		Field: known.Field, RequestID: known.RequestID, Extras: extras,
	}
	return nil
}

// From returns the problem in err's chain. Any other error becomes a 500 that says
// nothing of its cause: that belongs in the log, not in the hands of a client.
func From(err error) Problem {
	var p Problem
	if errors.As(err, &p) {
		return p
	}
	return New(http.StatusInternalServerError, "internal", "Something went wrong inside the platform. The request id finds it in the logs.")
}

// Write answers r with p and nothing else. It removes headers that described another
// body, and leaves those such as Retry-After that the caller set.
func Write(w http.ResponseWriter, r *http.Request, p Problem) {
	if p.Status < 400 || p.Status > 599 {
		p.Status = http.StatusInternalServerError
	}
	if p.Type == "" {
		p.Type = "about:blank" // RFC 9457: nothing more than the status
	}
	if p.Title == "" {
		p.Title = http.StatusText(p.Status)
	}
	if p.Instance == "" {
		p.Instance = r.URL.EscapedPath()
	}
	if p.RequestID == "" {
		p.RequestID = RequestID(r.Context())
	}
	body, err := json.Marshal(p)
	if err != nil { // an extra that JSON cannot hold
		p.Extras = nil
		body, _ = json.Marshal(p)
	}
	h := w.Header()
	for _, name := range []string{"Content-Encoding", "Etag", "Last-Modified"} {
		h.Del(name)
	}
	h.Set("Content-Type", ContentType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(body)+1))
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(body, '\n'))
}
