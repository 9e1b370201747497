//go:build linux

package live

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"parkwire/internal/event"
	"parkwire/internal/websocket"
)

// A person listens, now and then, and remembers no more than a client does: the newest cursor. Whatever is heard
// is compared with what the world knows to lie between the cursor before and the one that came with it.
type person struct {
	world    *world
	name     string
	query    url.Values // the filter
	encoding encoding

	cursor string        // none yet where empty
	have   event.Offsets // what the cursor stands for, or where it began to listen

	tap     *tap
	with    *instance
	lately  int    // of the messages of other programs that its instance got, how many cannot come any more
	started bool   // the answer to the handshake is read
	heard   []byte // of what was sent, what is not understood yet
	ended   string // why the connection ended

	told func(*rapid.T, []byte) // of a talker: takes what it is told
}

func (p *person) wants(e event.Event) bool {
	for name, value := range map[string]string{"lot": e.LotID, "zone": e.ZoneID, "spot": e.SpotID, "status": string(e.Status)} {
		if p.query.Has(name) && !slices.Contains(p.query[name], value) {
			return false
		}
	}
	return true
}

// request returns a request with the filter, and the cursor where there is one.
func (p *person) request(path string, more ...string) *http.Request {
	q := values(more)
	for name, vs := range p.query {
		q[name] = vs
	}
	if p.cursor != "" {
		q.Set("after", p.cursor)
	}
	return httptest.NewRequest(http.MethodGet, path+"?"+q.Encode(), nil)
}

// join connects to an instance. It may refuse.
func (p *person) join(t *rapid.T, i *instance) {
	r := p.request(PathNotifications)
	switch {
	case p.encoding != encodingSSE:
		r.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}}
		if p.encoding.isDeflated() {
			r.Header.Set(websocket.HeaderExtensions, "permessage-deflate")
		}
	default:
		r.Header.Set("Accept", "text/event-stream")
		if p.cursor != "" && len(p.name)%2 == 0 {
			r.Header.Set("Last-Event-ID", p.cursor)
			r.URL.RawQuery = strings.Replace(r.URL.RawQuery, p.cursor, "of-long-ago", 1)
		}
	}
	if p.cursor == "" {
		p.world.settle() // lest more is delivered between
		p.have = i.have()
	}
	p.with, p.lately, p.started, p.heard, p.ended = i, int(i.passedOn.Load()), false, nil, ""
	w := tapWriter{httptest.NewRecorder(), newTap(t, i.news), func() {
		if rapid.Bool().Draw(t, "meanwhile") {
			p.world.happen(t)
		}
	}}
	p.tap = w.tap
	i.Handler().ServeHTTP(w, r)
	if w.Code == http.StatusOK && w.Body.Len() == 0 {
		return
	}
	p.leave()
	p.refused(t, w.ResponseRecorder)
}

// refused accepts the answers with which a client has to reckon.
func (p *person) refused(t *rapid.T, w *httptest.ResponseRecorder) {
	switch {
	case w.Code == http.StatusGone:
		p.expire(t)
	case w.Code != http.StatusServiceUnavailable:
		t.Fatalf("%s is refused: %d %s", p.name, w.Code, w.Body)
	}
}

// expire begins anew, as those must whose cursor is older than the log.
func (p *person) expire(t *rapid.T) {
	if p.have.Contains(p.world.tails()) {
		t.Fatalf("%s is told that its cursor has expired: it has %v, and the log all behind %v", p.name, p.have, p.world.tails())
	}
	p.cursor = ""
}

func (p *person) leave() {
	if p.tap != nil {
		p.tap.leave()
		p.tap = nil
	}
}

// listen reads up to n bytes of what was sent.
func (p *person) listen(t *rapid.T, n int) {
	for p.tap != nil && n > 0 {
		b, ended := p.tap.take(min(n, 16<<10))
		n -= len(b)
		p.heard = append(p.heard, b...)
		p.understand(t)
		if ended {
			p.leave()
		}
		if len(b) == 0 {
			return
		}
		p.world.settle()
	}
}

func (p *person) understand(t *rapid.T) {
	if !p.started {
		head, rest, ok := bytes.Cut(p.heard, []byte("\r\n\r\n"))
		if !ok {
			return
		}
		if !bytes.HasPrefix(head, []byte("HTTP/1.1 101 ")) && !bytes.HasPrefix(head, []byte("HTTP/1.1 200 ")) {
			t.Fatalf("%s is answered %s", p.name, head)
		}
		p.started, p.heard = true, rest
	}
	for p.ended == "" {
		if p.encoding == encodingSSE {
			block, rest, ok := bytes.Cut(p.heard, []byte("\n\n"))
			if !ok {
				return
			}
			p.heard = rest
			p.block(t, string(block))
			continue
		}
		op, payload, rest := cutFrame(p.heard)
		if rest == nil {
			return
		}
		p.heard = rest
		switch op {
		case websocket.Text:
			if p.told != nil {
				p.told(t, payload)
				continue
			}
			p.hear(t, payload, "")
		case websocket.Ping:
			p.tap.say([]byte{0x80 | byte(websocket.Pong), 0x80, 0, 0, 0, 0})
		case websocket.Close:
			p.close(t, websocket.CloseCode(binary.BigEndian.Uint16(payload)))
		default:
			t.Fatalf("%s got a frame with opcode %d", p.name, op)
		}
	}
	if len(p.heard) > 0 {
		t.Fatalf("%s got %q behind the end (%s)", p.name, p.heard, p.ended)
	}
}

// cutFrame returns the first frame that a server sent, and no rest where it is not whole.
func cutFrame(b []byte) (op websocket.Opcode, payload, rest []byte) {
	if len(b) < 10 {
		b = append(slices.Clone(b), make([]byte, 10)...)[:len(b)] // so that the header can be looked at
	}
	head, n := 2, uint64(b[:2][1])
	switch n {
	case 126:
		head, n = 4, uint64(binary.BigEndian.Uint16(b[2:4]))
	case 127:
		head, n = 10, binary.BigEndian.Uint64(b[2:10])
	}
	if uint64(len(b)) < uint64(head)+n || len(b) < head {
		return 0, nil, nil
	}
	return websocket.Opcode(b[0] & 0xf), websocket.Inflated(b[:head+int(n)]), b[head:][n:]
}

func (p *person) block(t *rapid.T, block string) {
	var data []string
	id := ""
	for line := range strings.SplitSeq(block, "\n") {
		field, value, _ := strings.Cut(line, ": ")
		switch field {
		case "id":
			id = value
		case "data":
			data = append(data, value)
		case "retry", ":": // a comment is a sign of life
		case "":
			p.ended = value // the reason is in a comment too
		default:
			t.Fatalf("%s got the line %q", p.name, line)
		}
	}
	switch {
	case data != nil:
		p.hear(t, []byte(strings.Join(data, "\n")), id)
	case id != "":
		p.move(t, id, nil)
	}
}

// close accepts the codes with which a client has to reckon.
func (p *person) close(t *rapid.T, code websocket.CloseCode) {
	p.ended = fmt.Sprint(code)
	switch code {
	case closeCursorExpired:
		p.expire(t)
	case closeTooSlow, websocket.TryAgainLater, websocket.ServiceRestart:
	default:
		t.Fatalf("%s is closed with %d", p.name, code)
	}
}

// hear takes what came as one event.
func (p *person) hear(t *rapid.T, body []byte, id string) {
	var cursor struct{ Cursor string }
	e, err := event.Decode(body)
	if err != nil || json.Unmarshal(body, &cursor) != nil {
		t.Fatalf("%s got %q, which is no event: %v", p.name, body, err)
	}
	if cursor.Cursor == "" {
		p.hearForeign(t, e)
		return
	}
	if id != "" && id != cursor.Cursor {
		t.Fatalf("%s got an event with the cursor %s as %s", p.name, cursor.Cursor, id)
	}
	p.move(t, cursor.Cursor, &e)
}

// move goes on to a cursor. All that lies between must have come with it.
func (p *person) move(t *rapid.T, cursor string, with *event.Event) {
	to, err := event.ParseCursor(cursor, p.world.log.topic)
	if err != nil || !p.world.heads().Contains(to.Offsets) {
		t.Fatalf("%s got the cursor %s: %v, %v", p.name, cursor, to.Offsets, err)
	}
	if !to.Offsets.Contains(p.have) {
		t.Fatalf("%s goes back from %v to %v", p.name, p.have, to.Offsets)
	}
	between := p.world.between(p.have, to.Offsets, p.wants)
	same := with == nil && len(between) == 0 || with != nil && len(between) == 1 && between[0].event == *with
	if !same {
		t.Fatalf("%s with the filter %v goes from %v to %v with %+v; between is %+v", p.name, p.query, p.have, to.Offsets, with, between)
	}
	p.cursor, p.have = cursor, to.Offsets
}

// hearForeign takes a message of another program. It came since, it comes once, and those before it do not come any more.
func (p *person) hearForeign(t *rapid.T, e event.Event) {
	i := slices.Index(p.with.foreign[p.lately:], e)
	if i < 0 || !p.wants(e) {
		t.Fatalf("%s with the filter %v got %+v of another program; to come were %+v", p.name, p.query, e, p.with.foreign[p.lately:])
	}
	p.lately += i + 1
}

// turnPages reads what is there by pages, without being connected.
func (p *person) turnPages(t *rapid.T, i *instance, limit int) {
	for range 50 {
		if p.cursor == "" {
			p.have = p.world.tails()
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		w := httptest.NewRecorder()
		i.Handler().ServeHTTP(w, p.request(PathEvents, "limit", fmt.Sprint(limit)).WithContext(ctx))
		gaveUp := ctx.Err() != nil
		cancel()
		if gaveUp {
			return
		}
		if w.Code != http.StatusOK {
			p.refused(t, w)
			return
		}
		var page struct {
			Events []json.RawMessage
			Cursor string
		}
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || len(page.Events) > limit {
			t.Fatalf("%s got a page that is none: %v: %s", p.name, err, w.Body)
		}
		for _, body := range page.Events {
			p.hear(t, body, "")
		}
		p.move(t, page.Cursor, nil)
		if len(page.Events) == 0 {
			return
		}
	}
}
