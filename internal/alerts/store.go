package alerts

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"parkwire/internal/alerts/decide"
	"parkwire/internal/event"
	"parkwire/internal/sqldb"
)

// counter is a table of one number.
type counter string

const (
	countRules     counter = "alert_rule_counter"     // one more with each change of a rule
	countDecisions counter = "alert_decision_counter" // sequence of the last decision
)

func (c counter) read(ctx context.Context, tx *sqldb.Tx) (int64, error) {
	n, _, err := sqldb.One(ctx, tx, func(r sqldb.Row) (n int64, err error) { return n, r.Scan(&n) }, "select value from "+string(c)+" where one = 1")
	if err != nil {
		return 0, fmt.Errorf("reading %s: %w", c, err)
	}
	return n, nil
}

// millis and fromMillis are how times are kept; 0 is none.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// loadSpots returns the spots that are known, and those of before a rebuild of which nothing was heard since.
func loadSpots(ctx context.Context, tx *sqldb.Tx) (kept, stale []decide.Spot, err error) {
	err = sqldb.Each(ctx, tx, func(r sqldb.Row) error {
		var s decide.Spot
		var since int64
		var old bool
		if err := r.Scan(&s.ID, &s.LotID, &s.ZoneID, &s.Status, &since, &s.Version, &old); err != nil {
			return err
		}
		s.Since = fromMillis(since)
		if old {
			stale = append(stale, s)
		} else {
			kept = append(kept, s)
		}
		return nil
	}, "select spot_id, lot_id, zone_id, status, since_ms, version, stale from alert_spots")
	if err != nil {
		return nil, nil, fmt.Errorf("reading the spots: %w", err)
	}
	return kept, stale, nil
}

// keepGone is for how long the versions of spots that were removed are kept. What the log has of them that is older than [Options.Fresh] says
// nothing to anybody in any case.
const keepGone = 24 * time.Hour

// loadGone returns the spots that were removed not long ago.
func loadGone(ctx context.Context, tx *sqldb.Tx) ([]decide.Spot, error) {
	gone, err := sqldb.All(ctx, tx, func(r sqldb.Row) (decide.Spot, error) {
		s := decide.Spot{Status: event.Removed}
		return s, r.Scan(&s.ID, &s.Version)
	}, "select spot_id, version from alert_spots_gone")
	if err != nil {
		return nil, fmt.Errorf("reading the spots that were removed: %w", err)
	}
	return gone, nil
}

// forgetGone deletes those that were removed before a time.
func forgetGone(ctx context.Context, tx *sqldb.Tx, before time.Time) error {
	if _, err := tx.Exec(ctx, "delete from alert_spots_gone where removed_ms < ?", before.UnixMilli()); err != nil {
		return fmt.Errorf("forgetting spots that were removed: %w", err)
	}
	return nil
}

// storedRule is a rule with what the engine need not know.
type storedRule struct {
	decide.Rule
	version, revision int64
	removed           bool
	created, updated  time.Time
}

const ruleColumns = "id, subject, reach, definition, epoch, version, revision, removed, created_ms, updated_ms"

func scanRule(r sqldb.Row) (s storedRule, err error) {
	var reach, definition string
	var created, updated int64
	if err := r.Scan(&s.ID, &s.Subject, &reach, &definition, &s.Epoch, &s.version, &s.revision, &s.removed, &created, &updated); err != nil {
		return s, err
	}
	s.created, s.updated = fromMillis(created), fromMillis(updated)
	if s.Reach, err = lotsOf(reach); err != nil {
		return s, err
	}
	if err := json.Unmarshal([]byte(definition), &s.Definition); err != nil {
		return s, fmt.Errorf("reading the rule %s: %w", s.ID, err)
	}
	return s, nil
}

// lotsText is how a limit to lots is kept.
func lotsText(lots []string) string {
	if lots == nil {
		return ""
	}
	text, _ := json.Marshal(lots) // strings: it does not fail
	return string(text)
}

func lotsOf(text string) (lots []string, err error) {
	if text == "" {
		return nil, nil
	}
	lots = []string{}
	if err := json.Unmarshal([]byte(text), &lots); err != nil {
		return nil, fmt.Errorf("reading the lots %.100q: %w", text, err)
	}
	return lots, nil
}

// loadRules returns all rules, what they remember, and what they have said of single spots.
func loadRules(ctx context.Context, tx *sqldb.Tx) (rules []decide.Rule, states map[string]decide.State, marks map[string][]decide.Mark, err error) {
	stored, err := sqldb.All(ctx, tx, scanRule, "select "+ruleColumns+" from alert_rules where removed = ? order by id", false)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("reading the rules: %w", err)
	}
	for _, s := range stored {
		rules = append(rules, s.Rule)
	}
	states, marks = map[string]decide.State{}, map[string][]decide.Mark{}
	err = sqldb.Each(ctx, tx, func(r sqldb.Row) error {
		var id string
		state, err := scanState(r, &id)
		states[id] = state
		return err
	}, "select rule_id, "+stateColumns+" from alert_rule_states")
	if err != nil {
		return nil, nil, nil, fmt.Errorf("reading what the rules remember: %w", err)
	}
	err = sqldb.Each(ctx, tx, func(r sqldb.Row) error {
		var m decide.Mark
		var since int64
		err := r.Scan(&m.RuleID, &m.SpotID, &since)
		m.Since = fromMillis(since)
		marks[m.RuleID] = append(marks[m.RuleID], m)
		return err
	}, "select rule_id, spot_id, since_ms from alert_rule_spots")
	if err != nil {
		return nil, nil, nil, fmt.Errorf("reading what the rules have said: %w", err)
	}
	return rules, states, marks, nil
}

const stateColumns = "epoch, armed, said, last_ms, done"

// scanState reads the columns, behind others where there are any.
func scanState(r sqldb.Row, before ...any) (s decide.State, err error) {
	var last int64
	err = r.Scan(append(before, &s.Epoch, &s.Armed, &s.Said, &last, &s.Done)...)
	s.Last = fromMillis(last)
	return s, err
}

// rulesSince returns the rules that changed, or were removed, after a revision, in the order in which they did.
func rulesSince(ctx context.Context, tx *sqldb.Tx, revision int64) ([]storedRule, error) {
	rules, err := sqldb.All(ctx, tx, scanRule, "select "+ruleColumns+" from alert_rules where revision > ? order by revision", revision)
	if err != nil {
		return nil, fmt.Errorf("reading the rules that changed: %w", err)
	}
	return rules, nil
}

// removedRules returns the ids of rules that were removed and are not forgotten yet.
func removedRules(ctx context.Context, tx *sqldb.Tx) ([]string, error) {
	ids, err := sqldb.All(ctx, tx, func(r sqldb.Row) (id string, err error) { return id, r.Scan(&id) }, "select id from alert_rules where removed = ?", true)
	if err != nil {
		return nil, fmt.Errorf("reading the rules that were removed: %w", err)
	}
	return ids, nil
}

// forgetRule deletes a rule that was removed, with what it remembers.
func forgetRule(ctx context.Context, tx *sqldb.Tx, id string) error {
	for _, query := range []string{
		"delete from alert_rule_spots where rule_id = ?", "delete from alert_rule_states where rule_id = ?", "delete from alert_rules where id = ?",
	} {
		if _, err := tx.Exec(ctx, query, id); err != nil {
			return fmt.Errorf("deleting the rule %s: %w", id, err)
		}
	}
	return nil
}

// saveChanges keeps what the engine has in memory.
func saveChanges(ctx context.Context, tx *sqldb.Tx, c decide.Changes, now time.Time) error {
	spots := make([][]any, len(c.Spots))
	for i, s := range c.Spots {
		spots[i] = []any{s.ID, s.LotID, s.ZoneID, string(s.Status), millis(s.Since), s.Version, false}
	}
	err := tx.Insert(ctx, "alert_spots (spot_id, lot_id, zone_id, status, since_ms, version, stale)", spots, `on conflict (spot_id) do update set
		lot_id = excluded.lot_id, zone_id = excluded.zone_id, status = excluded.status, since_ms = excluded.since_ms, version = excluded.version, stale = excluded.stale`)
	if err != nil {
		return err
	}
	gone := make([][]any, len(c.Gone))
	for i, s := range c.Gone {
		if _, err := tx.Exec(ctx, "delete from alert_spots where spot_id = ?", s.ID); err != nil {
			return fmt.Errorf("forgetting the spot %s: %w", s.ID, err)
		}
		gone[i] = []any{s.ID, s.Version, now.UnixMilli()}
	}
	err = tx.Insert(ctx, "alert_spots_gone (spot_id, version, removed_ms)", gone, `on conflict (spot_id) do update set
		version = excluded.version, removed_ms = excluded.removed_ms`)
	if err != nil {
		return err
	}
	states := make([][]any, len(c.States))
	for i, s := range c.States {
		states[i] = []any{s.RuleID, s.Epoch, s.Armed, s.Said, millis(s.Last), s.Done}
	}
	err = tx.Insert(ctx, "alert_rule_states (rule_id, "+stateColumns+")", states, `on conflict (rule_id) do update set
		epoch = excluded.epoch, armed = excluded.armed, said = excluded.said, last_ms = excluded.last_ms, done = excluded.done`)
	if err != nil {
		return err
	}
	marks := make([][]any, len(c.Said))
	for i, m := range c.Said {
		marks[i] = []any{m.RuleID, m.SpotID, millis(m.Since)}
	}
	err = tx.Insert(ctx, "alert_rule_spots (rule_id, spot_id, since_ms)", marks, "on conflict (rule_id, spot_id) do update set since_ms = excluded.since_ms")
	if err != nil {
		return err
	}
	for _, m := range c.Unsaid {
		if _, err := tx.Exec(ctx, "delete from alert_rule_spots where rule_id = ? and spot_id = ?", m.RuleID, m.SpotID); err != nil {
			return fmt.Errorf("forgetting what the rule %s said: %w", m.RuleID, err)
		}
	}
	return nil
}

// at is a time as it is told; the zero Time is none.
func at(t time.Time) event.Time {
	if t.IsZero() {
		return event.Time{}
	}
	return event.At(t)
}
