package delivery_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"parkwire/internal/alerts/delivery"
	"parkwire/internal/identity"
	"parkwire/internal/outward"
	"parkwire/internal/sqldb"
	"parkwire/internal/sqldb/sqldbtest"
)

// patience is how long tests wait for what must come.
const patience = 60 * time.Second

var (
	loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	sets     = []sqldb.Set{delivery.Migrations()}
	anna     = identity.Principal{Subject: "anna", Scopes: []string{identity.ScopeRead}}
)

// quick are bounds with which a test need not wait for long.
var quick = delivery.Sending{
	Poll: 20 * time.Millisecond, Lease: 10 * time.Second, Backoff: 20 * time.Millisecond, LongestBackoff: 100 * time.Millisecond,
	Rest: 50 * time.Millisecond, LongestRest: 200 * time.Millisecond, Attempts: 100,
}

// stand is a service with its database.
type stand struct {
	t       *testing.T
	db      *sqldb.DB
	service *delivery.Service
}

func newStand(t *testing.T, db *sqldb.DB, change func(*delivery.Options)) *stand {
	t.Helper()
	o := delivery.Options{
		DB: db, Allow: loopback, Sending: quick, Logger: slog.New(slog.DiscardHandler),
		HTTP: outward.Options{Connect: 2 * time.Second, Headers: 5 * time.Second, Whole: 6 * time.Second},
	}
	if change != nil {
		change(&o)
	}
	service, err := delivery.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return &stand{t, db, service}
}

// run lets the service deliver until the test ends, or stop is called, which waits.
func (s *stand) run() (stop func()) {
	ctx, cancel := context.WithCancel(s.t.Context())
	done := make(chan error, 1)
	go func() { done <- s.service.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Errorf("the service ended: %v", err)
		}
	})
	s.t.Cleanup(stop)
	return stop
}

// each runs a test on both databases, with a service that delivers.
func each(t *testing.T, change func(*delivery.Options), run func(t *testing.T, s *stand)) {
	sqldbtest.Each(t, sets, func(t *testing.T, open func() *sqldb.DB) {
		s := newStand(t, open(), change)
		s.run()
		run(t, s)
	})
}

type object = map[string]any

// send makes a request, and returns its status and body.
func (s *stand) send(who identity.Principal, method, path string, body any, header ...string) (int, object, http.Header) {
	s.t.Helper()
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			s.t.Fatal(err)
		}
	}
	r := httptest.NewRequest(method, "/api/v1/alerts"+path, bytes.NewReader(text))
	identity.Forward(r.Header, who)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.service.Handler().ServeHTTP(w, r)
	var got object
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			s.t.Fatalf("%s %s is answered with %q", method, path, w.Body)
		}
	}
	return w.Code, got, w.Header()
}

// webhook adds one for anna, and returns its id and secret.
func (s *stand) webhook(url string) (id, secret string) {
	s.t.Helper()
	status, c, _ := s.send(anna, "POST", "/channels", object{"kind": "webhook", "name": "mine", "url": url})
	if status != http.StatusCreated {
		s.t.Fatalf("adding a webhook: %d %v", status, c)
	}
	return c["id"].(string), c["secret"].(string)
}

// decide commits decisions, each of which is to be told on the channels.
func (s *stand) decide(n int, channels ...string) (decisions []string) {
	s.t.Helper()
	return s.enqueue(n, "r", channels...)
}

// decideAbout commits a decision of a topic.
func (s *stand) decideAbout(topic string, channels ...string) {
	s.t.Helper()
	s.enqueue(1, topic, channels...)
}

func (s *stand) enqueue(n int, topic string, channels ...string) (decisions []string) {
	s.t.Helper()
	var alerts []delivery.Alert
	for range n {
		id := uuid.Must(uuid.NewV7()).String()
		decisions = append(decisions, id)
		alerts = append(alerts, delivery.Alert{
			DecisionID: id, RuleID: "r", Subject: "anna", Channels: channels, Type: delivery.TypeFired, At: time.Now(), LotID: "l", Topic: topic,
			Text: "The spot A-1 is free.", Data: json.RawMessage(`{"id":"` + id + `","spotId":"A-1"}`),
		})
	}
	err := s.db.Update(s.t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := delivery.Enqueue(ctx, tx, time.Now(), alerts)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.service.Wake()
	return decisions
}

// decideOfMany commits a decision for each of so many webhooks, which are there from then on.
func (s *stand) decideOfMany(n int, url string) {
	s.t.Helper()
	err := s.db.Update(s.t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		var channels [][]any
		var alerts []delivery.Alert
		for i := range n {
			id, decision := fmt.Sprintf("channel-%03d", i), uuid.Must(uuid.NewV7()).String()
			channels = append(channels, []any{id, "anna", "webhook", "x", url, url, "active", "", `{"secrets":[{"text":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}]}`, 1, 1, 0, 0})
			alerts = append(alerts, delivery.Alert{
				DecisionID: decision, RuleID: "r", Subject: "anna", Channels: []string{id}, Type: delivery.TypeFired, At: time.Now(),
				Text: "The spot A-1 is free.", Data: json.RawMessage(`{"id":"` + decision + `"}`),
			})
		}
		err := tx.Insert(ctx, "alert_channels (channel_id, subject, kind, name, target, host, state, reason, private, created_at, updated_at, failing_since, delivered_at)", channels, "")
		if err != nil {
			return err
		}
		_, err = delivery.Enqueue(ctx, tx, time.Now(), alerts)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.service.Wake()
}

// unknownNames answers for a server that knows no name.
func unknownNames(t *testing.T) func(context.Context, string, string) (net.Conn, error) {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buffer := make([]byte, 1500)
		for {
			n, from, err := server.ReadFrom(buffer)
			if err != nil {
				return
			}
			buffer[2], buffer[3] = 0x81, 0x83 // there is no such name
			question := buffer[:12+bytes.IndexByte(buffer[12:n], 0)+5]
			clear(question[6:12])
			_, _ = server.WriteTo(question, from)
		}
	}()
	t.Cleanup(func() { _ = server.Close(); <-done })
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", server.LocalAddr().String())
	}
}

// deliveries are those of a channel in a state; "": in any.
func (s *stand) deliveries(channel, state string) []object {
	s.t.Helper()
	path := "/deliveries?limit=5000&channel=" + channel
	if state != "" {
		path += "&state=" + state
	}
	status, list, _ := s.send(anna, "GET", path, nil)
	if status != http.StatusOK {
		s.t.Fatalf("the deliveries: %d %v", status, list)
	}
	var all []object
	for _, item := range list["items"].([]any) {
		all = append(all, item.(object))
	}
	return all
}

// await waits until so many deliveries of a channel are in a state.
func (s *stand) await(channel, state string, n int) []object {
	s.t.Helper()
	var all []object
	eventually(s.t, func() bool { all = s.deliveries(channel, state); return len(all) >= n })
	if len(all) != n {
		s.t.Fatalf("%d deliveries are %s, and not %d", len(all), state, n)
	}
	return all
}

func eventually(t *testing.T, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatal("it did not come")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// receiver takes webhooks and remembers them.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []received
	answer func(n int, r received, w http.ResponseWriter, request *http.Request)
}

type received struct {
	id, body string
	header   http.Header
	at       time.Time
}

func newReceiver(t *testing.T, answer func(n int, r received, w http.ResponseWriter, request *http.Request)) *receiver {
	rec := &receiver{answer: answer}
	rec.Server = httptest.NewServer(http.HandlerFunc(rec.take))
	t.Cleanup(rec.Close)
	return rec
}

func (rec *receiver) take(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	one := received{r.Header.Get("webhook-id"), string(body), r.Header.Clone(), time.Now()}
	rec.mu.Lock()
	rec.got = append(rec.got, one)
	n := len(rec.got)
	rec.mu.Unlock()
	if rec.answer != nil {
		rec.answer(n, one, w, r)
	}
}

func (rec *receiver) all() []received {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return slices.Clone(rec.got)
}

// decisionOf is which decision a request tells of.
func decisionOf(t *testing.T, r received) string {
	t.Helper()
	var d struct {
		ID   string
		Data struct{ ID string }
	}
	if err := json.Unmarshal([]byte(r.body), &d); err != nil || d.ID != r.id {
		t.Fatalf("the request %s says %q (%v)", r.id, r.body, err)
	}
	return d.Data.ID
}
