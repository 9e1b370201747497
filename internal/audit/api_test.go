package audit

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"parkwire/internal/problem"
	"parkwire/internal/rest"
	"parkwire/internal/rest/resttest"
	"parkwire/test/e2e/stack"
)

func TestWhatIsServedIsDescribed(t *testing.T) {
	resttest.Documented(t, rest.Prefix, (&Service{}).routes(), "audit")
}

// get asks as an administrator, and makes sure that openapi.yaml allows the answer.
func (w *world) get(h http.Handler, path string, header ...string) (int, string) {
	w.Helper()
	r := problem.Identify(httptest.NewRequest("GET", path, nil))
	r.Header.Set("X-Parkwire-Subject", "auditor")
	r.Header.Set("X-Parkwire-Scopes", "admin")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, r)
	if err := stack.Described("GET", path, stack.Answer{Status: answer.Code, Header: answer.Result().Header, Body: answer.Body.Bytes()}); err != nil {
		w.Error(err)
	}
	return answer.Code, answer.Body.String()
}

type page struct {
	Items []view
	Next  string
}

// pages reads all pages of a search.
func (w *world) pages(h http.Handler, query string, limit int) (sequences []int64) {
	w.Helper()
	for cursor := ""; ; {
		path := fmt.Sprintf("/api/v1/audit?limit=%d&%s", limit, query)
		if cursor != "" {
			path += "&cursor=" + url.QueryEscape(cursor)
		}
		code, body := w.get(h, path)
		var p page
		if err := json.Unmarshal([]byte(body), &p); code != 200 || err != nil {
			w.Fatalf("%s: %d %s", path, code, body)
		}
		for _, v := range p.Items {
			sequences = append(sequences, v.Sequence)
		}
		if cursor = p.Next; cursor == "" {
			return sequences
		}
	}
}

func TestASearchFindsWhatMatchesPageByPage(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.fill(20)
		again := changed("anna", "A-1", 0)
		again.Offset = 50
		w.apply(&w.others, changed("ben & co", "B-1", 21), again)
		w.apply(&w.events, strange()...)
		all, h := w.all(), w.served(nil).Handler()
		for query, match := range map[string]func(e *Entry) bool{
			"":                              func(e *Entry) bool { return e.Repeats == 0 },
			"repetitions=1":                 func(*Entry) bool { return true },
			"spot=A-1":                      func(e *Entry) bool { return e.SpotID == "A-1" && e.Repeats == 0 },
			"spot=A-1&kind=change":          func(e *Entry) bool { return e.SpotID == "A-1" && e.Kind == KindChange && e.Repeats == 0 },
			"subject=ben+%26+co":            func(e *Entry) bool { return e.Subject == "ben & co" },
			"subject=anna&repetitions=1":    func(e *Entry) bool { return e.Subject == "anna" },
			"client=203.0.113.7":            func(e *Entry) bool { return e.Client != "" && e.Repeats == 0 },
			"lot=central&action=occupied":   func(e *Entry) bool { return e.LotID == "central" && e.Action == "occupied" },
			"request=r-10":                  func(e *Entry) bool { return e.RequestID == "r-10" },
			"id=e-A-1-5":                    func(e *Entry) bool { return e.ID == "e-A-1-5" },
			"kind=event":                    func(e *Entry) bool { return e.Kind == KindEvent },
			"kind=unreadable":               func(e *Entry) bool { return e.Kind == KindUnreadable },
			"resource=spot&resource_id=A-2": func(e *Entry) bool { return e.ResourceType == "spot" && e.ResourceID == "A-2" },
			"from=2026-11-24T12:05:00Z":     func(e *Entry) bool { return e.Time >= noon.Add(5*time.Minute).UnixMilli() && e.Repeats == 0 },
			"to=2026-11-24T12:05:00Z":       func(e *Entry) bool { return e.Time < noon.Add(5*time.Minute).UnixMilli() && e.Repeats == 0 },
			"from=2026-11-24T12:05:00Z&to=2026-11-24T12:06:00Z": func(e *Entry) bool { return e.Time == noon.Add(5*time.Minute).UnixMilli() },
			"subject=nobody": func(*Entry) bool { return false },
		} {
			var want []Entry
			for _, e := range all {
				if match(&e) {
					want = append(want, e)
				}
			}
			slices.SortFunc(want, func(a, b Entry) int {
				return int(min(1, max(-1, (a.Time-b.Time)*1000+a.Sequence-b.Sequence)))
			})
			var oldest []int64
			for _, e := range want {
				oldest = append(oldest, e.Sequence)
			}
			newest := slices.Clone(oldest)
			slices.Reverse(newest)
			for _, limit := range []int{3, 500} {
				if got := w.pages(h, query, limit); !slices.Equal(got, newest) {
					t.Errorf("%q finds %v, newest first; %v was right", query, got, newest)
				}
				if got := w.pages(h, query+"&order=oldest", limit); !slices.Equal(got, oldest) {
					t.Errorf("%q finds %v, oldest first; %v was right", query, got, oldest)
				}
			}
			code, body := w.get(h, "/api/v1/audit?format=ndjson&"+query)
			if r, err := VerifyFile(strings.NewReader(body), Verification{}); code != 200 || err != nil || !r.OK || r.Records != int64(len(want)) {
				t.Errorf("the export of %q is %d, %+v, %v", query, code, r, err)
			}
		}
		if got := w.pages(h, "order=sequence&after_sequence=5&up_to_sequence=20", 4); !slices.Equal(got, from(6, 20)) {
			t.Errorf("by sequence it finds %v", got)
		}
	})
}

func TestAChangeIsAnsweredWithWhoFromWhereBeforeAndAfter(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.fill(20)
		h := w.served(nil).Handler()
		code, body := w.get(h, "/api/v1/audit/11")
		var v view
		if err := json.Unmarshal([]byte(body), &v); code != 200 || err != nil {
			t.Fatalf("%d %s", code, body)
		}
		if v.Sequence != 11 || v.Subject != "anna" || v.Client != "203.0.113.7" || v.RequestID != "r-0" || string(v.Before) != `{"spotId":"A-1","closed":false}` || string(v.After) != `{"spotId":"A-1","closed":true}` ||
			v.Value == nil || *v.Value != string(changed("anna", "A-1", 0).Value) {
			t.Errorf("it is answered as %s", body)
		}
		w.removeOld(noon.Add(3 * time.Second))
		for path, detail := range map[string]string{"11": "checkpoint 1 stands for it", "99": "There is no record 99", "x": "is none", "-1": "There is no record -1"} {
			if code, body := w.get(h, "/api/v1/audit/"+path); code != 404 || !strings.Contains(body, detail) {
				t.Errorf("%s is answered with %d %s", path, code, body)
			}
		}
	})
}

func TestTheHeadIsAnswered(t *testing.T) {
	eachWorld(t, func(w *world) {
		_, key, err := ed25519.GenerateKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		h := w.served(key).Handler()
		if code, body := w.get(h, "/api/v1/audit/head"); code != 503 {
			t.Errorf("before there is a chain it is answered with %d %s", code, body)
		}
		w.fill(20)
		w.removeOld(noon.Add(3 * time.Second))
		code, body := w.get(h, "/api/v1/audit/head")
		var v headView
		if err := json.Unmarshal([]byte(body), &v); code != 200 || err != nil {
			t.Fatalf("%d %s", code, body)
		}
		head := w.head()
		if v.Sequence != head.Sequence || v.Hash != head.Hash || v.Checkpoint == nil || v.Checkpoint.Last != 11 || v.Signature == nil {
			t.Errorf("the head is answered as %s", body)
		}
		note, err := ParseNote(v.Note)
		if err != nil || !w.verify(Verification{Notes: []Note{note}}).OK {
			t.Errorf("the note %q is not taken: %v", v.Note, err)
		}
	})
}

func TestOnlyAdministratorsOfAllLotsAreAnswered(t *testing.T) {
	w := newWorld(t, sqliteDB(t))
	w.fill(5)
	h := w.served(nil).Handler()
	for _, path := range []string{"/api/v1/audit", "/api/v1/audit?format=csv", "/api/v1/audit/1", "/api/v1/audit/head"} {
		for _, c := range []struct {
			header []string
			code   int
			slug   string
		}{
			{[]string{"X-Parkwire-Subject", "", "X-Parkwire-Scopes", ""}, 401, "token-required"},
			{[]string{"X-Parkwire-Scopes", "operate ingest read"}, 403, "scope-missing"},
			{[]string{"X-Parkwire-Lots", "central"}, 403, "lot-not-allowed"},
		} {
			if code, body := w.get(h, path, c.header...); code != c.code || !strings.Contains(body, c.slug) {
				t.Errorf("%s with %q is answered with %d %s", path, c.header, code, body)
			}
		}
	}
}

func TestAQueryThatCannotBeUnderstoodIsRefusedWithTheFieldAndWhatWouldBeRight(t *testing.T) {
	w := newWorld(t, sqliteDB(t))
	w.fill(5)
	h := w.served(nil).Handler()
	for query, want := range map[string]string{
		"kind=evil":                     `"kind" must be one of event, change, unreadable, gap, checkpoint`,
		"order=best":                    `"order" must be one of newest, oldest, sequence`,
		"order=sequence&spot=A-1":       `"order" must be newest or oldest where records are searched for by spot`,
		"order=oldest&after_sequence=4": `"after_sequence" must be used with order=sequence`,
		"from=yesterday":                `"from"`,
		"from=2026-11-24T12:00:00Z&to=2026-11-24T11:00:00Z": `"to" must be later than`,
		"spot=":               `"spot" must be a text of 1 to 400 bytes`,
		"subject=a&subject=b": `"subject" must be given once`,
		"limit=0":             `"limit"`,
		"cursor=x":            `"cursor"`,
		"format=xml":          `"format"`,
		"format=csv&limit=3":  `"limit" is not known here`,
		"repetitions=maybe":   `"repetitions"`,
		"after_sequence=-1":   `"after_sequence"`,
		"actor=anna":          `"actor" is not known here`,
	} {
		code, body := w.get(h, "/api/v1/audit?"+query)
		var p problem.Problem
		if err := json.Unmarshal([]byte(body), &p); code != 400 || err != nil || !strings.Contains(p.Detail, want) {
			t.Errorf("%s is answered with %d %s; %q was to be said", query, code, p.Detail, want)
		}
	}
	// A cursor is of its order.
	_, body := w.get(h, "/api/v1/audit?limit=2")
	var first page
	if err := json.Unmarshal([]byte(body), &first); err != nil || first.Next == "" {
		t.Fatal(body)
	}
	if code, body := w.get(h, "/api/v1/audit?limit=2&order=oldest&cursor="+first.Next); code != 400 || !strings.Contains(body, "cursor") {
		t.Errorf("a cursor of another order is answered with %d %s", code, body)
	}
}
