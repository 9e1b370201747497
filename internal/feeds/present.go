package feeds

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"parkwire/internal/consumer"
	"parkwire/internal/directory"
	"parkwire/internal/event"
	"parkwire/internal/history"
	"parkwire/internal/sqldb"
)

// state is what all spots are, and how they are described, in one snapshot of the database. It is not changed any more.
type state struct {
	version string // changes with whatever is committed
	lots    []*lot // by id
	byID    map[string]*lot
}

// lot is one with its spots, as far as anybody told of it: described, or named by an event.
type lot struct {
	directory.Lot
	zones   []directory.Zone // by id
	spots   []spot           // by id
	changed time.Time        // when something happened to one of the spots last; zero: nothing did
}

// spot is what one is, and how it is described.
type spot struct {
	history.Present
	name, category string
	location       *directory.Location
	describedAt    time.Time
}

// counts are how many spots of some are what.
type counts struct{ total, free, occupied, closed, unknown int }

// count counts the spots that which is true of.
func (l *lot) count(which func(spot) bool) (c counts, changed time.Time) {
	for _, s := range l.spots {
		if !which(s) {
			continue
		}
		c.total++
		switch s.Status {
		case event.Free:
			c.free++
		case event.Occupied:
			c.occupied++
		case event.Closed, event.OutOfService:
			c.closed++
		case event.Reserved:
		default: // what nobody knows is not free
			c.unknown++
		}
		if s.Since.After(changed) {
			changed = s.Since
		}
	}
	return c, changed
}

func (l *lot) zone(id string) (directory.Zone, bool) {
	i := slices.IndexFunc(l.zones, func(z directory.Zone) bool { return z.ID == id })
	if i < 0 {
		return directory.Zone{}, false
	}
	return l.zones[i], true
}

// lookEvery is how old a state may be that is answered with.
const lookEvery = time.Second

// present is the newest state, read when somebody asks, at most once in lookEvery, and then only where something was committed meanwhile.
type present struct {
	db      *sqldb.DB
	now     func() time.Time
	metrics *metrics
	book    *directory.Book
	flights singleflight.Group

	mu     sync.Mutex
	state  *state
	looked time.Time
}

func newPresent(db *sqldb.DB, now func() time.Time, m *metrics) *present {
	return &present{db: db, now: now, metrics: m, book: directory.NewBook()}
}

// get returns the state. Whoever asks while it is read waits for the same.
func (p *present) get(ctx context.Context) (*state, error) {
	if s := p.fresh(); s != nil {
		return s, nil
	}
	flight := p.flights.DoChan("", func() (any, error) {
		if s := p.fresh(); s != nil {
			return s, nil
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), buildTime)
		defer cancel()
		return p.read(ctx)
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case result := <-flight:
		if result.Err != nil {
			return nil, result.Err
		}
		return result.Val.(*state), nil
	}
}

func (p *present) fresh() *state {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state == nil || p.now().Sub(p.looked) >= lookEvery {
		return nil
	}
	return p.state
}

func (p *present) read(ctx context.Context) (*state, error) {
	p.mu.Lock()
	known := p.state
	p.mu.Unlock()
	looked := p.now()
	next := known
	err := p.db.View(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		version, err := versionOf(ctx, tx)
		if err != nil || known != nil && known.version == version {
			return err
		}
		p.metrics.reads.Inc()
		if _, err := p.book.Refresh(ctx, tx); err != nil {
			return err
		}
		next, err = readState(ctx, tx, p.book, version)
		return err
	})
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state, p.looked = next, looked
	return next, nil
}

// events is the name of the history service's consumer of events.
const events = "history"

// versionOf names what is committed: how far the events were read, and how often descriptions changed.
func versionOf(ctx context.Context, tx *sqldb.Tx) (string, error) {
	position, err := consumer.Position(ctx, tx, events)
	if err != nil {
		return "", err
	}
	revision, err := directory.Revision(ctx, tx)
	return fmt.Sprintf("%s.%d", position, revision), err
}

func readState(ctx context.Context, tx *sqldb.Tx, book *directory.Book, version string) (*state, error) {
	spots, err := history.Presents(ctx, tx, nil)
	if err != nil {
		return nil, fmt.Errorf("reading what spots are: %w", err)
	}
	lots, err := directory.Lots(ctx, tx, directory.Page{})
	if err != nil {
		return nil, err
	}
	zones, err := directory.Zones(ctx, tx, "")
	if err != nil {
		return nil, err
	}
	s := &state{version: version, byID: make(map[string]*lot, len(lots))}
	for _, l := range lots {
		s.byID[l.ID] = &lot{Lot: l}
	}
	for _, p := range spots {
		if p.LotID == "" {
			continue // of a program that names no lot
		}
		l := s.byID[p.LotID]
		if l == nil { // told of by events alone
			l = &lot{Lot: directory.Lot{ID: p.LotID, Name: p.LotID, TimeZone: "UTC"}}
			s.byID[p.LotID] = l
		}
		described, _ := book.Spot(p.SpotID)
		l.spots = append(l.spots, spot{Present: p, name: described.Name, category: cmp.Or(described.Category, "standard"), location: described.Location, describedAt: described.ChangedAt})
		if p.Since.After(l.changed) {
			l.changed = p.Since
		}
	}
	for _, z := range zones {
		if l := s.byID[z.LotID]; l != nil {
			l.zones = append(l.zones, z)
		}
	}
	for _, l := range s.byID {
		slices.SortFunc(l.spots, func(a, b spot) int { return cmp.Compare(a.SpotID, b.SpotID) })
		slices.SortFunc(l.zones, func(a, b directory.Zone) int { return cmp.Compare(a.ID, b.ID) })
		s.lots = append(s.lots, l)
	}
	slices.SortFunc(s.lots, func(a, b *lot) int { return cmp.Compare(a.ID, b.ID) })
	return s, nil
}

// lot returns one that is there.
func (s *state) lot(id string) (*lot, error) {
	if l := s.byID[id]; l != nil {
		return l, nil
	}
	return nil, lotNotFound(id)
}
