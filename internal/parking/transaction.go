package parking

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"parkwire/internal/event"
	"parkwire/internal/problem"
	"parkwire/internal/relay"
	"parkwire/internal/rest"
	"parkwire/internal/trace"
)

// origin is who asked for a change, and in which trace.
type origin struct {
	rest.Caller
	attempt *attempt // nil: without a key
}

// transaction collects what one transaction does to spots, and writes it at its end: state, outbox and history, and who changed what.
type transaction struct {
	Tx
	now     time.Time
	spots   []Spot
	events  []*event.Event
	rows    []relay.OutboxRow
	entries []HistoryEntry
	records []relay.Record
	granted bool // something was said of keys or revocations
}

// update runs change in a transaction of the store, which may call it several times.
func (s *Service) update(ctx context.Context, change func(ctx context.Context, t *transaction) error) error {
	began := s.options.Clock()
	span := trace.Of(ctx).Child("transaction", trace.Internal, time.Time{})
	var done *transaction
	err := s.store.Update(ctx, func(ctx context.Context, tx Tx) error {
		t := &transaction{Tx: tx, now: s.now()}
		if err := change(ctx, t); err != nil {
			return err
		}
		done = t
		return t.write(ctx)
	})
	end(span, done, err)
	if err == nil {
		s.metrics.committed(done, s.options.Clock().Sub(began))
		if done.granted {
			s.feed.tell()
		}
	}
	return err
}

// end ends the span of a transaction. That a change is refused is no failure of it.
func end(span *trace.Span, done *transaction, err error) {
	if span == nil {
		return
	}
	if err == nil {
		span.Set("parkwire.events", len(done.events))
	} else if !errors.As(err, new(problem.Problem)) {
		span.Fail(err)
	}
	span.End()
}

// save keeps the spot as it now is.
func (t *transaction) save(s Spot) { t.spots = append(t.spots, s) }

// publish puts e, unless nil, into the outbox and the history.
func (t *transaction) publish(e *event.Event, by origin) error {
	if e == nil {
		return nil
	}
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("making an event id: %w", err)
	}
	e.EventID = id.String()
	value, err := event.Encode(*e)
	if err != nil {
		return err
	}
	t.events = append(t.events, e)
	t.rows = append(t.rows, relay.OutboxRow{
		SpotID: e.SpotID, EventID: e.EventID, Value: value, Tombstone: e.Status == event.Removed, Traceparent: by.Traceparent,
	})
	t.entries = append(t.entries, HistoryEntry{
		SpotID: e.SpotID, Change: e.Change, Status: e.Status, PreviousStatus: e.PreviousStatus, Version: e.Version, EventID: e.EventID,
		ObservedAt: e.ObservedAt.Time, RecordedAt: e.Timestamp.Time, Source: Source(e.Source), By: by.Who.Subject,
	})
	return nil
}

// recordLate puts a reading that came too late into the history, and nowhere else.
func (t *transaction) recordLate(o Observation, by origin) {
	status := event.Free
	if o.Occupied {
		status = event.Occupied
	}
	t.entries = append(t.entries, HistoryEntry{
		SpotID: o.SpotID, Change: ChangeLate, Status: status, ObservedAt: o.ObservedAt, RecordedAt: t.now, Source: SourceSensor, By: by.Who.Subject,
	})
}

func (t *transaction) write(ctx context.Context) error {
	if len(t.spots) > 0 {
		if err := t.SaveSpots(ctx, t.spots); err != nil {
			return err
		}
	}
	if len(t.rows)+len(t.entries) > 0 {
		if err := t.Append(ctx, t.rows, t.entries); err != nil {
			return err
		}
	}
	if len(t.records) == 0 {
		return nil
	}
	return t.AppendRecords(ctx, t.records)
}

// changeSpot applies a transition to one spot, if its version is what the caller expects, and answers it as it then is.
func (s *Service) changeSpot(ctx context.Context, by origin, id string, expect rest.Precondition,
	change func(ctx context.Context, t *transaction, spot *Spot) (*event.Event, error),
) (rest.Answer, error) {
	return s.answered(ctx, by, func(ctx context.Context, t *transaction) (rest.Answer, error) {
		spots, err := t.Spots(ctx, []string{id})
		if err != nil {
			return rest.Answer{}, err
		}
		spot, there := spots[id]
		if !there || spot.Removed || !by.Who.Reaches(spot.LotID) {
			return rest.Answer{}, spotNotFound(id)
		}
		if !expect.Holds(etag(spot.Version)) {
			return rest.Answer{}, versionMismatch(spot, string(expect))
		}
		before := spot
		e, err := change(ctx, t, &spot)
		if err == nil && spot != before {
			t.save(spot)
			err = errors.Join(t.publish(e, by), t.auditSpot(by, before, spot))
		}
		return spotAnswer(spot, err)
	})
}

// untilOrdered repeats a change that lost against another one that added the same id first: next time the change
// sees that id, and says which one it is.
func untilOrdered(change func() error) error {
	err := change()
	for range 3 {
		if !errors.Is(err, ErrTaken) {
			break
		}
		err = change()
	}
	return err
}
