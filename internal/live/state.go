package live

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
)

// state is the newest event of each spot that has versions, at the offsets that the instance has delivered. It is guarded by
// Service.mu. Events without a version, which other programs wrote, are not in it.
//
// It begins with the compacted twin of the log, see [Service.loadState], and is kept by every event that is delivered. An entry is the
// one that memory has too, as long as memory has it. A spot costs about 750 bytes, most of it the bytes of its event and the strings
// that these were decoded into: 100,000 spots take some 75 MB, once, however many clients ask, and a snapshot of them another 0.8 MB.
type state struct {
	known map[string]knownSpot // by spot
	spots []*entry             // those that are not removed, in no order: copying it is all that a snapshot costs

	loaded bool
	ready  chan struct{} // closed when loaded
	newest *snapshot     // the one made last
}

// knownSpot stays when a spot is removed, lest an older event that the log holds twice brings it back.
type knownSpot struct {
	version int64
	at      int // in spots; -1: removed
}

func newState() *state {
	return &state{known: map[string]knownSpot{}, ready: make(chan struct{})}
}

// apply takes over an event, unless a newer one of its spot is known.
func (s *state) apply(e *entry) {
	id, known := e.event.SpotID, knownSpot{at: -1}
	if k, ok := s.known[id]; ok {
		known = k
	}
	if e.event.Version <= known.version {
		return
	}
	known.version = e.event.Version
	switch removed := e.event.Status == event.Removed || e.event.Change == event.ChangeRemoved; {
	case !removed && known.at >= 0:
		s.spots[known.at] = e
	case !removed:
		known.at = len(s.spots)
		s.spots = append(s.spots, e)
	case known.at >= 0:
		last := len(s.spots) - 1
		if moved := s.spots[last]; known.at != last {
			s.spots[known.at] = moved
			s.known[moved.event.SpotID] = knownSpot{moved.event.Version, known.at}
		}
		s.spots[last] = nil
		s.spots = s.spots[:last]
		known.at = -1
	}
	s.known[id] = known
}

// A snapshot is the newest event of each spot at certain offsets: whoever has it and then gets every event behind
// them has missed nothing and gets nothing twice. It never changes and is shared by all who ask at about the same time. The
// partition and the offset of its entries say nothing: they may come from the twin.
type snapshot struct {
	offsets event.Offsets
	spots   []*entry
	made    time.Time
	byLot   func() map[string][]*entry
}

// snapshotAge is how old a snapshot may be that is given to one more client. What happened since, it catches up with.
const snapshotAge = time.Second

// snapshotPatience is how long somebody waits for the state, when the instance has just started.
const snapshotPatience = 5 * time.Second

// errNoState says that the state of the spots is not known yet.
var errNoState = errors.New("the state of the spots has not been read from the event log yet")

// snapshot returns the state of the spots, at most a second old, at offsets behind which memory has everything when it returns. It
// waits a few seconds for an instance that has just started, and then returns errNoState.
func (s *Service) snapshot(ctx context.Context) (*snapshot, error) {
	s.mu.Lock()
	state := s.state
	s.mu.Unlock()
	select {
	case <-state.ready:
	default:
		timer := time.NewTimer(snapshotPatience)
		defer timer.Stop()
		select {
		case <-state.ready:
		case <-timer.C:
			return nil, errNoState
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	newest := state.newest
	if newest != nil && (slices.Equal(newest.offsets, s.heads) || time.Since(newest.made) < snapshotAge && s.memory.reaches(newest.offsets)) {
		return newest, nil
	}
	spots := slices.Clone(state.spots)
	state.newest = &snapshot{offsets: slices.Clone(s.heads), spots: spots, made: time.Now(), byLot: sync.OnceValue(func() map[string][]*entry {
		lots := map[string][]*entry{}
		for _, e := range spots {
			lots[e.event.LotID] = append(lots[e.event.LotID], e)
		}
		return lots
	})}
	s.metrics.snapshots.Inc()
	return state.newest, nil
}

// matching ranges over the newest events of the spots whose newest event the filter lets through, in no order.
func (s *snapshot) matching(f filter) iter.Seq[*entry] {
	from := [][]*entry{s.spots}
	if len(f.lots) > 0 { // else each of very many clients would look at all the lots
		from = nil
		for _, lot := range f.lots {
			from = append(from, s.byLot()[lot])
		}
	}
	return func(yield func(*entry) bool) {
		for _, entries := range from {
			for _, e := range entries {
				if f.matches(&e.event) && !yield(e) {
					return
				}
			}
		}
	}
}

// loadState reads what the state was when the instance began to deliver, until it is known or ctx ends.
//
// The relay writes an event to the log first, and to the twin when the log has it. So what the twin has is in the log, up to where
// the log ended *after* the twin was read: the state is exact as soon as that has been delivered. (That waits for transactions of
// other programs which keep readers from what stands behind them.) What the log has may not be in the twin yet, while it is under way, and for as long as
// no relay runs. Where that begins the twin's records tell themselves, see [kafkalog.CoveredHeader]: from there on the log is
// read, up to where the instance began to deliver. Where they do not tell, it is read whole.
//
// Versions put together what comes from twin, log and delivery in any order. A spot that was removed is not brought back by an
// older record of the twin, since its removal is known by its version, or comes with what is delivered.
func (s *Service) loadState(ctx context.Context, began event.Offsets) {
	_, err := retryQuietly(ctx, s, "reading the state of the spots", func() (struct{}, error) { return struct{}{}, s.readState(ctx, began) })
	if err != nil {
		return // ctx ended
	}
	ends, err := retryQuietly(ctx, s, "asking where the event log ends", func() (event.Offsets, error) { return ask(ctx, s.options.Log.Ends) })
	for err == nil {
		s.mu.Lock()
		if s.heads.Contains(ends) {
			s.state.loaded = true
			close(s.state.ready)
			s.options.Logger.Info("the state of the spots is known", "spots", len(s.state.spots))
			s.mu.Unlock()
			return
		}
		changed := s.nextChange()
		s.mu.Unlock()
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-changed:
		}
	}
}

// readState reads the twin, and what of the log is not in it.
func (s *Service) readState(ctx context.Context, began event.Offsets) error {
	twin := map[string]*entry{}
	covered, err := s.options.Log.Spots(ctx, func(r kafkalog.Record) error {
		s.metrics.stateRecords.WithLabelValues("twin").Inc()
		if r.Value == nil {
			delete(twin, string(r.Key))
		} else if e := decode(-1, event.None, r.Value); e != nil && e.event.SpotID == string(r.Key) {
			if newer := twin[e.event.SpotID]; newer != nil && newer.event.Version > e.event.Version {
				return nil // a relay that had been replaced wrote once more
			}
			e.value = slices.Clone(e.value) // else the whole batch that it came in stays
			twin[e.event.SpotID] = e
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	for _, e := range twin {
		s.state.apply(e)
	}
	s.mu.Unlock()
	return s.options.Log.Range(ctx, covered, began, func(r kafkalog.Record) error {
		s.metrics.stateRecords.WithLabelValues("log").Inc()
		if e := decode(r.Partition, r.Offset, r.Value); e != nil && e.event.Version > 0 {
			e.value = slices.Clone(e.value)
			s.mu.Lock()
			defer s.mu.Unlock()
			s.state.apply(e)
		}
		return nil
	})
}
