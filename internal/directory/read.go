package directory

import (
	"context"
	"fmt"
	"strings"

	"parkwire/internal/sqldb"
)

// Page is a part of a list that is in the order of ids.
type Page struct {
	After   string   // the id behind which the page begins; "": at the first one
	Limit   int      // how many at most; 0: all
	IDs     []string // only these, few; nil: all
	Removed bool     // those too that were removed
}

// clauses adds to the conditions what the page asks for.
func (p Page) clauses(conditions []string, args []any) (string, []any) {
	if p.After != "" {
		conditions, args = append(conditions, "id > ?"), append(args, p.After)
	}
	if !p.Removed {
		conditions, args = append(conditions, "removed = ?"), append(args, false)
	}
	if p.IDs != nil {
		marks := make([]string, len(p.IDs))
		for i, id := range p.IDs {
			marks[i], args = "?", append(args, id)
		}
		if len(marks) == 0 {
			marks = []string{"null"} // no lot is of nobody
		}
		conditions = append(conditions, "id in ("+strings.Join(marks, ", ")+")")
	}
	query := ""
	if len(conditions) > 0 {
		query = "where " + strings.Join(conditions, " and ")
	}
	query += " order by id"
	if p.Limit > 0 {
		query, args = query+" limit ?", append(args, p.Limit)
	}
	return query, args
}

// LotByID returns a lot, also one that was removed; ok is false where nothing is known of it.
func LotByID(ctx context.Context, tx *sqldb.Tx, id string) (lot Lot, ok bool, err error) {
	return lotTable.one(ctx, tx, id)
}

// ZoneByID returns a zone, as [LotByID] does a lot.
func ZoneByID(ctx context.Context, tx *sqldb.Tx, id string) (zone Zone, ok bool, err error) {
	return zoneTable.one(ctx, tx, id)
}

// SpotByID returns a spot, as [LotByID] does a lot.
func SpotByID(ctx context.Context, tx *sqldb.Tx, id string) (spot Spot, ok bool, err error) {
	return spotTable.one(ctx, tx, id)
}

// Lots returns lots by id.
func Lots(ctx context.Context, tx *sqldb.Tx, p Page) ([]Lot, error) {
	query, args := p.clauses(nil, nil)
	return lotTable.read(ctx, tx, query, args...)
}

// Zones returns the zones that a lot has, by id; those of all lots for "".
func Zones(ctx context.Context, tx *sqldb.Tx, lotID string) ([]Zone, error) {
	query, args := Page{}.clauses(ofLot(lotID))
	return zoneTable.read(ctx, tx, query, args...)
}

// Spots returns spots of a lot by id; those of all lots for "".
func Spots(ctx context.Context, tx *sqldb.Tx, lotID string, p Page) ([]Spot, error) {
	query, args := p.clauses(ofLot(lotID))
	return spotTable.read(ctx, tx, query, args...)
}

func ofLot(id string) (conditions []string, args []any) {
	if id == "" {
		return nil, nil
	}
	return []string{"lot_id = ?"}, []any{id}
}

// SpotsByID returns what is known of spots, removed ones too.
func SpotsByID(ctx context.Context, tx *sqldb.Tx, ids []string) (map[string]Spot, error) {
	found, err := spotTable.withIDs(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	spots := make(map[string]Spot, len(found))
	for id, s := range found {
		spots[id] = spotTable.value(s)
	}
	return spots, nil
}

// Revision counts the batches of records that changed something.
func Revision(ctx context.Context, tx *sqldb.Tx) (int64, error) {
	revision, _, err := sqldb.One(ctx, tx, func(r sqldb.Row) (n int64, err error) { return n, r.Scan(&n) }, "select revision from dir_state where one = 1")
	if err != nil {
		return 0, fmt.Errorf("reading the revision of the directory: %w", err)
	}
	return revision, nil
}
