package live

import (
	"bufio"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/websocket"
)

const (
	offer  = "permessage-deflate; client_max_window_bits" // what browsers say
	agreed = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
	rsv1   = 0x40
)

// rawClient sees the very bytes.
type rawClient struct {
	*testing.T
	conn   net.Conn
	in     *bufio.Reader
	answer *http.Response
}

func (s *testStand) rawWith(header http.Header, query ...string) *rawClient {
	s.Helper()
	r, err := http.NewRequest(http.MethodGet, s.server.URL+PathNotifications+"?"+values(query).Encode(), nil)
	if err != nil {
		s.Fatal(err)
	}
	r.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}}
	for name, values := range header {
		r.Header[http.CanonicalHeaderKey(name)] = values
	}
	conn, err := net.Dial("tcp", s.server.Listener.Addr().String())
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		s.Fatal(err)
	}
	if err := r.Write(conn); err != nil {
		s.Fatal(err)
	}
	c := &rawClient{T: s.T, conn: conn, in: bufio.NewReader(conn)}
	if c.answer, err = http.ReadResponse(c.in, r); err != nil {
		s.Fatal(err)
	}
	return c
}

// next returns the next frame as it came.
func (c *rawClient) next() []byte {
	c.Helper()
	frame := make([]byte, 2)
	if _, err := io.ReadFull(c.in, frame); err != nil {
		c.Fatal(err)
	}
	n := int(frame[1])
	if n == 126 {
		length := make([]byte, 2)
		if _, err := io.ReadFull(c.in, length); err != nil {
			c.Fatal(err)
		}
		n, frame = int(binary.BigEndian.Uint16(length)), append(frame, length...)
	}
	payload := make([]byte, n)
	if _, err := io.ReadFull(c.in, payload); err != nil {
		c.Fatal(err)
	}
	return append(frame, payload...)
}

// hear returns the next message, and whether it came compressed.
func (c *rawClient) hear() (m said, compressed bool) {
	c.Helper()
	frame := c.next()
	if err := json.Unmarshal(websocket.Inflated(frame), &m); err != nil {
		c.Fatalf("% x: %v", frame, err)
	}
	return m, frame[0]&rsv1 != 0
}

// say sends a message, compressed.
func (c *rawClient) say(text string) {
	c.Helper()
	var out bytes.Buffer
	w, _ := flate.NewWriter(&out, flate.BestCompression)
	_, _ = w.Write([]byte(text))
	_ = w.Flush()
	payload := bytes.TrimSuffix(out.Bytes(), []byte("\x00\x00\xff\xff"))
	frame := websocket.AppendHeader(nil, rsv1|websocket.Text, len(payload))
	frame[1] |= 0x80
	if _, err := c.conn.Write(append(append(frame, 0, 0, 0, 0), payload...)); err != nil {
		c.Fatal(err)
	}
}

func TestCompressionIsAgreedOnWhereBothSidesWantIt(t *testing.T) {
	for _, c := range []struct {
		name         string
		on           bool
		offer, agree string
	}{
		{"off, and offered", false, offer, ""},
		{"on, and not offered", true, "", ""},
		{"on, and offered", true, offer, agreed},
		{"on, and offered in a way that cannot be served", true, "permessage-deflate; server_max_window_bits=9", ""},
	} {
		s := start(t, func(o *Options) { o.Compression = c.on })
		for _, protocol := range []string{"", protocolV1} {
			client := s.rawWith(http.Header{websocket.HeaderExtensions: {c.offer}, "Sec-WebSocket-Protocol": {protocol}})
			if got := client.answer.Header.Get(websocket.HeaderExtensions); client.answer.StatusCode != 101 || got != c.agree {
				t.Errorf("%s, %q: %s, %q", c.name, protocol, client.answer.Status, got)
			}
			if protocol == protocolV1 {
				continue
			}
			s.write(1)
			if _, compressed := client.hear(); compressed != (c.agree != "") {
				t.Errorf("%s: an event came compressed: %v", c.name, compressed)
			}
		}
		refused := s.rawWith(http.Header{websocket.HeaderExtensions: {c.offer}, "Sec-WebSocket-Version": {"8"}})
		if got := refused.answer.Header.Get(websocket.HeaderExtensions); refused.answer.StatusCode != 426 || got != "" {
			t.Errorf("%s: a refusal agrees on %q", c.name, got)
		}
	}
}

// Events of the past, of the state and of now.
func TestACompressedClientGetsWhatOthersGet(t *testing.T) {
	s := startSteady(t, func(o *Options) { o.Compression = true })
	s.write(1, 2, 3)
	for _, c := range []struct {
		query  []string
		frames int
	}{{[]string{"after", s.cursorAt(-1, -1, -1, -1)}, 3}, {[]string{"snapshot", "1"}, 3}, {[]string{"snapshot", "1", "lot", "lot-1"}, 1}} {
		plain, packed := s.rawWith(nil, c.query...), s.rawWith(http.Header{websocket.HeaderExtensions: {offer}}, c.query...)
		for n := range c.frames + 1 {
			if n == c.frames {
				s.write(1)
			}
			a, b := plain.next(), packed.next()
			if want, got := websocket.Inflated(a), websocket.Inflated(b); string(got) != string(want) {
				t.Fatalf("%v: %s instead of %s", c.query, got, want)
			}
			if len(b) >= len(a) || b[0] != rsv1|0x80|byte(websocket.Text) || a[0] != 0x80|byte(websocket.Text) {
				t.Errorf("%v: % x … of %d bytes for % x … of %d", c.query, b[:2], len(b), a[:2], len(a))
			}
		}
	}
}

// Questions may be compressed, and answers are where that is worth it.
func TestACompressedClientOfV1IsServedAsOthersAre(t *testing.T) {
	s := startSteady(t, func(o *Options) { o.Compression, o.HeartbeatInterval = true, time.Hour })
	s.write(1, 2, 3, 4, 5, 6)
	c := s.rawWith(http.Header{websocket.HeaderExtensions: {offer}, "Sec-WebSocket-Protocol": {protocolV1}})
	expect := func(kind string, events int, packed bool) said {
		t.Helper()
		m, compressed := c.hear()
		if m.Type != kind || len(m.Events) != events || packed && !compressed {
			t.Fatalf("%+v came, compressed: %v; %s with %d events was to come", m, compressed, kind, events)
		}
		return m
	}
	expect("Welcome", 0, false)
	c.say(`{"type":"Subscribe","id":"a","after":"` + strings.Repeat("x", 5000) + `"}`) // no cursor
	expect("Error", 0, true)
	c.say(`{"type":"Subscribe","id":"a","snapshot":true}`)
	expect("Subscribed", 0, false)
	if m := expect("Snapshot", 6, true); !m.Complete || m.Cursor != s.cursorAt(0, 1, 1, 0) {
		t.Errorf("the snapshot is %+v", m)
	}
	s.write(1)
	if m := expect("Events", 1, true); m.Cursor != s.cursorAt(0, 2, 1, 0) || m.Events[0].Version != 2 {
		t.Errorf("the event is %+v", m)
	}
}

// A message that is small as it comes and large when it is inflated ends the connection.
func TestABombEndsTheConnectionOfItsClient(t *testing.T) {
	s := start(t, func(o *Options) { o.Compression = true })
	c := s.rawWith(http.Header{websocket.HeaderExtensions: {offer}})
	c.say(strings.Repeat(" ", 1<<20))
	if frame := c.next(); !slices.Equal(frame[:1], []byte{0x80 | byte(websocket.Close)}) || websocket.CloseCode(binary.BigEndian.Uint16(frame[2:])) != websocket.MessageTooBig {
		t.Errorf("% x came", frame)
	}
}

// All who get a frame get the same bytes, whatever they subscribed to.
func TestAFrameIsCompressedOnceForAll(t *testing.T) {
	s := start(t, func(o *Options) { o.Compression = true })
	compressed := http.Header{websocket.HeaderExtensions: {offer}}
	all, lot := s.rawWith(compressed), s.rawWith(compressed, "lot", "lot-1")
	s.write(1)
	a, b := all.next(), lot.next()
	if !bytes.Equal(a, b) {
		t.Errorf("% x and % x", a, b)
	}
	s.service.mu.Lock()
	defer s.service.mu.Unlock()
	made := 0
	grown := s.service.broadcast(&event.Event{SpotID: "s", LotID: "lot-1"}, func(enc encoding) []byte { made++; return enc.appendForeign(nil, []byte("{}")) })
	if made != 1 || len(grown) != 2 {
		t.Errorf("for %d subscriptions %d frames were made", len(grown), made)
	}
}

func TestTheCursorOfAFrameIsFoundThoughItIsCompressed(t *testing.T) {
	values := make([][]byte, 40)
	for i := range values {
		values[i] = []byte(`{"type":"ParkingSpotUpdated","spotId":"A-017","cursor":"no"}`)
	}
	for _, enc := range []encoding{encodingV1, encodingV1Deflate} {
		for want, frame := range map[string][]byte{
			"abc-_": enc.appendEvents(nil, "", values, "abc-_"),
			"def":   enc.appendPart(nil, "a", values, "def"),
			"ghi":   enc.appendMessage(nil, message{Type: "Heartbeat", Cursor: "ghi"}),
			"":      enc.appendPart(nil, "a", values, ""),
		} {
			if got := cursorOf(frame); got != want {
				t.Errorf("%s: %q instead of %q", enc, got, want)
			}
			if enc.isDeflated() && want != "ghi" && (frame[0]&rsv1 == 0 || len(frame) > 300) {
				t.Errorf("%s: a frame of %d bytes begins with % x", enc, len(frame), frame[:2])
			}
		}
	}
}
