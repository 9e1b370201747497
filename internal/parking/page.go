package parking

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"parkwire/internal/event"
)

const (
	defaultLimit = 500
	maxLimit     = 5000
	maxValues    = 100 // of one repeatable parameter
)

// params reads the parameters of a query strictly. The first thing that is wrong is kept.
type params struct {
	values url.Values
	known  []string
	err    error
}

func parseParams(raw string) *params {
	values, err := url.ParseQuery(raw)
	p := &params{values: values}
	if err != nil {
		p.err = invalidQuery(raw)
	}
	return p
}

// take returns the values of a parameter, which is thereby known.
func (p *params) take(name string) []string {
	p.known = append(p.known, name)
	values := p.values[name]
	delete(p.values, name)
	return values
}

// one returns a parameter that may stand there once, and whether it does.
func (p *params) one(name string) (string, bool) {
	values := p.take(name)
	if len(values) > 1 {
		p.fail(name, "given once", fmt.Sprintf("given %d times", len(values)))
	}
	if len(values) == 0 {
		return "", false
	}
	return values[0], true
}

// flag reads a parameter that is 1 or 0.
func (p *params) flag(name string) bool {
	text, there := p.one(name)
	switch text {
	case "1", "true":
		return true
	case "0", "false":
	default:
		if there {
			p.fail(name, "1 or 0", strconv.Quote(text))
		}
	}
	return false
}

// revision reads a number; -1 where it is not there.
func (p *params) revision(name string) int64 {
	text, there := p.one(name)
	if !there {
		return -1
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		p.fail(name, wantRevision, strconv.Quote(text))
	}
	return n
}

func (p *params) fail(name, want, is string) {
	if p.err == nil {
		p.err = invalidParameter(name, want, is)
	}
}

// end returns what was wrong; a parameter that nobody read is.
func (p *params) end() error {
	if p.err == nil && len(p.values) > 0 {
		p.err = unknownParameter(sortedKeys(p.values)[0], p.known)
	}
	return p.err
}

// ids reads a repeatable parameter.
func (p *params) ids(name string) []string {
	values := p.take(name)
	if len(values) > maxValues {
		p.fail(name, fmt.Sprintf("given at most %d times", maxValues), fmt.Sprintf("given %d times", len(values)))
	}
	for _, v := range values {
		if !validID(v) {
			p.fail(name, wantID, strconv.Quote(v))
		}
	}
	return values
}

// page is which part of a list is asked for.
type page struct {
	limit int
	after string // the key of the last item of the page before; "" for the first page
	note  string // what that page left for this one
}

// page reads limit and cursor of a list of the given kind.
func (p *params) page(kind string) page {
	at := page{limit: defaultLimit}
	if text, there := p.one("limit"); there {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxLimit {
			p.fail("limit", fmt.Sprintf("a whole number from 1 to %d", maxLimit), strconv.Quote(text))
		}
		at.limit = n
	}
	if text, there := p.one("cursor"); there {
		raw, err := base64.RawURLEncoding.DecodeString(text)
		fields := strings.SplitN(string(raw), "\n", 3)
		if err != nil || len(fields) != 3 || fields[0] != kind || !validID(fields[2]) {
			p.fail("cursor", `what the page before gave as "next"`, strconv.Quote(text))
			return at
		}
		at.note, at.after = fields[1], fields[2]
	}
	return at
}

// next returns the cursor of the page behind key. No kind, note or key contains a line feed.
func next(kind, note, key string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(kind + "\n" + note + "\n" + key))
}

// list is a page as it is answered.
type list[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
	After string `json:"after,omitempty"` // the notification cursor
}

// listed makes a page of items, of which one more than the limit was asked for to see whether there is another page.
func listed[S, T any](kind string, at page, items []S, key func(S) string, view func(S) T) list[T] {
	l := list[T]{Items: make([]T, 0, min(len(items), at.limit))}
	if len(items) > at.limit {
		items = items[:at.limit]
		l.Next = next(kind, at.note, key(items[at.limit-1]))
	}
	for _, item := range items {
		l.Items = append(l.Items, view(item))
	}
	return l
}

// box reads west,south,east,north.
func (p *params) box(name string) *Box {
	text, there := p.one(name)
	if !there {
		return nil
	}
	var degrees [4]float64
	parts := strings.Split(text, ",")
	ok := len(parts) == len(degrees)
	for i := range degrees {
		var err error
		if ok {
			degrees[i], err = strconv.ParseFloat(strings.TrimSpace(parts[i]), 64)
			ok = err == nil
		}
	}
	b := Box{West: degrees[0], South: degrees[1], East: degrees[2], North: degrees[3]}
	if !ok || !validLon(b.West) || !validLon(b.East) || !validLat(b.South) || !validLat(b.North) || b.South > b.North {
		p.fail(name, "west,south,east,north in degrees, such as 13.3,52.4,13.5,52.6", strconv.Quote(text))
		return nil
	}
	return &b
}

// statuses reads a repeatable parameter.
func (p *params) statuses(name string) []event.Status {
	var statuses []event.Status
	for _, v := range p.take(name) {
		s := event.Status(v)
		if s == event.Removed || !slices.Contains(event.Statuses, s) {
			p.fail(name, wantStatus, strconv.Quote(v))
		}
		if !slices.Contains(statuses, s) {
			statuses = append(statuses, s)
		}
	}
	return statuses
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
