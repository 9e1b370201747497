package parking

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/google/uuid"

	"parkwire/internal/event"
	"parkwire/internal/relay"
	"parkwire/internal/rest"
)

// resource is what was changed.
type resource struct {
	Type  string `json:"type"` // lot, zone, spot, sensor, key or revocation
	ID    string `json:"id"`
	LotID string `json:"lotId,omitempty"`
}

// changeView is what the topic of changes is told, see api/asyncapi.yaml.
type changeView struct {
	ID      string     `json:"id"`
	Time    event.Time `json:"time"`
	Subject string     `json:"subject"`
	rest.Request
	Traceparent string   `json:"traceparent,omitempty"`
	Resource    resource `json:"resource"`
	Outcome     string   `json:"outcome"`
	Before      any      `json:"before,omitempty"`
	After       any      `json:"after,omitempty"`
}

// audit tells who changed a resource, in the transaction that does so. before and after are it as it is answered, which has no secrets; nil
// where it was not there, or is not any longer. Where both are the same there is nothing to tell.
func (t *transaction) audit(by origin, what resource, before, after any) error {
	if reflect.DeepEqual(before, after) {
		return nil
	}
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("making an id for a record: %w", err)
	}
	v := changeView{
		ID: id.String(), Time: event.At(t.now), Subject: by.Who.Subject, Request: by.Request, Traceparent: by.Traceparent,
		Resource: what, Outcome: "changed", Before: before, After: after,
	}
	switch {
	case before == nil:
		v.Outcome = "added"
	case after == nil:
		v.Outcome = "removed"
	}
	value, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding who changed %s %q: %w", what.Type, what.ID, err)
	}
	t.records = append(t.records, relay.Record{Topic: relay.Audit, Key: what.Type + "/" + what.ID, Value: value})
	return nil
}

func (l Lot) resource() resource    { return resource{"lot", l.ID, l.ID} }
func (z Zone) resource() resource   { return resource{"zone", z.ID, z.LotID} }
func (s Spot) resource() resource   { return resource{"spot", s.ID, s.LotID} }
func (s Sensor) resource() resource { return resource{"sensor", s.ID, s.LotID} }

// auditSpot tells of a spot, which is not there where it is removed.
func (t *transaction) auditSpot(by origin, before, after Spot) error {
	view := func(s Spot) any {
		if s.Removed {
			return nil
		}
		return viewSpot(s)
	}
	return t.audit(by, after.resource(), view(before), view(after))
}
