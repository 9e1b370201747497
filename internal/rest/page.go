package rest

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

// How many items a page has: where the client does not say, and at most.
const (
	DefaultLimit = 500
	MaxLimit     = 5000
)

// Page is which part of a list is asked for.
type Page struct {
	Limit int
	After string // the key of the last item of the page before; "" for the first page
	Note  string // what that page left for this one
}

// Page reads limit and cursor of a list of the given kind.
func (p *Params) Page(kind string) Page {
	at := Page{Limit: DefaultLimit}
	if text, there := p.One("limit"); there {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > MaxLimit {
			p.Fail("limit", fmt.Sprintf("a whole number from 1 to %d", MaxLimit), strconv.Quote(text))
		}
		at.Limit = n
	}
	if text, there := p.One("cursor"); there {
		raw, err := base64.RawURLEncoding.DecodeString(text)
		fields := strings.SplitN(string(raw), "\n", 3)
		if err != nil || len(fields) != 3 || fields[0] != kind || !ValidID(fields[2]) {
			p.FailCursor(text)
			return at
		}
		at.Note, at.After = fields[1], fields[2]
	}
	return at
}

// FailCursor says that a cursor is none that a page before gave.
func (p *Params) FailCursor(is string) {
	p.Fail("cursor", `what the page before gave as "next"`, strconv.Quote(is))
}

// Next returns the cursor of the page behind key. No kind, note or key contains a line feed, and key is as [ValidID] has it.
func Next(kind, note, key string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(kind + "\n" + note + "\n" + key))
}

// List is a page as it is answered.
type List[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
	After string `json:"after,omitempty"` // the notification cursor
}

// Listed makes a page of items, of which one more than the limit was asked for to see whether there is another page.
func Listed[S, T any](kind string, at Page, items []S, key func(S) string, view func(S) T) List[T] {
	l := List[T]{Items: make([]T, 0, min(len(items), at.Limit))}
	if len(items) > at.Limit {
		items = items[:at.Limit]
		l.Next = Next(kind, at.Note, key(items[at.Limit-1]))
	}
	for _, item := range items {
		l.Items = append(l.Items, view(item))
	}
	return l
}
