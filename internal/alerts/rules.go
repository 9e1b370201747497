package alerts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"parkwire/internal/alerts/decide"
	"parkwire/internal/alerts/delivery"
	"parkwire/internal/alerts/outbox"
	"parkwire/internal/directory"
	"parkwire/internal/event"
	"parkwire/internal/identity"
	"parkwire/internal/problem"
	"parkwire/internal/rest"
	"parkwire/internal/sqldb"
)

// ruleView is a rule as it is answered.
type ruleView struct {
	ID string `json:"id"`
	decide.Definition
	// Lots are those to which whoever wrote it was limited: it knows of no others. Left out: all.
	Lots      []string   `json:"lots,omitzero"`
	Version   int64      `json:"version"`
	CreatedAt event.Time `json:"createdAt"`
	UpdatedAt event.Time `json:"updatedAt"`
	State     *stateView `json:"state,omitempty"`
}

// stateView is what became of a rule so far.
type stateView struct {
	Armed         bool       `json:"armed"`
	Decisions     int64      `json:"decisions"` // since it began
	LastDecidedAt event.Time `json:"lastDecidedAt,omitzero"`
	Done          bool       `json:"done"`
	Expired       bool       `json:"expired"`
}

// describeRule leaves out what becomes of it.
func describeRule(s storedRule) ruleView {
	return ruleView{ID: s.ID, Definition: s.Definition, Lots: s.Reach, Version: s.version, CreatedAt: event.At(s.created), UpdatedAt: event.At(s.updated)}
}

func viewRule(s storedRule, state decide.State, now time.Time) ruleView {
	v := describeRule(s)
	if state.Epoch != s.Epoch { // the process that decides has not seen it yet
		state = decide.State{Armed: true}
	}
	v.State = &stateView{
		Armed: state.Armed, Decisions: state.Said, LastDecidedAt: at(state.Last), Done: state.Done,
		Expired: !s.ExpiresAt.IsZero() && !now.Before(s.ExpiresAt.Time),
	}
	return v
}

func ruleTag(version int64) string { return strconv.Quote(strconv.FormatInt(version, 10)) }

func (s *Service) ruleAnswer(r storedRule, state decide.State) rest.Answer {
	return rest.Answer{ETag: ruleTag(r.version), Body: viewRule(r, state, s.now())}
}

func ruleNotFound(id string) problem.Problem {
	return problem.New(http.StatusNotFound, "rule-not-found", fmt.Sprintf("You have no alert rule %q.", id))
}

// covers reports whether a principal may see what a rule, or a decision, of these lots tells; nil: of all.
func covers(p identity.Principal, lots []string) bool {
	if p.Lots == nil {
		return true
	}
	return lots != nil && !slices.ContainsFunc(lots, func(lot string) bool { return !slices.Contains(p.Lots, lot) })
}

// visible are the lots that a rule tells of; nil: all.
func visible(r decide.Rule) []string {
	if r.Target.LotID != "" {
		return []string{r.Target.LotID}
	}
	return r.Reach
}

// reachOf are the lots that a rule may know of that the principal writes.
func reachOf(p identity.Principal) []string {
	if p.Lots == nil {
		return nil
	}
	return slices.Compact(slices.Sorted(slices.Values(append([]string{}, p.Lots...))))
}

// myRule reads a rule of the caller's subject, with what became of it.
func myRule(ctx context.Context, tx *sqldb.Tx, who identity.Principal, id string) (storedRule, decide.State, error) {
	r, found, err := sqldb.One(ctx, tx, scanRule, "select "+ruleColumns+" from alert_rules where id = ?", id)
	if err != nil {
		return r, decide.State{}, fmt.Errorf("reading the rule %s: %w", id, err)
	}
	if !found || r.removed || r.Subject != who.Subject || !covers(who, visible(r.Rule)) {
		return r, decide.State{}, ruleNotFound(id)
	}
	state, _, err := sqldb.One(ctx, tx, func(r sqldb.Row) (decide.State, error) { return scanState(r) }, "select "+stateColumns+" from alert_rule_states where rule_id = ?", id)
	if err != nil {
		return r, state, fmt.Errorf("reading what became of the rule %s: %w", id, err)
	}
	return r, state, nil
}

func (s *Service) getRules(_ http.ResponseWriter, r *http.Request, by rest.Caller) (rest.Answer, error) {
	p := rest.ParseParams(r.URL.RawQuery)
	page := p.Page("alert-rules")
	if err := p.End(); err != nil {
		return rest.Answer{}, err
	}
	type one struct {
		storedRule
		decide.State
	}
	var rules []one
	err := s.db.View(r.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		rules = nil
		stored, err := sqldb.All(ctx, tx, scanRule, "select "+ruleColumns+" from alert_rules where subject = ? and id > ? and removed = ? order by id", by.Who.Subject, page.After, false)
		if err != nil {
			return err
		}
		states := map[string]decide.State{}
		err = sqldb.Each(ctx, tx, func(r sqldb.Row) error {
			var id string
			state, err := scanState(r, &id)
			states[id] = state
			return err
		}, "select rule_id, "+stateColumns+" from alert_rule_states where rule_id in (select id from alert_rules where subject = ?)", by.Who.Subject)
		for _, r := range stored { // a subject has few
			if covers(by.Who, visible(r.Rule)) && len(rules) <= page.Limit {
				rules = append(rules, one{r, states[r.ID]})
			}
		}
		return err
	})
	if err != nil {
		return rest.Answer{}, err
	}
	now := s.now()
	return rest.Answer{Body: rest.Listed("alert-rules", page, rules, func(r one) string { return r.ID }, func(r one) ruleView { return viewRule(r.storedRule, r.State, now) })}, nil
}

func (s *Service) getRule(_ http.ResponseWriter, r *http.Request, by rest.Caller) (a rest.Answer, err error) {
	if err := rest.NoParams(r); err != nil {
		return a, err
	}
	err = s.db.View(r.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		rule, state, err := myRule(ctx, tx, by.Who, r.PathValue("ruleId"))
		a = s.ruleAnswer(rule, state)
		return err
	})
	return a, err
}

func (s *Service) postRule(w http.ResponseWriter, r *http.Request, by rest.Caller) (rest.Answer, error) {
	now := s.now()
	rule := storedRule{version: 1, created: now, updated: now}
	rule.Subject, rule.Epoch, rule.Reach, rule.Enabled = by.Who.Subject, 1, reachOf(by.Who), true
	if err := rest.ReadObject(w, r, func(o *rest.Object) { readDefinition(o, &rule.Definition, now) }); err != nil {
		return rest.Answer{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return rest.Answer{}, err
	}
	rule.ID = id.String()
	err = s.change(r, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := s.mayAdd(ctx, tx, rule.Subject); err != nil {
			return err
		}
		if err := s.allowed(ctx, tx, by.Who, rule.Definition); err != nil {
			return err
		}
		return s.saveRule(ctx, tx, r, by, rule, nil)
	})
	if err != nil {
		return rest.Answer{}, err
	}
	a := s.ruleAnswer(rule, decide.State{Epoch: rule.Epoch, Armed: true})
	a.Status, a.Location = http.StatusCreated, rest.Prefix+"/alerts/rules/"+rule.ID
	return a, nil
}

func (s *Service) patchRule(w http.ResponseWriter, r *http.Request, by rest.Caller) (a rest.Answer, err error) {
	body, err := rest.RequestBody(w, r)
	if err != nil {
		return a, err
	}
	now := s.now()
	err = s.change(r, func(ctx context.Context, tx *sqldb.Tx) error {
		rule, state, err := myRule(ctx, tx, by.Who, r.PathValue("ruleId"))
		if err != nil {
			return err
		}
		if !rest.IfMatch(r).Holds(ruleTag(rule.version)) {
			return rest.ChangedMeanwhile("alert rule", rule.ID)
		}
		before, again := rule, false
		if err := rest.Patch(body, func(o *rest.Object) {
			again = o.Has("enabled")
			readDefinition(o, &rule.Definition, now)
		}); err != nil {
			return err
		}
		rule.Reach = reachOf(by.Who)
		again = again && rule.Enabled && state.Done && state.Epoch == rule.Epoch // who says it of one that is through wants it to go on
		if rule.Definition.Equal(before.Definition) && sameReach(rule.Reach, before.Reach) && !again {
			a = s.ruleAnswer(before, state)
			return nil
		}
		if err := s.allowed(ctx, tx, by.Who, rule.Definition); err != nil {
			return err
		}
		rule.version++
		rule.updated = now
		if again || before.Begins(rule.Definition) || !sameReach(before.Reach, rule.Reach) {
			rule.Epoch++
		}
		a = s.ruleAnswer(rule, state)
		view := describeRule(before)
		return s.saveRule(ctx, tx, r, by, rule, &view)
	})
	return a, err
}

func sameReach(a, b []string) bool { return (a == nil) == (b == nil) && slices.Equal(a, b) }

func (s *Service) deleteRule(w http.ResponseWriter, r *http.Request, by rest.Caller) (rest.Answer, error) {
	if err := rest.ReadNothing(w, r); err != nil {
		return rest.Answer{}, err
	}
	err := s.change(r, func(ctx context.Context, tx *sqldb.Tx) error {
		rule, _, err := myRule(ctx, tx, by.Who, r.PathValue("ruleId"))
		if err != nil {
			return err
		}
		if !rest.IfMatch(r).Holds(ruleTag(rule.version)) {
			return rest.ChangedMeanwhile("alert rule", rule.ID)
		}
		revision, err := nextRevision(ctx, tx)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "update alert_rules set removed = ?, revision = ? where id = ?", true, revision, rule.ID); err != nil {
			return fmt.Errorf("removing the rule %s: %w", rule.ID, err)
		}
		return s.outbox.Append(ctx, tx, r, by.Who, outbox.Rule, rule.ID, describeRule(rule), nil)
	})
	return rest.Answer{Status: http.StatusNoContent}, err
}

// change writes, and has it noticed.
func (s *Service) change(r *http.Request, do func(ctx context.Context, tx *sqldb.Tx) error) error {
	if err := s.db.Update(r.Context(), do); err != nil {
		return err
	}
	s.decider.attend()
	s.outbox.Wake()
	return nil
}

// nextRevision counts a change of a rule. Whoever has it is alone in changing rules until the transaction ends.
func nextRevision(ctx context.Context, tx *sqldb.Tx) (int64, error) {
	if _, err := tx.Exec(ctx, "update alert_counters set value = value + 1 where name = ?", counterRules); err != nil {
		return 0, fmt.Errorf("counting changes of rules: %w", err)
	}
	return counter(ctx, tx, counterRules)
}

// mayAdd returns a problem where the subject has as many rules as it may.
func (s *Service) mayAdd(ctx context.Context, tx *sqldb.Tx, subject string) error {
	n, _, err := sqldb.One(ctx, tx, func(r sqldb.Row) (n int, err error) { return n, r.Scan(&n) },
		"select count(*) from alert_rules where subject = ? and removed = ?", subject, false)
	if err != nil {
		return fmt.Errorf("counting the rules of a subject: %w", err)
	}
	if most := s.options.RulesPerSubject; n >= most {
		return problem.New(http.StatusConflict, "too-many-rules",
			fmt.Sprintf("You have %d alert rules, and may have %d. Delete one that is through or has expired, or change one.", n, most)).With("limit", most)
	}
	return nil
}

// allowed returns a problem where the principal may not see what the rule is about, or that is not there, or a channel is not.
func (s *Service) allowed(ctx context.Context, tx *sqldb.Tx, who identity.Principal, d decide.Definition) error {
	t := d.Target
	lot, field := t.LotID, "target.lotId"
	if t.SpotID != "" {
		known, err := lotOfSpot(ctx, tx, t.SpotID)
		if err != nil {
			return err
		}
		if known == "" || !who.Reaches(known) {
			return unknownTarget("target.spotId", "spot", t.SpotID)
		}
		lot, field = known, "target.spotId"
	}
	if lot != "" {
		if err := identity.AuthorizeLot(who, lot); err != nil {
			var p problem.Problem
			if errors.As(err, &p) {
				return p.WithField(field)
			}
			return err
		}
		if err := knownLot(ctx, tx, lot); err != nil {
			return err
		}
	}
	if t.ZoneID != "" {
		zone, found, err := directory.ZoneByID(ctx, tx, t.ZoneID)
		if err != nil {
			return err
		}
		if !found || zone.Removed || zone.LotID != t.LotID {
			return unknownTarget("target.zoneId", "zone", t.ZoneID)
		}
	}
	missing, err := delivery.Missing(ctx, tx, who.Subject, d.Channels)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return rest.InvalidField("channels", wantChannels, strconv.Quote(missing[0])+", which is none of yours")
	}
	return nil
}

func unknownTarget(field, what, id string) problem.Problem {
	return problem.New(http.StatusUnprocessableEntity, "target-unknown",
		fmt.Sprintf("There is no %s %q that you may see. Check the id; what was added just now is known here in a moment.", what, rest.Shorten(id))).WithField(field)
}

// lotOfSpot returns the lot of a spot, "" where none is known.
func lotOfSpot(ctx context.Context, tx *sqldb.Tx, id string) (string, error) {
	lot, _, err := sqldb.One(ctx, tx, func(r sqldb.Row) (lot string, err error) { return lot, r.Scan(&lot) }, "select lot_id from alert_spots where spot_id = ? and stale = ?", id, false)
	if err != nil || lot != "" {
		return lot, err
	}
	spot, found, err := directory.SpotByID(ctx, tx, id)
	if !found || spot.Removed {
		return "", err
	}
	return spot.LotID, err
}

// knownLot returns a problem where nothing is known of the lot.
func knownLot(ctx context.Context, tx *sqldb.Tx, id string) error {
	lot, found, err := directory.LotByID(ctx, tx, id)
	if err != nil || found && !lot.Removed {
		return err
	}
	_, found, err = sqldb.One(ctx, tx, func(r sqldb.Row) (one int, err error) { return one, r.Scan(&one) }, "select 1 from alert_spots where lot_id = ? limit 1", id)
	if err != nil || found {
		return err
	}
	return unknownTarget("target.lotId", "lot", id)
}

// saveRule writes a rule, and tells who did.
func (s *Service) saveRule(ctx context.Context, tx *sqldb.Tx, r *http.Request, by rest.Caller, rule storedRule, before *ruleView) error {
	revision, err := nextRevision(ctx, tx)
	if err != nil {
		return err
	}
	definition, err := json.Marshal(rule.Definition)
	if err != nil {
		return fmt.Errorf("encoding the rule %s: %w", rule.ID, err)
	}
	row := []any{
		rule.ID, rule.Subject, lotsText(rule.Reach), string(definition), rule.Epoch, rule.version, revision, false,
		rule.created.UnixMilli(), rule.updated.UnixMilli(),
	}
	err = tx.Insert(ctx, "alert_rules ("+ruleColumns+")", [][]any{row}, `on conflict (id) do update set reach = excluded.reach, definition = excluded.definition,
		epoch = excluded.epoch, version = excluded.version, revision = excluded.revision, updated_ms = excluded.updated_ms`)
	if err != nil {
		return err
	}
	var was any
	if before != nil {
		was = *before
	}
	return s.outbox.Append(ctx, tx, r, by.Who, outbox.Rule, rule.ID, was, describeRule(rule))
}
