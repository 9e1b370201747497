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
	"parkwire/internal/alerts/outbox"
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

// ownRule reads a rule of the caller's subject.
func ownRule(ctx context.Context, tx *sqldb.Tx, who identity.Principal, id string) (storedRule, error) {
	r, found, err := sqldb.One(ctx, tx, scanRule, "select "+ruleColumns+" from alert_rules where id = ?", id)
	if err != nil {
		return r, fmt.Errorf("reading the rule %s: %w", id, err)
	}
	if !found || r.removed || r.Subject != who.Subject || !covers(who, visible(r.Rule)) {
		return r, ruleNotFound(id)
	}
	return r, nil
}

// myRule reads one with what became of it.
func myRule(ctx context.Context, tx *sqldb.Tx, who identity.Principal, id string) (storedRule, decide.State, error) {
	r, err := ownRule(ctx, tx, who, id)
	if err != nil {
		return r, decide.State{}, err
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
	err = s.db.View(r.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		if err := allowedTarget(ctx, tx, by.Who, rule.Target); err != nil {
			return err
		}
		return allowedChannels(ctx, tx, by.Who, rule.Channels)
	})
	if err != nil {
		return rest.Answer{}, err
	}
	err = s.change(r, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := s.mayAdd(ctx, tx, rule.Subject); err != nil {
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
	for range 3 { // another request may come between
		if a, err = s.tryPatch(r, by, body); !errors.Is(err, errMeanwhile) {
			return a, err
		}
	}
	return a, rest.ChangedMeanwhile("alert rule", r.PathValue("ruleId"))
}

// errMeanwhile says that a rule was changed between reading and writing it.
var errMeanwhile = errors.New("the rule was changed meanwhile")

// tryPatch reads what is needed to judge a change before the transaction that makes it: what that reads which the process that decides writes all the
// time would have the two get in each other's way.
func (s *Service) tryPatch(r *http.Request, by rest.Caller, body []byte) (a rest.Answer, err error) {
	now := s.now()
	var before, rule storedRule
	var state decide.State
	again := false
	err = s.db.View(r.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		if before, state, err = myRule(ctx, tx, by.Who, r.PathValue("ruleId")); err != nil {
			return err
		}
		if !rest.IfMatch(r).Holds(ruleTag(before.version)) {
			return rest.ChangedMeanwhile("alert rule", before.ID)
		}
		rule = before
		var target, channels bool // what is not named may be gone: the rule can be changed all the same
		if err := rest.Patch(body, func(o *rest.Object) {
			again, target, channels = o.Has("enabled"), o.Has("target"), o.Has("channels")
			readDefinition(o, &rule.Definition, now)
		}); err != nil {
			return err
		}
		if target {
			if err := allowedTarget(ctx, tx, by.Who, rule.Target); err != nil {
				return err
			}
		}
		if channels {
			return allowedChannels(ctx, tx, by.Who, rule.Channels)
		}
		return nil
	})
	if err != nil {
		return a, err
	}
	rule.Reach = reachOf(by.Who)
	again = again && rule.Enabled && state.Done && state.Epoch == rule.Epoch // who says it of one that is through wants it to go on
	others := rule.Target.LotID == "" && !sameReach(before.Reach, rule.Reach)
	if rule.Definition.Equal(before.Definition) && !others && !again {
		return s.ruleAnswer(before, state), nil
	}
	rule.version++
	rule.updated = now
	if again || others || before.Begins(rule.Definition) {
		rule.Epoch++
	}
	err = s.change(r, func(ctx context.Context, tx *sqldb.Tx) error {
		version, found, err := sqldb.One(ctx, tx, func(r sqldb.Row) (n int64, err error) { return n, r.Scan(&n) },
			"select version from alert_rules where id = ? and removed = ?", rule.ID, false)
		if err != nil {
			return fmt.Errorf("reading the rule %s again: %w", rule.ID, err)
		}
		if !found || version != before.version {
			return errMeanwhile
		}
		view := describeRule(before)
		return s.saveRule(ctx, tx, r, by, rule, &view)
	})
	return s.ruleAnswer(rule, state), err
}

func sameReach(a, b []string) bool { return (a == nil) == (b == nil) && slices.Equal(a, b) }

func (s *Service) deleteRule(w http.ResponseWriter, r *http.Request, by rest.Caller) (rest.Answer, error) {
	if err := rest.ReadNothing(w, r); err != nil {
		return rest.Answer{}, err
	}
	err := s.change(r, func(ctx context.Context, tx *sqldb.Tx) error {
		rule, err := ownRule(ctx, tx, by.Who, r.PathValue("ruleId"))
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

// change writes, and has it noticed. Changes count up one number, so that those of one process wait for each other here rather than fail and be
// done again in the database, as those of several do.
func (s *Service) change(r *http.Request, do func(ctx context.Context, tx *sqldb.Tx) error) error {
	select {
	case s.writing <- struct{}{}:
	case <-r.Context().Done():
		return r.Context().Err()
	}
	err := s.db.Update(r.Context(), do)
	<-s.writing
	if err != nil {
		return err
	}
	s.decider.attend()
	s.outbox.Wake()
	return nil
}

// nextRevision counts a change of a rule. Whoever has it is alone in changing rules until the transaction ends.
func nextRevision(ctx context.Context, tx *sqldb.Tx) (int64, error) {
	if _, err := tx.Exec(ctx, "update alert_rule_counter set value = value + 1 where one = 1"); err != nil {
		return 0, fmt.Errorf("counting changes of rules: %w", err)
	}
	return countRules.read(ctx, tx)
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
