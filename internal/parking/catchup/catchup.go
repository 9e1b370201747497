// Package catchup brings a database of the parking part, which was restored from a backup, to where the log is. The log has every change that was
// acknowledged since, so that nothing of them is lost, and no version is counted twice.
package catchup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/identity/access"
	"parkwire/internal/kafkalog"
	"parkwire/internal/parking"
	"parkwire/internal/relay"
)

// Options configure [Run]. Store, which was started, and Log are required.
type Options struct {
	Store parking.Store
	Log   *kafkalog.Log
	// Patience is how long is waited for a process that was killed to lose the lead. Default 15 s.
	Patience time.Duration
	Progress func(done, total int64) // records of the log; may be nil
	Logger   *slog.Logger
}

// Report is what the database did not have.
type Report struct {
	Events int // that were applied
	Spots  int // that they changed
	// Unknown counts spots of which the log has newer versions than its first record: what lies between is known by its result alone.
	Unknown int
	// Untold are the spots, by id, of which the database alone knows: they may have been removed, and the log has forgotten it.
	Untold                     []string
	Lots, Zones, Sensors, Keys int
	Outbox                     int // rows that Kafka had long had
}

// ErrLed says that a parking process works with the database.
var ErrLed = errors.New("a parking process works with this database: end all of them first")

const (
	batch  = 500     // records in a transaction
	atOnce = 100_000 // rows that are read of the outbox: more than wait there
)

// Run reads the log and applies what the database does not have. It may be run again, and what was applied stays.
func Run(ctx context.Context, o Options) (Report, error) {
	o.Patience = cmp.Or(o.Patience, 15*time.Second)
	o.Logger = cmp.Or(o.Logger, slog.Default())
	if err := o.Log.FindTopics(ctx); err != nil {
		return Report{}, err
	}
	r := &run{Options: o, behind: map[string]bool{}, newest: map[string]int64{}, unknown: map[string]bool{}, lacking: map[string]relay.OutboxRow{}}
	waiting, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	timer := time.AfterFunc(o.Patience, func() { giveUp(ErrLed) })
	err := o.Store.Lead(waiting, func(ctx context.Context) error {
		if !timer.Stop() {
			return ErrLed
		}
		return r.catchUp(ctx)
	})
	if cause := context.Cause(waiting); errors.Is(cause, ErrLed) {
		err = ErrLed
	}
	r.Spots, r.Unknown = len(r.behind), len(r.unknown)
	return r.Report, err
}

// run is one.
type run struct {
	Options
	Report
	described descriptions
	behind    map[string]bool            // spots that were changed
	newest    map[string]int64           // version of each spot that the log tells of
	twin      map[string]int64           // version of each spot that the twin has
	lacking   map[string]relay.OutboxRow // the newest event of each spot of which it has an older one, or none
	unknown   map[string]bool
	waiting   []event.Event
	done      int64
	total     int64
}

func (r *run) catchUp(ctx context.Context) error {
	var err error
	if r.described, err = r.readDescriptions(ctx); err != nil {
		return err
	}
	if err := r.describe(ctx); err != nil {
		return err
	}
	if err := r.readTwin(ctx); err != nil {
		return err
	}
	topic := r.Log.TopicID()
	from, err := r.Store.Positions(ctx, topic)
	if err != nil {
		return err
	}
	to, err := r.Log.Ends(ctx) // also behind a transaction of another program that has not ended
	if err != nil {
		return err
	}
	for p, head := range to {
		r.total += max(0, head-from.At(int32(p)))
	}
	err = r.Log.Range(ctx, from, to, func(record kafkalog.Record) error { return r.read(ctx, record) })
	if errors.Is(err, kafkalog.ErrShort) {
		err = fmt.Errorf("%w. Another program has a transaction open: try again when it has ended", err)
	}
	if err != nil {
		return fmt.Errorf("reading the log: %w", err)
	}
	if err := r.flush(ctx); err != nil {
		return err
	}
	// Where the backup is older than the log reaches back, the twin knows what became of each spot that is there.
	if _, err := r.Log.Spots(ctx, func(record kafkalog.Record) error { return r.read(ctx, record) }); err != nil {
		return err
	}
	for _, c := range r.described.of("spot") {
		if e, ok := c.removal(); ok {
			if err := r.take(ctx, e, nil); err != nil {
				return err
			}
		}
	}
	if err := r.flush(ctx); err != nil {
		return err
	}
	if err := r.undescribe(ctx); err != nil {
		return err
	}
	if err := r.sensors(ctx); err != nil {
		return err
	}
	if err := r.access(ctx); err != nil {
		return err
	}
	if err := r.completeTwin(ctx); err != nil {
		return err
	}
	waiting, err := r.outbox(ctx, event.Cursor{Topic: topic, Offsets: from})
	if err != nil {
		return err
	}
	return r.untold(ctx, waiting)
}

// read takes the events of the platform. Those of other programs have no version, and the database never had them.
func (r *run) read(ctx context.Context, record kafkalog.Record) error {
	r.done++
	if r.Progress != nil {
		r.Progress(min(r.done, r.total), r.total)
	}
	e, err := event.Decode(record.Value)
	if err != nil || e.Version < 1 || e.Change == "" {
		return nil
	}
	return r.take(ctx, e, record.Value)
}

// take collects an event that is newer than what was told of its spot before.
func (r *run) take(ctx context.Context, e event.Event, value []byte) error {
	if e.Version <= r.newest[e.SpotID] {
		return nil
	}
	r.newest[e.SpotID] = e.Version
	if e.Version > r.twin[e.SpotID] {
		r.lacking[e.SpotID] = relay.OutboxRow{SpotID: e.SpotID, EventID: e.EventID, Value: slices.Clone(value), Tombstone: e.Status == event.Removed}
	}
	if r.waiting = append(r.waiting, e); len(r.waiting) < batch {
		return nil
	}
	return r.flush(ctx)
}

// flush applies what was collected.
func (r *run) flush(ctx context.Context) error {
	events := r.waiting
	r.waiting = nil
	if len(events) == 0 {
		return nil
	}
	var applied []event.Event
	var skipped []string
	err := r.Store.Update(ctx, func(ctx context.Context, tx parking.Tx) error {
		applied, skipped = nil, nil
		ids := map[string]bool{}
		for _, e := range events {
			ids[e.SpotID] = true
		}
		spots, err := tx.Spots(ctx, sorted(ids))
		if err != nil {
			return err
		}
		var entries []parking.HistoryEntry
		changed := map[string]bool{}
		for _, e := range events {
			s, known := spots[e.SpotID]
			if e.Version <= s.Version {
				continue
			}
			if e.Version > s.Version+1 {
				skipped = append(skipped, e.SpotID)
			}
			if !known || s.Removed {
				s = parking.Spot{ID: e.SpotID, Category: parking.Standard, AddedAt: e.Timestamp.Time, Version: s.Version}
			}
			apply(&s, e)
			spots[e.SpotID], changed[e.SpotID] = s, true
			applied = append(applied, e)
			entries = append(entries, parking.HistoryEntry{
				SpotID: e.SpotID, Change: e.Change, Status: e.Status, PreviousStatus: e.PreviousStatus, Version: e.Version, EventID: e.EventID,
				ObservedAt: e.ObservedAt.Time, RecordedAt: e.Timestamp.Time, Source: parking.Source(e.Source),
			})
		}
		if len(changed) == 0 {
			return nil
		}
		save := make([]parking.Spot, 0, len(changed))
		for _, id := range sorted(changed) {
			s := spots[id]
			r.described.complete(&s)
			if err := r.places(ctx, tx, &s); err != nil {
				return err
			}
			save = append(save, s)
		}
		if err := tx.SaveSpots(ctx, save); err != nil {
			return err
		}
		return tx.Append(ctx, nil, entries)
	})
	if err != nil {
		return fmt.Errorf("applying events: %w", err)
	}
	r.Events += len(applied)
	for _, e := range applied {
		r.behind[e.SpotID] = true
	}
	for _, id := range skipped {
		r.unknown[id] = true
	}
	return nil
}

// apply makes of a spot what an event says that it was from then on. What the status does not show (whether a car stood on a spot that was closed) stays as
// it was; the next reading tells.
func apply(s *parking.Spot, e event.Event) {
	s.LotID, s.ZoneID, s.Version, s.ChangedAt = e.LotID, e.ZoneID, e.Version, e.Timestamp.Time
	if e.ObservedAt.After(s.LastObservedAt) {
		s.LastObservedAt, s.LastSequence = e.ObservedAt.Time, 0
	}
	s.Removed = false
	switch e.Change { // what may hold under another status
	case event.ChangeReopened:
		s.Closed = false
	case event.ChangeRepaired:
		s.Faulted = false
	case event.ChangeFaulted:
		s.Faulted = true
	case event.ChangeReservationEnded:
		s.Reservation = nil
	}
	if e.Status != event.Closed {
		s.Closed = false
		if e.Status != event.OutOfService {
			s.Faulted = false
		}
	}
	seen := func(o parking.Occupancy) { s.Occupancy, s.SignalLost = o, false }
	switch e.Status {
	case event.Removed:
		s.Removed, s.Reservation = true, nil
	case event.Closed:
		s.Closed = true
	case event.OutOfService:
		s.Faulted = true
	case event.Unknown:
		s.SignalLost = s.SignalLost || e.Change == event.ChangeSignalLost
		s.Occupancy = parking.NotKnown
	case event.Occupied:
		seen(parking.Taken)
	case event.Reserved:
		seen(parking.Vacant)
		if s.Reservation == nil || e.Change == event.ChangeReserved {
			s.Reservation = &parking.Reservation{ReservedAt: e.Timestamp.Time}
		}
	case event.Free:
		seen(parking.Vacant)
		s.Reservation = nil
	}
	if s.Occupancy == "" { // added with a status that says nothing of it
		s.Occupancy = parking.Vacant
	}
}

// places makes the lot and the zone of a spot where nothing else tells of them.
func (r *run) places(ctx context.Context, tx parking.Tx, s *parking.Spot) error {
	if s.Removed {
		if _, err := tx.Lot(ctx, s.LotID); errors.Is(err, parking.ErrNotFound) {
			s.LotID, s.ZoneID = "", "" // it went with the spot
			return nil
		} else if err != nil {
			return err
		}
	} else if _, err := tx.Lot(ctx, s.LotID); errors.Is(err, parking.ErrNotFound) {
		if err := tx.AddLot(ctx, parking.Lot{ID: s.LotID, Name: s.LotID, TimeZone: "UTC", CreatedAt: s.AddedAt, UpdatedAt: s.AddedAt}); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	if s.ZoneID == "" {
		return nil
	}
	_, err := tx.Zone(ctx, s.ZoneID)
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, parking.ErrNotFound):
		return err
	case s.Removed:
		s.ZoneID = ""
		return nil
	}
	return tx.AddZone(ctx, parking.Zone{ID: s.ZoneID, LotID: s.LotID, Name: s.ZoneID})
}

// outbox removes rows of events that the log has, or has had. The relay would find most of them there, but not those that the log has forgotten. It returns the
// spots of which events are left.
func (r *run) outbox(ctx context.Context, at event.Cursor) (waiting map[string]bool, err error) {
	rows, err := r.Store.Pending(ctx, atOnce)
	if err != nil {
		return nil, err
	}
	waiting = map[string]bool{}
	var had []int64
	for _, row := range rows {
		if e, err := event.Decode(row.Value); err == nil && e.Version <= r.newest[e.SpotID] {
			had = append(had, row.ID)
		} else {
			waiting[row.SpotID] = true
		}
	}
	if len(had) == 0 {
		return waiting, nil
	}
	r.Outbox = len(had)
	return waiting, r.Store.Done(ctx, had, at)
}

// untold finds the spots that are there, and of which nothing was told and nothing waits to be.
func (r *run) untold(ctx context.Context, waiting map[string]bool) error {
	q := parking.SpotQuery{Limit: 1000}
	for {
		spots, err := r.Store.Spots(ctx, q)
		if err != nil {
			return err
		}
		for _, s := range spots {
			if r.newest[s.ID] == 0 && !waiting[s.ID] {
				r.Untold = append(r.Untold, s.ID)
			}
			q.After = s.ID
		}
		if len(spots) < q.Limit {
			return nil
		}
	}
}

// access takes over what the topic says of keys and revocations and the database does not know, so that nothing that was revoked is taken again.
func (r *run) access(ctx context.Context) error {
	type entry struct {
		access.Entry
		value []byte
	}
	said := map[string]entry{}
	err := r.all(ctx, r.Log.AccessTopic(), func(record kafkalog.Record) {
		e, err := access.Decode(record.Value)
		if err != nil { // nothing is left of it, or it is none
			delete(said, string(record.Key))
			return
		}
		if e.Revision > said[string(record.Key)].Revision {
			said[string(record.Key)] = entry{e, record.Value}
		}
	})
	if err != nil {
		return err
	}
	for _, name := range sorted(said) {
		e := said[name]
		row := parking.AccessRow{Revision: e.Revision, Value: e.value, KeptUntil: e.KeptUntil()}
		row.Kind, row.ID = e.Name()
		if !row.KeptUntil.IsZero() && row.KeptUntil.Before(time.Now()) {
			continue
		}
		saved := false
		err := r.Store.Update(ctx, func(ctx context.Context, tx parking.Tx) error {
			saved = false
			has, err := tx.AccessRow(ctx, row.Kind, row.ID)
			if err != nil && !errors.Is(err, parking.ErrNotFound) {
				return err
			}
			if err == nil && has.Revision >= e.Revision {
				return nil
			}
			saved = true
			return tx.SaveAccess(ctx, row)
		})
		if err != nil {
			return fmt.Errorf("taking over %s: %w", name, err)
		}
		if saved {
			r.Keys++
		}
	}
	return nil
}

// all reads a topic from its beginning to its present end.
func (r *run) all(ctx context.Context, topic string, fn func(kafkalog.Record)) error {
	stand, err := r.Log.Stand(ctx, topic)
	if err != nil {
		return err
	}
	var from, to event.Offsets
	for p := range stand.End {
		from, to = from.Advance(int32(p), stand.Begin[p]-1), to.Advance(int32(p), stand.End[p]-1)
	}
	err = r.Log.RangeOf(ctx, topic, from, to, func(record kafkalog.Record) error { fn(record); return nil })
	if err != nil {
		return fmt.Errorf("reading %s: %w", topic, err)
	}
	return nil
}
