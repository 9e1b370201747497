//go:build linux

package live

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"parkwire/internal/event"
	"parkwire/internal/websocket"
)

// Whatever a message holds, its receivers read one event, and in it the message: no line of it becomes a field or an
// event of its own.
func FuzzNoMessageBreaksOutOfItsFrame(f *testing.F) {
	for _, s := range []string{
		"", "\n", "\r\n\r\n", "hello\nid: 7\nevent: forged\ndata: x\n\nretry: 1\n\n", `{"spotId":"A"}`, "{\"spotId\":\n\n\"A\"\r}", ": comment", "\ufeff", "data", "a\x00b",
		"{\"spotId\":\"\\u2028\u2028\u0085\"}", strings.Repeat("x", 126), strings.Repeat("\n", 70_000),
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		if !utf8.Valid(message) || len(message) > maxForeign { // refused before
			return
		}
		given := bytes.Clone(message)
		op, payload, rest := cutFrame(encodingWebSocket.appendForeign(nil, message))
		if op != websocket.Text || !bytes.Equal(payload, message) || rest == nil || len(rest) > 0 {
			t.Fatalf("%q as a frame is %v %q, then %q", message, op, payload, rest)
		}
		want := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(message))
		events := readStream(t, string(encodingSSE.appendForeign(nil, message)))
		if len(events) != 1 || events[0] != (streamed{data: want}) {
			t.Fatalf("%q in a stream is %+v", message, events)
		}
		e, err := event.Decode(message)
		if err != nil {
			return
		}
		events = readStream(t, string(encodingSSE.appendEvent(nil, message, "abc-_")))
		if len(events) != 1 || events[0].id != "abc-_" || events[0].name != "" {
			t.Fatalf("%q in a stream is %+v", message, events)
		}
		_, payload, rest = cutFrame(encodingWebSocket.appendEvent(nil, message, "abc-_"))
		for _, body := range []string{events[0].data, string(payload)} {
			var cursor map[string]any
			if again, err := event.Decode([]byte(body)); err != nil || again != e || json.Unmarshal([]byte(body), &cursor) != nil || cursor["cursor"] != "abc-_" {
				t.Fatalf("%q became %q: %+v, %v", message, body, again, err)
			}
		}
		if len(rest) > 0 || !bytes.Equal(message, given) {
			t.Fatalf("%q left %q, and is now %q", given, rest, message)
		}
	})
}

// streamed is an event as a browser dispatches it.
type streamed struct{ id, name, data string }

// readStream is the algorithm of WHATWG HTML, section 9.2.6.
func readStream(t *testing.T, text string) (events []streamed) {
	var now streamed
	var data []string
	lines := strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text), "\n")
	for _, line := range lines[:len(lines)-1] {
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "" && data != nil:
			now.data = strings.Join(data, "\n")
			events, now, data = append(events, now), streamed{}, nil
		case field == "id":
			now.id = value
		case field == "event":
			now.name = value
		case field == "data":
			data = append(data, value)
		case line != "":
			t.Fatalf("the line %q is none of ours", line)
		}
	}
	if data != nil || lines[len(lines)-1] != "" {
		t.Fatalf("%q does not end with an event", text)
	}
	return events
}

// Whatever a client sends, it is answered with whole pongs and at most one close frame, which is the last.
func FuzzWhateverAClientSendsTheAnswersAreFrames(f *testing.F) {
	masked := func(first byte, payload string) []byte {
		return append([]byte{first, 0x80 | byte(len(payload)), 0, 0, 0, 0}, payload...)
	}
	f.Add(slices.Concat(masked(0x81, "hello"), masked(0x89, "ping"), masked(0x88, "\x03\xe8bye")))
	f.Add(slices.Concat(masked(0x89, ""), masked(0x8a, "pong"), masked(0x82, "\xff")))
	f.Add(masked(0x88, ""))
	f.Add(masked(0x88, "\x03\xed"))
	f.Add([]byte{0x81, 0x05, 'h'})
	f.Add([]byte{0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4, 5})
	f.Add(bytes.Repeat(masked(0x89, strings.Repeat("p", 125)), 60))
	f.Fuzz(func(t *testing.T, sent []byte) {
		s, conn := New(Options{}), newTap(t, nil)
		defer conn.leave()
		c := s.enter(conn, encodingWebSocket)
		p := c.newParser()
		for _, part := range [][]byte{sent[:len(sent)/2], sent[len(sent)/2:]} {
			c.feed(&p, bytes.Clone(part), func(m websocket.Message) error { return s.hear(c, m) })
			c.loop.attendAll()
		}
		s.leave(c)
		answer, _ := conn.take(64 << 10)
		for len(answer) > 0 {
			op, payload, rest := cutFrame(answer)
			if rest == nil {
				if len(answer) > 127 {
					t.Fatalf("answered with %q, which is no frame", answer)
				}
				return // the rest did not go out any more
			}
			code, _, ended := cutClose(op, payload)
			if op != websocket.Pong && !ended || len(payload) > 125 || ended && len(rest) > 0 || ended && (code < 1000 || code >= 5000) {
				t.Fatalf("answered with opcode %d %q, then %q", op, payload, rest)
			}
			answer = rest
		}
	})
}

// cutClose reads a close frame, whose code is 1000 where it has none.
func cutClose(op websocket.Opcode, payload []byte) (code int, reason string, ok bool) {
	if len(payload) < 2 {
		return 1000, "", op == websocket.Close && len(payload) == 0
	}
	return int(payload[0])<<8 | int(payload[1]), string(payload[2:]), op == websocket.Close && utf8.Valid(payload[2:])
}

// Whatever an address asks for, its filter is refused or means one thing: by its key as by what it matches.
func FuzzAFilterMeansWhatItsKeySays(f *testing.F) {
	f.Add("lot=a&lot=b&zone=c", "lot=b&lot=a&zone=c&lot=a", "a", "c")
	f.Add("spot=1:a;&status=free", "spot=1&status=free&after=x", "1", "")
	f.Add("lot=1%3Aa", "lot=1&lot=a", "1:a", "a")
	f.Add("lot=%ff&access_token=x", "", "\xff", "")
	f.Fuzz(func(t *testing.T, one, other, lot, zone string) {
		parse := func(query string) (filter, bool) {
			q, err := url.ParseQuery(query)
			if err != nil {
				return filter{}, false
			}
			f, err := parseFilter(q, "after", "access_token")
			for name, among := range map[string]string{"lot": lot, "zone": zone} {
				if err == nil && len(q[name]) > 0 && !slices.Contains(q[name], among) && f.matches(&event.Event{LotID: lot, ZoneID: zone}) {
					t.Fatalf("%q lets the lot %q and the zone %q through", query, lot, zone)
				}
			}
			return f, err == nil
		}
		a, aOK := parse(one)
		b, bOK := parse(other)
		if !aOK || !bOK {
			return
		}
		same := slices.Equal(a.lots, b.lots) && slices.Equal(a.zones, b.zones) && slices.Equal(a.spots, b.spots) &&
			slices.Equal(a.statuses, b.statuses) && slices.Equal(a.changes, b.changes)
		if same != (a.key() == b.key()) {
			t.Fatalf("%q is %+v by the key %q; %q is %+v by the key %q", one, a, a.key(), other, b, b.key())
		}
	})
}
