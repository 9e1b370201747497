//go:build linux

package live

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"parkwire/internal/event"
	"parkwire/internal/websocket"
)

// slowStand is a service under testing/synctest with one client, whose socket holds 4 KiB.
type slowStand struct {
	*testing.T
	city *city
	s    *Service
	tap  *tap
	in   []byte
}

// slowly connects a client and runs the test while time stands still, on each engine.
func slowly(t *testing.T, protocol string, change func(*Options), test func(*slowStand)) {
	for _, engine := range stillEngines {
		t.Run(engine, func(t *testing.T) { slowlyOn(t, protocol, change, test) })
	}
}

func slowlyOn(t *testing.T, protocol string, change func(*Options), test func(*slowStand)) {
	synctest.Test(t, func(t *testing.T) {
		b := newFakeBus()
		log := newFakeLog(4)
		var engine still
		var news func(websocket.Ready)
		ts := startOnly(t, log, b, change, func(s *Service) { news = engine.stand(s) })
		w := &slowStand{T: t, city: &city{log: log, bus: b, versions: map[string]int64{}}, s: ts}
		w.tap = newTap(t, news)
		r := httptest.NewRequest(http.MethodGet, PathNotifications, nil)
		r.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"},
			"Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}, "Sec-Websocket-Protocol": {protocol}}
		ts.Handler().ServeHTTP(tapWriter{httptest.NewRecorder(), w.tap, func() {}}, r)
		synctest.Wait()
		head, _ := w.tap.take(4096)
		_, rest, _ := strings.Cut(string(head), "\r\n\r\n")
		w.in = []byte(rest)
		test(w)
		w.tap.leave()
	})
}

// say sends a message of the client.
func (w *slowStand) say(text string) {
	head := websocket.AppendHeader(nil, websocket.Text, len(text))
	head[1] |= 0x80
	w.tap.say(append(append(head, 0, 0, 0, 0), text...))
	synctest.Wait()
}

// read takes n bytes from the socket, and returns the messages that are whole with them; pings are answered. It reports the close code, 0 before.
func (w *slowStand) read(n int) (messages []said, code int) {
	for n > 0 {
		b, _ := w.tap.take(min(n, 4096))
		if len(b) == 0 {
			break
		}
		n -= len(b)
		w.in = append(w.in, b...)
		synctest.Wait()
	}
	for {
		op, payload, rest := cutFrame(w.in)
		if rest == nil {
			return messages, code
		}
		w.in = rest
		switch op {
		case websocket.Text:
			var m said
			if err := json.Unmarshal(payload, &m); err != nil {
				w.Fatalf("%q: %v", payload, err)
			}
			if m.Type == event.Type {
				m.Events = []frame{decodeFrame(string(payload))}
			}
			messages = append(messages, m)
		case websocket.Ping:
			w.tap.say([]byte{0x80 | byte(websocket.Pong), 0x80, 0, 0, 0, 0})
		case websocket.Close:
			code = int(payload[0])<<8 | int(payload[1])
		}
	}
}

func (w *slowStand) write(spots ...int) {
	w.city.write(spots...)
	synctest.Wait()
}

func (w *slowStand) clients() int {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	return len(w.s.clients)
}

// held is how many bytes are kept for the only client.
func (w *slowStand) held() (bytes int64) {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	for c := range w.s.clients {
		c.mu.Lock()
		then := c.then()
		bytes += c.at.behind() + then.behind() + int64(len(c.control()))
		c.mu.Unlock()
	}
	return bytes
}

// A client of parkwire.v1 that does not read costs a bounded amount. As soon as it reads it gets, of what it missed, the
// newest event of each spot, and is told how many others there were; and then it goes on.
func TestV1ASlowClientGetsTheNewestOfEachSpot(t *testing.T) {
	slowly(t, protocolV1, func(o *Options) { o.ClientBytes = 32 << 10 }, func(w *slowStand) {
		w.say(`{"type":"Subscribe","id":"a","lot":["lot-1"]}`)
		const rounds = 400
		most := int64(0)
		for range rounds {
			w.write(1, 4, 7, 2) // 2 is in another lot
			most = max(most, w.held())
		}
		if most > 64<<10 {
			t.Errorf("%d bytes were held for it", most)
		}
		if n := testutil.ToFloat64(w.s.metrics.lapsed); n != 1 {
			t.Errorf("it lapsed %v times", n)
		}
		heard, _ := w.read(1 << 30)
		versions, omitted, given, conflated := map[string]int64{}, 0, 0, 0
		cursor := ""
		for _, m := range heard {
			switch m.Type {
			case "Conflated":
				if m.After != cursor {
					t.Errorf("it says that it is about what comes after %s, behind %s", m.After, cursor)
				}
				omitted += m.Omitted
				conflated++
			case "Events":
				for _, e := range m.Events {
					if e.Version <= versions[e.SpotID] || conflated == 0 && e.Version != versions[e.SpotID]+1 {
						t.Errorf("version %d of %s came behind %d", e.Version, e.SpotID, versions[e.SpotID])
					}
					versions[e.SpotID] = e.Version
					given++
				}
			}
			if m.Cursor != "" {
				cursor = m.Cursor
			}
		}
		if conflated == 0 || given+omitted != 3*rounds || given > rounds {
			t.Errorf("%d events came, and %d were said to be left out in %d notes", given, omitted, conflated)
		}
		for _, spot := range []int{1, 4, 7} {
			if versions[spotID(spot)] != rounds {
				t.Errorf("the newest version of %s is %d", spotID(spot), versions[spotID(spot)])
			}
		}
		if n := testutil.ToFloat64(w.s.metrics.conflated); n != float64(omitted) {
			t.Errorf("the metric says %v", n)
		}
		w.write(1)
		if heard, _ = w.read(1 << 30); len(heard) != 1 || heard[0].Events[0].Version != rounds+1 {
			t.Errorf("then came %+v", heard)
		}
	})
}

// Who reads 1 KB a second is alive, for hours, though what waits includes pings and takes it minutes to get to.
func TestASlowButSteadyReaderIsNotCut(t *testing.T) {
	slowly(t, protocolV1, nil, func(w *slowStand) {
		w.say(`{"type":"Subscribe","id":"a"}`)
		for second := range 1800 {
			for spot := range 20 {
				w.city.write(spot)
			}
			time.Sleep(time.Second)
			if _, code := w.read(1024); code != 0 || w.clients() != 1 {
				t.Fatalf("it is cut after %d s, with %d", second, code)
			}
		}
	})
}

// A plain one as well, as long as it is not further behind than it may be; then it is told.
func TestAPlainSlowReaderHears4408(t *testing.T) {
	slowly(t, "", func(o *Options) { o.ClientBytes = 32 << 10 }, func(w *slowStand) {
		code := 0
		for second := 0; code == 0; second++ {
			if second > 1000 || w.clients() != 1 {
				t.Fatalf("after %d s it was not told; %d clients", second, w.clients())
			}
			w.write(1, 2, 3, 4, 5, 6, 7, 8)
			time.Sleep(time.Second)
			_, code = w.read(1024)
		}
		if code != 4408 {
			t.Errorf("it is closed with %d", code)
		}
	})
}

func TestWhoReadsNothingForLongIsCut(t *testing.T) {
	for _, protocol := range []string{"", protocolV1} {
		t.Run(protocol, func(t *testing.T) {
			slowly(t, protocol, nil, func(w *slowStand) {
				w.say(`{"type":"Subscribe","id":"a"}`)
				for range 100 {
					w.write(1)
				}
				time.Sleep(stallWait - time.Second)
				if w.clients() != 1 {
					t.Errorf("it is cut before %v", stallWait)
				}
				time.Sleep(2 * time.Second)
				if w.clients() != 0 {
					t.Errorf("it is there after %v", stallWait)
				}
			})
		})
	}
}

// Who sends without end and takes no answers is closed, and costs a bounded amount until then.
func TestV1WhoTakesNoAnswersIsClosed(t *testing.T) {
	slowly(t, protocolV1, nil, func(w *slowStand) {
		for n := 0; w.held() < 1<<20; n++ {
			if n > 100_000 {
				t.Fatal("it is not closed")
			}
			w.say(fmt.Sprintf(`{"type":"Unsubscribe","id":"%d"}`, n))
			if w.ending() {
				break
			}
		}
		if w.held() > 2*maxAnswers {
			t.Errorf("%d bytes were held for it", w.held())
		}
		if _, code := w.read(1 << 30); code != 1008 {
			t.Errorf("closed with %d", code)
		}
	})
}

func (w *slowStand) ending() bool {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	for c := range w.s.clients {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.ending
	}
	return true
}
