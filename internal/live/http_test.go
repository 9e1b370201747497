package live

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"parkwire/internal/event"
	"parkwire/internal/identity"
	"parkwire/internal/problem"
)

var sseHeader = http.Header{"Accept": {"text/event-stream"}}

func TestAStreamOfServerSentEventsHasWhatBrowsersAndProxiesNeed(t *testing.T) {
	onEachEngine(t, func(t *testing.T) {
		s := start(t, nil)
		l := s.sse("")
		s.write(1)
		f := l.count(1)[0]
		if f.id != f.Cursor || f.Cursor == "" {
			t.Errorf("the id is %q, the cursor %q", f.id, f.Cursor)
		}
		if !regexp.MustCompile(`^retry: [1-4]\d{3}$`).MatchString(l.lines[0]) || !strings.HasPrefix(l.lines[1], "id: ") || l.lines[2] != "" {
			t.Errorf("it begins with %q", l.lines[:3])
		}
		// It resumes from that first id, though no event had come.
		first := strings.TrimPrefix(l.lines[1], "id: ")
		gapless(t, "from the first id", s.sse(first).count(1), nil)

		status, h, body := s.get("HEAD", PathNotifications, sseHeader)
		if status != 200 || body != "" {
			t.Errorf("HEAD: %d %q", status, body)
		}
		for name, want := range map[string]string{"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"} {
			if h.Get(name) != want {
				t.Errorf("%s is %q", name, h.Get(name))
			}
		}
	})
}

func TestCursorsThatCannotBeUsed(t *testing.T) {
	log := newFakeLog(4)
	before := startOn(t, log, memoryBus(), nil)
	for range 10 {
		before.write(1)
	}
	before.stop()
	s := startOn(t, log, memoryBus(), nil)
	s.log.set(func() { s.log.tails[1] = 5 })
	otherTopic := event.Cursor{Topic: event.TopicID{9}, Offsets: event.Offsets{1, 1, 1, 1}}.String()
	for name, c := range map[string]struct {
		cursor string
		status int
		slug   string
		code   int // of a WebSocket that was accepted, 0: none was
	}{
		"nonsense":                  {"nonsense", 400, "invalid-cursor", 0},
		"no base64":                 {"!!!", 400, "invalid-cursor", 0},
		"from beyond the log":       {s.cursorAt(-1, 10, -1, -1), 400, "invalid-cursor", 0},
		"of another topic":          {otherTopic, 410, "cursor-expired", 4410},
		"older than the log":        {s.cursorAt(-1, 4, -1, -1), 410, "cursor-expired", 4410},
		"from before the beginning": {s.cursorAt(), 410, "cursor-expired", 4410},
	} {
		t.Run(name, func(t *testing.T) {
			for what, path := range map[string]string{"events": PathEvents, "a stream": PathNotifications} {
				status, h, body := s.get("GET", path+"?after="+url.QueryEscape(c.cursor), sseHeader)
				var p problem.Problem
				if err := json.Unmarshal([]byte(body), &p); err != nil || status != c.status || !strings.HasSuffix(p.Type, ":"+c.slug) || p.Field != "after" || h.Get("Content-Type") != problem.ContentType {
					t.Errorf("%s: %d %s", what, status, body)
				}
			}
			header := http.Header{"Accept": {"text/event-stream"}, "Last-Event-Id": {c.cursor}}
			if status, _, body := s.get("GET", PathNotifications, header); status != c.status {
				t.Errorf("as Last-Event-ID: %d %s", status, body)
			}
			if c.code != 0 {
				if code := s.webSocket("after", c.cursor).closed(); code != c.code {
					t.Errorf("a WebSocket was closed with %d", code)
				}
				return
			}
			_, answer, err := websocket.Dial(t.Context(), strings.Replace(s.server.URL, "http", "ws", 1)+PathNotifications+"?after="+url.QueryEscape(c.cursor), &websocket.DialOptions{
				HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}})
			if err == nil || answer.StatusCode != c.status {
				t.Errorf("a WebSocket was answered with %v", answer)
			}
		})
	}
	l := s.webSocket("after", s.cursorAt(-1, 5, -1, -1)) // the oldest that works
	gapless(t, l.name, l.count(4), map[string]int64{"s-001": 6})
	s.connected(1)
}

func TestRequestsThatAreRefused(t *testing.T) {
	s := start(t, func(o *Options) {
		o.Origins = []string{"https://signs.example.org"}
		o.Authorize = func(r *http.Request) (identity.Principal, error) {
			if r.URL.Query().Get("lot") == "secret" {
				return identity.Principal{}, identity.Authorize(identity.Principal{}, identity.ScopeRead)
			}
			return identity.Principal{}, nil
		}
	})
	upgrade := http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"8"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}}
	many := url.Values{}
	for i := range maxFilterValues + 1 {
		many.Add("spot", fmt.Sprint(i))
	}
	for name, c := range map[string]struct {
		method, path string
		header       http.Header
		status       int
		field        string
	}{
		"neither WebSocket nor stream": {"GET", PathNotifications, nil, 426, ""},
		"an old WebSocket":             {"GET", PathNotifications, upgrade, 426, ""},
		"a POST":                       {"POST", PathNotifications, sseHeader, 405, ""},
		"a POST of events":             {"POST", PathEvents, nil, 405, ""},
		"no token":                     {"GET", PathNotifications + "?lot=secret", sseHeader, 401, ""},
		"no token for events":          {"GET", PathEvents + "?lot=secret", nil, 401, ""},
		"a page of another site":       {"GET", PathNotifications, http.Header{"Accept": sseHeader["Accept"], "Origin": {"https://evil.example.org"}}, 403, ""},
		"half a snapshot":              {"GET", PathNotifications + "?snapshot=0.5", sseHeader, 400, "snapshot"},
		"an unknown filter":            {"GET", PathEvents + "?colour=red", nil, 400, "colour"},
		"an unknown status":            {"GET", PathNotifications + "?status=full", sseHeader, 400, "status"},
		"an unknown change":            {"GET", PathEvents + "?change=exploded", nil, 400, "change"},
		"an empty filter":              {"GET", PathEvents + "?lot=", nil, 400, "lot"},
		"too many values":              {"GET", PathEvents + "?" + many.Encode(), nil, 400, "spot"},
		"two cursors":                  {"GET", PathEvents + "?after=a&after=b", nil, 400, "after"},
		"a token in the address":       {"GET", PathEvents + "?access_token=x", nil, 400, "access_token"},
		"a query that is none":         {"GET", PathEvents + "?lot=%zz", nil, 400, ""},
		"a limit of 0":                 {"GET", PathEvents + "?limit=0", nil, 400, "limit"},
		"a limit beyond the bound":     {"GET", PathEvents + "?limit=1001", nil, 400, "limit"},
		"a limit that is none":         {"GET", PathEvents + "?limit=many", nil, 400, "limit"},
		"another address":              {"GET", "/api/v1/lots", nil, 404, ""},
	} {
		t.Run(name, func(t *testing.T) {
			status, h, body := s.get(c.method, c.path, c.header)
			var p problem.Problem
			if err := json.Unmarshal([]byte(body), &p); err != nil || status != c.status || p.Field != c.field || p.Status != status {
				t.Errorf("%d %s", status, body)
			}
			switch {
			case status == 405 && h.Get("Allow") == "", status == 401 && h.Get("WWW-Authenticate") == "", status == 426 && h.Get("Upgrade") == "":
				t.Errorf("the headers are %v", h)
			case name == "an old WebSocket" && h.Get("Sec-WebSocket-Version") != "13":
				t.Errorf("the headers are %v", h)
			}
		})
	}
}

func TestPagesOfAllowedSitesMayListen(t *testing.T) {
	for name, c := range map[string]struct {
		origins []string
		want    string
	}{"all by default": {nil, "*"}, "those that are named": {[]string{"https://signs.example.org"}, "https://signs.example.org"}} {
		t.Run(name, func(t *testing.T) {
			s := start(t, func(o *Options) { o.Origins = c.origins })
			header := http.Header{"Accept": sseHeader["Accept"], "Origin": {"https://signs.example.org"}}
			if status, h, _ := s.get("HEAD", PathNotifications, header); status != 200 || h.Get("Access-Control-Allow-Origin") != c.want {
				t.Errorf("%d %v", status, h)
			}
			header.Set("Access-Control-Request-Method", "GET")
			status, h, _ := s.get("OPTIONS", PathNotifications, header)
			if status != 204 || h.Get("Access-Control-Allow-Origin") != c.want || !strings.Contains(h.Get("Access-Control-Allow-Headers"), "Last-Event-ID") || h.Get("Allow") == "" {
				t.Errorf("%d %v", status, h)
			}
		})
	}
}

func TestNobodyIsTakenBeforeTheLogHasAnswered(t *testing.T) {
	service := New(Options{Log: newFakeLog(1), Bus: newFakeBus(), Authorize: func(*http.Request) (identity.Principal, error) { return identity.Principal{}, nil }})
	s := &testStand{T: t, server: newServer(t, service)}
	if status, _, body := s.get("GET", PathEvents, nil); status != 503 {
		t.Errorf("%d %s", status, body)
	}
	if err := service.Ready(); err == nil {
		t.Error("it is ready")
	}
}

// eventsPage is an answer of /api/v1/events.
type eventsPage struct {
	Events []frame
	Cursor string
}

func (s *testStand) page(query ...string) eventsPage {
	s.Helper()
	status, h, body := s.get("GET", PathEvents+"?"+values(query).Encode(), nil)
	var p eventsPage
	if err := json.Unmarshal([]byte(body), &p); err != nil || status != 200 || h.Get("Content-Type") != "application/json" {
		s.Fatalf("%v: %d %s", query, status, body)
	}
	return p
}

// pages reads page after page until one is empty.
func (s *testStand) pages(after string, query ...string) []frame {
	s.Helper()
	var all []frame
	for {
		q := query
		if after != "" {
			q = append([]string{"after", after}, query...)
		}
		p := s.page(q...)
		if len(p.Events) == 0 {
			return all
		}
		all, after = append(all, p.Events...), p.Cursor
	}
}

func TestEventsAreReadPageByPage(t *testing.T) {
	for name, memoryBytes := range map[string]int64{"from memory": 64 << 20, "from log and memory": 30 << 10} {
		t.Run(name, func(t *testing.T) {
			s := start(t, func(o *Options) { o.MemoryBytes = memoryBytes })
			l := s.webSocket()
			for i := range 250 {
				s.write(i * 7 % 12)
			}
			history := l.count(250)
			for _, limit := range []string{"1", "33", "1000"} {
				gapless(t, "everything by "+limit, s.pages("", "limit", limit), nil)
				if got := s.pages(history[99].Cursor, "limit", limit); len(got) != 150 {
					t.Errorf("by %s: behind the 100th event of 250 come %d", limit, len(got))
				} else {
					gapless(t, "a part by "+limit, got, seen(history[:100]))
				}
			}
			if p := s.page(); len(p.Events) != defaultLimit {
				t.Errorf("a page has %d events", len(p.Events))
			}
			want := slices.DeleteFunc(slices.Clone(history), func(f frame) bool { return f.LotID != "lot-1" || f.Change != "released" })
			if got := s.pages("", "lot", "lot-1", "change", "released", "limit", "7"); len(got) != len(want) {
				t.Errorf("%d events match; %d came", len(want), len(got))
			}
			// With a filter that matches nothing the reader moves on all the same.
			none := s.page("after", history[0].Cursor, "spot", "nowhere")
			if len(none.Events) != 0 || none.Cursor == history[0].Cursor {
				t.Errorf("without a match: %+v", none)
			}
			s.write(3)
			if got := s.pages(none.Cursor); len(got) != 1 || got[0].SpotID != "s-003" {
				t.Errorf("behind the cursor of an empty page came %v", got)
			}
		})
	}
}

// What is in the log when somebody asks is in the answer, though the bus has not brought it yet.
func TestEventsShowWhatIsInTheLog(t *testing.T) {
	s := start(t, nil)
	s.write(1)
	first := s.page()
	s.change(1) // not published
	if got := s.pages(first.Cursor); len(got) != 1 || got[0].Version != 2 {
		t.Errorf("%v", got)
	}
}
