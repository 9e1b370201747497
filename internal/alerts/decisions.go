package alerts

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"

	"parkwire/internal/identity"
	"parkwire/internal/rest"
	"parkwire/internal/sqldb"
)

// kept is a decision as it was committed.
type kept struct {
	sequence int64
	document json.RawMessage
}

// decisionsOf returns up to limit decisions of the caller's subject that it may see, those before a sequence, newest first, or those behind one,
// oldest first. through is the last sequence that was looked at, seen by it or not: where it goes on.
func decisionsOf(ctx context.Context, tx *sqldb.Tx, who identity.Principal, rule string, from int64, back bool, limit int) (found []kept, through int64, err error) {
	through = from
	query := "select sequence, lots, document from alert_decisions where subject = ? and sequence > ? and (? = '' or rule_id = ?) order by sequence limit ?"
	if back {
		query = "select sequence, lots, document from alert_decisions where subject = ? and sequence < ? and (? = '' or rule_id = ?) order by sequence desc limit ?"
	}
	for {
		rows := 0
		err := sqldb.Each(ctx, tx, func(r sqldb.Row) error {
			var one kept
			var lots, document string
			if err := r.Scan(&one.sequence, &lots, &document); err != nil {
				return err
			}
			rows++
			of, err := lotsOf(lots)
			if err != nil {
				return err
			}
			through = one.sequence
			if covers(who, of) {
				one.document = json.RawMessage(document)
				found = append(found, one)
			}
			return nil
		}, query, who.Subject, through, rule, rule, limit-len(found))
		if err != nil {
			return nil, 0, fmt.Errorf("reading decisions: %w", err)
		}
		if rows == 0 || len(found) >= limit {
			return found, through, nil
		}
	}
}

func (s *Service) getDecisions(_ http.ResponseWriter, r *http.Request, by rest.Caller) (rest.Answer, error) {
	p := rest.ParseParams(r.URL.RawQuery)
	rule := p.ID("rule")
	page := p.Page("alert-decisions")
	before := int64(math.MaxInt64)
	if page.After != "" {
		n, err := strconv.ParseInt(page.After, 10, 64)
		if err != nil {
			p.FailCursor(r.URL.Query().Get("cursor"))
		}
		before = n
	}
	if err := p.End(); err != nil {
		return rest.Answer{}, err
	}
	var found []kept
	err := s.db.View(r.Context(), func(ctx context.Context, tx *sqldb.Tx) (err error) {
		found, _, err = decisionsOf(ctx, tx, by.Who, rule, before, true, page.Limit+1)
		return err
	})
	if err != nil {
		return rest.Answer{}, err
	}
	return rest.Answer{Body: rest.Listed("alert-decisions", page, found,
		func(k kept) string { return strconv.FormatInt(k.sequence, 10) }, func(k kept) json.RawMessage { return k.document })}, nil
}
