package audit

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"parkwire/internal/sqldb"
)

// Order is how records that are asked for are sorted.
type Order string

// The orders.
const (
	Newest     Order = "newest" // by time
	Oldest     Order = "oldest" // by time
	BySequence Order = "sequence"
)

// A Query says which records are wanted. "" and 0 want all.
type Query struct {
	Spot, Lot, Subject, Client, RequestID, ID string
	Kind                                      Kind
	ResourceType, ResourceID, Action          string
	From, To                                  int64 // Unix milliseconds; To is not in it
	Repetitions                               bool  // those too that repeat another record

	Order Order
	After position // records behind this place
	UpTo  int64    // last sequence, for BySequence; 0: none
	Limit int
}

// A position is where a record stands in an order. The zero position is before all.
type position struct {
	Time, Sequence int64
	Set            bool
}

func (e *Entry) position() position { return position{e.Time, e.Sequence, true} }

func (p position) String() string {
	return strconv.FormatInt(p.Time, 10) + "." + strconv.FormatInt(p.Sequence, 10)
}

func parsePosition(text string) (p position, ok bool) {
	first, second, ok := strings.Cut(text, ".")
	var err1, err2 error
	p.Time, err1 = strconv.ParseInt(first, 10, 64)
	p.Sequence, err2 = strconv.ParseInt(second, 10, 64)
	p.Set = true
	return p, ok && err1 == nil && err2 == nil
}

// conditions collects what stands behind "where".
type conditions struct {
	text []string
	args []any
}

func (c *conditions) add(condition string, args ...any) {
	c.text = append(c.text, condition)
	c.args = append(c.args, args...)
}

// equal wants a text in a column.
func (c *conditions) equal(column, want string) {
	if want != "" {
		c.add(column+" = ?", searchable(want))
	}
}

// find returns the records that match, in the order that is wanted.
func find(ctx context.Context, tx *sqldb.Tx, q Query) ([]Entry, error) {
	var c conditions
	c.equal("spot_id", q.Spot)
	c.equal("lot_id", q.Lot)
	c.equal("subject", q.Subject)
	c.equal("client", q.Client)
	c.equal("request_id", q.RequestID)
	c.equal("record_id", q.ID)
	c.equal("resource_type", q.ResourceType)
	c.equal("resource_id", q.ResourceID)
	c.equal("action", q.Action)
	if q.Kind != "" {
		c.equal("kind", string(q.Kind))
		if q.Kind != KindEvent {
			c.add("kind <> 'event'") // says to databases that the index of the others may be used
		}
	}
	if q.From != 0 {
		c.add("time >= ?", q.From)
	}
	if q.To != 0 {
		c.add("time < ?", q.To)
	}
	if !q.Repetitions {
		c.add("repeats = 0")
	}
	if q.UpTo != 0 {
		c.add("sequence <= ?", q.UpTo)
	}
	order := "time, sequence"
	switch {
	case q.Order == BySequence:
		order = "sequence"
		c.add("sequence > ?", q.After.Sequence)
	case q.Order == Oldest && q.After.Set:
		c.add("(time, sequence) > (?, ?)", q.After.Time, q.After.Sequence)
	case q.Order == Newest:
		order = "time desc, sequence desc"
		if q.After.Set {
			c.add("(time, sequence) < (?, ?)", q.After.Time, q.After.Sequence)
		}
	}
	where := ""
	if len(c.text) > 0 {
		where = " where " + strings.Join(c.text, " and ")
	}
	found, err := sqldb.All(ctx, tx, scanEntry, `select `+read+` from audit_records`+where+` order by `+order+` limit ?`, append(c.args, q.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("searching the audit chain: %w", err)
	}
	return found, nil
}

// one returns the record with a sequence.
func one(ctx context.Context, tx *sqldb.Tx, sequence int64) (Entry, bool, error) {
	e, found, err := sqldb.One(ctx, tx, scanEntry, `select `+read+` from audit_records where sequence = ?`, sequence)
	if err != nil {
		err = fmt.Errorf("reading record %d of the audit chain: %w", sequence, err)
	}
	return e, found, err
}
