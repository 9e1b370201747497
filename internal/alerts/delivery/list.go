package delivery

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"parkwire/internal/event"
	"parkwire/internal/rest"
	"parkwire/internal/sqldb"
)

// deliveryView is a delivery as it is answered.
type deliveryView struct {
	ID          string     `json:"id"` // webhook-id
	DecisionID  string     `json:"decisionId"`
	RuleID      string     `json:"ruleId,omitempty"`
	ChannelID   string     `json:"channelId"`
	Kind        string     `json:"kind"`
	Type        string     `json:"type"`
	Text        string     `json:"text"`
	State       string     `json:"state"`
	Attempts    int64      `json:"attempts"`
	Interrupted int64      `json:"interrupted,omitempty"`
	CreatedAt   event.Time `json:"createdAt"`
	NextAt      event.Time `json:"nextAt,omitzero"`
	FinishedAt  event.Time `json:"finishedAt,omitzero"`
	// Status is that of the last answer, and Error why the last attempt did not succeed.
	Status int64  `json:"status,omitempty"`
	Error  string `json:"error,omitempty"`
}

func scanDelivery(r sqldb.Row) (v deliveryView, err error) {
	var created, next, finished int64
	err = r.Scan(&v.ID, &v.DecisionID, &v.RuleID, &v.ChannelID, &v.Kind, &v.Type, &v.Text, &v.State, &v.Attempts, &v.Interrupted, &created, &next, &finished, &v.Status, &v.Error)
	v.CreatedAt, v.FinishedAt = event.At(at(created)), event.At(at(finished))
	if v.State == stateWaiting {
		v.NextAt = event.At(at(next))
	}
	return v, err
}

var states = []string{stateWaiting, stateSending, stateDelivered, stateDead}

// getDeliveries answers what was sent to the caller's channels and what was not, the newest first. The mails with codes are not among it.
func (s *Service) getDeliveries(_ http.ResponseWriter, r *http.Request, by rest.Caller) (rest.Answer, error) {
	p := rest.ParseParams(r.URL.RawQuery)
	where, args := []string{"subject = ?", "type <> ?"}, []any{by.Who.Subject, typeConfirm}
	with := func(condition string, values ...any) {
		where, args = append(where, condition), append(args, values...)
	}
	for _, name := range []string{"channel", "rule"} {
		if id := p.ID(name); id != "" {
			with(name+"_id = ?", id)
		}
	}
	if state, there := p.One("state"); there {
		if !slices.Contains(states, state) {
			p.Fail("state", strings.Join(states, ", "), strconv.Quote(state))
		}
		with("state = ?", state)
	}
	at := p.Page("deliveries")
	if err := p.End(); err != nil {
		return rest.Answer{}, err
	}
	if at.After != "" {
		with("delivery_id < ?", at.After)
	}
	if lots := by.Who.Lots; lots != nil { // what is of several lots is not for who is limited to some; tests are of none
		if len(lots) == 0 {
			with("type = ?", TypeTest)
		} else {
			values := []any{TypeTest}
			for _, lot := range lots {
				values = append(values, lot)
			}
			with("(type = ? or lot_id in ("+placeholders(len(lots))+"))", values...)
		}
	}
	var all []deliveryView
	err := s.options.DB.View(r.Context(), func(ctx context.Context, tx *sqldb.Tx) (err error) {
		all, err = sqldb.All(ctx, tx, scanDelivery, `select delivery_id, decision_id, rule_id, channel_id, kind, type, text, state, attempts, interrupted,
			created_at, next_at, finished_at, last_status, last_error from alert_deliveries where `+strings.Join(where, " and ")+` order by delivery_id desc limit ?`,
			append(args, at.Limit+1)...)
		return err
	})
	if err != nil {
		return rest.Answer{}, fmt.Errorf("reading deliveries: %w", err)
	}
	return rest.Answer{Body: rest.Listed("deliveries", at, all, func(v deliveryView) string { return v.ID }, func(v deliveryView) deliveryView { return v })}, nil
}
