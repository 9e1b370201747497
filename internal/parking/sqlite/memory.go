package sqlite

import (
	"context"
	"fmt"
	"maps"

	"parkwire/internal/parking"
	"parkwire/internal/parking/internal/storage"
)

// maxRemembered bounds how many spots are kept in memory, some 500 bytes each.
const maxRemembered = 100_000

// memory is what the writer knows of spots without asking. Nobody else writes, so that what it committed last is what stands in the table. Where somebody
// did after all (an operator with the program sqlite3), SQLite tells, and all is forgotten.
type memory struct {
	spots   map[string]parking.Spot // as they are committed
	version int64                   // of the database, as SQLite counts what other connections commit; it begins at 1
	known   map[string]parking.Spot // those that the transaction under way has read or saved, as it sees them
}

// begin is called when a transaction has begun: from now on nobody else writes.
func (m *memory) begin(version int64) {
	if version != m.version {
		m.forget()
	}
	m.version, m.known = version, map[string]parking.Spot{}
}

// committed takes over what is known.
func (m *memory) committed() {
	maps.Copy(m.spots, m.known)
	for id := range m.spots {
		if len(m.spots) <= maxRemembered {
			break
		}
		delete(m.spots, id)
	}
}

func (m *memory) forget() { m.spots = map[string]parking.Spot{} }

// spot returns a spot as the transaction sees it.
func (m *memory) spot(id string) (parking.Spot, bool) {
	spot, there := m.known[id]
	if !there {
		if spot, there = m.spots[id]; there {
			m.known[id] = spot
		}
	}
	return spot, there
}

// left does what the database did when a lot or zone was removed: the removed spots that had been in it are in none.
func (m *memory) left(was func(parking.Spot) (lot, zone bool)) {
	m.forget()
	for id, spot := range m.known {
		lot, zone := was(spot)
		if lot {
			spot.LotID = ""
		}
		if lot || zone {
			spot.ZoneID = ""
		}
		m.known[id] = spot
	}
}

func (t *tx) Spots(ctx context.Context, ids []string) (map[string]parking.Spot, error) {
	found := make(map[string]parking.Spot, len(ids))
	var others []string
	for _, id := range ids {
		if spot, known := t.w.memory.spot(id); known {
			found[id] = spot
		} else {
			others = append(others, id)
		}
	}
	if len(others) == 0 {
		return found, ctx.Err()
	}
	spots, err := read(ctx, t.w, storage.ScanSpot,
		"select "+storage.SpotColumns+" from spots s where s.id in (select value from json_each(?))", list(others))
	if err != nil {
		return nil, fmt.Errorf("reading spots: %w", err)
	}
	for _, spot := range spots {
		found[spot.ID], t.w.memory.known[spot.ID] = spot, spot
	}
	return found, nil
}
