package live

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parkwire/internal/event"
	"parkwire/internal/identity"
)

func TestV1SubscriptionsComeAndGoWhileConnected(t *testing.T) {
	onEachEngine(t, func(t *testing.T) {
		s := startSteady(t, nil)
		c := s.v1()
		if w := c.expect("Welcome"); w.Protocol != protocolV1 || w.HeartbeatMs != 10_000 || w.Cursor != s.cursorAt(-1, -1, -1, -1) {
			t.Errorf("welcomed with %+v", w)
		}
		s.write(1) // nobody asked for it
		c.say(`{"type":"Subscribe","id":"a","lot":["lot-1"],"unknown":1}`)
		if m := c.expect("Subscribed"); m.ID != "a" || m.Cursor != s.cursorAt(-1, 0, -1, -1) {
			t.Errorf("%+v", m)
		}
		s.write(1, 2, 4)
		first := c.events(2)
		gapless(t, "a", first, map[string]int64{"s-001": 1})
		c.say(`{"type":"Subscribe","id":"b","spot":["s-002","s-004"],"after":%q}`, s.cursorAt(-1, -1, -1, -1))
		c.expect("Subscribed")
		if m := c.expect("Events"); m.ID != "b" || len(m.Events) != 2 || m.Events[0].SpotID == m.Events[1].SpotID || m.Cursor != s.cursorAt(0, 1, 0, -1) {
			t.Errorf("what b alone lacks comes as %+v", m)
		}
		s.write(2, 4, 1) // 4 is in both, and comes once
		if got := c.events(3); got[0].SpotID != "s-002" || got[0].Version != 2 || got[1].SpotID != "s-004" || got[2].SpotID != "s-001" {
			t.Errorf("%+v", got)
		}
		c.say(`{"type":"Unsubscribe","id":"a"}`)
		if m := c.expect("Unsubscribed"); m.ID != "a" {
			t.Errorf("%+v", m)
		}
		s.write(1, 2)
		if got := c.events(1); got[0].SpotID != "s-002" || got[0].Version != 3 {
			t.Errorf("%+v", got)
		}
		c.say(`{"type":"Subscribe","id":"b","spot":["s-007"]}`) // instead
		c.expect("Subscribed")
		s.write(2, 7)
		if m := c.expect("Events"); m.Events[0].SpotID != "s-007" || m.Cursor != s.cursorAt(1, 3, 3, 0) {
			t.Errorf("%+v", m)
		}
	})
}

func TestV1ASnapshotComesBeforeWhatChangesAfterIt(t *testing.T) {
	onEachEngine(t, func(t *testing.T) {
		s := startSteady(t, nil)
		s.write(1, 2, 4, 1)
		c := s.v1()
		c.expect("Welcome")
		c.say(`{"type":"Subscribe","id":"a","lot":["lot-1"],"snapshot":true}`)
		c.expect("Subscribed")
		part := c.expect("Snapshot")
		got := seen(part.Events)
		if len(part.Events) != 2 || got["s-001"] != 2 || got["s-004"] != 1 || !part.Complete || part.Cursor != s.cursorAt(0, 1, 0, -1) {
			t.Errorf("%+v", part)
		}
		c.say(`{"type":"Subscribe","id":"b","lot":["lot-9"],"snapshot":true}`)
		c.expect("Subscribed")
		if m := c.expect("Snapshot"); m.ID != "b" || m.Events == nil || len(m.Events) > 0 || !m.Complete || m.Cursor == "" {
			t.Errorf("%+v", m)
		}
		s.write(1)
		if got := c.events(1); got[0].Version != 3 {
			t.Errorf("%+v", got)
		}
	})
}

func TestV1AnExpiredCursorIsResetWithASnapshotOrRefused(t *testing.T) {
	log := newFakeLog(4)
	before := startOn(t, log, newFakeBus(), nil)
	before.write(1, 1, 1)
	before.stop()
	log.set(func() { log.tails[1] = 1 })
	s := startOn(t, log, newFakeBus(), nil)
	s.versions = before.versions
	old, other := s.cursorAt(-1, -1, -1, -1), event.Cursor{Topic: event.TopicID{9}, Offsets: event.Offsets{1}}.String()
	c := s.v1()
	c.expect("Welcome")
	c.say(`{"type":"Subscribe","id":"a","after":%q}`, old)
	if m := c.expect("Error"); m.Code != codeCursorExpired || m.ID != "a" {
		t.Errorf("%+v", m)
	}
	for _, r := range []struct{ cursor, reason string }{{old, resetExpired}, {other, resetOtherLog}} {
		c.say(`{"type":"Subscribe","id":"a","after":%q,"snapshot":true}`, r.cursor)
		c.expect("Subscribed")
		if m := c.expect("Reset"); m.ID != "a" || m.Reason != r.reason {
			t.Errorf("%+v", m)
		}
		if m := c.expect("Snapshot"); !m.Complete {
			t.Errorf("%+v", m)
		}
	}
	c.say(`{"type":"Subscribe","id":"a","after":%q,"snapshot":true}`, s.cursorAt(-1, 1, -1, -1)) // which the log still serves
	c.expect("Subscribed")
	if got := c.events(1); got[0].Version != 3 {
		t.Errorf("%+v", got)
	}
}

// What a client says that cannot be done is answered with a code, in its turn, and the connection goes on.
func TestV1EveryMistakeHasItsCode(t *testing.T) {
	onEachEngine(t, func(t *testing.T) {
		s := startSteady(t, nil)
		s.write(1)
		c := s.v1()
		c.expect("Welcome")
		long, many := strings.Repeat("é", 65), strings.Repeat(`"x",`, 3)
		for i := range maxFilterValues {
			many += fmt.Sprintf(`"%d",`, i)
		}
		for text, want := range map[string]said{
			`nothing`:                            {Code: codeInvalidMessage},
			`[]`:                                 {Code: codeInvalidMessage},
			`null`:                               {Code: codeInvalidMessage},
			`{}`:                                 {Code: codeInvalidMessage},
			`{"type":7}`:                         {Code: codeInvalidMessage, Field: "type"},
			`{"type":"Shout","id":"a"}`:          {Code: codeUnknownType, ID: "a", Field: "type"},
			`{"type":"Subscribe"}`:               {Code: codeInvalidMessage, Field: "id"},
			`{"type":"Subscribe","id":""}`:       {Code: codeInvalidMessage, Field: "id"},
			`{"type":"Subscribe","id":5}`:        {Code: codeInvalidMessage, Field: "id"},
			`{"type":"Unsubscribe","id":""}`:     {Code: codeInvalidMessage, Field: "id"},
			`{"type":"Unsubscribe","id":"gone"}`: {Code: codeUnknownSubscription, ID: "gone", Field: "id"},
			`{"type":"Subscribe","id":"` + long + `"}`:                             {Code: codeInvalidMessage, Field: "id"},
			`{"type":"Subscribe","id":"a","lot":"central"}`:                        {Code: codeInvalidMessage, ID: "a", Field: "lot"},
			`{"type":"Subscribe","id":"a","lot":[7]}`:                              {Code: codeInvalidMessage, ID: "a", Field: "lot"},
			`{"type":"Subscribe","id":"a","lot":[]}`:                               {Code: codeInvalidFilter, ID: "a", Field: "lot"},
			`{"type":"Subscribe","id":"a","zone":[""]}`:                            {Code: codeInvalidFilter, ID: "a", Field: "zone"},
			`{"type":"Subscribe","id":"a","status":["full"]}`:                      {Code: codeInvalidFilter, ID: "a", Field: "status"},
			`{"type":"Subscribe","id":"a","change":["exploded"]}`:                  {Code: codeInvalidFilter, ID: "a", Field: "change"},
			`{"type":"Subscribe","id":"a","spot":[` + many[:len(many)-1] + `]}`:    {Code: codeInvalidFilter, ID: "a", Field: "spot"},
			`{"type":"Subscribe","id":"a","after":""}`:                             {Code: codeInvalidCursor, ID: "a", Field: "after"},
			`{"type":"Subscribe","id":"a","after":"x"}`:                            {Code: codeInvalidCursor, ID: "a", Field: "after"},
			`{"type":"Subscribe","id":"a","after":"` + s.cursorAt(99, 9, 9) + `"}`: {Code: codeInvalidCursor, ID: "a", Field: "after"},
			`{"type":"Subscribe","id":"a","snapshot":"yes"}`:                       {Code: codeInvalidMessage, ID: "a", Field: "snapshot"},
			`{"type":"Authenticate"}`:                                              {Code: codeInvalidMessage, Field: "token"},
		} {
			c.say("%s", text)
			m := c.expect("Error")
			if m.Code != want.Code || m.ID != want.ID || m.Field != want.Field || len(m.Message) < 10 {
				t.Errorf("%.80s: %+v %s", text, m, m.Message)
			}
		}
		for i := range maxSubscriptions {
			c.say(`{"type":"Subscribe","id":"%d","spot":["s-001"]}`, i)
			c.expect("Subscribed")
		}
		c.say(`{"type":"Subscribe","id":"one more"}`)
		if m := c.expect("Error"); m.Code != codeTooManySubscriptions || m.ID != "one more" {
			t.Errorf("%+v", m)
		}
		if err := c.conn.Write(t.Context(), websocket.MessageBinary, []byte("x")); err != nil {
			t.Fatal(err)
		}
		if code, _ := c.closed(); code != 1003 {
			t.Errorf("closed with %d", code)
		}
	})
}

func TestV1WhatIsSaidInMessagesIsRefusedInTheAddress(t *testing.T) {
	s := startSteady(t, nil)
	for _, name := range []string{"lot", "zone", "spot", "status", "change", "after", "snapshot", "colour"} {
		_, answer, err := s.dialV1(nil, "access_token", "x", name, "free")
		if err == nil || answer.StatusCode != 400 || answer.Header.Get("Sec-WebSocket-Protocol") != "" {
			t.Fatalf("%s: %v %v", name, answer, err)
		}
		var p struct{ Field string }
		if json.NewDecoder(answer.Body).Decode(&p) != nil || p.Field != name {
			t.Errorf("%s: the field is %q", name, p.Field)
		}
	}
}

func TestV1MessagesOfOtherProgramsComeAsTheyAre(t *testing.T) {
	s := startSteady(t, nil)
	c := s.v1()
	c.expect("Welcome")
	c.say(`{"type":"Subscribe","id":"a"}`)
	c.say(`{"type":"Subscribe","id":"b"}`)
	c.expect("Subscribed")
	c.expect("Subscribed")
	for sent, want := range map[string]string{
		`{"spotId":"X-1","cursor":"no"}`: `{"spotId":"X-1","cursor":"no"}`,
		`hello "you"`:                    `"hello \"you\""`,
		`,"cursor":"AAAA"}`:              `",\"cursor\":\"AAAA\"}"`,
	} {
		if err := s.bus.Publish(t.Context(), []byte(sent)); err != nil {
			t.Fatal(err)
		}
		if m := c.expect("Foreign"); string(m.Message) != want {
			t.Errorf("%s came as %s", sent, m.Message)
		}
	}
	s.write(1)
	c.events(1)
}

func TestV1HeartbeatsTellWhereTheClientStandsWhateverItWants(t *testing.T) {
	s := startSteady(t, func(o *Options) { o.HeartbeatInterval = 20 * time.Millisecond })
	none, some := s.v1(), s.v1()
	some.say(`{"type":"Subscribe","id":"a","lot":["lot-9"]}`)
	s.write(1, 2)
	for _, c := range []*v1Client{none, some} {
		for c.hear("Welcome", "Subscribed").Cursor != s.cursorAt(-1, 0, 0, -1) {
		}
	}
}

func TestV1TheLogBeingAwayIsToldAndItsReturn(t *testing.T) {
	s := startSteady(t, nil)
	c := s.v1()
	c.expect("Welcome")
	s.log.set(func() { s.log.away = true })
	m := c.expect("Stale")
	if since, err := time.Parse(time.RFC3339, m.StaleSince); err != nil || time.Since(since) > time.Minute {
		t.Errorf("%+v", m)
	}
	late := s.v1()
	late.expect("Welcome")
	if again := late.expect("Stale"); again.StaleSince != m.StaleSince {
		t.Errorf("%+v", again)
	}
	s.log.set(func() { s.log.away = false })
	c.expect("Fresh")
	late.expect("Fresh")
}

// tokens lets tests say how long a token is good: its text is a number of seconds.
func tokens(o *Options) {
	o.Authorize = func(r *http.Request) (identity.Principal, error) {
		left, err := time.ParseDuration(identity.Bearer(r, true))
		switch {
		case err != nil:
			return identity.Principal{}, identity.Refused(errors.New("it is no time"))
		case left < 0:
			return identity.Principal{}, identity.Authorize(identity.Principal{Subject: "x"}, identity.ScopeRead)
		}
		return identity.Principal{Subject: "x", Expires: time.Now().Add(left)}, nil
	}
}

func TestV1ATokenThatExpiresEndsTheConnectionUnlessThereIsAnother(t *testing.T) {
	onEachEngine(t, func(t *testing.T) {
		t.Parallel() // it waits most of the time
		s := startSteady(t, tokens)
		c, ends := s.v1("access_token", "61s"), s.v1("access_token", "1s")
		c.expect("Welcome")
		ends.expect("Welcome")
		if m := ends.expect("Error"); m.Code != codeTokenExpiring { // at once
			t.Errorf("%+v", m)
		}
		if code, _ := ends.closed(); code != 4401 {
			t.Errorf("closed with %d", code)
		}
		if m := c.expect("Error"); m.Code != codeTokenExpiring {
			t.Errorf("%+v", m)
		}
		for token, code := range map[string]string{"x": codeUnauthorized, "-1s": codeForbidden} {
			c.say(`{"type":"Authenticate","token":%q}`, token)
			if m := c.expect("Error"); m.Code != code || m.Field != "token" {
				t.Errorf("%q: %+v", token, m)
			}
		}
		c.say(`{"type":"Authenticate","token":"2h"}`)
		if m := c.expect("Authenticated"); m.ExpiresAt < timestamp(time.Now().Add(119*time.Minute)) {
			t.Errorf("%+v", m)
		}
		c.say(`{"type":"Authenticate","token":"2s"}`)
		c.expect("Authenticated")
		c.expect("Error")
		if code, _ := c.closed(); code != 4401 {
			t.Errorf("closed with %d", code)
		}
	})
}

func TestAPlainClientWhoseTokenExpiresIsToldSo(t *testing.T) {
	onEachEngine(t, func(t *testing.T) {
		t.Parallel() // it waits most of the time
		s := startSteady(t, tokens)
		l, stream := s.webSocket("access_token", "1s"), s.sse("", "access_token", "1s")
		if code := l.closed(); code != 4401 {
			t.Errorf("closed with %d", code)
		}
		stream.until("its end", func(_ []frame, err error) bool { return err != nil })
		if lines := strings.Join(stream.all(), "\n"); !strings.Contains(lines, "\n: the token has expired") {
			t.Errorf("the stream was %q", lines)
		}
	})
}

// A message of a client is taken or has its answer, whatever it is, and what is taken is as the rest expects it.
func FuzzParseRequest(f *testing.F) {
	for _, s := range []string{
		``, `{}`, `null`, `{"type":"Subscribe","id":"a","lot":["x"],"status":["free"],"after":"x","snapshot":true}`, `{"type":"Unsubscribe","id":"a"}`,
		`{"type":"Authenticate","token":"x"}`, `{"type":"Subscribe","id":"a","lot":null}`, "{\"type\":\"Subscribe\",\"id\":\"\xff\"}", `{"TYPE":"Subscribe","iD":"a"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r := parseRequest(text)
		if r.size != len(text) {
			t.Fatalf("%q has a size of %d", text, r.size)
		}
		switch r.kind {
		case "Error":
			var m said
			_, payload, rest := cutFrame(encodingV1.appendMessage(nil, r.refusal))
			if json.Unmarshal(payload, &m) != nil || m.Type != "Error" || m.Code == "" || len(m.Message) == 0 || len(rest) > 0 {
				t.Fatalf("%q is answered with %q", text, payload)
			}
		case "Subscribe":
			if _, err := parseFilter(url.Values{"lot": r.filter.lots, "zone": r.filter.zones, "spot": r.filter.spots}); err != nil || r.id == "" || r.filter.values() > maxFilterValues {
				t.Fatalf("%q is %+v: %v", text, r, err)
			}
		case "Unsubscribe", "Authenticate":
			if r.id == "" && r.token == "" {
				t.Fatalf("%q is %+v", text, r)
			}
		default:
			t.Fatalf("%q is %+v", text, r)
		}
	})
}
