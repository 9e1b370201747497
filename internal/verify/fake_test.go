package verify

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// A fake is a platform that does what it should, but where a test makes it lie.
type fake struct {
	// send, unless nil, says what is sent instead of an event on a connection (1, 2, …), and whether the connection ends then.
	send func(connection int, e event1) (frames []string, end bool)
	// resume, unless nil, says where a connection really begins that asks for what comes after a place in the log, or the close code.
	resume func(connection, after int) (from int, code websocket.StatusCode)
	// state, unless nil, is what is sent of a spot in a snapshot; joined where the stream really begins behind one, from where it should.
	state  func(e event1, text string) string
	joined func(connection int) int
	// act, unless nil, says what becomes of a write (1, 2, …): whether it is done, and the status of the answer; 0: none.
	act func(write int, s *state) (done bool, status int)
	// acted, unless nil, is called with mu held when a write was done, before it is answered.
	acted func(write int, s *state)

	mu          sync.Mutex
	lots        map[string]bool
	spots       map[string]*state
	log         []event1
	changed     chan struct{} // closed at the next event
	connections int
	writes      int
}

type state struct {
	id       string
	version  int
	occupied bool
}

// event1 is an event as it stands in the fake's log.
type event1 struct {
	spot, status string
	version      int
	cursor       int
}

func (e event1) String() string {
	return fmt.Sprintf(`{"type":"ParkingSpotUpdated","spotId":%q,"status":%q,"timestamp":"2026-11-24T03:35:00.123Z","version":%d,"cursor":"c%d"}`,
		e.spot, e.status, e.version, e.cursor)
}

func (f *fake) start(t *testing.T) string {
	f.lots, f.spots, f.changed = map[string]bool{}, map[string]*state{}, make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/spots", func(w http.ResponseWriter, _ *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		fmt.Fprintf(w, `{"items":[],"after":"c%d"}`, len(f.log))
	})
	mux.HandleFunc("POST /api/v1/lots", func(w http.ResponseWriter, r *http.Request) {
		var lot struct{ ID string }
		json.NewDecoder(r.Body).Decode(&lot)
		f.mu.Lock()
		defer f.mu.Unlock()
		if r.Header.Get("Authorization") != "Bearer right" {
			w.WriteHeader(403)
			return
		}
		f.lots[lot.ID] = true
	})
	mux.HandleFunc("POST /api/v1/lots/{lot}/spots", f.addSpots)
	mux.HandleFunc("GET /api/v1/spots/{spot}", func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.answer(w, f.spots[r.PathValue("spot")])
	})
	mux.HandleFunc("POST /api/v1/spots/{spot}/{action}", f.change)
	mux.HandleFunc("POST /api/v1/observations", f.observe)
	mux.HandleFunc("DELETE /api/v1/spots/{spot}", func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.spots, r.PathValue("spot"))
	})
	mux.HandleFunc("DELETE /api/v1/lots/{lot}", func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.lots, r.PathValue("lot"))
	})
	mux.HandleFunc("GET /notifications", f.notify)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func (f *fake) addSpots(_ http.ResponseWriter, r *http.Request) {
	var spots []struct{ SpotID string }
	json.NewDecoder(r.Body).Decode(&spots)
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range spots {
		f.spots[s.SpotID] = &state{id: s.SpotID}
		f.publish(f.spots[s.SpotID])
	}
}

func (f *fake) answer(w io.Writer, s *state) {
	fmt.Fprintf(w, `{"spotId":%q,"version":%d}`, s.id, s.version)
}

func (f *fake) change(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, done, status := f.spots[r.PathValue("spot")], true, 200
	f.writes++
	if f.act != nil {
		done, status = f.act(f.writes, s)
	}
	if done {
		f.set(s, r.PathValue("action") == "occupy")
	}
	switch status {
	case 0:
		panic(http.ErrAbortHandler)
	case 200:
		f.answer(w, s)
		if f.acted != nil {
			f.acted(f.writes, s)
		}
	default:
		w.WriteHeader(status)
	}
}

func (f *fake) observe(w http.ResponseWriter, r *http.Request) {
	var readings []struct {
		SpotID   string
		Occupied bool
	}
	json.NewDecoder(r.Body).Decode(&readings)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes++
	accepted := 0
	for i, one := range readings {
		if f.writes == 3 && i == 0 { // one that changes nothing
			continue
		}
		accepted++
		f.set(f.spots[one.SpotID], one.Occupied)
	}
	fmt.Fprintf(w, `{"accepted":%d}`, accepted)
}

func (f *fake) written() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.writes
}

// set is called with mu held.
func (f *fake) set(s *state, occupied bool) {
	if s.occupied != occupied {
		s.occupied = occupied
		f.publish(s)
	}
}

// publish is called with mu held.
func (f *fake) publish(s *state) {
	s.version++
	f.log = append(f.log, event1{s.id, map[bool]string{true: "occupied", false: "free"}[s.occupied], s.version, len(f.log) + 1})
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *fake) notify(w http.ResponseWriter, r *http.Request) {
	at, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Query().Get("after"), "c"))
	f.mu.Lock()
	f.connections++
	connection, code := f.connections, websocket.StatusCode(0)
	f.mu.Unlock()
	if f.resume != nil && r.Header.Get("Sec-WebSocket-Protocol") == "" {
		at, code = f.resume(connection, at)
	}
	ctx, write := r.Context(), func(frame string) error {
		_, err := fmt.Fprintf(w, "id: c\ndata: %s\n\n", frame)
		w.(http.Flusher).Flush()
		return err
	}
	if r.Header.Get("Accept") == "text/event-stream" {
		w.WriteHeader(200)
		w.(http.Flusher).Flush()
	} else {
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{protocol}})
		if err != nil {
			return
		}
		defer conn.CloseNow()
		if code != 0 {
			conn.Close(code, "")
			return
		}
		if conn.Subprotocol() == protocol {
			f.speakV1(r.Context(), conn, connection)
			return
		}
		write = func(frame string) error { return conn.Write(r.Context(), websocket.MessageText, []byte(frame)) }
		ctx = conn.CloseRead(ctx)
	}
	for ; ; at++ {
		e, ok := f.wait(ctx.Done(), at)
		frames, end := []string{e.String()}, false
		if ok && f.send != nil {
			frames, end = f.send(connection, e)
		}
		for _, frame := range frames {
			if !ok || write(frame) != nil {
				return
			}
		}
		if end {
			return
		}
	}
}

func (f *fake) wait(done <-chan struct{}, at int) (event1, bool) {
	for {
		f.mu.Lock()
		if at < len(f.log) {
			defer f.mu.Unlock()
			return f.log[at], true
		}
		changed := f.changed
		f.mu.Unlock()
		select {
		case <-done:
			return event1{}, false
		case <-changed:
		}
	}
}

// run verifies the fake for a moment.
func (f *fake) run(t *testing.T, change func(*Options)) (Report, error) {
	t.Helper()
	o := Options{URL: f.start(t), Token: "right", Spots: 4, Writers: 2, Rate: 200, Batch: 1, For: 400 * time.Millisecond,
		Clients: 2, Late: 10 * time.Second, Settle: 300 * time.Millisecond, Err: io.Discard}
	if change != nil {
		change(&o)
	}
	r, err := Run(t.Context(), o)
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.lots)+len(f.spots) > 0 {
		t.Errorf("%d lots and %d spots were left behind", len(f.lots), len(f.spots))
	}
	return r, err
}
