package directory

import (
	"context"
	"errors"
	"fmt"

	"parkwire/internal/consumer"
	"parkwire/internal/kafkalog"
	"parkwire/internal/sqldb"
)

// Effect is what a service makes of the topic parking-audit to know how things are described. A consumer of it is one of its own, beside
// that of the events:
//
//	consumer.New(consumer.Options{Name: "history-directory", Topic: log.AuditTopic(), Effect: directory.Effect(), …})
//
// Its Reset deletes nothing. Records are kept for a year, lots for longer: a rebuild that forgot them would lose their names. Those that
// are read again change nothing.
func Effect() consumer.Effect { return effect{} }

type effect struct{}

func (effect) Load(context.Context, *sqldb.Tx) error  { return nil }
func (effect) Reset(context.Context, *sqldb.Tx) error { return nil }

// Check refuses what describes nothing. Records of other resources are passed over.
func (effect) Check(raw kafkalog.Record) error {
	r, ok, err := decode(raw.Value)
	if err != nil || !ok {
		return err
	}
	switch r.Resource.Type {
	case typeLot:
		return lotKind.check(r)
	case typeZone:
		return zoneKind.check(r)
	}
	return spotKind.check(r)
}

// Apply keeps what the records describe, with a few statements for all of them.
func (effect) Apply(ctx context.Context, tx *sqldb.Tx, records []kafkalog.Record) error {
	read := make([]record, len(records))
	ids := map[string][]string{} // by type
	var refused []error
	for i, raw := range records {
		r, ok, err := decode(raw.Value)
		if err != nil {
			refused = append(refused, consumer.Refuse(i, err))
		}
		if ok {
			read[i] = r
			ids[r.Resource.Type] = append(ids[r.Resource.Type], r.Resource.ID)
		}
	}
	if len(refused) > 0 || len(ids) == 0 {
		return errors.Join(refused...)
	}
	lots, err := lotTable.known(ctx, tx, ids[typeLot])
	if err != nil {
		return err
	}
	zones, err := zoneTable.known(ctx, tx, ids[typeZone])
	if err != nil {
		return err
	}
	spots, err := spotTable.known(ctx, tx, ids[typeSpot])
	if err != nil {
		return err
	}
	for i, r := range read {
		switch r.Resource.Type {
		case typeLot:
			err = take(lots, lotKind, r)
		case typeZone:
			err = take(zones, zoneKind, r)
		case typeSpot:
			err = take(spots, spotKind, r)
		}
		if err != nil {
			return consumer.Refuse(i, err)
		}
	}
	return save(ctx, tx, lots, zones, spots)
}

func take[T described](known map[string]entry[T], k kind[T], r record) error {
	next, err := k.fold(known[r.Resource.ID], r)
	if err == nil {
		known[r.Resource.ID] = next
	}
	return err
}

var (
	lotKind  = kind[Lot]{readLot, func(l Lot) string { return l.ID }}
	zoneKind = kind[Zone]{readZone, func(z Zone) string { return z.ID }}
	spotKind = kind[Spot]{readSpot, func(s Spot) string { return s.ID }}
)

// save writes what changed, as of the next revision.
func save(ctx context.Context, tx *sqldb.Tx, lots map[string]entry[Lot], zones map[string]entry[Zone], spots map[string]entry[Spot]) error {
	if !anyChanged(lots) && !anyChanged(zones) && !anyChanged(spots) {
		return nil
	}
	if _, err := tx.Exec(ctx, "update dir_state set revision = revision + 1 where one = 1"); err != nil {
		return fmt.Errorf("counting what changed in the directory: %w", err)
	}
	revision, err := Revision(ctx, tx)
	if err != nil {
		return err
	}
	if err := lotTable.save(ctx, tx, lots, revision); err != nil {
		return err
	}
	if err := zoneTable.save(ctx, tx, zones, revision); err != nil {
		return err
	}
	return spotTable.save(ctx, tx, spots, revision)
}

func anyChanged[T described](known map[string]entry[T]) bool {
	for _, e := range known {
		if e.changed {
			return true
		}
	}
	return false
}
