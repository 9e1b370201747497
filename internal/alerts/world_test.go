package alerts_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"parkwire/internal/alerts"
	"parkwire/internal/event"
	"parkwire/internal/identity"
	"parkwire/internal/kafkalog"
	"parkwire/internal/kafkalog/logtest"
	"parkwire/internal/sqldb"
	"parkwire/internal/sqldb/sqldbtest"
)

func TestMain(m *testing.M) {
	if os.Getenv(envChild) != "" {
		os.Exit(child())
	}
	goleak.VerifyTestMain(m)
}

// patience is how long tests wait for what must come.
const patience = 60 * time.Second

// world is a log, a database, and the services on them.
type world struct {
	t        *testing.T
	log      *kafkalog.Log
	options  sqldb.Options
	brokers  []string
	topics   kafkalog.Options
	producer *kafkalog.Producer
	versions map[string]int64
	header   string // traceparent of what becomes of spots; "": none

	mu    sync.Mutex
	ahead time.Duration // of the machine's clock
}

// onBoth runs test in a world on each kind of database.
func onBoth(t *testing.T, test func(t *testing.T, w *world)) {
	t.Parallel()
	sqldbtest.EachOptions(t, alerts.Sets(), func(t *testing.T, o sqldb.Options) {
		broker := logtest.Broker(t, "").Addr()
		w := &world{t: t, options: o, brokers: []string{broker}, topics: logtest.Options(t, []string{broker}), versions: map[string]int64{}}
		w.topics.GroupPrefix = w.topics.Topic + "-"
		w.log = logtest.Open(t, w.topics)
		logtest.Ensure(t, w.log)
		var err error
		if w.producer, err = w.log.NewProducer(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(w.producer.Close)
		test(t, w)
	})
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.ahead)
}

// pass lets the services' clocks go ahead.
func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ahead += d
}

// instance is one process of the service.
type instance struct {
	*alerts.Service
	w    *world
	stop func()
	db   *sqldb.DB
}

// reader makes one that only serves.
func (w *world) reader(change ...func(*alerts.Options)) *instance {
	w.t.Helper()
	db := sqldbtest.Open(w.t, w.options)
	o := alerts.Options{Log: w.log, DB: db, Clock: w.clock, Logger: slog.New(slog.DiscardHandler)}
	for _, f := range change {
		f(&o)
	}
	s, err := alerts.New(o)
	if err != nil {
		w.t.Fatal(err)
	}
	return &instance{Service: s, w: w, db: db, stop: func() {}}
}

// start starts one, which is stopped after the test, or by the test.
func (w *world) start(change ...func(*alerts.Options)) *instance {
	w.t.Helper()
	in := w.reader(change...)
	running, end := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- in.Run(running) }()
	var once sync.Once
	in.stop = func() {
		once.Do(func() {
			end()
			if err := <-ended; err != nil {
				w.t.Errorf("the service ended with %v", err)
			}
		})
	}
	w.t.Cleanup(in.stop)
	w.until("the service is ready", func() bool { return in.Ready() == nil })
	return in
}

func (w *world) until(what string, holds func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("it does not come about that %s", what)
		}
	}
}

// send writes records, each to its topic.
func (w *world) send(messages ...kafkalog.Message) {
	w.t.Helper()
	for _, result := range w.producer.Send(w.t.Context(), patience, messages...) {
		if result.Err != nil {
			w.t.Fatal(result.Err)
		}
	}
}

// becomes writes the event by which a spot "lot/zone/id" becomes what it is, to the log and to its twin.
func (w *world) becomes(path string, status event.Status, change event.Change) {
	w.t.Helper()
	parts := strings.Split(path, "/")
	w.versions[parts[2]]++
	e := event.Event{
		SpotID: parts[2], LotID: parts[0], ZoneID: parts[1], Status: status, Change: change, Version: w.versions[parts[2]], Timestamp: event.At(w.clock()),
	}
	value, err := event.Encode(e)
	if err != nil {
		w.t.Fatal(err)
	}
	var headers []kafkalog.Header
	if w.header != "" {
		headers = append(headers, kafkalog.Header{Key: "traceparent", Value: []byte(w.header)})
	}
	w.send(kafkalog.Message{Topic: w.topics.SpotsTopic, Key: []byte(e.SpotID), Value: value}, kafkalog.Message{Topic: w.topics.Topic, Key: []byte(e.SpotID), Value: value, Headers: headers})
}

func (w *world) occupied(path string) {
	w.t.Helper()
	w.becomes(path, event.Occupied, event.ChangeOccupied)
}
func (w *world) free(path string) { w.t.Helper(); w.becomes(path, event.Free, event.ChangeReleased) }

// foreign writes what another program says, to the log alone.
func (w *world) foreign(value string) {
	w.t.Helper()
	w.send(kafkalog.Message{Topic: w.topics.Topic, Key: []byte("k"), Value: []byte(value)})
}

// describe writes what the topic of changes has of a lot, a zone or a spot.
func (w *world) describe(kind, id, lot string, after any) {
	w.t.Helper()
	value, err := json.Marshal(map[string]any{
		"id": uuid.Must(uuid.NewV7()).String(), "time": event.At(time.Now()), "subject": "operator", "outcome": "added",
		"resource": map[string]any{"type": kind, "id": id, "lotId": lot}, "after": after,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.send(kafkalog.Message{Topic: w.topics.AuditTopic, Key: []byte(kind + "/" + id), Value: value})
}

func (w *world) lot(id, zone string) {
	w.t.Helper()
	w.describe("lot", id, id, map[string]any{"id": id, "name": "Lot " + id, "timeZone": zone, "createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z"})
}

// answer is what a request was answered.
type answer struct {
	status int
	header http.Header
	body   map[string]any
}

func (a answer) field(name string) string { return fmt.Sprint(a.body[name]) }

// by makes headers of a gateway for a subject, which is limited to lots where some are given.
func by(subject string, lots ...string) http.Header {
	h := http.Header{}
	p := identity.Principal{Subject: subject, Scopes: []string{"read"}}
	if len(lots) > 0 {
		p.Lots = lots
	}
	identity.Forward(h, p)
	return h
}

// ask sends a request; headers come in pairs.
func (in *instance) ask(who http.Header, method, path string, body any, headers ...string) answer {
	in.w.t.Helper()
	var reader io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			in.w.t.Fatal(err)
		}
		reader = bytes.NewReader(text)
	}
	r := httptest.NewRequestWithContext(in.w.t.Context(), method, "/api/v1/alerts"+path, reader)
	for name, values := range who {
		r.Header[name] = values
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	in.Handler().ServeHTTP(recorder, r)
	a := answer{status: recorder.Code, header: recorder.Header()}
	_ = json.Unmarshal(recorder.Body.Bytes(), &a.body)
	return a
}

type body = map[string]any

// rule makes one, which must be taken, and returns its id.
func (in *instance) rule(who http.Header, change body) string {
	in.w.t.Helper()
	rule := body{"name": "n", "target": body{"lotId": "x"}, "condition": body{"type": "any_free"}}
	for name, value := range change {
		rule[name] = value
	}
	a := in.ask(who, "POST", "/rules", rule)
	if a.status != http.StatusCreated {
		in.w.t.Fatalf("the rule %v is answered %d %v", rule, a.status, a.body)
	}
	return a.field("id")
}

// decisions returns those that a subject is told of, oldest first.
func (in *instance) decisions(who http.Header) (all []body) {
	in.w.t.Helper()
	cursor := ""
	for {
		a := in.ask(who, "GET", "/decisions?limit=100"+cursor, nil)
		if a.status != 200 {
			in.w.t.Fatalf("decisions are answered %d %v", a.status, a.body)
		}
		for _, item := range a.body["items"].([]any) {
			all = append([]body{item.(body)}, all...)
		}
		next, more := a.body["next"].(string)
		if !more {
			return all
		}
		cursor = "&cursor=" + next
	}
}

// says waits until a subject was told so many times, and returns the texts.
func (in *instance) says(who http.Header, n int) (texts []string) {
	in.w.t.Helper()
	var all []body
	in.w.until(fmt.Sprintf("there are %d decisions", n), func() bool { all = in.decisions(who); return len(all) >= n })
	for _, d := range all {
		texts = append(texts, fmt.Sprint(d["text"]))
	}
	if len(all) > n {
		in.w.t.Errorf("there are %d decisions, want %d: %q", len(all), n, texts)
	}
	return texts
}

// settle waits until a rule of another subject has spoken of an event that was written now: whatever was written before was decided.
func (in *instance) settle() {
	in.w.t.Helper()
	who := by("settler-" + uuid.NewString())
	in.w.occupied("settling/1/settler")
	in.w.until("the settling lot is known", func() bool {
		return in.ask(who, "POST", "/rules", body{"name": "s", "target": body{"spotId": "settler"}, "condition": body{"type": "any_free"}, "initially": "wait"}).status == 201
	})
	in.w.free("settling/1/settler")
	in.says(who, 1)
}

// listener is a stream that is read.
type listener struct {
	t      *testing.T
	status int
	events chan sse
	cancel context.CancelFunc
}

type sse struct{ kind, id, data, retry string }

// listen opens a stream.
func (in *instance) listen(who http.Header, query string, headers ...string) *listener {
	in.w.t.Helper()
	server := httptest.NewServer(in.Handler())
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/api/v1/alerts/stream"+query, nil)
	if err != nil {
		in.w.t.Fatal(err)
	}
	for name, values := range who {
		r.Header[name] = values
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	client := &http.Client{Transport: &http.Transport{}}
	response, err := client.Do(r)
	if err != nil {
		in.w.t.Fatal(err)
	}
	l := &listener{t: in.w.t, status: response.StatusCode, events: make(chan sse, 1000), cancel: cancel}
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer close(l.events)
		var e sse
		for lines := bufio.NewScanner(response.Body); lines.Scan(); {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch {
			case lines.Text() == "" && e != (sse{}):
				l.events <- e
				e = sse{}
			case name == "event":
				e.kind = value
			case name == "id":
				e.id = value
			case name == "data":
				e.data = value
			case name == "retry":
				e.retry = value
			}
		}
	}()
	in.w.t.Cleanup(func() {
		cancel()
		<-read
		_ = response.Body.Close()
		client.CloseIdleConnections()
		server.Close()
	})
	return l
}

// next waits for an event.
func (l *listener) next() sse {
	l.t.Helper()
	select {
	case e, ok := <-l.events:
		if !ok {
			l.t.Fatal("the stream has ended")
		}
		return e
	case <-time.After(patience):
		l.t.Fatal("nothing comes")
	}
	return sse{}
}

// ends waits for the end of a stream, and returns what came before it.
func (l *listener) ends() (last []sse) {
	l.t.Helper()
	for {
		select {
		case e, ok := <-l.events:
			if !ok {
				return last
			}
			last = append(last, e)
		case <-time.After(patience):
			l.t.Fatal("the stream does not end")
		}
	}
}
