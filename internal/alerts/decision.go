package alerts

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"

	"parkwire/internal/alerts/decide"
	"parkwire/internal/alerts/delivery"
	"parkwire/internal/directory"
	"parkwire/internal/event"
	"parkwire/internal/sqldb"
)

// Decision is one time that a rule spoke, as it is told on the stream, to channels, and in the list of decisions.
type Decision struct {
	ID       string `json:"id"` // the same for all who are told of it
	Sequence int64  `json:"sequence"`
	RuleID   string `json:"ruleId"`
	RuleName string `json:"ruleName"`
	// Condition and Target are those of the rule when it spoke.
	Condition decide.Condition `json:"condition"`
	Target    decide.Target    `json:"target"`

	DecidedAt  event.Time `json:"decidedAt"`
	OccurredAt event.Time `json:"occurredAt"` // when what it tells of happened

	LotID    string `json:"lotId,omitempty"`
	LotName  string `json:"lotName,omitempty"`
	ZoneID   string `json:"zoneId,omitempty"`
	ZoneName string `json:"zoneName,omitempty"`
	SpotID   string `json:"spotId,omitempty"`
	SpotName string `json:"spotName,omitempty"`

	// Of the spots of the target together.
	Free             *int     `json:"free,omitempty"`
	Occupied         *int     `json:"occupied,omitempty"`
	Counted          *int     `json:"counted,omitempty"` // that the occupancy is of
	OccupancyPercent *float64 `json:"occupancyPercent,omitempty"`
	// Of one spot.
	Since   event.Time `json:"since,omitzero"`
	Minutes *int64     `json:"minutes,omitempty"` // from then until it was decided

	Text string `json:"text"` // one sentence, for people
}

// namespace is for ids of decisions: that of one is made of the rule, its beginning, and how many times it had spoken.
var namespace = uuid.MustParse("5f0cde2c-4a43-5f3b-8a5b-0d4b6b1f7a10")

func decisionID(d decide.Decision) string {
	return uuid.NewSHA1(namespace, fmt.Appendf(nil, "%s/%d/%d", d.Rule.ID, d.Rule.Epoch, d.N)).String()
}

// describe makes of a decision what is told of it.
func describe(d decide.Decision, sequence int64, book *directory.Book) Decision {
	v := Decision{
		ID: decisionID(d), Sequence: sequence, RuleID: d.Rule.ID, RuleName: d.Rule.Name, Condition: d.Rule.Condition, Target: d.Rule.Target,
		DecidedAt: event.At(d.At), OccurredAt: event.At(d.Occurred), LotID: d.LotID, ZoneID: d.ZoneID, SpotID: d.SpotID,
	}
	if lot, ok := book.Lot(d.LotID); ok {
		v.LotName = lot.Name
	}
	if zone, ok := book.Zone(d.ZoneID); ok {
		v.ZoneName = zone.Name
	}
	if spot, ok := book.Spot(d.SpotID); ok {
		v.SpotName = spot.Name
	}
	if d.Rule.Condition.Kind.Single() {
		minutes := int64(d.At.Sub(d.Since) / time.Minute)
		v.Since, v.Minutes = event.At(d.Since), &minutes
	} else {
		counted := d.Counts.Counted()
		v.Free, v.Occupied, v.Counted = &d.Counts.Free, &d.Counts.Occupied, &counted
		if percent, known := d.Counts.Occupancy(); known {
			percent = math.Round(percent*100) / 100
			v.OccupancyPercent = &percent
		}
	}
	v.Text = v.sentence()
	return v
}

// sentence says it for people.
func (v Decision) sentence() string {
	switch v.Condition.Kind {
	case decide.Overstay:
		return fmt.Sprintf("%s has been occupied for %s.", v.spot(), duration(*v.Minutes))
	case decide.Silent:
		return fmt.Sprintf("The sensor of %s has been silent for %s.", v.spot(), duration(*v.Minutes))
	case decide.OccupancyAbove:
		return fmt.Sprintf("%s: %.4g %% occupied, %d of %d spots.", v.place(), *v.OccupancyPercent, *v.Occupied, *v.Counted)
	}
	switch {
	case v.Target.SpotID != "":
		return fmt.Sprintf("%s is free.", v.spot())
	case *v.Free == 1 && v.SpotID != "":
		return fmt.Sprintf("%s: %s is free.", v.place(), named("spot", v.SpotName, v.SpotID))
	case *v.Free == 1:
		return fmt.Sprintf("%s: 1 spot is free.", v.place())
	}
	return fmt.Sprintf("%s: %d spots are free.", v.place(), *v.Free)
}

// spot is the one spot that it is about, with the lot.
func (v Decision) spot() string {
	id := v.SpotID
	if id == "" {
		id = v.Target.SpotID
	}
	text := "Spot " + named("", v.SpotName, id)
	if v.LotID != "" {
		text += " (" + named("lot", v.LotName, v.LotID) + ")"
	}
	return text
}

// place is what the rule is about.
func (v Decision) place() string {
	text := ""
	if v.Target.LotID != "" {
		text = named("Lot", v.LotName, v.LotID)
	}
	if v.Target.ZoneID != "" {
		text += ", " + named("zone", v.ZoneName, v.ZoneID)
	}
	if v.Target.Category == "" {
		return text
	}
	if text == "" {
		return "Category " + v.Target.Category
	}
	return text + ", category " + v.Target.Category
}

// named is a name, or the id where there is none.
func named(what, name, id string) string {
	switch {
	case name != "":
		return name
	case what == "":
		return id
	}
	return what + " " + id
}

func duration(minutes int64) string {
	switch {
	case minutes == 1:
		return "1 minute"
	case minutes < 120:
		return fmt.Sprintf("%d minutes", minutes)
	}
	return fmt.Sprintf("%d h %02d min", minutes/60, minutes%60)
}

// lots are those that a decision tells of; nil: who is told of it must see all lots.
func lots(d decide.Decision) []string {
	switch {
	case d.Rule.Target.LotID != "":
		return []string{d.Rule.Target.LotID}
	case d.Rule.Condition.Kind.Single(), d.Rule.Target.SpotID != "":
		return []string{d.LotID}
	}
	return d.Rule.Reach
}

// topic is what a decision is about: a browser that was away is told the newest of each alone. What a rule says of single spots is about each of
// them; what it says of all together is about these as they are.
func topic(d decide.Decision) string {
	if d.Rule.Condition.Kind.Single() {
		return d.Rule.ID + "/" + d.SpotID
	}
	return d.Rule.ID
}

// saveDecisions keeps decisions, and what is to be delivered of them. It returns the sequence of the last one.
func (d *decider) saveDecisions(ctx context.Context, tx *sqldb.Tx, decisions []decide.Decision) (int64, error) {
	sequence := d.sequence
	rows := make([][]any, len(decisions))
	var told []delivery.Alert
	for i, one := range decisions {
		sequence++
		v := describe(one, sequence, d.book)
		document, err := json.Marshal(v)
		if err != nil {
			return 0, fmt.Errorf("encoding a decision of the rule %s: %w", one.Rule.ID, err)
		}
		rows[i] = []any{sequence, v.ID, one.Rule.ID, one.Rule.Subject, lotsText(lots(one)), one.At.UnixMilli(), string(document)}
		if len(one.Rule.Channels) > 0 {
			lot := "" // of several
			if of := lots(one); len(of) == 1 {
				lot = of[0]
			}
			told = append(told, delivery.Alert{
				DecisionID: v.ID, RuleID: v.RuleID, Subject: one.Rule.Subject, Channels: one.Rule.Channels, Type: delivery.TypeFired, At: one.At,
				LotID: lot, Topic: topic(one), Text: v.Text, Data: document, Traceparent: d.traces[i],
			})
		}
	}
	if err := tx.Insert(ctx, "alert_decisions (sequence, id, rule_id, subject, lots, decided_ms, document)", rows, ""); err != nil {
		return 0, err
	}
	if _, err := tx.Exec(ctx, "update alert_decision_counter set value = ? where one = 1", sequence); err != nil {
		return 0, fmt.Errorf("counting decisions: %w", err)
	}
	if len(told) == 0 {
		return sequence, nil
	}
	if _, err := delivery.Enqueue(ctx, tx, d.now(), told); err != nil {
		return 0, fmt.Errorf("having decisions delivered: %w", err)
	}
	return sequence, nil
}
