package directory

import (
	"context"
	"sync"
	"time"

	"parkwire/internal/sqldb"
)

// Book is the directory in memory, for who looks up so much that the database would be asked too often. It is as the last [Book.Refresh] found
// it, and may be used by several goroutines.
type Book struct {
	refreshing sync.Mutex // held while one refreshes, so that a slower one does not put back what is older

	mu       sync.RWMutex
	revision int64
	lots     map[string]Lot
	clocks   map[string]*time.Location // of lots
	zones    map[string]Zone
	spots    map[string]Spot
}

// NewBook returns a book that knows nothing yet.
func NewBook() *Book {
	return &Book{lots: map[string]Lot{}, clocks: map[string]*time.Location{}, zones: map[string]Zone{}, spots: map[string]Spot{}}
}

// Refresh reads what changed since the last time, and reports whether anything did.
func (b *Book) Refresh(ctx context.Context, tx *sqldb.Tx) (changed bool, err error) {
	b.refreshing.Lock()
	defer b.refreshing.Unlock()
	revision, err := Revision(ctx, tx)
	if err != nil || revision <= b.Revision() {
		return false, err
	}
	const since = "where revision > ?"
	lots, err := lotTable.read(ctx, tx, since, b.Revision())
	if err != nil {
		return false, err
	}
	zones, err := zoneTable.read(ctx, tx, since, b.Revision())
	if err != nil {
		return false, err
	}
	spots, err := spotTable.read(ctx, tx, since, b.Revision())
	if err != nil {
		return false, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, l := range lots {
		b.lots[l.ID], b.clocks[l.ID] = l, l.Clock()
	}
	for _, z := range zones {
		b.zones[z.ID] = z
	}
	for _, s := range spots {
		b.spots[s.ID] = s
	}
	b.revision = revision
	return true, nil
}

// Revision is the one of the last refresh.
func (b *Book) Revision() int64 {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.revision
}

// Lot returns a lot, also one that was removed; ok is false where nothing is known of it.
func (b *Book) Lot(id string) (lot Lot, ok bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	lot, ok = b.lots[id]
	return lot, ok
}

// Zone returns a zone, as [Book.Lot] does a lot.
func (b *Book) Zone(id string) (zone Zone, ok bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	zone, ok = b.zones[id]
	return zone, ok
}

// Spot returns a spot, as [Book.Lot] does a lot.
func (b *Book) Spot(id string) (spot Spot, ok bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	spot, ok = b.spots[id]
	return spot, ok
}

// Clock is the time zone of a lot; UTC where the lot or its zone is not known.
func (b *Book) Clock(lotID string) *time.Location {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if clock := b.clocks[lotID]; clock != nil {
		return clock
	}
	return time.UTC
}
