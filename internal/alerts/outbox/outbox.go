// Package outbox tells who changed rules and channels of alerts, as the parking part tells who changed lots: a record of the topic of
// changes is committed together with the change, and is carried there by the relay.
package outbox

import (
	"cmp"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/google/uuid"

	"parkwire/internal/event"
	"parkwire/internal/identity"
	"parkwire/internal/kafkalog"
	"parkwire/internal/problem"
	"parkwire/internal/relay"
	"parkwire/internal/rest"
	"parkwire/internal/sqldb"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are those of the records that wait.
func Migrations() sqldb.Set { return sqldb.NewSet("alerts_outbox", migrations) }

// The types of what is changed.
const (
	Rule    = "alertRule"
	Channel = "alertChannel"
)

// Options configure an [Outbox]. DB and Log are required.
type Options struct {
	DB     *sqldb.DB // with [Migrations] among its sets
	Log    *kafkalog.Log
	Clock  func() time.Time // nil: time.Now
	Logger *slog.Logger
	// Poll is how often records are looked for that other processes left. Default 10 s. Those of this one are found at once.
	Poll time.Duration
}

// Outbox holds the records that wait. Every process of the service carries whatever waits: what two carry at once comes twice, under the same id.
type Outbox struct {
	options Options
	wake    chan struct{}
}

// New returns an outbox; [Outbox.Run] empties it.
func New(o Options) *Outbox {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	o.Logger = cmp.Or(o.Logger, slog.Default())
	o.Poll = cmp.Or(o.Poll, 10*time.Second)
	return &Outbox{options: o, wake: make(chan struct{}, 1)}
}

// Run carries records to their topic until ctx ends.
func (o *Outbox) Run(ctx context.Context) error {
	return relay.CarryRecords(ctx, relay.Options{Records: o, Log: o.options.Log, Logger: o.options.Logger, PollInterval: o.options.Poll})
}

// change is a record, see api/asyncapi.yaml.
type change struct {
	ID          string     `json:"id"`
	Time        event.Time `json:"time"`
	Subject     string     `json:"subject"`
	Client      string     `json:"client,omitempty"`
	Method      string     `json:"method"`
	Route       string     `json:"route"`
	RequestID   string     `json:"requestId"`
	Traceparent string     `json:"traceparent,omitempty"`
	Resource    resource   `json:"resource"`
	Outcome     string     `json:"outcome"`
	Before      any        `json:"before,omitempty"`
	After       any        `json:"after,omitempty"`
}

type resource struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

// Append tells who changed a rule or a channel, in the transaction that does so. before and after are it as it is answered, without secrets; nil where
// it was not there, or is not any longer. Where both are the same there is nothing to tell. Wake is called after the commit.
func (o *Outbox) Append(ctx context.Context, tx *sqldb.Tx, r *http.Request, who identity.Principal, kind, id string, before, after any) error {
	if reflect.DeepEqual(before, after) {
		return nil
	}
	name, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("making an id for a record: %w", err)
	}
	route := r.Pattern
	if _, path, ok := strings.Cut(route, " "); ok { // behind the method
		route = path
	}
	c := change{
		ID: name.String(), Time: event.At(o.options.Clock()), Subject: who.Subject, Method: r.Method, Route: route, RequestID: problem.RequestID(r.Context()),
		Resource: resource{kind, id}, Outcome: "changed", Before: before, After: after,
		Traceparent: rest.Traceparent(r),
	}
	if client := (identity.Behind{}).Client(r); client.IsValid() {
		c.Client = client.String()
	}
	switch {
	case before == nil:
		c.Outcome = "added"
	case after == nil:
		c.Outcome = "removed"
	}
	value, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encoding who changed %s %q: %w", kind, id, err)
	}
	if _, err := tx.Exec(ctx, "update alert_record_ids set last_id = last_id + 1 where one = 1"); err != nil {
		return fmt.Errorf("numbering a record: %w", err)
	}
	_, err = tx.Exec(ctx, "insert into alert_records (id, record_key, record_value) select last_id, ?, ? from alert_record_ids where one = 1", kind+"/"+id, string(value))
	if err != nil {
		return fmt.Errorf("keeping who changed %s %q: %w", kind, id, err)
	}
	return nil
}

// Wake says that something was appended and committed.
func (o *Outbox) Wake() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// PendingRecords implements [relay.Records].
func (o *Outbox) PendingRecords(ctx context.Context, limit int) (rows []relay.RecordRow, err error) {
	err = o.options.DB.View(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err = sqldb.All(ctx, tx, func(r sqldb.Row) (row relay.RecordRow, err error) {
			row.Topic = relay.Audit
			var value string
			err = r.Scan(&row.ID, &row.Key, &value)
			row.Value = []byte(value)
			return row, err
		}, "select id, record_key, record_value from alert_records order by id limit ?", limit)
		return err
	})
	return rows, err
}

// RecordsDone implements [relay.Records].
func (o *Outbox) RecordsDone(ctx context.Context, ids []int64) error {
	return o.options.DB.Update(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		for _, id := range ids {
			if _, err := tx.Exec(ctx, "delete from alert_records where id = ?", id); err != nil {
				return err
			}
		}
		return nil
	})
}

// RepeatAccess implements [relay.Records]. Nothing here is of that topic.
func (o *Outbox) RepeatAccess(context.Context) error { return nil }

// RecordsWake implements [relay.Records].
func (o *Outbox) RecordsWake() <-chan struct{} { return o.wake }
