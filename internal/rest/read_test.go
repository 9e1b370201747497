package rest_test

import (
	"encoding/base64"
	"errors"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"parkwire/internal/problem"
	"parkwire/internal/rest"
)

// asked is everything that a query may ask here.
type asked struct {
	flag   bool
	number int64
	since  time.Time
	choice string
	lots   []string
	spot   string
	page   rest.Page
}

func ask(query string) (a asked, err error) {
	p := rest.ParseParams(query)
	a = asked{
		flag: p.Flag("flag"), number: p.Number("number", 5, 1, 10), since: p.Time("since"), choice: p.Choice("choice", "hour", "day"),
		lots: p.IDs("lot"), spot: p.ID("spot"), page: p.Page("things"),
	}
	return a, p.End()
}

func TestParametersAreReadStrictly(t *testing.T) {
	a, err := ask("flag=1&number=10&since=2026-11-24T03:35:00%2B01:00&choice=day&lot=a&lot=b&spot=s&limit=7&cursor=" + rest.Next("things", "n", "k"))
	if err != nil || !a.flag || a.number != 10 || a.since.Hour() != 2 || a.choice != "day" || len(a.lots) != 2 || a.spot != "s" || a.page != (rest.Page{Limit: 7, After: "k", Note: "n"}) {
		t.Errorf("%+v, %v", a, err)
	}
	a, err = ask("")
	if err != nil || a.flag || a.number != 5 || !a.since.IsZero() || a.choice != "hour" || a.lots != nil || a.spot != "" || a.page != (rest.Page{Limit: rest.DefaultLimit}) {
		t.Errorf("%+v, %v", a, err)
	}
	cursor := func(text string) string { return "cursor=" + base64.RawURLEncoding.EncodeToString([]byte(text)) }
	for query, field := range map[string]string{
		"flag=2": "flag", "flag=1&flag=1": "flag", "number=11": "number", "number=x": "number", "since=yesterday": "since", "choice=week": "choice",
		"lot=a/b": "lot", "spot=": "spot", "limit=0": "limit", "limit=5001": "limit", "cursor=x": "cursor", cursor("others\n\nk"): "cursor", cursor("things\nk"): "cursor",
		"colour=red": "colour", "a=%zz": "", strings.Repeat("lot=a&", 101): "lot",
	} {
		var p problem.Problem
		if _, err := ask(query); !errors.As(err, &p) || p.Status != 400 || p.Field != field || p.Detail == "" {
			t.Errorf("%s: %#v", query, err)
		}
	}
}

func TestAFormatIsAskedForByNameOrByMediaType(t *testing.T) {
	offers := []rest.Offer{{Name: "json", Kinds: []string{"application/json", "*/*"}}, {Name: "csv", Kinds: []string{"text/csv"}}, {Name: "parquet"}}
	for _, c := range []struct{ query, accept, want string }{
		{"", "", "json"}, {"", "text/csv", "csv"}, {"", "text/csv;q=0.5, application/json", "json"}, {"", "text/html, */*;q=0.1", "json"}, {"", "image/png", "json"},
		{"format=csv", "application/json", "csv"}, {"format=parquet", "", "parquet"}, {"", "text/csv;q=0", "json"},
	} {
		r := httptest.NewRequest("GET", "/?"+c.query, nil)
		r.Header.Set("Accept", c.accept)
		p := rest.ParseParams(r.URL.RawQuery)
		if got := p.Format(r, offers...); got != c.want || p.End() != nil {
			t.Errorf("%+v: %s, %v", c, got, p.End())
		}
	}
	r := httptest.NewRequest("GET", "/?format=xml", nil)
	p := rest.ParseParams(r.URL.RawQuery)
	p.Format(r, offers...)
	if err := p.End(); err == nil || !strings.Contains(err.Error(), "json, csv or parquet") {
		t.Errorf("%v", err)
	}
}

func TestPagesFollowEachOther(t *testing.T) {
	all := []int{1, 2, 3, 4, 5}
	var got []string
	at := rest.Page{Limit: 2, Note: "n"}
	for {
		from := 0
		if at.After != "" {
			from, _ = strconv.Atoi(at.After)
		}
		items := all[from:min(from+at.Limit+1, len(all))]
		l := rest.Listed("numbers", at, items, strconv.Itoa, strconv.Itoa)
		got = append(got, l.Items...)
		if l.Next == "" {
			break
		}
		p := rest.ParseParams("limit=2&cursor=" + l.Next)
		if at = p.Page("numbers"); p.End() != nil || at.Note != "n" {
			t.Fatalf("%+v, %v", at, p.End())
		}
	}
	if !slices.Equal(got, []string{"1", "2", "3", "4", "5"}) {
		t.Errorf("the pages have %q", got)
	}
	if l := rest.Listed("numbers", rest.Page{Limit: 2}, nil, strconv.Itoa, strconv.Itoa); l.Items == nil {
		t.Error("an empty list is answered as null")
	}
}

type place struct{ Lat, Lon float64 }

// thing is everything that an object may have here.
type thing struct {
	Name  string
	Count int
	At    time.Time
	Where *place
	Days  []place
}

func (x *thing) read(o *rest.Object) {
	where := func(o *rest.Object, p *place) {
		rest.Required(o, "lat", &p.Lat, rest.WantLat, rest.ValidLat)
		rest.Optional(o, "lon", &p.Lon, rest.WantLon, rest.ValidLon)
	}
	rest.Required(o, "name", &x.Name, rest.WantName, rest.ValidName)
	rest.Optional(o, "count", &x.Count, "a number", nil)
	rest.ReadTime(o, "at", &x.At, rest.Optional)
	rest.Nested(o, "where", &x.Where, where)
	rest.Each(o, "days", &x.Days, 2, where)
	if x.Count > 100 {
		o.Fail("count", "at most 100", strconv.Itoa(x.Count))
	}
}

func TestObjectsAreReadStrictly(t *testing.T) {
	var x thing
	if err := rest.DecodeObject([]byte(`{"name":"n","count":null,"at":"2026-11-24T03:35:00.1239Z","where":{"lat":1},"days":[{"lat":2},{"lat":3,"lon":4}]}`), x.read); err != nil ||
		x.Name != "n" || x.At.Nanosecond() != 123e6 || x.Where.Lat != 1 || len(x.Days) != 2 || x.Days[1].Lon != 4 {
		t.Fatalf("%+v, %v", x, err)
	}
	if err := rest.Patch([]byte(`{"count":7,"where":{"lon":9},"days":[]}`), x.read); err != nil || x.Name != "n" || x.Count != 7 || *x.Where != (place{1, 9}) || len(x.Days) != 0 {
		t.Fatalf("%+v, %v", x, err)
	}
	if err := rest.Patch([]byte(`{"where":null}`), x.read); err != nil || x.Where != nil {
		t.Fatalf("%+v, %v", x, err)
	}
	for body, field := range map[string]string{
		``: "", `[]`: "", `null`: "", `{"name":"n"} {}`: "", `{}`: "name", `{"name":null}`: "name", `{"name":7}`: "name", `{"name":"n","NAME":"n"}`: "NAME", `{"name":"n","count":"x"}`: "count",
		`{"name":"n","count":101}`: "count", `{"name":"n","at":"1960-01-01T00:00:00Z"}`: "at", `{"name":"n","where":[]}`: "where", `{"name":"n","where":{}}`: "where.lat",
		`{"name":"n","where":{"lat":91}}`: "where.lat", `{"name":"n","where":{"lat":9,"alt":1}}`: "where.alt", `{"name":"n","days":{}}`: "days", `{"name":"n","days":[1]}`: "days[0]",
		`{"name":"n","days":[{"lat":1},{"lon":1}]}`: "days[1].lat", `{"name":"n","days":[{"lat":1},{"lat":1},{"lat":1}]}`: "days",
	} {
		var p problem.Problem
		if err := rest.DecodeObject([]byte(body), new(thing).read); !errors.As(err, &p) || p.Status != 400 || p.Field != field || p.Detail == "" {
			t.Errorf("%s: %#v", body, err)
		}
	}
}

func TestBodiesSayWhatTheyAre(t *testing.T) {
	for _, c := range []struct{ method, kind, body, slug string }{
		{"POST", "application/json; charset=utf-8", `{"name":"n"}`, ""}, {"POST", "", ` {"name":"n"} `, ""}, {"PATCH", "application/merge-patch+json", `{"name":"n"}`, ""},
		{"POST", "text/plain", `{"name":"n"}`, "media-type"}, {"POST", "application/merge-patch+json", `{"name":"n"}`, "media-type"}, {"POST", "", "", "invalid-body"},
	} {
		r := httptest.NewRequest(c.method, "/", strings.NewReader(c.body))
		if c.kind != "" {
			r.Header.Set("Content-Type", c.kind)
		}
		err := rest.ReadObject(httptest.NewRecorder(), r, new(thing).read)
		var p problem.Problem
		if errors.As(err, &p); strings.TrimPrefix(p.Type, "urn:parkwire:problem:") != c.slug {
			t.Errorf("%+v: %v", c, err)
		}
	}
	r := httptest.NewRequest("POST", "/?force=1", nil)
	if err := rest.ReadNothing(httptest.NewRecorder(), r); err == nil {
		t.Error("a parameter is passed over")
	}
	if err := rest.ReadNothing(httptest.NewRecorder(), httptest.NewRequest("POST", "/", strings.NewReader(" {} "))); err != nil {
		t.Error(err)
	}
}
