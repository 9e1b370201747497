package rest

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxValues bounds how often one repeatable parameter stands in a query.
const maxValues = 100

// Params reads the parameters of a query strictly. The first thing that is wrong is kept.
type Params struct {
	values url.Values
	known  []string
	err    error
}

// ParseParams reads a query as it stands in the address.
func ParseParams(rawQuery string) *Params {
	values, err := url.ParseQuery(rawQuery)
	p := &Params{values: values}
	if err != nil {
		p.err = InvalidQuery(rawQuery)
	}
	return p
}

// NoParams refuses parameters.
func NoParams(r *http.Request) error { return ParseParams(r.URL.RawQuery).End() }

// Take returns the values of a parameter, which is thereby known.
func (p *Params) Take(name string) []string {
	p.known = append(p.known, name)
	values := p.values[name]
	delete(p.values, name)
	return values
}

// One returns a parameter that may stand there once, and whether it does.
func (p *Params) One(name string) (string, bool) {
	values := p.Take(name)
	if len(values) > 1 {
		p.Fail(name, "given once", fmt.Sprintf("given %d times", len(values)))
	}
	if len(values) == 0 {
		return "", false
	}
	return values[0], true
}

// Flag reads a parameter that is 1 or 0.
func (p *Params) Flag(name string) bool {
	text, there := p.One(name)
	switch text {
	case "1", "true":
		return true
	case "0", "false":
	default:
		if there {
			p.Fail(name, "1 or 0", strconv.Quote(text))
		}
	}
	return false
}

// Number reads a whole number from least to most; otherwise where it is not there.
func (p *Params) Number(name string, otherwise, least, most int64) int64 {
	text, there := p.One(name)
	if !there {
		return otherwise
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < least || n > most {
		p.Fail(name, fmt.Sprintf("a whole number from %d to %d", least, most), strconv.Quote(text))
		return otherwise
	}
	return n
}

// Time reads a time; zero where it is not there.
func (p *Params) Time(name string) time.Time {
	text, there := p.One(name)
	if !there {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		p.Fail(name, WantTimeParameter, strconv.Quote(text))
	}
	return t.UTC()
}

// Choice reads one of several words; the first of them where it is not there.
func (p *Params) Choice(name string, among ...string) string {
	text, there := p.One(name)
	if there && !slices.Contains(among, text) {
		p.Fail(name, oneOf(among), strconv.Quote(text))
	}
	if !there || p.err != nil {
		return among[0]
	}
	return text
}

// oneOf is "json, csv or geojson".
func oneOf(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// IDs reads a repeatable parameter.
func (p *Params) IDs(name string) []string {
	values := p.Take(name)
	if len(values) > maxValues {
		p.Fail(name, fmt.Sprintf("given at most %d times", maxValues), fmt.Sprintf("given %d times", len(values)))
	}
	for _, v := range values {
		if !ValidID(v) {
			p.Fail(name, WantID, strconv.Quote(v))
		}
	}
	return values
}

// ID reads a parameter that may stand there once; "" where it does not.
func (p *Params) ID(name string) string {
	id, there := p.One(name)
	if there && !ValidID(id) {
		p.Fail(name, WantID, strconv.Quote(id))
	}
	return id
}

// Fail says what is wrong with a parameter, unless something was wrong before: what it must be, and what it is.
func (p *Params) Fail(name, want, is string) {
	if p.err == nil {
		p.err = InvalidParameter(name, want, is)
	}
}

// Err returns what was wrong with the parameters that were read so far.
func (p *Params) Err() error { return p.err }

// End returns what was wrong; a parameter that nobody read is.
func (p *Params) End() error {
	if p.err == nil && len(p.values) > 0 {
		p.err = UnknownParameter(firstOf(p.values), p.known)
	}
	return p.err
}

func firstOf[V any](m map[string]V) string { return slices.Min(slices.Collect(maps.Keys(m))) }

// weight is how much a client likes what it names in the header Accept.
func weight(params map[string]string) float64 {
	q, err := strconv.ParseFloat(cmp.Or(params["q"], "1"), 64)
	if err != nil {
		return 1
	}
	return q
}
