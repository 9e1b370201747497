// Package delivery brings alerts to where their subjects want them: webhooks, browsers (Web Push) and mailboxes. A delivery is a row that is
// committed together with the decision that it tells of. An attempt is recorded before it is made and its outcome after, so that only a process
// that is killed between the two sends something again, under the same id.
package delivery

import (
	"cmp"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"parkwire/internal/event"
	"parkwire/internal/identity"
	"parkwire/internal/mail"
	"parkwire/internal/outward"
	"parkwire/internal/sqldb"
	"parkwire/internal/trace"
	"parkwire/internal/webhook"
	"parkwire/internal/webpush"
)

//go:embed migrations
var migrations embed.FS

// Migrations are those of the tables alert_channels and alert_deliveries.
func Migrations() sqldb.Set { return sqldb.NewSet("alerts_delivery", migrations) }

// The types of what is sent.
const (
	TypeFired   = "alert.fired"     // a rule's condition has come true
	TypeTest    = "channel.test"    // somebody wants to see whether a channel works
	typeConfirm = "channel.confirm" // the code by which a mailbox is confirmed
)

// Alert is a decision that is to be told.
type Alert struct {
	DecisionID string // UUIDv7
	RuleID     string
	Subject    string
	Channels   []string // ids
	Type       string   // TypeFired
	At         time.Time
	LotID      string          // "" where it is of several lots
	Topic      string          // what it is about: a browser that was away is told the newest of each topic alone; "": each by itself
	Text       string          // one sentence, for people
	Data       json.RawMessage // the decision, for programs
	// Traceparent is of the change that made the rule speak; "" where its trace is not followed.
	Traceparent string
}

// document is what is sent.
type document struct {
	ID        string          `json:"id"`
	Type      string          `json:"type"`
	Timestamp event.Time      `json:"timestamp"`
	Data      json.RawMessage `json:"data"`
}

// Sending bounds what is done at once, and for how long.
type Sending struct {
	All        int // attempts under way, default 64
	PerHost    int // of those to one host, default 16; for push services, of which there are few, twice as many; for the mail server a quarter
	PerSubject int // of those for one subject, default 16
	PerChannel int // of those to one channel that works, default 8; one that does not gets one at a time

	Poll  time.Duration // how often deliveries are looked for that other processes decided, default 1 s
	Lease time.Duration // for how long an attempt is left to the process that makes it, default 30 s
	// Backoff is the bound of the first pause, twice as long after each attempt up to LongestBackoff; each is anything between nothing and its bound.
	// Defaults 10 s, 1 h.
	Backoff, LongestBackoff time.Duration
	Attempts                int           // default 20
	Age                     time.Duration // after which a delivery is given up, default 24 h; for browsers a sixth of it
	Rest                    time.Duration // of a circuit that opens, twice as long each time that a trial fails, default 30 s
	LongestRest             time.Duration // default 10 min
	DisableAfter            time.Duration // of nothing but failures, default 5 days
	Keep                    time.Duration // for how long it is kept what was sent, default 30 days
}

func (s Sending) withDefaults() Sending {
	return Sending{
		All: cmp.Or(s.All, 64), PerHost: cmp.Or(s.PerHost, 16), PerSubject: cmp.Or(s.PerSubject, 16), PerChannel: cmp.Or(s.PerChannel, 8),
		Poll: cmp.Or(s.Poll, time.Second), Lease: cmp.Or(s.Lease, 30*time.Second),
		Backoff: cmp.Or(s.Backoff, 10*time.Second), LongestBackoff: cmp.Or(s.LongestBackoff, time.Hour),
		Attempts: cmp.Or(s.Attempts, 20), Age: cmp.Or(s.Age, 24*time.Hour),
		Rest: cmp.Or(s.Rest, 30*time.Second), LongestRest: cmp.Or(s.LongestRest, 10*time.Minute),
		DisableAfter: cmp.Or(s.DisableAfter, 5*24*time.Hour), Keep: cmp.Or(s.Keep, 30*24*time.Hour),
	}
}

// Options configure a [Service]. DB is required.
type Options struct {
	DB *sqldb.DB // with [Migrations] among its sets
	// Allow are networks that are not public to which webhooks may lead all the same, and without TLS only to these.
	Allow []netip.Prefix
	// PushKey and PushContact are for browsers: see [webpush.Options]. Without a key there is no web push.
	PushKey     *webpush.Key
	PushContact string
	Mail        *mail.Sender // nil: there is no mail
	Agent       string       // header User-Agent of webhooks, default "Parkwire-Webhooks/1"
	Sending     Sending
	// HTTP is for tests: its Allow is that of above.
	HTTP outward.Options
	// Audit tells who changed a channel, in the transaction that does so; nil: nobody is told.
	Audit func(ctx context.Context, tx *sqldb.Tx, r *http.Request, who identity.Principal, kind, id string, before, after any) error
	// Audited is called after a commit in which Audit was; nil: nobody waits for it.
	Audited func()

	Now        func() time.Time // default time.Now
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Tracer     *trace.Tracer // nil: no traces
}

// Service sends what is to be delivered, and serves the channels of subjects.
type Service struct {
	options  Options
	client   *outward.Client
	webhooks webhook.Sender
	push     *webpush.Sender // nil: there is none
	circuits *circuits
	slots    *slots
	metrics  *metrics
	logger   *slog.Logger
	wake     chan struct{} // cap 1

	mu    sync.Mutex
	mine  map[string]int // claims of which not everything is recorded, and how much is not
	err   error          // what the last round failed with
	since time.Time
	said  bool
}

// New returns a service. It does no I/O.
func New(o Options) (*Service, error) {
	o.Sending = o.Sending.withDefaults()
	o.Logger = cmp.Or(o.Logger, slog.Default())
	o.Agent = cmp.Or(o.Agent, "Parkwire-Webhooks/1")
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Audit == nil {
		o.Audit = func(context.Context, *sqldb.Tx, *http.Request, identity.Principal, string, string, any, any) error {
			return nil
		}
	}
	if o.Audited == nil {
		o.Audited = func() {}
	}
	o.HTTP.Allow = o.Allow
	s := &Service{
		options: o, client: outward.NewClient(o.HTTP), circuits: newCircuits(o.Sending.Rest, o.Sending.LongestRest),
		slots: newSlots(o.Sending), logger: o.Logger, wake: make(chan struct{}, 1), mine: map[string]int{},
	}
	s.metrics = newMetrics(o.Registerer, s.circuits, s.slots)
	s.webhooks = webhook.Sender{Client: s.client, Agent: o.Agent, Now: o.Now}
	if least := s.client.Bound() + s.client.Bound()/2; o.Sending.Lease < least {
		return nil, fmt.Errorf("an attempt is left to its process for %s, which is less than the %s that it may take", o.Sending.Lease, least)
	}
	if o.PushKey != nil {
		var err error
		if s.push, err = webpush.New(webpush.Options{Key: o.PushKey, Contact: o.PushContact, Client: s.client, Now: o.Now}); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Wake says that there is something to be sent: it is called after a commit with [Enqueue]. Deliveries of other processes are found by polling.
func (s *Service) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// troubled is after how long of failures deliveries stand still: a transaction may lose against others now and then.
const troubled = 5 * time.Second

// Ready returns nil unless deliveries have not been read or recorded for some time.
func (s *Service) Ready() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil && time.Since(s.since) > troubled {
		return s.err
	}
	return nil
}

// hold remembers that so many attempts of a claim are to be recorded, or that fewer are.
func (s *Service) hold(lease string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mine[lease] += n; s.mine[lease] <= 0 {
		delete(s.mine, lease)
	}
}

// held are the claims of this process.
func (s *Service) held() []any {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []any
	for lease := range s.mine {
		all = append(all, lease)
	}
	return all
}

func (s *Service) now() time.Time { return s.options.Now() }

// Enqueue adds a delivery for each channel of each alert that can be used, in the transaction that decides. What was added before is not again.
func Enqueue(ctx context.Context, tx *sqldb.Tx, now time.Time, alerts []Alert) (n int, err error) {
	ids := map[string]bool{}
	for _, alert := range alerts {
		for _, id := range alert.Channels {
			ids[id] = true
		}
	}
	channels, err := channelsByID(ctx, tx, ids)
	if err != nil {
		return 0, err
	}
	var rows [][]any
	for _, alert := range alerts {
		for _, id := range alert.Channels {
			c, there := channels[id]
			if !there || c.Subject != alert.Subject || c.State != stateActive {
				continue
			}
			row, err := newRow(c, alert, now)
			if err != nil {
				return 0, err
			}
			rows = append(rows, row)
		}
	}
	return len(rows), insertRows(ctx, tx, rows)
}

// columns are those of a new row.
const columns = `alert_deliveries (delivery_id, decision_id, channel_id, subject, rule_id, lot_id, topic, type, kind, target, document, text,
  state, attempts, interrupted, created_at, next_at, lease, last_status, last_error, finished_at, traceparent)`

func insertRows(ctx context.Context, tx *sqldb.Tx, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	if err := tx.Insert(ctx, columns, rows, "on conflict (decision_id, channel_id) do nothing"); err != nil {
		return fmt.Errorf("adding deliveries: %w", err)
	}
	return nil
}

func newRow(c channel, a Alert, now time.Time) ([]any, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("making an id for a delivery: %w", err)
	}
	text, err := json.Marshal(document{id.String(), a.Type, event.At(a.At), a.Data})
	if err != nil {
		return nil, fmt.Errorf("encoding what is delivered: %w", err)
	}
	at := now.UnixMilli()
	return []any{
		id.String(), a.DecisionID, c.ID, c.Subject, a.RuleID, a.LotID, a.Topic, a.Type, c.Kind, c.Target, string(text), a.Text,
		stateWaiting, 0, 0, at, at, "", 0, "", 0, a.Traceparent,
	}, nil
}

// Missing returns which of the channels are none of the subject's.
func Missing(ctx context.Context, tx *sqldb.Tx, subject string, ids []string) ([]string, error) {
	wanted := map[string]bool{}
	for _, id := range ids {
		wanted[id] = true
	}
	channels, err := channelsByID(ctx, tx, wanted)
	if err != nil {
		return nil, err
	}
	var missing []string
	for _, id := range ids {
		if c, there := channels[id]; !there || c.Subject != subject {
			missing = append(missing, id)
		}
	}
	return missing, nil
}

// failed remembers what a round failed with, and says so once where it goes on.
func (s *Service) failed(ctx context.Context, err error) {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		if s.said {
			s.logger.Info("alerts are delivered again")
		}
		s.err, s.said = nil, false
		return
	}
	if s.err == nil {
		s.since = time.Now()
	}
	s.err = err
	if !s.said && time.Since(s.since) > troubled {
		s.said = true
		s.logger.Warn("alerts are not delivered", "error", err)
	}
}
